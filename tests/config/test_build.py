"""From a configuration to objects, and back to a configuration."""

import inspect
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import pytest

from cosmoflow._sample import sample
from cosmoflow.config import ConfigError, build_flow, build_posterior, build_sampler, identity, load, resolved_toml
from cosmoflow.config._samplers import (
    BoomerangTable,
    BouncyParticleTable,
    CoordinateSamplerTable,
    ForwardEventChainTable,
    GHMCTable,
    NUTSTable,
    ZigZagTable,
)
from cosmoflow.config._schema import FlowTable, RunTable, TrainingTable, WarmupTable
from cosmoflow.flows import fixed_kinetic_flow
from cosmoflow.samplers import GHMC, NUTS, Boomerang, BouncyParticle, CoordinateSampler, ForwardEventChain, ZigZag
from cosmoflow.samplers.pdmp import ChordBound, SlopeBound
from cosmoflow.training import ReverseKL, default_optimizer
from cosmoflow.warmup import warmup

CONFIGS = sorted((Path(__file__).parents[2] / "scripts" / "configs").glob("*.toml"))

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
    assert build_flow(config.flow, 3, jr.key(0)).shape == (6,)


@pytest.mark.parametrize(
    ("table", "constructors"),
    [
        (ZigZagTable, (ZigZag, ChordBound)),
        (BouncyParticleTable, (BouncyParticle, SlopeBound)),
        (ForwardEventChainTable, (ForwardEventChain, SlopeBound)),
        (BoomerangTable, (Boomerang, SlopeBound)),
        (CoordinateSamplerTable, (CoordinateSampler, SlopeBound)),
        (GHMCTable, (GHMC,)),
        (NUTSTable, (NUTS,)),
        (FlowTable, (fixed_kinetic_flow,)),
        (TrainingTable, (ReverseKL, default_optimizer)),
        (WarmupTable, (warmup,)),
        (RunTable, (sample,)),
    ],
)
def test_defaults_are_those_of_the_constructors(table, constructors):
    parameters = {n: p for c in constructors for n, p in inspect.signature(c).parameters.items()}
    for name, field in table.model_fields.items():
        if name in parameters and parameters[name].default is not inspect.Parameter.empty:
            assert field.default == parameters[name].default, name


@pytest.mark.parametrize(
    "kind",
    ["zig_zag", "bouncy_particle", "forward_event_chain", "boomerang", "coordinate_sampler", "ghmc", "nuts"],
)
def test_samplers(tmp_path, kind):
    sampler = build_sampler(parse(tmp_path, EVERYTHING.replace("ghmc", kind)))
    assert type(sampler).__name__.lower() == kind.replace("_", "")


def test_resolved_configuration_reads_back_the_same(config, tmp_path):
    text = resolved_toml(config)
    again = parse(tmp_path, text, "again.toml")
    assert again.model_dump() == config.model_dump() and resolved_toml(again) == text
    assert "depth = 2" in text


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configurations(path):
    config = load(path)
    posterior = build_posterior(config)
    assert jnp.isfinite(posterior.log_density(jnp.zeros(posterior.dim)))
    assert config.output == Path(f"{path.stem}.h5")


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
        ("[flow]\nwidth = 4", ""),
        ("max_time = 60", "seed = 1"),
        ("max_time = 60", "num_chains = 5"),
        ("ghmc", "nuts"),
        ("[flow]", "[warmup]\nnum_steps = 3\n[flow]"),
    ],
)
def test_identity_sees_what_may_not_change(tmp_path, config, old, new):
    assert identity(parse(tmp_path, EVERYTHING.replace(old, new))) != identity(config)
