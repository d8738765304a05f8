import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow import cosmology as co
from cosmoflow.cosmology import Cosmology, DistanceRule

REDSHIFTS = np.array([1e-4, 0.01, 0.1, 0.5, 1.0, 2.33])
PRIOR = jnp.array(
    [
        (*universe[0], *universe[1], universe[2])
        for universe in itertools.product(
            [(0.05,), (0.3,), (0.95,)],
            [(-3.0, 2.0), (-3.0, -3.0), (1.0, -3.0), (1.0, -1.01), (-2.0, 1.99), (-1.0, 0.0)],
            [-0.05, 0.0, 0.05],
        )
    ]
)


def universe(values, **others):
    return Cosmology(values[0], w0=values[1], wa=values[2], Omega_k=values[3], **others)


@pytest.mark.slow
def test_equals_the_adaptive_integral_over_the_prior():
    rule = DistanceRule(REDSHIFTS)
    ours = jax.vmap(lambda p: rule.transverse_comoving_distance(universe(p)))(PRIOR)
    exact = jax.vmap(lambda p: co.transverse_comoving_distance(universe(p), REDSHIFTS, num_nodes=200))(PRIOR)
    np.testing.assert_allclose(ours, exact, rtol=1e-10)


@pytest.mark.slow
def test_gradients_are_those_of_the_integral():
    rule, point = DistanceRule(REDSHIFTS), jnp.array([0.3, -0.9, 0.2, 0.0])

    def ours(values):
        return rule.transverse_comoving_distance(universe(values, T_cmb=2.7255, m_nu=0.06))

    def exact(values):
        return co.transverse_comoving_distance(universe(values, T_cmb=2.7255, m_nu=0.06), REDSHIFTS, num_nodes=200)

    np.testing.assert_allclose(jax.jacrev(ours)(point), jax.jacrev(exact)(point), rtol=1e-9, atol=1e-12)


def test_einstein_de_sitter_is_the_reference():
    rule = DistanceRule(REDSHIFTS)
    np.testing.assert_allclose(rule.relative_distance(Cosmology(1.0)), 1.0, rtol=1e-13)
    exact = co.comoving_distance(Cosmology(1.0), REDSHIFTS) * 70 / 299792.458
    np.testing.assert_allclose(co.einstein_de_sitter_depth(REDSHIFTS), exact, rtol=1e-14)


def test_single_precision_keeps_its_digits_at_low_redshift():
    rule, cosmology = DistanceRule(REDSHIFTS), Cosmology(0.3, Omega_k=0.1, T_cmb=2.7255, m_nu=0.06)
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (rule, cosmology))
    distance = single[0].transverse_comoving_distance(single[1])
    assert distance.dtype == jnp.float32
    np.testing.assert_allclose(distance, rule.transverse_comoving_distance(cosmology), rtol=1e-6)


def test_a_universe_without_such_a_distance():
    """E^2 is negative at redshift 2."""
    bouncing = Cosmology(0.3, Omega_k=-0.9, w0=-3.0)
    assert np.all(np.isnan(DistanceRule(REDSHIFTS).transverse_comoving_distance(bouncing)))


def test_redshifts_are_positive():
    with pytest.raises(ValueError, match="above zero"):
        DistanceRule(np.array([0.1, 0.0]))
