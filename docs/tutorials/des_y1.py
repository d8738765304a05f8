# %% [markdown]
# # Weak lensing and galaxies of DES Y1
#
# The first year of the Dark Energy Survey in three correlation functions: how the shapes of galaxies agree across the
# sky, how shapes agree with the positions of galaxies in front of them, and how those positions cluster. 457 numbers
# and 25 parameters, and the posterior is sampled with its gradient.
#
# The data are fetched once, with `cosmoflow data fetch des_y1_3x2pt`, and read with `pip install 'cosmoflow[sacc]'`.

# %%
import jax
import jax.random as jr
import numpy as np

import cosmoflow as cf

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## Data and likelihood
#
# A row of the data is a statistic, two bins and an angle. `src0` to `src3` are the bins of source galaxies, whose
# shapes are measured, `lens0` to `lens4` those of lens galaxies, whose positions are. The scales that the
# collaboration cut are not in the file.

# %%
data = cf.datasets.des_y1_3x2pt()
for kind in dict.fromkeys(data.statistic):
    rows = data.only(kind)
    print(f"{kind:9} {len(rows.value):3} numbers, {rows.angle.min():5.1f} to {rows.angle.max():5.1f} arcmin")

likelihood = cf.likelihoods.TwoPoint(data, amplitude="A_s", alignment_pivot=0.62)

# %% [markdown]
# ## Priors
#
# These are those of the collaboration. Five parameters are of the universe and two of the intrinsic alignment of
# shapes; a galaxy bias belongs to each lens bin; and the rest is calibration, measured before and with an error: of
# shapes, `m`, and of the redshifts of each bin, `dz`.

# %%
prior = cf.Prior(
    {
        "Omega_m": cf.Uniform(0.1, 0.9),
        "Omega_b": cf.Uniform(0.03, 0.07),
        "h": cf.Uniform(0.55, 0.91),
        "n_s": cf.Uniform(0.87, 1.07),
        "A_s": cf.Uniform(5e-10, 5e-9),
        "A_IA": cf.Uniform(-5.0, 5.0),
        "eta_IA": cf.Uniform(-5.0, 5.0),
        **{f"m_src{i}": cf.Normal(0.012, 0.023) for i in range(4)},
        "dz_src0": cf.Normal(-0.001, 0.016),
        "dz_src1": cf.Normal(-0.019, 0.013),
        "dz_src2": cf.Normal(0.009, 0.011),
        "dz_src3": cf.Normal(-0.018, 0.022),
        **{f"b_lens{i}": cf.Uniform(0.8, 3.0) for i in range(5)},
        "dz_lens0": cf.Normal(0.008, 0.007),
        "dz_lens1": cf.Normal(-0.005, 0.007),
        "dz_lens2": cf.Normal(0.006, 0.006),
        "dz_lens3": cf.Normal(0.0, 0.01),
        "dz_lens4": cf.Normal(0.0, 0.01),
    }
)
posterior = cf.Posterior(prior, likelihood)
print(posterior.dim, "parameters")

# %% [markdown]
# ## Best fit first
#
# If chi^2 is far off, no chain is worth its time. Where calibration has a Gaussian prior, the fit to quote is the
# maximum of the posterior, because the least chi^2 alone pays no heed to it. The data constrain fewer than 25
# parameters beyond the priors, so `goodness_of_fit` counts how many.

# %%
best = cf.fitting.maximum_posterior(posterior)
(fit, *_) = cf.fitting.goodness_of_fit(posterior, best.parameters)
print(f"chi^2 {fit.chi2:.1f} for {fit.degrees_of_freedom:.1f} degrees of freedom, p = {fit.p_value:.2f}")
print("at", {name: f"{float(best.parameters[name]):.3g}" for name in ("Omega_m", "h", "A_s", "A_IA")})
print({name: f"{float(value):.3f}" for name, value in likelihood.derived(best.parameters).items()})

# %% [markdown]
# chi^2 is on the large side: one universe in twenty-five would have as much. And h went to the upper edge of its prior,
# of which more below.
#
# ## Draws
#
# sigma8 and S8 = sigma8 sqrt(Omega_m / 0.3) are no parameters here but follow from them, and are kept beside them.

# %%
record = cf.Record(derived=likelihood.derived)
with cf.ChainStore("des_y1.h5", mode="resume") as store:
    target, sampler, start = cf.warmup(posterior, num_chains=4, key=jr.key(1), store=store)
    chain = cf.sample(
        target, sampler, num_draws=4000, num_chains=4, position=start, key=jr.key(2), record=record, store=store
    )
print(type(sampler).__name__)
print(cf.summarize(chain))

# %% [markdown]
# The warm-up took more gradients than the draws did: it looks for coordinates in which a draw costs a gradient or
# little more. The last line is strict. The means are known to a tenth of a standard deviation and better (MCSE), which
# is enough for all that follows here; for tails and for a paper take the 15,000 draws of the configuration.

# %%
cf.corner(chain, ["Omega_m", "sigma8", "S8"])

# %% [markdown]
# What lensing measures is S8, across the narrow side of that ellipse; along it, less matter that clumps more looks the
# same.
#
# ## Back to the data
#
# A panel for each pair of bins: points and their errors, and the median, 68 and 95 % of a hundred draws. First the
# shapes,

# %%
figures = cf.plotting.two_point(likelihood, data, chain)
figures["xi_plus"]

# %%
figures["xi_minus"]

# %% [markdown]
# then shapes around lenses, with hardly a signal where the sources lie in front of the lenses, in the lower left,

# %%
figures["gamma_t"]

# %% [markdown]
# and the lenses themselves. Points of a panel are strongly correlated: judge by chi^2, not by eye.

# %%
figures["w"]

# %% [markdown]
# ## Beside the published result
#
# The collaboration found S8 = 0.773 +0.026 -0.020 and Omega_m = 0.267 +0.030 -0.017
# ([arXiv:1708.01530](https://arxiv.org/abs/1708.01530)).

# %%
for name, value, above, below in (("S8", 0.773, 0.026, 0.020), ("Omega_m", 0.267, 0.030, 0.017)):
    draws = chain.posterior[name]
    low, high = np.quantile(draws, (0.16, 0.84))
    distance = (draws.mean() - value) / (above if draws.mean() > value else below)
    print(f"{name:8} {draws.mean():.3f}, 68 % from {low:.3f} to {high:.3f}: {distance:+.1f} of their errors")

# %% [markdown]
# The data are theirs, and chi^2 at one point agrees with that of other codes ([likelihoods](../likelihoods.md)), but
# the models are not the same. Theirs varies the mass of the neutrinos, which smooths structure on small scales and
# whose prior reaches far above what oscillations ask for, so that S8 is lower; ours has none. Their linear power is
# that of a Boltzmann code, ours a formula; `transfer="emu_pk"` has one that is closer, over a smaller range.
#
# ## What the priors do
#
# Compare each posterior with its prior before you quote it. A ratio of widths near one says that the data know nothing.

# %%
prior_draws = jax.vmap(prior.forward)(jr.normal(jr.key(3), (4000, prior.dim)))
prior_draws |= jax.lax.map(likelihood.derived, prior_draws)
for name in ("S8", "sigma8", "Omega_m", "A_s", "n_s", "h", "Omega_b", "A_IA", "eta_IA", "m_src3", "dz_src3"):
    ratio = chain.posterior[name].std() / prior_draws[name].std()
    print(f"{name:8} posterior / prior width {ratio:.2f}")

# %% [markdown]
# h, n_s and Omega_b are bounded by the prior, not by the data: their intervals are no measurements, and whatever is
# correlated with them moves when these bounds do. A prior that is flat in A_s is not flat in S8:

# %%
low, middle, high = np.quantile(prior_draws["S8"], (0.16, 0.5, 0.84))
print(f"the prior alone has S8 between {low:.2f} and {high:.2f}, with the median {middle:.2f}")
shift = likelihood.derived(best.parameters)["S8"] - chain.posterior["S8"].mean()
print(f"the best fit is {shift / chain.posterior['S8'].std():+.2f} sd from the mean of the posterior")

# %% [markdown]
# The slope of that prior hardly matters, because the data know S8 fifty times better. But the best fit is not where the
# mean is: it took the h that the data like a little more, at the edge, while the posterior averages over all h that fit
# about as well. Neither is wrong; say which one you quote. In wider models both effects are larger.
#
# ## From the shell
#
# `cosmoflow new des.toml --probes des_y1_3x2pt` writes the same run as a configuration, with all priors, and
# `scripts/configs/` has it with its published result, as well as shear alone and the emulator:
#
# ```sh
# cosmoflow bestfit des.toml
# cosmoflow sample des.toml
# cosmoflow report des.h5
# ```
#
# [What sampling this posterior costs](../benchmarks/des_y1.md), beside other programs. Your own two-point functions
# come in SACC or 2-point FITS files: [data](../data.md).
