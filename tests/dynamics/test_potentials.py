"""Learned potentials: harmonic at the start, trainable, symmetric or bounded as they say."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from dynamics.test_symplectic_map import shaken

from cosmoflow.dynamics import (
    AdditivePotential,
    BoundedPotential,
    ConditionalPotential,
    ConvexPotential,
    ConvolutionalPotential,
    DeepSetPotential,
    GaussianKinetic,
    Hamiltonian,
    MixturePotential,
    NeuralPotential,
    RadialPotential,
    ResidualPotential,
    SpectralPotential,
    SymplecticMap,
    TimeDependentPotential,
)

KEY = jr.key(0)
ZERO = jnp.zeros(())
POTENTIALS = {
    "neural": lambda: NeuralPotential(8, width=16, key=KEY),
    "residual": lambda: ResidualPotential(8, width=16, key=KEY),
    "convex": lambda: ConvexPotential(8, width=16, key=KEY),
    "additive": lambda: AdditivePotential(8, width=16, key=KEY),
    "radial": lambda: RadialPotential(8, num_bells=10, key=KEY),
    "mixture": lambda: MixturePotential(8, num_components=10, key=KEY),
    "bounded": lambda: BoundedPotential(8, bound=40.0, width=16, key=KEY),
    "deep_set": lambda: DeepSetPotential(4, 2, width=16, key=KEY),
    "convolutional": lambda: ConvolutionalPotential((2, 4), key=KEY),
    "convolutional_3d": lambda: ConvolutionalPotential((2, 2, 2), kernel_size=1, key=KEY),
    "spectral": lambda: SpectralPotential((2, 4), key=KEY),
    "spectral_3d": lambda: SpectralPotential((2, 2, 2), key=KEY),
    "time": lambda: TimeDependentPotential(NeuralPotential(9, width=16, key=KEY)),
    "conditional": lambda: ConditionalPotential(ResidualPotential(10, width=16, key=KEY)).given(jnp.ones(2)),
}
FIELDS = {
    "convolutional": lambda: ConvolutionalPotential((6, 4), key=KEY),
    "convolutional_3d": lambda: ConvolutionalPotential((4, 3, 5), key=KEY),
    "spectral": lambda: SpectralPotential((6, 4), key=KEY),
    "spectral_3d": lambda: SpectralPotential((4, 3, 5), key=KEY),
}


@pytest.mark.soon(4)
@pytest.mark.parametrize("name", POTENTIALS)
def test_it_starts_close_to_a_harmonic_well_and_everything_is_trained(name):
    potential, q = POTENTIALS[name](), 0.5 * jr.normal(jr.key(1), (8,))
    force = jax.jit(jax.grad(potential))(q, ZERO)
    np.testing.assert_allclose(force, q, atol=0.15)
    learned, static = eqx.partition(shaken(potential, jr.key(2)), eqx.is_inexact_array)

    def strength(learned):
        return jnp.sum(jax.grad(eqx.combine(learned, static))(q, ZERO + 0.3) ** 2)

    gradient = jax.jit(jax.grad(strength))(learned)
    silent = [jax.tree_util.keystr(path) for path, g in jax.tree.leaves_with_path(gradient) if not np.any(g)]
    assert all("bias" in path or "condition" in path for path in silent), silent


@pytest.mark.slow
@pytest.mark.parametrize("name", POTENTIALS)
def test_its_map_is_undone_and_keeps_volume(name):
    hamiltonian = Hamiltonian(shaken(POTENTIALS[name](), jr.key(1)), GaussianKinetic())
    bijection = SymplecticMap(8, hamiltonian, step_size=0.1, num_steps=2)
    x = 0.5 * jr.normal(jr.key(2), (16,))
    y, jacobian = jax.jit(lambda x: (bijection.transform(x), jax.jacfwd(bijection.transform)(x)))(x)
    assert jnp.max(jnp.abs(y - x)) > 0.01
    np.testing.assert_allclose(jax.jit(lambda y: bijection.inverse(y))(y), x, atol=1e-9)
    np.testing.assert_allclose(np.linalg.slogdet(jacobian), (1, 0), atol=1e-9)


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", FIELDS)
def test_fields_have_no_origin(name):
    potential = shaken(FIELDS[name](), jr.key(1))
    q = jr.normal(jr.key(2), potential.grid)
    energy = jax.jit(lambda q: potential(q.ravel(), ZERO))
    moved = jnp.roll(q, (1, 2, -1)[: q.ndim], range(q.ndim))
    np.testing.assert_allclose(energy(moved), energy(q), rtol=1e-13)
    assert abs(energy(q[::-1, ::-1].at[(0,) * q.ndim].add(0.1)) - energy(q)) > 1e-3


def test_the_flow_of_an_invariant_potential_is_equivariant():
    hamiltonian = Hamiltonian(shaken(FIELDS["spectral"](), jr.key(1)), GaussianKinetic())
    bijection = SymplecticMap(24, hamiltonian, step_size=0.1, num_steps=3)
    x = jr.normal(jr.key(2), (2, 6, 4))
    run = jax.jit(lambda x: bijection.transform(x.ravel()).reshape(x.shape))
    np.testing.assert_allclose(run(jnp.roll(x, 2, 1)), jnp.roll(run(x), 2, 1), atol=1e-12)


def test_points_have_no_order():
    potential = shaken(DeepSetPotential(5, 3, width=8, key=KEY), jr.key(1))
    q = jr.normal(jr.key(2), (5, 3))
    np.testing.assert_allclose(
        potential(q[jnp.array([3, 0, 4, 1, 2])].ravel(), ZERO), potential(q.ravel(), ZERO), rtol=1e-13
    )
    assert abs(potential(q[:, ::-1].ravel(), ZERO) - potential(q.ravel(), ZERO)) > 1e-3


@pytest.mark.soon(1)
@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_the_bound_holds(scale):
    potential = shaken(BoundedPotential(3, bound=7, width=8, key=KEY), jr.key(1))
    potential = jax.tree.map(lambda a: scale * a if eqx.is_inexact_array(a) else a, potential)
    points = jr.normal(jr.key(2), (200, 3)) * jnp.logspace(-2, 6, 200)[:, None]
    lengths = jax.vmap(lambda q: jnp.linalg.norm(jax.grad(potential)(q, ZERO)))(points)
    assert 3.4 < lengths.max() <= 7


def test_a_bound_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="bound is 0"):
        BoundedPotential(3, bound=0, key=KEY)


def test_the_convex_potential_is_convex():
    potential = shaken(ConvexPotential(3, width=8, depth=3, key=KEY), jr.key(1))
    hessians = jax.jit(jax.vmap(lambda q: jax.hessian(potential)(q, ZERO)))(3 * jr.normal(jr.key(2), (50, 3)))
    assert np.linalg.eigvalsh(hessians).min() > 0


@pytest.mark.slow
def test_time_and_condition_matter():
    q = jnp.ones(2)
    timed = shaken(TimeDependentPotential(NeuralPotential(3, width=8, key=KEY)), jr.key(1))
    assert np.any(np.abs(jax.grad(timed)(q, ZERO) - jax.grad(timed)(q, ZERO + 1)) > 1e-3)
    both = ConditionalPotential(shaken(TimeDependentPotential(NeuralPotential(5, width=8, key=KEY)), jr.key(1)))
    forces = [jax.grad(both.given(c))(q, ZERO) for c in (jnp.zeros(2), jnp.ones(2))]
    assert np.any(np.abs(forces[0] - forces[1]) > 1e-3)
    with pytest.raises(ValueError, match="without a condition"):
        both(q, ZERO)


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="kernel_size is 2"):
        ConvolutionalPotential((4, 4), kernel_size=2, key=KEY)


@pytest.mark.slow
def test_a_large_field_is_affordable():
    """A gradient on 64^3 cells."""
    potential = SpectralPotential((64, 64, 64), key=KEY)
    assert jax.jit(jax.grad(potential))(jnp.ones(64**3), ZERO).shape == (64**3,)
