# %% [markdown]
# # A map and its cosmology together
#
# Field-level inference samples the initial conditions, one number per cell, beside the cosmological parameters: nothing
# of the map is thrown away. Here it is a small map of convergence, 32 x 32 cells on 2.5 degrees, which we make
# ourselves, so that the truth is known. **This is a toy in size alone**: `scripts/configs/convergence_map.toml` is the
# same with 128 x 128 cells, and `scripts/configs/galaxy_field.toml` has galaxies in a box.

# %%
import jax
import jax.random as jr
import numpy as np

import cosmoflow as cf
from cosmoflow.fields import ConvergencePower, Grid, LogNormalField
from cosmoflow.likelihoods import FieldLevel, GaussianNoise
from cosmoflow.targets import WhiteNoise

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## The forward model
#
# White noise, filtered by the angular power spectrum of a cosmology, becomes a log-normal map. The sources lie around
# redshift 0.9.

# %%
redshift = np.linspace(0, 3, 61)
sources = redshift**2 * np.exp(-((redshift / 0.64) ** 1.5))
grid = Grid((32, 32), float(np.radians(2.5)))
model = LogNormalField(grid, ConvergencePower(redshift, sources, num_redshifts=32, num_multipoles=16), shift=0.03)
print("the model needs", model.required)

# %% [markdown]
# ## A sky
#
# The noise is that of the shapes of 30 galaxies in each square arcminute, sigma_e = 0.37.

# %%
noise = GaussianNoise.of_shapes(0.37, 30.0, float(np.radians(2.5 / 32)) ** 2)
truth = {"Omega_m": 0.3, "sigma8": 0.8, "white_noise": jr.normal(jr.key(1), grid.shape)}
kappa = model.predict(truth["white_noise"], truth)
data = noise.sample(kappa, key=jr.key(2))
print(f"sd of the convergence {float(kappa.std()):.4f}, of the noise {float(noise.sd):.4f}")

likelihood = FieldLevel(model, noise, data, truth=truth)
posterior = cf.Posterior(
    cf.Prior(
        {
            "Omega_m": cf.TruncatedNormal(0.3, 0.2, 0.1, 0.6),
            "sigma8": cf.TruncatedNormal(0.8, 0.3, 0.3, 1.4),
            "white_noise": WhiteNoise(grid.shape),
        }
    ),
    likelihood,
)
print(posterior.dim, "dimensions")

# %% [markdown]
# ## Draws
#
# In so many dimensions microcanonical Langevin dynamics is a good choice. It has no Metropolis test, so its step makes
# a small bias, which the warm-up keeps below what matters. Of each draw we keep the parameters, spectra and a few
# modes; maps are averaged while the run goes on.

# %%
target, sampler, start = cf.warmup(posterior, cf.samplers.MCLMC(), num_chains=4, max_gradients=6000, key=jr.key(3))
record = cf.Record({"white_noise": None}, derived=likelihood.derived, averaged=likelihood.averaged)
with cf.ChainStore("map.h5") as store:
    store.save_group("observed_data", {name: np.asarray(a) for name, a in likelihood.observed_data().items()})
    chain = cf.sample(
        target, sampler, num_draws=4000, num_chains=4, position=start, record=record, key=jr.key(4), store=store
    )
print(cf.summarize(chain, ["Omega_m", "sigma8"]))

# %% [markdown]
# So short a run need not have converged, and the last line says what has not. A map of six square degrees alone leaves
# Omega_m and sigma8 nearly degenerate; what it knows is their combination.

# %%
cf.corner(chain, ["Omega_m", "sigma8"], truth={"Omega_m": 0.3, "sigma8": 0.8}, width=4.5)

# %% [markdown]
# ## The map
#
# Where the noise is large the mean of the posterior is smoother than the truth, and its standard deviation says how
# much is missing. It is no Wiener filter: it knows that convergence is skewed.

# %%
chain = cf.Chain.from_file("map.h5")
cf.plotting.field_maps(chain)

# %% [markdown]
# Draws, unlike the mean, have the power of the truth on all scales:

# %%
cf.plotting.field_power(chain)

# %% [markdown]
# And as the truth is known, how well its modes are known, scale by scale: `coherence` with it, and `covered`, the share
# of modes whose truth is within one standard deviation, which is 68 % where the posterior is right.

# %%
print(cf.diagnostics.summarize_fields(chain))

# %% [markdown]
# [Fields](../fields.md) has masks, counts, boxes of galaxies, what is kept of a run, and fields that are split over
# devices.
