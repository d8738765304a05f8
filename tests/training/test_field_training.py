"""Training of field flows: on the device, compiled once, resumed; better than the spectrum alone; calibrated."""

import logging
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from flows.test_field_flow import SMALL, gaussian_fields, gaussian_law, log_normal_fields, power
from scipy.stats import chi2

import cosmoflow as cf
from cosmoflow._results import RunError
from cosmoflow.dynamics import wavenumbers
from cosmoflow.flows import field_flow
from cosmoflow.training import NegativeELBO, ReverseKL, default_optimizer
from cosmoflow.training._fit import _train_chunk, _Training


def test_a_chunk_of_training_stays_on_the_device():
    """The compiled program of a chunk neither feeds nor calls the host."""
    grid = (8, 8, 8)
    fields = gaussian_fields(grid, 8, np.random.default_rng(0))
    parameters, static = eqx.partition(field_flow(grid, **SMALL, fields=fields, key=jr.key(0)), eqx.is_inexact_array)
    optimizer = optax.adam(1e-2)
    training = _Training(parameters, optimizer.init(parameters), parameters, jnp.asarray(jnp.inf))
    lowered = _train_chunk.lower(
        (static, NegativeELBO(), fields, optimizer, jr.key(1), jnp.asarray(0)), training,
        num_steps=5, batch_size=2, num_validation=2,
    )  # fmt: skip
    program = lowered.compile().compiled.as_text()
    assert "fft" in program
    for word in ("infeed", "outfeed", "callback", "send(", "recv("):
        assert word not in program


class Compiled(logging.Handler):
    """Names what is compiled."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        if record.getMessage().startswith("Compiling"):
            self.messages.append(record.getMessage())


@pytest.fixture
def compiled(monkeypatch):
    """What JAX compiles, whatever other packages have done to its logger."""
    logger, handler = logging.getLogger("jax._src.interpreters.pxla"), Compiled()
    monkeypatch.setattr(logger, "disabled", False)
    logger.addHandler(handler)
    with jax.log_compiles():
        yield handler.messages
    logger.removeHandler(handler)


def test_training_is_compiled_once_and_resumed_with_the_same_bits(tmp_path, compiled):
    grid = (16, 16, 16)
    fields = log_normal_fields(grid, 8, np.random.default_rng(0))
    flow = field_flow(grid, **SMALL | {"num_maps": 1}, fields=fields, key=jr.key(0))
    settings: dict[str, Any] = {"data": fields, "num_steps": 6, "batch_size": 2, "chunk": 2, "key": jr.key(1)}
    settings["optimizer"] = default_optimizer(6)
    whole, history = cf.fit(flow, NegativeELBO(), **settings)
    assert sum("_train_chunk" in message for message in compiled) == 1
    calls = iter([False, True])
    with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store, pytest.raises(RunError):
        cf.fit(flow, NegativeELBO(), store=store, stop=lambda: next(calls), **settings)
    with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
        resumed, again = cf.fit(flow, NegativeELBO(), store=store, **settings)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(history.losses, again.losses)


@pytest.mark.slow
def test_a_gaussian_field_is_learned_to_a_hundredth_of_a_nat_per_dimension():
    """From the spectrum of the training fields; the bound and the exact law on fields that were not."""
    grid, rng = (32, 32, 32), np.random.default_rng(0)
    fields, held_out = gaussian_fields(grid, 200, rng), gaussian_fields(grid, 8, rng)
    flow = field_flow(grid, **SMALL | {"num_maps": 1}, fields=fields, key=jr.key(0))
    flow, _ = cf.fit(flow, NegativeELBO(), data=fields, num_steps=20, batch_size=2, chunk=10, key=jr.key(1))
    last = np.arange(17)
    counted = np.where((last == 0) | (last == 16), 1.0, 2.0)
    modes = np.abs(np.fft.rfftn(held_out.reshape(-1, *grid), axes=(1, 2, 3), norm="ortho")) ** 2
    exact = -0.5 * np.sum(counted * (modes / power(grid) + np.log(2 * np.pi * power(grid))), axis=(1, 2, 3))
    bound = jax.lax.map(lambda a: flow.elbo(a[0], key=a[1]), (held_out, jr.split(jr.key(2), 8)))
    assert -1e-3 < np.mean(exact - bound) / 32**3 < 0.01


@pytest.mark.slow
def test_log_normal_fields_are_learned_beyond_their_spectrum():
    grid, rng = (8, 8, 8), np.random.default_rng(0)
    fields, held_out = log_normal_fields(grid, 400, rng), log_normal_fields(grid, 32, rng)
    flow = field_flow(grid, num_maps=2, width=8, fields=fields, key=jr.key(0))
    flow, _ = cf.fit(flow, NegativeELBO(), data=fields, num_steps=150, batch_size=8, key=jr.key(1))
    bound = jax.lax.map(lambda a: flow.elbo(a[0], key=a[1]), (held_out, jr.split(jr.key(2), 32)))
    baseline = jax.vmap(gaussian_law(grid, fields=fields).log_prob)(held_out)
    gain = (bound - baseline) / 8**3
    assert jnp.mean(gain) > 0.3 > 5 * jnp.std(gain) / 32**0.5


NOISE = 0.5


def chi_square(ranks, num_draws):
    """p-value of uniform ranks in eight bins, for each statistic."""
    expected = len(ranks) / 8
    counted = np.stack([np.histogram(r, 8, (-0.5, num_draws + 0.5))[0] for r in ranks.T])
    return chi2.sf(np.sum((counted - expected) ** 2, axis=1) / expected, 7)


@pytest.mark.slow
def test_amortised_inference_is_calibrated():
    """Ranks of true band powers and modes of log-normal maps among draws given noisy maps; draws given other data fail.

    The control is handed data whose noise is half of what the training had.
    """
    grid, rng, num_draws = (8, 8), np.random.default_rng(0), 63
    fields, truths = log_normal_fields(grid, 20_000, rng, sd=0.5), log_normal_fields(grid, 400, rng, sd=0.5)
    data, observed = (f + NOISE * jnp.asarray(rng.standard_normal(f.shape)) for f in (fields, truths))
    flow = field_flow(grid, num_conditions=1, width=8, fields=fields[:2000], key=jr.key(0))
    flow, _ = cf.fit(flow, NegativeELBO(), data=(fields, data), num_steps=800, batch_size=64, key=jr.key(1))
    bands = np.rint(8 * wavenumbers(grid))

    def statistics(field):
        modes = jnp.fft.rfftn(field.reshape(grid), norm="ortho")
        powers = [jnp.sum(jnp.where(bands == b, jnp.abs(modes) ** 2, 0)) for b in range(1, 5)]
        return jnp.stack([*powers, modes.real[0, 1], modes.imag[1, 1], modes.real[2, 2], modes.imag[3, 1], field[0]])

    @jax.jit
    def ranks(truths, observed):
        def of(given):
            truth, condition, key = given
            sample = jax.vmap(lambda k: flow.sample_position(key=k, condition=condition))(jr.split(key, num_draws))
            return jnp.sum(jax.vmap(statistics)(sample) < statistics(truth), axis=0)

        return jax.lax.map(of, (truths, observed, jr.split(jr.key(2), len(truths))))

    right = chi_square(np.asarray(ranks(truths, observed)), num_draws)
    wrong = chi_square(np.asarray(ranks(truths, 0.5 * (truths + observed))), num_draws)
    assert right.min() > 1e-3 / len(right), right
    assert np.max(wrong[:4]) < 1e-6, wrong


@pytest.mark.slow
def test_a_flow_is_the_posterior_of_a_noisy_field():
    """Reverse divergence on a Gaussian posterior: its moments, its evidence, and a latent target close to white."""
    grid, rng = (6, 6), np.random.default_rng(1)
    prior = gaussian_law(grid, fields=gaussian_fields(grid, 2000, rng))
    truth = prior.sample(jr.key(0))
    data = truth + NOISE * jr.normal(jr.key(1), truth.shape)

    def log_density(q):
        return prior.log_prob(q) + jnp.sum(jax.scipy.stats.norm.logpdf(data, q, NOISE))

    target = cf.targets.CallableTarget(log_density, jnp.zeros(36))
    flow = field_flow(grid, num_conditions=1, num_maps=2, width=8, key=jr.key(2)).given(data)
    flow, _ = cf.fit(flow, ReverseKL(target, 32, path_gradient=True), num_steps=500, key=jr.key(3))
    precision = -jax.hessian(log_density)(jnp.zeros(36))
    covariance = jnp.linalg.inv(precision)
    mean = covariance @ jax.grad(log_density)(jnp.zeros(36))
    found = cf.importance_sample(flow, target, num_samples=4000, num_momenta=4, key=jr.key(4))
    log_evidence = log_density(mean) + 0.5 * (36 * jnp.log(2 * jnp.pi) - jnp.linalg.slogdet(precision)[1])
    assert found.ess_fraction > 0.3 and found.pareto_k < 0.7
    assert abs(found.log_evidence - log_evidence) < 5 * found.log_evidence_error
    drawn = found.x[:, :36]
    sd = jnp.sqrt(jnp.diagonal(covariance))
    assert jnp.max(jnp.abs(jnp.mean(drawn, axis=0) - mean) / sd) < 0.3
    assert jnp.max(jnp.abs(jnp.log(jnp.std(drawn, axis=0) / sd))) < 0.2
    latent = cf.neural_transport(target, flow)
    curvature = jnp.linalg.eigvalsh(-jax.jit(jax.hessian(latent.log_density))(jnp.zeros(72)))
    assert curvature[-1] / curvature[0] < 4 < jnp.linalg.cond(precision)
