"""The generator of a process integrates to zero against its law: motion, rates and jumps by quadrature, no sampling."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.samplers import Boomerang, BouncyParticle, ZigZag
from cosmoflow.targets import CallableTarget

TURNS = 128


def energy(x):
    """Neither convex nor symmetric."""
    return 0.5 * x @ x + 0.1 * x[0] ** 4 + 0.8 * jnp.sin(x[0]) * x[-1]


def observable(x, v):
    return jnp.sin(x[0] + 0.3 * x[-1]) * (v[-1] + 0.5 * v[0] ** 3) + x[-1] ** 2 * v[0] * v[-1]


def positions(dim):
    """A trapezoidal rule, which converges faster than any power for what decays on both sides."""
    axis = np.linspace(-6, 6, 41 if dim == 2 else 121)
    return np.stack(np.meshgrid(*[axis] * dim), axis=-1).reshape(-1, dim)


def velocities(process, dim):
    """Nodes and weights of the law of the velocity: signs, or N(0, I) in polar coordinates."""
    if isinstance(process, ZigZag):
        nodes = np.stack(np.meshgrid(*[[-1.0, 1.0]] * dim), axis=-1).reshape(-1, dim)
        return nodes, np.full(len(nodes), 1 / len(nodes))
    if dim == 1:
        nodes, weights = np.polynomial.legendre.leggauss(60)
        nodes, weights = 4 * (nodes + 1), 4 * weights  # on each side of the edge of the rate at zero
        nodes = np.concatenate([-nodes, nodes])
        weights = np.tile(weights, 2) * np.exp(-0.5 * nodes**2) / np.sqrt(2 * np.pi)
        return nodes[:, None], weights
    halves, weights = np.polynomial.laguerre.laggauss(12)  # of |v|^2 / 2
    angles = 2 * np.pi * (np.arange(TURNS) + 0.5) / TURNS
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    nodes = np.sqrt(2 * halves)[:, None, None] * directions
    return nodes.reshape(-1, 2), np.repeat(weights / TURNS, TURNS)


def mean_of_generator(process, dim, factor=1.0):
    """The integral of the generator's image of the observable, over that of its absolute value."""
    potential = process.potential(CallableTarget(lambda x: -energy(x), jnp.zeros(dim)))
    key = jax.random.key(0)  # none of these jumps draws

    def image(x, v):
        _, along = jax.jvp(lambda t: observable(*process.motion.move(x, v, t)), (0.0,), (1.0,))
        gradient = jax.grad(potential)(x)
        rates = factor * jnp.maximum(process.event_rates(gradient, x, v), 0)
        clocks = jnp.arange(rates.size)
        after = jax.vmap(lambda clock: observable(x, process.jump(gradient, x, v, clock, key=key)))(clocks)
        return along + rates @ (after - observable(x, v))

    x = jnp.asarray(positions(dim))
    v, weights = velocities(process, dim)
    density = jnp.exp(-jax.vmap(energy)(x))
    images = jax.jit(lambda: jax.lax.map(lambda x: jax.vmap(image, (None, 0))(x, jnp.asarray(v)), x))()
    return float((density @ (images @ weights)) / (density @ (jnp.abs(images) @ weights)))


@pytest.mark.soon(2)
@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("process", [ZigZag(), BouncyParticle(), Boomerang()], ids=lambda p: type(p).__name__)
def test_the_law_is_invariant(process, dim):
    assert abs(mean_of_generator(process, dim)) < 1e-6
    assert abs(mean_of_generator(process, dim, factor=0.7)) > 1e-2  # rates that are too low
