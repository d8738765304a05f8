"""From a configuration to objects, and back to a configuration."""

import inspect
import re

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import pytest
from flowjax.bijections import Chain

from cosmoflow._sample import sample
from cosmoflow.config import ConfigError, build_flow, build_posterior, build_sampler, identity, load, resolved_toml
from cosmoflow.config._build_sampler import _CONSTRUCTORS
from cosmoflow.config._samplers import (
    AdjustedMCLMCTable,
    BoomerangTable,
    BouncyParticleSplittingTable,
    BouncyParticleTable,
    CoordinateSamplerTable,
    CoordinateSplittingTable,
    DiscreteBouncyParticleTable,
    ForwardEventChainSplittingTable,
    ForwardEventChainTable,
    GHMCTable,
    HugAndHopTable,
    HybridSplittingTable,
    KineticLangevinTable,
    LangevinTable,
    MALTTable,
    MCLMCTable,
    MixtureTable,
    NUTSTable,
    TemperingTable,
    ZigZagSplittingTable,
    ZigZagTable,
)
from cosmoflow.config._schema import FlowTable, RunTable, TrainingTable, WarmupTable
from cosmoflow.dynamics import AdditivePotential, GaussianKinetic, NeuralKinetic, NeuralPotential, RadialPotential
from cosmoflow.flows import (
    AdditiveGaussianMomentum,
    DenseGaussianMomentum,
    GaussianMomentum,
    LowRankGaussianMomentum,
    fixed_kinetic_flow,
)
from cosmoflow.samplers import (
    GHMC,
    MALT,
    MCLMC,
    NUTS,
    AdjustedMCLMC,
    Boomerang,
    BouncyParticle,
    BouncyParticleSplitting,
    CoordinateSampler,
    CoordinateSplitting,
    DiscreteBouncyParticle,
    ForwardEventChain,
    ForwardEventChainSplitting,
    HugAndHop,
    HybridSplitting,
    KineticLangevin,
    Langevin,
    Mixture,
    ParallelTempering,
    ZigZag,
    ZigZagSplitting,
)
from cosmoflow.samplers.pdmp import ChordBound, SlopeBound
from cosmoflow.training import ReverseKL, default_optimizer
from cosmoflow.warmup import warmup

EVERYTHING = """
[likelihood.desi_dr2_bao]
sound_horizon = "given"
[likelihood.union3]
[prior]
"w0, wa" = { distribution = "uniform_polygon", vertices = [[-3, -3], [1, -3], [1, -1], [-2, 2], [-3, 2]] }
Omega_m = { distribution = "truncated_normal", mean = 0.3, sd = 0.1, low = 1e-05 }
h = { distribution = "log_normal", mu = -0.36, sigma = 0.05 }
r_d = { distribution = "normal", mean = 147, sd = 1.0 }
Omega_k = { distribution = "delta", value = 0.0 }
[sampler]
kind = "ghmc"
[flow]
width = 4
[run]
output = 'a "quoted" \\\\ name.h5'
max_time = 60
"""

MISFITS = {
    "lacking": ("r_d =", "h_r_d =", "prior.r_d is missing, but likelihood.desi_dr2_bao needs it; add it to [prior]."),
    "misspelt": (
        "r_d =",
        "rd =",
        "prior.r_d is missing, but likelihood.desi_dr2_bao needs it; rename 'rd', which none",
    ),
    "superfluous": ("Omega_k", "Omega_kk", "prior.Omega_kk is used by no likelihood; the nearest known is 'Omega_k'"),
    "unlike anything": ("Omega_k", "zeta", "prior.zeta is used by no likelihood; remove it."),
    "not convex": ("[1, -1], ", "[-2, -2], ", "prior.w0, wa: UniformPolygon needs the vertices of a convex polygon"),
    "no mass": ("low = 1e-05", "low = 50.0", "prior.Omega_m: TruncatedNormal has no mass left"),
}


def parse(folder, text, name="run.toml"):
    path = folder / name
    path.write_text(text)
    return load(path)


@pytest.fixture
def config(tmp_path):
    return parse(tmp_path, EVERYTHING)


@pytest.mark.slow
def test_posterior(config):
    posterior = build_posterior(config)
    assert posterior.dim == 5
    assert posterior.prior.names == ("w0", "wa", "Omega_m", "h", "r_d", "Omega_k")
    assert posterior.likelihood.names == ("desi_dr2_bao", "union3")
    assert jnp.isfinite(posterior.log_density(jnp.zeros(5)))


@pytest.mark.parametrize("name", MISFITS)
def test_prior_and_likelihood_misfit(tmp_path, name):
    old, new, sentence = MISFITS[name]
    with pytest.raises(ConfigError) as caught:
        build_posterior(parse(tmp_path, EVERYTHING.replace(old, new, 1)))
    assert str(caught.value).startswith(f"{tmp_path / 'run.toml'}: {sentence}")


def test_nothing_free(tmp_path):
    text = '[likelihood.union3]\n[prior]\nOmega_m = { distribution = "delta", value = 0.3 }\n[sampler]\nkind = "nuts"\n'
    with pytest.raises(ConfigError, match="prior holds every parameter fixed"):
        build_posterior(parse(tmp_path, text))


def test_flow(config):
    flow = build_flow(config.flow, 3, jr.key(0))
    assert eqx.tree_equal(flow, fixed_kinetic_flow(3, width=4, key=jr.key(0)))


def parts(flow):
    maps = flow.bijection.bijections if isinstance(flow.bijection, Chain) else (flow.bijection,)
    assert len({type(m.hamiltonian.kinetic) for m in maps} | {type(m.hamiltonian.potential) for m in maps}) == 2
    energies = maps[0].hamiltonian
    return len(maps), maps[0].num_steps, type(energies.kinetic), type(energies.potential), type(flow.momentum)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("num_maps = 3", {0: 3}),
        ("num_steps = 7", {1: 7}),
        ('kinetic = "fixed"', {2: GaussianKinetic}),
        ('kinetic = "learned"', {2: NeuralKinetic}),
        ('potential = "network"', {3: NeuralPotential}),
        ('potential = "bells"', {3: RadialPotential}),
        ('potential = "additive"', {3: AdditivePotential, 4: AdditiveGaussianMomentum}),
        ('momentum = "diagonal"', {4: GaussianMomentum}),
        ('momentum = "dense"', {4: DenseGaussianMomentum}),
        ('momentum = "low_rank"', {4: LowRankGaussianMomentum}),
        ('momentum = "additive"', {4: AdditiveGaussianMomentum}),
    ],
)
def test_flow_options(tmp_path, option, expected):
    usual = [5, 1, GaussianKinetic, NeuralPotential, DenseGaussianMomentum]
    for place, part in expected.items():
        usual[place] = part
    config = parse(tmp_path, EVERYTHING.replace("width = 4", f"width = 4\n{option}"))
    assert parts(build_flow(config.flow, 3, jr.key(0))) == tuple(usual)
    assert parse(tmp_path, resolved_toml(config), "again.toml").model_dump() == config.model_dump()


def test_encoders_of_bells(tmp_path):
    config = parse(tmp_path, EVERYTHING.replace("width = 4", 'width = 4\npotential = "bells"'))
    flow = build_flow(config.flow, 3, jr.key(0))
    assert flow.momentum.network.centres.shape == (4, 3)
    assert flow.bijection.bijections[0].hamiltonian.potential.centres.shape == (4, 3)


@pytest.mark.slow
def test_all_options_of_a_flow_at_once(tmp_path):
    options = 'kinetic = "learned"\nnum_steps = 2\nnum_maps = 4\npotential = "additive"\nmomentum = "low_rank"'
    config = parse(tmp_path, EVERYTHING.replace("width = 4", f"width = 4\n{options}"))
    flow = build_flow(config.flow, 3, jr.key(0))
    assert parts(flow) == (4, 2, NeuralKinetic, AdditivePotential, LowRankGaussianMomentum)
    x, log_prob = eqx.filter_jit(flow.sample_and_log_prob)(jr.key(1))
    assert jnp.isfinite(log_prob) and jnp.isfinite(flow.elbo(x[:3], key=jr.key(2)))


@pytest.mark.parametrize(
    ("table", "constructors"),
    [
        (ZigZagTable, (ZigZag, ChordBound)),
        (BouncyParticleTable, (BouncyParticle, SlopeBound)),
        (ForwardEventChainTable, (ForwardEventChain, SlopeBound)),
        (BoomerangTable, (Boomerang, SlopeBound)),
        (CoordinateSamplerTable, (CoordinateSampler, SlopeBound)),
        (GHMCTable, (GHMC,)),
        (LangevinTable, (Langevin,)),
        (MCLMCTable, (MCLMC,)),
        (KineticLangevinTable, (KineticLangevin,)),
        (AdjustedMCLMCTable, (AdjustedMCLMC,)),
        (MALTTable, (MALT,)),
        (NUTSTable, (NUTS,)),
        (HybridSplittingTable, (HybridSplitting,)),
        (BouncyParticleSplittingTable, (BouncyParticleSplitting,)),
        (ForwardEventChainSplittingTable, (ForwardEventChainSplitting,)),
        (ZigZagSplittingTable, (ZigZagSplitting,)),
        (CoordinateSplittingTable, (CoordinateSplitting,)),
        (DiscreteBouncyParticleTable, (DiscreteBouncyParticle,)),
        (HugAndHopTable, (HugAndHop,)),
        (TemperingTable, (ParallelTempering,)),
        (MixtureTable, (Mixture,)),
        (FlowTable, (fixed_kinetic_flow,)),
        (TrainingTable, (ReverseKL, default_optimizer)),
        (WarmupTable, (warmup,)),
        (RunTable, (sample,)),
    ],
)
def test_defaults_are_those_of_the_constructors(table, constructors):
    parameters = {n: p for c in constructors for n, p in inspect.signature(c).parameters.items()}
    for name, field in table.model_fields.items():
        named = isinstance(field.default, str)  # a name for an object
        if name in parameters and parameters[name].default is not inspect.Parameter.empty and not named:
            assert field.default == parameters[name].default, name


@pytest.mark.parametrize("kind", sorted(_CONSTRUCTORS.keys() - {"tempering", "mixture"}))
def test_samplers(tmp_path, kind):
    sampler = build_sampler(parse(tmp_path, EVERYTHING.replace("ghmc", kind)))
    assert type(sampler).__name__.lower() == kind.replace("_", "")


def test_no_sampler_is_auto(tmp_path):
    assert build_sampler(parse(tmp_path, EVERYTHING.replace('[sampler]\nkind = "ghmc"\n', ""))) == "auto"


NESTED = {
    "tempering": 'kind = "tempering"\nnum_rungs = 5\nrounds = 2\n[sampler.inner]\nkind = "nuts"\nstep_size = 0.3',
    "mixture": 'kind = "mixture"\nprobabilities = [1, 3]\n[[sampler.members]]\nkind = "independence"\n'
    '[[sampler.members]]\nkind = "ghmc"\nnum_steps = 9',
}


@pytest.mark.parametrize("kind", NESTED)
def test_samplers_of_samplers(tmp_path, kind):
    config = parse(tmp_path, EVERYTHING.replace('kind = "ghmc"', NESTED[kind]))
    sampler = build_sampler(config)
    if isinstance(sampler, ParallelTempering):
        assert sampler.num_rungs == 5 and sampler.rounds == 2 and sampler.inner.step_size.tolist() == [0.3] * 4
    else:
        assert isinstance(sampler, Mixture)
        assert sampler.members[1].num_steps == 9 and sampler.probabilities.tolist() == [0.25, 0.75]
    again = parse(tmp_path, resolved_toml(config), "again.toml")
    assert again.model_dump() == config.model_dump()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[1, 3]", "[1]", "sampler.probabilities are 1, but there are 2 members; give one for each"),
        ("independence", "mixture", "sampler.members[0] has kind = 'mixture', which is not known"),
        ("num_steps = 9", "num_step = 9", "sampler.members[1].num_step is not a known key"),
    ],
)
def test_mistakes_in_samplers_of_samplers(tmp_path, old, new, sentence):
    text = EVERYTHING.replace('kind = "ghmc"', NESTED["mixture"].replace(old, new))
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        parse(tmp_path, text)


def test_a_mixture_whose_means_do_not_fit(tmp_path):
    text = """
[likelihood.gaussian_mixture]
parameters = ["x"]
weights = [1.0]
means = [[0.0, 1.0]]
[prior]
x = { distribution = "normal", mean = 0.0, sd = 1.0 }
[sampler]
kind = "tempering"
"""
    with pytest.raises(
        ConfigError, match=r"likelihood.gaussian_mixture: GaussianMixture needs means of shape \(1, 1\)"
    ):
        build_posterior(parse(tmp_path, text))


def test_resolved_configuration_reads_back_the_same(config, tmp_path):
    text = resolved_toml(config)
    again = parse(tmp_path, text, "again.toml")
    assert again.model_dump() == config.model_dump() and resolved_toml(again) == text
    assert "depth = 2" in text


def test_identity_ignores_what_may_change(tmp_path, config):
    operational = "num_draws = 7\nchunk = 30\ncommit_seconds = 1\nmax_time = 5\noutput = 'b.h5'"
    other = parse(tmp_path, EVERYTHING.partition("output =")[0] + operational)
    assert identity(other) == identity(config)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sd = 0.1", "sd = 0.2"),
        ("[likelihood.union3]", ""),
        ("width = 4", "width = 5"),
        ("width = 4", "width = 4\nnum_maps = 2"),
        ("width = 4", 'width = 4\nkinetic = "learned"'),
        ("width = 4", 'width = 4\npotential = "bells"'),
        ("width = 4", 'width = 4\nmomentum = "dense"'),
        ("[flow]\nwidth = 4", ""),
        ("max_time = 60", "seed = 1"),
        ("max_time = 60", "num_chains = 5"),
        ("ghmc", "nuts"),
        ("[flow]", "[warmup]\nmax_gradients = 3\n[flow]"),
    ],
)
def test_identity_sees_what_may_not_change(tmp_path, config, old, new):
    assert identity(parse(tmp_path, EVERYTHING.replace(old, new))) != identity(config)
