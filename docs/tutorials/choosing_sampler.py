# %% [markdown]
# # Choose a sampler
#
# Give none: `warmup` tries those that can be best in the dimension, tunes them, and takes the one with the most
# effective draws per gradient. What follows is for those who want to know why, or know more of their posterior than a
# warm-up can find out.

# %%
import jax
import jax.random as jr
import numpy as np
from matplotlib.figure import Figure

import cosmoflow as cf

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## One bulk
#
# The dark energy of DESI alone has a long, bent posterior. We give three samplers the same budget for coordinates and
# step sizes. Effective draws are counted where they are fewest, and costs in gradients of log L, which is what takes
# the time.

# %%
posterior = cf.Posterior(
    cf.Prior(
        {
            "Omega_m": cf.Uniform(0.01, 0.99),
            "h_r_d": cf.Uniform(10.0, 1000.0),
            ("w0", "wa"): cf.UniformPolygon([[-3, -3], [1, -3], [1, -1], [-2, 2], [-3, 2]]),
        }
    ),
    cf.likelihoods.BAO(cf.datasets.desi_dr2_bao()),
)


def drawn(target, sampler, num_draws=1000, **settings):
    """Four chains, after a warm-up of 6000 gradients."""
    target, sampler, start = cf.warmup(target, sampler, num_chains=4, max_gradients=6000, key=jr.key(0), **settings)
    return cf.sample(target, sampler, num_draws=num_draws, num_chains=4, position=start, key=jr.key(1))


for sampler in (cf.samplers.HybridSplitting(), cf.samplers.GHMC(), cf.samplers.ZigZag()):
    summary = cf.summarize(drawn(posterior, sampler))
    worst = max(row.convergence.rhat for row in summary.parameters + summary.statistics)
    print(
        f"{type(sampler).__name__:16} {summary.ess_per_1000_gradients:4.0f} effective draws per 1000 gradients, "
        f"R-hat at most {worst:.3f}"
    )

# %% [markdown]
# All three are exact, whatever their step size; they differ in what a draw costs. The numbers are those of one short
# run of one posterior: measure on yours. R-hat is taken over the log-density, too, because a sampler can mix well in
# each parameter and hardly in that.
#
# ## Two modes
#
# What no local sampler does is to weigh modes that lie far apart. Here are two, ten standard deviations apart, of 30
# and 70 per cent, in a prior that makes the evidence 1 / 40^2.

# %%
modes = cf.Posterior(
    cf.Prior({"x": cf.Uniform(-20.0, 20.0), "y": cf.Uniform(-20.0, 20.0)}),
    cf.likelihoods.GaussianMixture(("x", "y"), [0.3, 0.7], [[-5.0, 0.0], [5.0, 0.0]], 1.0),
)
local = drawn(modes, cf.samplers.GHMC())
tempered = drawn(modes, cf.samplers.ParallelTempering(num_rungs=8, rounds=2))

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
figure = Figure(figsize=(7, 4), layout="constrained")
rows = figure.subplots(2, 1, sharex=True, sharey=True)
for axes, (name, chain) in zip(rows, {"GHMC": local, "ParallelTempering": tempered}.items(), strict=True):
    for draws, colour, marker in zip(chain.posterior["x"], COLOURS, "o^sv", strict=True):
        axes.plot(draws[:300:3], marker, color=colour, markersize=2.5)
    axes.set(title=f"{name}: four chains", ylabel="$x$")
rows[1].set_xlabel("every third draw")
figure

# %%
for name, chain in (("GHMC", local), ("ParallelTempering", tempered)):
    (row,) = cf.summarize(chain, ["x"]).parameters
    left = np.mean(chain.posterior["x"] < 0)
    print(f"{name:18} R-hat of x {row.convergence.rhat:6.3f}, share of the left mode {left:.2f}")
print(cf.diagnostics.stepping_stone(tempered))
print(f"exactly: log evidence {-2 * np.log(40):.3f}, share of the left mode 0.30")

# %% [markdown]
# A local sampler says nothing wrong of each mode; what is wrong is how many chains are in which. Its R-hat shows it
# only because the chains started in different modes, so start them far apart. Tempering carries chains over, and brings
# the evidence with it, for several times as many gradients.
#
# ## And else?
#
# | your posterior | try |
# |---|---|
# | a field, hundreds of parameters and more | `KineticLangevin` or `MCLMC` with a look at their bias, `Langevin` |
# | funnels and thin necks | the coordinates of a [trained flow](hamiltonian_flow.md) |
# | a likelihood with cliffs | one that compares densities; a piecewise deterministic process does not see them |
# | a likelihood that is slow, with a surrogate that is quick | `DelayedAcceptance` |
#
# [Samplers](../samplers.md) has them all with their sources, and costs against the dimension;
# [benchmarks](../benchmarks/samplers.md) compare them with other packages.
