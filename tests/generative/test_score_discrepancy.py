"""The score has no discrepancy; that of a normal field on normal data is known."""

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

from cosmoflow.generative import hamiltonian_score_discrepancy

SD, TIME = 1.3, 0.5
DRAWS = SD * jr.normal(jr.key(0), (20_000, 1))


def closed_form(width):
    """Of the field -x / width^2: E[v_t | x_t] is linear."""
    c, s = jnp.cos(TIME / width), jnp.sin(TIME / width)
    covariance = s * c * (width**2 - SD**2) / width
    return covariance**2 / (c**2 * SD**2 + width**2 * s**2) / TIME**2


@pytest.mark.parametrize("width", [SD, 0.8, 2.0])
def test_normal_fields(width):
    run = jax.jit(
        lambda x: hamiltonian_score_discrepancy(lambda x: -x / width**2, x, time=TIME, num_steps=20, key=jr.key(1))
    )
    found = run(DRAWS)
    lowered = 2 * (1 + 20) / len(DRAWS) / TIME**2
    assert abs(found.value + lowered - closed_form(width)) < 5 * found.error + 1e-2 * closed_form(width) + lowered
    assert (found.value > 5 * found.error) == (width != SD)


def test_short_times_give_the_mean_square_difference():
    difference = SD**2 * (1 / 0.8**2 - 1 / SD**2) ** 2
    found = hamiltonian_score_discrepancy(lambda x: -x / 0.8**2, DRAWS, time=0.2, num_features=0, key=jr.key(1))
    assert abs(found.value - difference) < 5 * found.error
    assert found.error < 0.1 * difference
