# %% [markdown]
# # Choosing a sampler
#
# All samplers stand behind one interface, so that trying another one is the change of a word. Here the same posterior
# is drawn by five of them, and we look at what tells them apart: R-hat, effective draws per gradient, bias. Then come
# modes far apart, where most of them fail.

# %%
import jax
import jax.random as jr

import cosmoflow as cf
from cosmoflow.warmup import step_bias, warmup

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## One posterior, five samplers
#
# Dark energy with a constant equation of state, from DESI and Union3.

# %%
prior = cf.Prior({"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0), "w0": cf.Uniform(-3.0, 1.0)})
likelihood = cf.likelihoods.JointLikelihood(
    {
        "DESI DR2": cf.likelihoods.BAO(cf.datasets.desi_dr2_bao()),
        "Union3": cf.likelihoods.Supernovae(cf.datasets.union3()),
    }
)
posterior = cf.Posterior(prior, likelihood)


def run(target, sampler, num_draws=1000, max_gradients=8000):
    """Four chains of a tuned sampler: what was sampled, by what, from where, and the draws."""
    tuned, sampler, start = warmup(target, sampler, num_chains=4, max_gradients=max_gradients, key=jr.key(0))
    chain = cf.sample(tuned, sampler, num_draws=num_draws, num_chains=4, position=start, key=jr.key(1))
    return tuned, sampler, start, chain


def worst(chain):
    """The least ESS and the largest R-hat of parameters and log-density, and the gradients per effective draw."""
    summary = cf.summarize(chain)
    rows = [row.convergence for row in summary.parameters + summary.statistics]
    ess, rhat = min(row.ess_bulk for row in rows), max(row.rhat for row in rows)
    return ess, rhat, summary.cost.sampling / ess


kinds = {
    "auto": "auto",
    "NUTS": cf.samplers.NUTS(),
    "zig-zag": cf.samplers.ZigZag(),
    "boomerang": cf.samplers.Boomerang(),
    "MCLMC": cf.samplers.MCLMC(),
}
runs = {name: run(posterior, sampler) for name, sampler in kinds.items()}
print("                 ESS of 4000   R-hat   gradients per effective draw   w0")
for name, (*_, chain) in runs.items():
    ess, rhat, cost = worst(chain)
    w0 = chain.posterior["w0"]
    print(f"{name:16} {ess:11.0f} {rhat:7.3f} {cost:30.1f}   {w0.mean():.3f} +- {w0.std():.3f}")
print("auto took", type(runs["auto"][1]).__name__)

# %% [markdown]
# What to look at, in this order:
#
# - **R-hat** of every parameter *and* of the log-density, `lp`: below 1.01. Chains that disagree have no other numbers.
# - **Effective draws of the worst of them**, not the best. A process can mix well in each coordinate and hardly in the
#   log-density; event-driven ones do.
# - **Gradients per effective draw.** An effective draw per draw is no merit where each takes a hundred gradients. What
#   a sampler evaluates beside gradients is counted as the share of a gradient that it takes.
#
# All agree about w0. `Langevin`, which "auto" takes here, has the cheapest draws, and that is the work of `warmup` as
# much as its own: in the coordinates found there the posterior is nearly N(0, I), for which its motion is exact. An
# ill-conditioned target costs any sampler ten times and more. The draws of the zig-zag process are as effective as
# those of the others, and yet each costs several times as much: its events take gradients between the draws.
#
# ## A sampler without a test
#
# `MCLMC` accepts every step, so that its draws are biased by the step size, which the warm-up chooses for a given
# variance of the energy error. `step_bias` measures the bias by a second run at half the step. Here it is beside the
# truth, on a skewed law of known moments.

# %%
skewed = cf.targets.Skewed([1.0, 1.0])
for variance in (5e-4, 5e-2):
    tuned, sampler, start, chain = run(skewed, cf.samplers.MCLMC(energy_variance=variance), num_draws=20_000)
    bias = step_bias(tuned, sampler, start, num_draws=20_000, key=jr.key(2))
    square = ((chain.posterior["x"] - skewed.mean()) ** 2).mean(axis=(0, 1)) / skewed.variance()
    print(
        f"energy variance {variance:.0e}, step {float(sampler.step_size):.2f}: largest bias {bias.largest:.3f}, "
        f"{bias.significance:.1f} of its errors; variances are {square.round(3)} of the true ones"
    )

# %% [markdown]
# The bias is in standard deviations of what is averaged: 0.1 is the Monte Carlo error of a hundred independent draws.
# At the usual variance, the first line, it can hardly be told from zero. At one a hundred times as large the step is
# about twice as long, the estimate is several of its own errors, and the variances are indeed some per cent too small.
# A bias below the Monte Carlo error that you accept anyway does no harm; in a few dimensions, where there are exact
# samplers for the same price, rather take one of them.
#
# ## Modes far apart
#
# No local sampler passes between them. Chains that start in different modes show it by their R-hat, and chains that all
# start in one show nothing: begin with several, from broad starts. Parallel tempering passes by way of broader laws.

# %%
far = cf.targets.GaussianMixture([0.3, 0.7], [[-3.0, 0.0], [3.0, 0.0]], 0.5)
for name, sampler in {"NUTS": cf.samplers.NUTS(), "tempering": cf.samplers.ParallelTempering(num_rungs=8)}.items():
    chain = run(far, sampler)[-1]
    right = (chain.posterior["x"][..., 0] > 0).mean(axis=1)
    print(f"{name:10} R-hat {worst(chain)[1]:6.3f}, on the right {right.round(2)} of each chain; it should be 0.7")
print(cf.summarize(chain).tempered)

# %% [markdown]
# The target is normalised, so that its log evidence is zero. `ParallelTempering` starts from N(0, I), of a posterior
# the prior, and keeps the coordinates as they are.
#
# ## Many dimensions
#
# Event-driven processes pay for each event, and there are more of them the more coordinates there are. `NUTS` and the
# kernels of one or two gradients per step, `Langevin` and `MCLMC`, fare better. Gradients per effective draw from ten
# to a hundred thousand dimensions, explained under [Samplers](../samplers.md#cost-against-the-dimension):
#
# ![Gradients per effective sample against the dimension](../images/samplers_scaling.png)
#
# ## In short
#
# | your posterior | begin with |
# |---|---|
# | you do not know | `warmup(posterior, ...)`, which is "auto" |
# | a handful of parameters, smooth, one bulk | `NUTS`, `GHMC`, `ZigZag` |
# | up to about thirty, curved, or with modes a few widths apart | `HybridSplitting` |
# | a field, hundreds of parameters and more | `KineticLangevin` or `MCLMC`, with `step_bias`; for a test `Langevin` |
# | a prior of white noise | `Boomerang`, `Langevin`, whose free motion is that of N(0, I) |
# | a funnel or a thin neck | the coordinates of a [flow](hamiltonian_flow.md): nothing local passes |
# | modes far apart, or an evidence | `ParallelTempering` |
# | a cliff in the likelihood | one that compares densities; an event-driven process does not see it |
#
# [Samplers](../samplers.md) has all of them with their references, and [the benchmark](../benchmarks/samplers.md) what
# they reach beside those of other packages.
