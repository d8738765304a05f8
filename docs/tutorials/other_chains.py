# %% [markdown]
# # Bring chains of other programs
#
# Chains of emcee, zeus, Cobaya, CosmoMC, CosmoSIS, GetDist, ArviZ, or any table become chains of the package, with the
# same tables and figures. Here emcee and cosmoflow sample the same posterior, flat LCDM from DESI DR2. Only this page
# needs emcee itself, `pip install emcee`: its files are read without it.

# %%
import emcee
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import cosmoflow as cf

jax.config.update("jax_enable_x64", True)
names = ["Omega_m", "h_r_d"]
likelihood = cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())

# %% [markdown]
# ## A chain of emcee
#
# `cf.adapters.plain(likelihood)` is a function of floats, for any program that wants one. emcee can also ask for many
# points at once, and then it is a `vmap`.

# %%
print(cf.adapters.plain(likelihood)(Omega_m=0.3, h_r_d=101.0))


@jax.jit
@jax.vmap
def log_probability(x):
    inside = (x[0] > 0.01) & (x[0] < 0.99) & (x[1] > 10) & (x[1] < 1000)
    point = {"Omega_m": jnp.where(inside, x[0], 0.3), "h_r_d": jnp.where(inside, x[1], 100.0)}
    return jnp.where(inside, likelihood.log_likelihood(point), -jnp.inf)


backend = emcee.backends.HDFBackend("emcee.h5")
sampler = emcee.EnsembleSampler(
    32, 2, lambda x: np.asarray(log_probability(jnp.asarray(x))), vectorize=True, backend=backend
)
rng = np.random.default_rng(0)
walkers = np.array([0.5, 80.0]) + rng.normal(size=(32, 2)) * [0.05, 5.0]  # far away
_ = sampler.run_mcmc(walkers, 1500)

# %% [markdown]
# ## Reading it
#
# emcee's file keeps no names, so we give them. The format is recognised by the content.

# %%
chain = cf.import_chain("emcee.h5", names=names)
print(cf.summarize(chain))

# %% [markdown]
# Walkers are read as chains, and nothing is removed: the burn-in is still there. The standard deviation of `Omega_m` is
# three times what it should be, and `lp` has a mean far below its quantiles. R-hat hardly shows it, because all walkers
# came the same way. Chains are arrays by name, so that to cut is to slice.

# %%
rest = {name: values[:, 500:] for name, values in chain.posterior.items()}
chain = cf.Chain(rest, {name: values[:, 500:] for name, values in chain.sample_stats.items()})
print(cf.summarize(chain))

# %% [markdown]
# R-hat is still above 1.01: the walkers are short chains with long correlations, and the table asks for more steps.
#
# ## A chain of Cobaya
#
# Its chains are text, `run.1.txt`, `run.2.txt`, ..., with names in the first line and a weight on every row. This is
# the beginning of one.

# %%
from pathlib import Path

Path("cobaya.1.txt").write_text(
    "#  weight  minuslogpost  Omega_m   h_r_d    chi2\n"
    "        3       8.3012   0.2974  101.53  10.26\n"
    "        1       8.9551   0.3052  101.01  11.57\n"
    "        4       8.2871   0.2969  101.55  10.23\n"
)
imported = cf.import_chain("cobaya")
print(imported.posterior["Omega_m"])
print(imported.sample_stats["lp"])

# %% [markdown]
# Weights that are whole numbers become repeated draws. What is changed beyond that, or left out, would stand in the
# attribute `import_notes`. Others are refused, because all draws of a chain weigh the same
# here; GetDist's `makeSingleSamples` makes draws of them.
#
# ## Beside a chain of ours

# %%
posterior = cf.Posterior(cf.Prior({"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0)}), likelihood)
target, ours, start = cf.warmup(posterior, cf.samplers.ZigZag(), num_chains=4, max_gradients=6000, key=jr.key(0))
drawn = cf.sample(target, ours, num_draws=2000, num_chains=4, position=start, key=jr.key(1))
print(cf.summarize(drawn))
cf.corner({"emcee": chain, "zig-zag process": drawn})

# %% [markdown]
# ## The other way
#
# `export` writes what GetDist, anesthetic, CosmoSIS, emcee or a table editor reads.

# %%
cf.export_chain(drawn, "desi", "getdist")
print(*sorted(path.name for path in Path(".").glob("desi*")))

# %% [markdown]
# The same on the command line:
#
# ```sh
# cosmoflow import emcee.h5 --output run.h5 --names Omega_m,h_r_d
# cosmoflow summarize run.h5
# cosmoflow plot run.h5
# cosmoflow export run.h5 --to getdist
# ```
#
# [Chains](../chains.md) lists all formats, and what each of them keeps.
