"""A U-Net of periodic fields: equivariant, zero at first, and trained it draws fields of the right spectrum."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from cosmoflow.fields import Grid, WavenumberBins
from cosmoflow.generative import CriticallyDamped, Diffusion, EnergyNetwork, FieldUNet, FlowMatching, Guidance
from cosmoflow.training import Matching, fit

TIME = jnp.array(0.3)


def awake(network):
    """As training leaves it: its last layer is not zero any more."""
    return eqx.tree_at(lambda n: n.last.weight, network, replace_fn=lambda w: jr.normal(jr.key(9), w.shape, w.dtype))


def rolled(fields, grid, shift):
    return jnp.roll(fields.reshape(-1, *grid), shift, range(1, len(grid) + 1)).ravel()


@pytest.mark.soon(1)
@pytest.mark.parametrize(
    ("grid", "depth", "shift"),
    [((8, 12), 2, (4, -8)), ((4, 4, 8), 1, (2, 0, 6)), ((16,), 3, (8,)), ((5, 3), 0, (1, 2))],
)
def test_translations_by_the_coarsest_cells(grid, depth, shift):
    """Exact to rounding; not where the fields of the condition stay behind, nor by a cell of a finer resolution."""
    cells = math.prod(grid)
    network = awake(FieldUNet(grid, cond_size=2, cond_fields=1, channels=3, depth=depth, width=5, key=jr.key(0)))
    x, data, numbers = jr.normal(jr.key(1), (cells,)), jr.normal(jr.key(2), (cells,)), jnp.array([0.4, -1.0])
    f = jax.jit(lambda x, data: network(x, TIME, jnp.concatenate([numbers, data])))
    expected = rolled(f(x, data), grid, shift)
    scale = jnp.std(expected)
    assert scale > 0.01
    np.testing.assert_allclose(f(rolled(x, grid, shift), rolled(data, grid, shift)), expected, atol=1e-12 * scale)
    assert jnp.max(jnp.abs(f(rolled(x, grid, shift), data) - expected)) > 1e-3 * scale
    if depth:
        half = tuple(s // 2 if s == shift[0] else 0 for s in shift)
        moved = f(rolled(x, grid, half), rolled(data, grid, half))
        assert jnp.max(jnp.abs(moved - rolled(f(x, data), grid, half))) > 1e-3 * scale


@pytest.mark.slow
def test_it_starts_as_zero_and_learns_from_there():
    network = FieldUNet((4, 8), cond_size=1, channels=4, depth=1, key=jr.key(0))
    x, condition = jr.normal(jr.key(1), (32,)), jnp.ones(1)
    value, slope = eqx.filter_jit(eqx.filter_value_and_grad(lambda n: jnp.sum(n(x, TIME, condition) + x) ** 2))(network)
    np.testing.assert_allclose(value, jnp.sum(x) ** 2)
    assert jnp.max(jnp.abs(slope.last.weight)) > 0
    np.testing.assert_array_equal(network(x, TIME, condition), jnp.zeros(32))


@pytest.mark.slow
def test_everything_given_is_seen():
    network = awake(FieldUNet((4, 4), in_fields=2, cond_size=1, cond_fields=2, channels=4, depth=1, key=jr.key(0)))
    x, condition = jr.normal(jr.key(1), (32,)), jr.normal(jr.key(2), (33,))
    slopes = jax.jit(jax.jacfwd(lambda *a: jnp.sum(network(*a) ** 2), argnums=(0, 1, 2)))(x, TIME, condition)
    assert network(x, TIME, condition).shape == (16,)
    for slope in slopes:
        assert jnp.all(jnp.abs(slope) > 0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: FieldUNet((8, 6), key=jr.key(0)),
            "(8, 6) cells cannot be halved 2 times: its sides must be multiples of 4",
        ),
        (lambda: FieldUNet((8,), depth=-1, key=jr.key(0)), "cannot be halved -1 times"),
    ],
)
def test_grids_that_cannot_be_halved_are_refused(make, words):
    with pytest.raises(ValueError) as error:
        make()
    assert words in str(error.value)


def test_conditions_of_another_length_are_refused():
    network = FieldUNet((4, 4), cond_size=2, cond_fields=1, channels=2, depth=1, key=jr.key(0))
    for condition, size in ((None, 0), (jnp.zeros(16), 16)):
        with pytest.raises(ValueError, match=f"has {size} numbers, but the network takes 18: give it 2 numbers and 1 "):
            network(jnp.zeros(16), TIME, condition)


def models(network, *, dim):
    return {
        "diffusion": Diffusion(dim, network),
        "straight": FlowMatching(dim, network),
        "energy": Diffusion(dim, EnergyNetwork(network), prediction="energy"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_precision_is_that_of_the_default(dtype):
    with jax.enable_x64(dtype == jnp.float64):
        network = awake(FieldUNet((4, 4), cond_size=1, cond_fields=1, channels=2, depth=1, key=jr.key(0)))
        x, condition = jr.normal(jr.key(1), (16,)), jr.normal(jr.key(2), (17,))
        velocities = FieldUNet((4, 4), in_fields=2, cond_size=1, cond_fields=1, channels=2, depth=1, key=jr.key(0))
        every = [
            *models(network, dim=16).values(),
            FlowMatching(16, network, guidance=Guidance(jnp.zeros(17), weight=1.0)),
            CriticallyDamped(16, awake(velocities)),
        ]
        for model in every:
            slope = eqx.filter_jit(eqx.filter_grad(lambda m: m.loss(x, key=jr.key(3), condition=condition)))(model)
            draw = eqx.filter_jit(lambda m: m.sample(jr.key(4), num_steps=2, condition=condition))(model)
            for value in jax.tree.leaves((slope, draw)):
                assert value.dtype == dtype
                assert jnp.all(jnp.isfinite(value))


GRID = Grid((16, 16), 1.0)
BINS = WavenumberBins(GRID)


def gaussian_fields(num, key):
    """Of unit variance and spectrum 1 / (1 + (k / k_0)^2), k_0 three fundamental modes."""
    power = 1 / (1 + (GRID.wavenumber / (3 * GRID.nyquist / 8)) ** 2)
    power[0, 0] = 0
    power /= np.sum(power * GRID.multiplicity) / GRID.num_cells
    white = jr.normal(key, (num, *GRID.shape))
    return jax.vmap(lambda w: GRID.field(GRID.modes(w) * jnp.sqrt(power)).ravel())(white)


def spectrum(fields):
    """Mean spectrum of fields, and its statistical error over it."""
    each = jax.vmap(lambda x: BINS.power_spectrum(GRID.modes(x.reshape(GRID.shape))))(fields)
    mean = jnp.mean(each, axis=0)
    return np.asarray(mean), np.asarray(jnp.std(each, axis=0) / len(fields) ** 0.5 / mean)


def least_loss(name):
    """What is left of the loss where the network is exact, for independent modes of variance P: the mean of sqrt(P)
    for v along the cosine schedule, and pi / 2 of it for velocities along straight lines.
    """
    modes = jnp.fft.fft2(gaussian_fields(4000, jr.key(7)).reshape(-1, *GRID.shape), norm="ortho")
    root = jnp.mean(jnp.sqrt(jnp.mean(jnp.abs(modes) ** 2, axis=0)))
    return root * (np.pi / 2 if name == "straight" else 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["diffusion", "straight", "energy"])
def test_fields_of_the_right_spectrum_are_drawn(name):
    """Within a tenth and five standard errors in each bin of |k|; white noise, which it draws untrained, is not."""
    with jax.enable_x64(False), jax.numpy_dtype_promotion("standard"):
        untrained = models(FieldUNet(GRID.shape, channels=16, key=jr.key(0)), dim=256)[name]
        optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(3e-3, 600)))
        trained, _ = fit(
            untrained,
            Matching(),
            data=gaussian_fields(4000, jr.key(1)),
            num_steps=600,
            chunk=200,
            batch_size=32,
            optimizer=optimizer,
            key=jr.key(2),
        )
        fresh = gaussian_fields(500, jr.key(3))
        losses = [eqx.filter_jit(Matching())(model, fresh, key=jr.key(4)) for model in (trained, untrained)]
        assert losses[0] - least_loss(name) < 0.3 * (losses[1] - least_loss(name))
        expected, _ = spectrum(gaussian_fields(4000, jr.key(5)))
        for model, right in ((trained, True), (untrained, False)):
            draws = eqx.filter_jit(jax.vmap(lambda k: model.sample(k, num_steps=40)))(jr.split(jr.key(6), 400))
            found, error = spectrum(draws)
            assert np.all(np.abs(found / expected - 1) < 0.1 + 5 * error) == right
