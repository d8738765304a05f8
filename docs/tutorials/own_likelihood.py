# %% [markdown]
# # A likelihood of your own
#
# How old is the universe? The oldest globular clusters say 13.5 +- 0.5 Gyr ([Valcin et al.
# 2020](https://arxiv.org/abs/2007.06594)). That is no data set of the package, so we write it ourselves, three times:
# as a function, as a class, and in NumPyro. With the matter density from DESI it is a measurement of the Hubble
# constant that needs neither supernovae nor the microwave background.
#
# The figure needs `pip install 'cosmoflow[plot]'`, the last part `pip install 'cosmoflow[numpyro]'`.

# %%
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import cosmoflow as cf

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## A function
#
# Whatever returns log L is a likelihood. It is written for one point with `jax.numpy`, and its arguments are the names
# of its parameters; arguments with a default would be optional ones.

# %%
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
SCALE, WEIGHT = (NODES + 1) / 2, WEIGHTS / 2  # scale factors between 0 and 1


def age(Omega_m, h):
    """Of a flat LCDM universe without radiation [Gyr]: the integral of da / (a H)."""
    rate = jnp.sqrt(Omega_m / SCALE + (1 - Omega_m) * SCALE**2)  # a H / H0
    return 9.778 / h * jnp.sum(WEIGHT / rate)


def oldest_stars(Omega_m, h):
    """Log-likelihood of the age of the universe."""
    return -0.5 * ((age(Omega_m, h) - 13.5) / 0.5) ** 2 - jnp.log(0.5 * jnp.sqrt(2 * jnp.pi))


bao = cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())
ages = cf.likelihoods.FunctionLikelihood(oldest_stars)
print(ages.required, float(age(0.3, 0.7)))

prior = cf.Prior({"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0), "h": cf.Uniform(0.2, 1.5)})
posterior = cf.Posterior(prior, cf.likelihoods.JointLikelihood({"DESI DR2": bao, "ages": ages}))

# %% [markdown]
# Names are matched, and a slip is a sentence, not a trace through JAX:

# %%
try:
    cf.Posterior(cf.Prior({"Omega_M": cf.Uniform(0.01, 0.99), "h": cf.Uniform(0.2, 1.5)}), ages)
except ValueError as error:
    print(error)

# %% [markdown]
# Gradients come from JAX. Before sampling, hold the first one against a finite difference: it finds a `where` whose
# other branch is NaN, an integer that should be a float, a table lookup that has no slope.

# %%
z = jnp.array([0.1, -0.2, 0.3])  # the standard-normal coordinates of the prior
step = 1e-5 * jnp.eye(3)
differences = [(posterior.log_density(z + e) - posterior.log_density(z - e)) / 2e-5 for e in step]
print(jax.grad(posterior.log_density)(z), jnp.array(differences))

# %%
target, sampler, start = cf.warmup(posterior, cf.samplers.NUTS(), num_chains=4, max_gradients=6000, key=jr.key(0))
chain = cf.sample(target, sampler, num_draws=1000, num_chains=4, position=start, key=jr.key(1))
print(cf.summarize(chain))

# %% [markdown]
# ## A class
#
# Gaussian data are better a class with `predict`: then best fits, Fisher matrices, chi^2 per probe and surrogates know
# them too. Arrays are fields, so that other data of the same shape need no new compilation.


# %%
class Ages(cf.likelihoods.AbstractGaussianLikelihood):
    """The age of the universe [Gyr]."""

    data: jax.Array
    cholesky: jax.Array
    required: tuple[str, ...] = eqx.field(static=True, default=("Omega_m", "h"))
    optional: tuple[str, ...] = ()

    def predict(self, parameters):
        return age(parameters["Omega_m"], parameters["h"])[None]


measured = Ages(data=jnp.array([13.5]), cholesky=jnp.array([[0.5]]))
both = cf.Posterior(prior, cf.likelihoods.JointLikelihood({"DESI DR2": bao, "ages": measured}))
print("the same density:", float(both.log_density(z) - posterior.log_density(z)))
best = cf.fitting.best_fit(both)
for probe in cf.fitting.goodness_of_fit(both, best.parameters):
    print(f"{probe.name:9} chi^2 {probe.chi2:5.1f} for {probe.degrees_of_freedom:4.1f} degrees of freedom")

# %% [markdown]
# ## NumPyro
#
# A model of NumPyro is a target as it stands, and likelihoods of the package enter it by `numpyro.factor`. It brings
# its own priors.

# %%
import numpyro
import numpyro.distributions as dist


def model():
    Omega_m = numpyro.sample("Omega_m", dist.Uniform(0.01, 0.99))
    h_r_d = numpyro.sample("h_r_d", dist.Uniform(10.0, 1000.0))
    h = numpyro.sample("h", dist.Uniform(0.2, 1.5))
    numpyro.factor("bao", bao.log_likelihood({"Omega_m": Omega_m, "h_r_d": h_r_d}))
    numpyro.sample("age", dist.Normal(age(Omega_m, h), 0.5), obs=13.5)


target, sampler, start = cf.warmup(
    cf.adapters.from_numpyro(model), cf.samplers.NUTS(), num_chains=4, max_gradients=6000, key=jr.key(2)
)
again = cf.sample(target, sampler, num_draws=1000, num_chains=4, position=start, key=jr.key(3))
cf.corner({"function": chain, "NumPyro": again}, ["Omega_m", "h"])

# %% [markdown]
# Both are the same posterior, drawn twice. [Data](../data.md) tells how the function and the class become tables of a
# configuration, [adapters](../adapters.md) how likelihoods of Cobaya come here and ours go to Cobaya and CosmoSIS, and
# [Extending](../extending/likelihood.md) has the test that a likelihood passes for free.
