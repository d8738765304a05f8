"""The warm-up of a field with cosmology: its coordinates, its sampler, and both again from the store."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from tilted_power import Tilted

import cosmoflow as cf
from cosmoflow.fields import GaussianField, Grid
from cosmoflow.likelihoods import FieldLevel, GaussianNoise
from cosmoflow.samplers import KineticLangevin
from cosmoflow.targets import Normal, Posterior, Prior, SomeCoordinates, WhiteNoise


@pytest.mark.slow
def test_a_field_is_seen_in_wiener_coordinates_and_parameters_in_their_own(tmp_path):
    grid = Grid((6, 6), 60.0)
    data = np.asarray(jr.normal(jr.key(5), grid.shape))
    prior = Prior({"Omega_m": Normal(0.3, 0.03), "sigma8": Normal(0.8, 0.05), "white_noise": WhiteNoise(grid.shape)})
    posterior = Posterior(prior, FieldLevel(GaussianField(grid, Tilted()), GaussianNoise(0.4), data))
    settings = {"num_chains": 4, "key": jr.key(0), "max_gradients": 4000}
    with cf.ChainStore(tmp_path / "run.h5", mode="create") as store:
        target, sampler, start = cf.warmup(posterior, KineticLangevin(), store=store, **settings)
        again, tuned, there = cf.warmup(posterior, KineticLangevin(), store=store, **settings)
    assert isinstance(target.bijection, SomeCoordinates)
    assert sampler.step_size > 0.5
    for a, b in zip(jax.tree.leaves((target, sampler, start)), jax.tree.leaves((again, tuned, there)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert jnp.all(jnp.isfinite(jax.vmap(target.log_density)(start)))
