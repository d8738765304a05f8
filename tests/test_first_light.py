"""From survey data to posteriors, against grid integrals and published numbers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from arviz_stats.base import array_stats
from helpers import effective_size

import cosmoflow as cf
from cosmoflow.likelihoods import JointLikelihood

SHORT_STEP = 0.08
OMEGA_M, H_R_D = (0.01, 0.99), (10.0, 1000.0)


@pytest.fixture(scope="module")
def bao():
    return cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())


@pytest.fixture(scope="module")
def lcdm(bao):
    return cf.Posterior(cf.Prior({"Omega_m": cf.Uniform(*OMEGA_M), "h_r_d": cf.Uniform(*H_R_D)}), bao)


@pytest.fixture(scope="module")
def grid(bao):
    """Means, standard deviations and log evidence of flat LCDM by the midpoint rule.

    The box holds all but 1e-12 of the posterior: its edges lie over seven standard deviations out.
    """
    omega_m, h_r_d = np.linspace(0.22, 0.39, 601), np.linspace(94.0, 109.0, 601)
    x, y = np.meshgrid(omega_m, h_r_d, indexing="ij")
    log_likelihood = jax.jit(jax.vmap(lambda a, b: bao.log_likelihood({"Omega_m": a, "h_r_d": b})))
    log_l = np.asarray(log_likelihood(x.ravel(), y.ravel())).reshape(x.shape)
    assert max(log_l[0].max(), log_l[-1].max(), log_l[:, 0].max(), log_l[:, -1].max()) < log_l.max() - 20
    weight = np.exp(log_l - log_l.max())
    total = weight.sum()
    cell = (omega_m[1] - omega_m[0]) * (h_r_d[1] - h_r_d[0])
    volume = (OMEGA_M[1] - OMEGA_M[0]) * (H_R_D[1] - H_R_D[0])
    mean = {"Omega_m": (weight * x).sum() / total, "h_r_d": (weight * y).sum() / total}
    sd = {
        name: np.sqrt((weight * (values - mean[name]) ** 2).sum() / total)
        for name, values in (("Omega_m", x), ("h_r_d", y))
    }
    return mean, sd, log_l.max() + np.log(total * cell / volume)


def test_desi_dr2_flat_lcdm(lcdm, grid):
    mean, sd, _ = grid
    target, sampler, start = cf.warmup(lcdm, cf.samplers.ZigZag(), num_chains=4, key=jr.key(0))
    chain = cf.sample(target, sampler, num_draws=15_000, num_chains=4, position=start, key=jr.key(1))
    published = {"Omega_m": 0.2975, "h_r_d": 101.54}  # arXiv:2503.14738
    for name, draws in chain.posterior.items():
        assert array_stats.ess(draws, chain_axis=0, draw_axis=1, method="bulk") > 10_000
        assert effective_size(draws**2) > 10_000
        assert abs(draws.mean() - mean[name]) < 0.05 * sd[name]
        assert abs(draws.mean() - published[name]) < 0.1 * sd[name]
        assert abs(draws.std() / sd[name] - 1) < 0.03


@pytest.mark.slow
def test_evidence_of_a_flow_agrees_with_the_grid(lcdm, grid):
    _, _, log_evidence = grid
    with jax.numpy_dtype_promotion("standard"):
        whitened = cf.whiten(lcdm, key=jr.key(0))
        flow, _ = cf.fit(
            cf.fixed_kinetic_flow(2, num_steps=5, num_maps=1, width=32, key=jr.key(1)),
            cf.ReverseKL(whitened, 128),
            num_steps=150,
            key=jr.key(2),
        )
        found = cf.importance_sample(flow, whitened, num_samples=10_000, key=jr.key(3))
    assert found.ess_fraction > 0.5
    assert abs(found.log_evidence - log_evidence) < 0.03


@pytest.fixture(scope="module")
def w0wa(bao):
    prior = {
        "Omega_m": cf.Uniform(*OMEGA_M),
        "h_r_d": cf.Uniform(*H_R_D),
        ("w0", "wa"): cf.UniformPolygon([[-3.0, -3.0], [1.0, -3.0], [1.0, -1.0], [-2.0, 2.0], [-3.0, 2.0]]),
    }
    likelihood = JointLikelihood({"bao": bao, "supernovae": cf.likelihoods.Supernovae(cf.datasets.union3())})
    return cf.Posterior(cf.Prior(prior), likelihood)


@pytest.mark.slow
def test_samplers_agree_on_the_demo(w0wa):
    """Zig-zag, zig-zag in flow coordinates, generalised HMC and NUTS, each to an ESS above 10,000.

    The posterior has a thin tail towards small Omega_m, where w0 + wa is close to zero: 1 in 1000 draws below 0.2 make
    a tenth of the variance. The zig-zag process finds it as it is; trajectories need steps much shorter than those that
    an acceptance rate asks for.
    """
    with jax.numpy_dtype_promotion("standard"):
        whitened = cf.whiten(w0wa, key=jr.key(0))
        flow, _ = cf.fit(
            cf.fixed_kinetic_flow(whitened.dim, key=jr.key(1)), cf.ReverseKL(whitened), num_steps=1000, key=jr.key(2)
        )
    flowing = cf.neural_transport(whitened, flow)
    runs = {
        "zig-zag": (w0wa, cf.samplers.ZigZag(), None, 40_000),
        "zig-zag in flow coordinates": (flowing, cf.samplers.ZigZag(), None, 40_000),
        "generalised HMC": (w0wa, cf.samplers.GHMC(num_steps=32), SHORT_STEP, 25_000),
        "NUTS": (w0wa, cf.samplers.NUTS(), SHORT_STEP, 20_000),
    }
    moments = {}
    for i, (name, (target, sampler, step_size, num_draws)) in enumerate(runs.items()):
        coordinates, tuned, start = cf.warmup(target, sampler, num_chains=4, key=jr.key(10 + i))
        if step_size is not None:
            tuned = eqx.tree_at(lambda s: s.step_size, tuned, jnp.asarray(step_size))
        chain = cf.sample(coordinates, tuned, num_draws=num_draws, num_chains=4, position=start, key=jr.key(20 + i))
        for parameter, draws in chain.posterior.items():
            ess = array_stats.ess(draws, chain_axis=0, draw_axis=1, method="bulk")
            assert ess > 10_000, f"{name}: ESS of {parameter} is {ess:.0f}"
            errors = (array_stats.mcse(draws, chain_axis=0, draw_axis=1, method=m) for m in ("mean", "sd"))
            moments.setdefault(parameter, {})[name] = (draws.mean(), draws.std(), *errors)
    for parameter, found in moments.items():
        for a in found:
            for b in found:
                (mean_a, sd_a, error_a, sd_error_a), (mean_b, sd_b, error_b, sd_error_b) = found[a], found[b]
                assert abs(mean_a - mean_b) < 4 * np.hypot(error_a, error_b) + 1e-15, (parameter, a, b)
                assert abs(sd_a - sd_b) < 4 * np.hypot(sd_error_a, sd_error_b) + 1e-15, (parameter, a, b)
                assert abs(sd_a / sd_b - 1) < 0.04, (parameter, a, b)
