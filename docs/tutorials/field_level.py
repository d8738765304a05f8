# %% [markdown]
# # A field and its cosmology
#
# Galaxies in a box hold more than their power spectrum. Here the counts themselves are the data, cell by cell, and what
# is sampled is all that made them: two parameters of the universe and the 13,824 numbers of white noise from which the
# field grew. The box is a mock, so the truth is known and everything can be checked.

# %%
import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import cosmoflow as cf
from cosmoflow import fields
from cosmoflow.likelihoods import FieldLevel, PoissonNoise

# %% [markdown]
# JAX stays in single precision, its default, which halves memory and time. For fields of this kind that is enough.
#
# ## A mock
#
# 24^3 cells of 10 Mpc/h. A forward model takes white noise, N(0, 1) in each latent, and parameters to what would be
# seen without noise: here a log-normal density with the power of matter, tabulated in `Omega_m`. Galaxies are then
# drawn from it, two in a mean cell.

# %%
grid = fields.Grid((24, 24, 24), 240.0)
model = fields.LogNormalField(grid, fields.InterpolatedMatterPower(grid))
noise = PoissonNoise(2.0)

key_field, key_noise = jr.split(jr.key(1))
truth = {"white_noise": jr.normal(key_field, grid.shape), "Omega_m": jnp.array(0.3), "sigma8": jnp.array(0.8)}
clean = eqx.filter_jit(model.predict)(truth["white_noise"], truth)
data = noise.sample(clean, key=key_noise)
print(f"sd of the contrast {clean.std():.2f}; {data.sum():.0f} galaxies, at most {data.max():.0f} in a cell")

# %% [markdown]
# ## What is sampled
#
# The likelihood needs `white_noise` beside what the model requires. With the truth it can tell how close each draw
# comes.

# %%
likelihood = FieldLevel(model, noise, data, truth=truth)
print("needs", likelihood.required)

prior = cf.Prior(
    {
        "Omega_m": cf.TruncatedNormal(0.3, 0.5, low=0.05, high=1.0),
        "sigma8": cf.TruncatedNormal(0.8, 0.5, low=0.0, high=3.0),
        "white_noise": cf.targets.WhiteNoise(grid.shape),
    }
)
posterior = cf.Posterior(prior, likelihood)
print(posterior.dim, "dimensions")

# %% [markdown]
# ## What is kept
#
# Whole fields of every draw would fill a disk. What is small is kept of each draw: parameters, spectra, coherence with
# the truth, and a few modes on which convergence is judged. Maps are averaged as the run goes on. Of the white noise
# every fiftieth draw is kept. `check_memory` refuses what will not fit before anything is allocated.

# %%
record = cf.Record(
    {"white_noise": cf.Keep(every=50, dtype="float32")}, derived=likelihood.derived, averaged=likelihood.averaged
)
fields.check_memory(grid.shape, num_chains=4, chunk=250, every=50, model="log_normal")
for shape, kind in ((grid.shape, "log_normal"), ((64,) * 3, "lagrangian"), ((256,) * 3, "lagrangian")):
    needed = fields.memory_needed(shape, num_chains=4, chunk=250, every=50, dtype="float32", model=kind)
    print(f"{kind:10} {shape!s:15} {needed / 1e9:8.3f} GB for four chains, 250 draws per call")

# %% [markdown]
# ## Draws
#
# In so many dimensions the warm-up sees the posterior in Wiener's coordinates, in which linear theory would be a
# standard normal. Without a name it would choose between two samplers without a Metropolis test; here we name one. The
# run ends when it has converged by the criterion given here, or after `num_draws`.

# %%
converged = cf.diagnostics.Converged(ess=400, rhat=1.01)
with cf.ChainStore("box.h5", mode="resume") as store:
    observed = {name: np.asarray(value) for name, value in likelihood.observed_data().items()}
    store.save_group("observed_data", observed)
    target, sampler, start = cf.warmup(
        posterior, cf.samplers.KineticLangevin(), num_chains=4, key=jr.key(2), max_gradients=6000, store=store
    )
    chain = cf.sample(
        target, sampler, num_draws=5000, num_chains=4, position=start, key=jr.key(3), record=record, until=converged,
        store=store,
    )  # fmt: skip
print(f"step {float(sampler.step_size):.3f}")
print(cf.summarize(chain, ["Omega_m", "sigma8"]))

# %% [markdown]
# The criterion asks it of the worst of all that is followed, modes of the field included, and those are slower than the
# parameters: where the run made all its draws first, it says so. For figures that is enough, for a publication resume
# it with more draws.
#
# ## Parameters against the truth

# %%
cf.corner(chain, ["Omega_m", "sigma8"], truth={"Omega_m": 0.3, "sigma8": 0.8})

# %% [markdown]
# A single sky has a single truth: it may lie anywhere in the region, and outside that of 68 % in one mock of three.
# What can be believed is tested on many skies ([calibration on maps](../benchmarks/field_calibration.md)).
#
# ## Maps

# %%
figures = cf.plotting.plot_fields(chain)
figures["maps"]

# %% [markdown]
# The posterior mean is smoother than the truth, because it leaves out what the noise hides; a single draw would be as
# rough as the truth. The standard deviation is largest where the field is high: in a log-normal field, fluctuations
# grow with the density.
#
# ## Spectra
#
# The power of the draws, above, and over that of the truth, below.

# %%
figures["power"]

# %% [markdown]
# ## Coherence and coverage
#
# Coherence with the truth is one where a mode is known and zero where it is noise; coherence of draws, not of their
# mean. The transfer function should be one everywhere. The lowest panel is the test of the errors: how many of all
# modes have their truth within one standard deviation; the grey band is the scatter to be expected.

# %%
figures["coherence"]

# %% [markdown]
# ## What to watch

# %%
print(cf.diagnostics.summarize_fields(chain))

# %% [markdown]
# Effective draws and R-hat of the worst mode matter, not of the parameters alone. The last line is of the sampler: it
# has no Metropolis test, so the step has a bias. Equipartition, the mean of x . grad U per dimension, is one where the
# draws are right. A share e by which all variances are off moves a parameter on which all of the d modes depend by
# about e sqrt(d / 2) of its standard deviation, so the larger the field, the smaller the step; the warm-up of
# `KineticLangevin` sees to that. For a run to be published, halve the step and look whether anything moves:

# %%
halved = eqx.tree_at(lambda s: s.step_size, sampler, sampler.step_size / 2)
finer = cf.sample(
    target, halved, num_draws=2000, num_chains=4, position=start, key=jr.key(4),
    record=cf.Record({"white_noise": None}),
)  # fmt: skip
for name in ("Omega_m", "sigma8"):
    one, other = chain.posterior[name], finer.posterior[name]
    error = np.hypot(*(cf.diagnostics.convergence(draws).mcse_mean for draws in (one, other)))
    shift = (one.mean() - other.mean()) / error
    print(f"{name:8} {one.mean():.4f} and {other.mean():.4f}, which differ by {shift:+.1f} errors")

# %% [markdown]
# ## Larger, in three dimensions, on a GPU
#
# Another model is another line. Second-order perturbation theory in redshift space would be
#
# ```python
# model = fields.LagrangianField(grid, redshift=1.0, line_of_sight=2, power=fields.InterpolatedMatterPower(grid))
# ```
#
# with the bias `b1` in the prior. `ParticleMeshField`, maps of convergence and Gaussian noise are as near. The same
# code runs on a GPU where JAX sees one ([what to expect](../gpu.md)), and a box too large for one device is split over
# several ([fields](../fields.md)). As configurations there are `scripts/configs/galaxy_field.toml`, galaxies of
# perturbation theory, and `convergence_map.toml`; `cosmoflow submit` puts them into a queue
# ([running on a cluster](../cluster.md)).
