# %% [markdown]
# # Dark energy from DESI and supernovae
#
# Does the density of dark energy change? We fit the equation of state w(a) = w0 + wa (1 - a) to the baryon acoustic
# oscillations of DESI DR2 and the Union3 supernovae, both of which are shipped with the package.

# %%
import jax
import jax.numpy as jnp
import jax.random as jr

import cosmoflow as cf

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## What is sampled
#
# A posterior is a prior and a likelihood. The likelihoods say by themselves which parameters they need and which they
# can use; what has no prior stays at its default, here no curvature.

# %%
likelihood = cf.likelihoods.JointLikelihood(
    {
        "DESI DR2": cf.likelihoods.BAO(cf.datasets.desi_dr2_bao()),
        "Union3": cf.likelihoods.Supernovae(cf.datasets.union3()),
    }
)
print("needs", likelihood.required, "and can use", likelihood.optional)

prior = cf.Prior(
    {
        "Omega_m": cf.Uniform(0.01, 0.99),
        "h_r_d": cf.Uniform(10.0, 1000.0),  # h times the sound horizon [Mpc], all that BAO know of both
        ("w0", "wa"): cf.UniformPolygon([[-3, -3], [1, -3], [1, -1], [-2, 2], [-3, 2]]),  # w0 + wa < 0
    }
)
posterior = cf.Posterior(prior, likelihood)

# %% [markdown]
# ## Before any chain
#
# The best fit, with errors from the Fisher matrix, takes a second or two, and so does chi^2 of each probe: where it is
# far off, no chain will mend it.

# %%
best = cf.fitting.best_fit(posterior)
errors = cf.fitting.fisher(posterior, best.parameters)
for name, value in best.parameters.items():
    print(f"{name:8} {float(value):8.4f} +- {float(errors.sd[name]):.4f}")
for probe in cf.fitting.goodness_of_fit(posterior, best.parameters):
    print(f"{probe.name:9} chi^2 {probe.chi2:5.1f} for {probe.degrees_of_freedom:4.1f}, p = {probe.p_value:.2f}")

# %% [markdown]
# The same in LCDM, which is the posterior of two parameters. The difference of chi^2, for two parameters, is what dark
# energy that evolves gains.

# %%
lcdm = cf.Posterior(cf.Prior({"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0)}), likelihood)
constant = cf.fitting.best_fit(lcdm)
print(f"chi^2 of LCDM - of w0waCDM: {constant.chi2 - best.chi2:.1f}")

# %% [markdown]
# ## Draws
#
# `warmup` finds coordinates in which the posterior is nearly N(0, I), picks a sampler and tunes it, and finds places to
# start from; `sample` draws. What is done is on the disk: run this again, after whatever interruption, and it goes on.

# %%
with cf.ChainStore("w0wa.h5", mode="resume") as store:
    target, sampler, start = cf.warmup(posterior, num_chains=4, key=jr.key(0), max_gradients=20_000, store=store)
    chain = cf.sample(target, sampler, num_draws=2000, num_chains=4, position=start, key=jr.key(1), store=store)
print(cf.summarize(chain))

# %% [markdown]
# Look at the columns of R-hat and of effective draws before you believe a digit; the last lines would name what has not
# converged. Then look at the picture. LCDM is the point w0 = -1, wa = 0.

# %%
cf.corner(chain, ["Omega_m", "w0", "wa"], truth={"w0": -1.0, "wa": 0.0})

# %% [markdown]
# ## Back to the data
#
# Draws are arrays by name, of shape (chain, draw), and theory is a pure function of parameters, so that a band of
# predictions is one `vmap`. Here are the supernovae, as differences to the best LCDM. They do not know their common
# magnitude, so the mean is taken from data and predictions alike, and its error from the errors.

# %%
import numpy as np
from matplotlib.figure import Figure

from cosmoflow.cosmology import Cosmology, distance_modulus

data = cf.datasets.union3()
fine = np.geomspace(0.03, 2.3, 100)
redshift = jnp.concatenate([fine, data.redshift])
weights = np.full(data.redshift.size, 1 / data.redshift.size)


def moduli(parameters):
    shape = {name: jnp.asarray(parameters[name]) for name in ("Omega_m", "w0", "wa") if name in parameters}
    mu = distance_modulus(Cosmology.from_parameters(shape, h=0.7), redshift)
    return mu - weights @ mu[fine.size :]


reference = moduli(constant.parameters)
draws = {name: values.reshape(-1)[::20] for name, values in chain.posterior.items()}
bands = jax.jit(jax.vmap(moduli))(draws)[:, : fine.size] - reference[: fine.size]
low, lower, higher, high = np.quantile(bands, (0.025, 0.16, 0.84, 0.975), axis=0)

projection = np.eye(len(weights)) - weights
residual = projection @ data.distance_modulus - reference[fine.size :]
error = np.sqrt(np.diagonal(projection @ data.covariance @ projection.T))

figure = Figure(figsize=(7, 4), layout="constrained")
axes = figure.subplots()
axes.errorbar(data.redshift, residual, error, fmt="o", color="0.3", label="Union3")
axes.fill_between(fine, low, high, color="#0072B2", alpha=0.2, linewidth=0)
axes.fill_between(fine, lower, higher, color="#0072B2", alpha=0.4, linewidth=0, label="posterior, 68 and 95 %")
axes.axhline(0, color="#D55E00", linestyle="--", label="best LCDM")
axes.set(xlabel="redshift", ylabel="distance modulus $-$ that of LCDM [mag]", xscale="log")
axes.legend(loc="lower left")
figure

# %% [markdown]
# The errors of Union3 are still correlated: points move together more than their bars show.
#
# ## From the shell
#
# The same run is a configuration, `scripts/configs/demo.toml`, and `make demo` samples it in the coordinates of a
# trained flow, with its evidence. [Configuration](../configuration.md) has all keys.
