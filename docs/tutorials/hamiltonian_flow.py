# %% [markdown]
# # Training and inspecting a Hamiltonian flow
#
# A Hamiltonian flow carries normal positions and momenta along the motion of a learned energy. The motion preserves
# volume, so that the density of what arrives is exact without a Jacobian. With a kinetic energy of fixed form, p^2 /
# 2m, all that is learned of the motion is a potential, which can be drawn. Here it learns a posterior of two
# parameters, where everything can be held against the truth.

# %%
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from matplotlib.figure import Figure

import cosmoflow as cf

jax.config.update("jax_enable_x64", True)
keys = jr.split(jr.key(0), 10)

# %% [markdown]
# ## A posterior that is bent
#
# Weak lensing measures the amplitude of matter fluctuations and the density of matter together: from the shear spectra
# of the third year of HSC comes S8 = sigma8 (Omega_m / 0.3)^0.5 = 0.776 +- 0.033 ([Dalal et al.
# 2023](https://arxiv.org/abs/2304.00701)). With a loose idea of the density, 0.30 +- 0.05, that is a banana.


# %%
def lensing(Omega_m, sigma8):
    """Log-likelihood of S8, normalised."""
    return -0.5 * ((sigma8 * (Omega_m / 0.3) ** 0.5 - 0.776) / 0.033) ** 2 - jnp.log(0.033 * jnp.sqrt(2 * jnp.pi))


prior = cf.Prior({"Omega_m": cf.TruncatedNormal(0.3, 0.05, 0.0, 1.0), "sigma8": cf.Uniform(0.2, 1.6)})
posterior = cf.Posterior(prior, cf.likelihoods.FunctionLikelihood(lensing))
target = cf.whiten(posterior, key=keys[0])

# %% [markdown]
# `whiten` moves the mode to the origin and makes the curvature there that of N(0, I): an untrained flow draws from
# N(0, I), and a target of other scales wastes the training on them.
#
# In two dimensions a sum over a fine grid is as good as exact. It gives the evidence, the means, and the regions of
# highest density, in the coordinates that are sampled, that hold 68, 95 and 99.7 % of the posterior.

# %%
axis = np.linspace(-6, 6, 601)  # of the standard normal coordinates of the prior
grid = jnp.stack([a.ravel() for a in np.meshgrid(axis, axis)], axis=1)
log_density = jax.jit(jax.vmap(posterior.log_density))
height = np.asarray(log_density(grid))
mass = np.exp(height) * (axis[1] - axis[0]) ** 2
log_evidence = np.log(mass.sum())
mass /= mass.sum()

order = np.argsort(-height)
levels = [float(height[order][np.searchsorted(np.cumsum(mass[order]), share)]) for share in (0.68, 0.95, 0.997)]


def line(name, z, weight):
    """Means and standard deviations, and how much lies outside of the three regions."""
    weight = np.asarray(weight) / np.sum(weight)
    outside = [f"{100 * weight[np.asarray(log_density(z)) < level].sum():8.2f}" for level in levels]
    moments = []
    for draws in jax.vmap(prior.forward)(z).values():
        mean = weight @ draws
        moments += [f"{mean:8.4f} +- {np.sqrt(weight @ (draws - mean) ** 2):.4f}"]
    print(f"{name:11}", *moments, *outside)


print(f"log evidence {log_evidence:.4f}")
print("                       Omega_m             sigma8   outside of 68, 95, 99.7 % [%]")
line("exact", grid, mass)

# %% [markdown]
# ## Training
#
# `ReverseKL` compares draws of the flow with the density and needs no other draws; `cf.NegativeELBO` would train on
# draws. The default flow has five maps of one leapfrog step each, with potentials of their own.

# %%
flow = cf.fixed_kinetic_flow(2, key=keys[1])
before = flow
flow, history = cf.fit(flow, cf.ReverseKL(target, path_gradient=True), num_steps=1000, key=keys[2])
divergence = history.validation + log_evidence
print(f"divergence from the posterior: {divergence[0]:.3f} nats after 50 steps, {divergence.min():.3f} at the best")

# %% [markdown]
# The loss is at least -log evidence, and the distance to it is the Kullback-Leibler divergence on phase space: what
# flow and momentum encoder, the learned law of momenta given positions, together do not manage. Without a grid the
# evidence is not known, and the loss alone says nothing.
#
# ## Is it any good?
#
# The weights, posterior over flow at draws of the flow, tell. Look at `pareto_k` before anything else: above 0.7 a few
# draws decide everything, and neither evidence nor effective share mean anything.

# %%
for name, model in (("untrained", before), ("trained", flow)):
    found = cf.importance_sample(model, target, num_samples=10_000, num_momenta=4, key=keys[3])
    print(
        f"{name:9} pareto_k {float(found.pareto_k):5.2f}, effective share {float(found.ess_fraction):.3f}, "
        f"log evidence {float(found.log_evidence):.4f} +- {float(found.log_evidence_error):.4f}"
    )

# %% [markdown]
# The untrained flow is N(0, I) in the whitened coordinates, a normal law at the mode, which covers this posterior
# fairly; most of what it wastes is gone after training. The errors are the scatter of the weights themselves, and come
# out too small where tails are heavy, here with `pareto_k` around a half: the evidence of the untrained flow is off by
# several of them.
#
# These numbers only know places where the flow draws. The reverse divergence gives up wings before it covers too much,
# so look at the wings, too: here by the shares outside of the three regions, and by the eye.

# %%
q = found.x[:, :2]
z = jax.vmap(target.bijection.transform)(q)
line("exact", grid, mass)
line("flow", z, np.ones(len(z)))


def contours(axes):
    """The three regions in the plane of the parameters."""
    parameters = jax.vmap(prior.forward)(grid)
    planes = [np.asarray(a).reshape(len(axis), -1) for a in (*parameters.values(), height)]
    axes.contour(*planes, levels=levels[::-1], colors="#D55E00", linewidths=1, linestyles="solid")
    axes.set(xlabel=r"$\Omega_\mathrm{m}$", ylabel=r"$\sigma_8$", xlim=(0.1, 0.5), ylim=(0.5, 1.3))


figure = Figure(figsize=(6, 4), layout="constrained")
axes = figure.subplots()
draws = jax.vmap(prior.forward)(z[:4000])
axes.plot(draws["Omega_m"], draws["sigma8"], ".", color="#0072B2", markersize=2, alpha=0.5)
contours(axes)
figure

# %% [markdown]
# ## What it has learned
#
# Each map moves along the motion of its own potential for one step. Below, the level lines of the five learned
# potentials and, as points, the positions that come to each; the last panel has what leaves the last one, with the
# regions of the target. All in the whitened coordinates.

# %%
learned = paramax.unwrap(flow)
x = learned.base.sample(keys[4], (1000,))
span = np.linspace(-4, 4, 81)
plane = jnp.stack([a.ravel() for a in np.meshgrid(span, span)], axis=1)

figure = Figure(figsize=(9, 6), layout="constrained")
panels = figure.subplots(2, 3, sharex=True, sharey=True).ravel()
for number, (panel, step) in enumerate(zip(panels, learned.bijection.bijections, strict=False)):
    energy = jax.vmap(step.hamiltonian.potential, (0, None))(plane, jnp.zeros(())).reshape(81, 81)
    panel.contour(span, span, energy, levels=15, colors="0.6", linewidths=0.8)
    panel.plot(*x[:, :2].T, ".", color="#0072B2", markersize=2)
    panel.set_title(f"potential {number + 1}", fontsize=10)
    x = jax.vmap(step.transform)(x)
panels[-1].plot(*x[:, :2].T, ".", color="#0072B2", markersize=2)
across = jax.vmap(target.log_density)(plane).reshape(81, 81)
jacobian = float(target.log_density(jnp.zeros(2)) - posterior.log_density(target.bijection.transform(jnp.zeros(2))))
panels[-1].contour(
    span, span, across, levels=[level + jacobian for level in levels[::-1]], colors="#D55E00", linestyles="solid"
)
panels[-1].set_title("what arrives", fontsize=10)
panels[0].set(xlim=(-4, 4), ylim=(-4, 4))
figure

# %% [markdown]
# A flow of a single map has a single potential, which can be laid beside minus the log-density of the target. It takes
# several steps, and its phase portrait shows them: paths in the plane of one coordinate and its momentum, among the
# level lines of the energy.

# %%
single = cf.fixed_kinetic_flow(2, num_maps=1, num_steps=5, key=keys[5])
single, _ = cf.fit(single, cf.ReverseKL(target, path_gradient=True), num_steps=600, key=keys[6])
other = cf.importance_sample(single, target, num_samples=10_000, num_momenta=4, key=keys[3])
print(f"effective share of a single map {float(other.ess_fraction):.3f}, of five {float(found.ess_fraction):.3f}")
likeness = cf.flows.compare_potential(single.bijection.hamiltonian.potential, target, other.x[:, :2])
print(f"correlation of its potential with -log pi: {float(likeness.correlation):.2f}")
cf.plotting.phase_portrait(single, target, coordinate=0, key=keys[7])

# %% [markdown]
# Where the mass is it looks like that of the target, although it need not: it is the energy that carries a normal law
# there in a given time. [What a flow learns](../benchmarks/flows_portrait.md) has more of this. On a posterior as mild
# as this one a single map does about as well as five; on harder ones [the number of maps
# counts](../benchmarks/flows_study.md).
#
# ## Exact results from an inexact flow
#
# There are two ways to repair what the flow misses, which here are a few per cent of each standard deviation. One is to
# reweight its draws, which gave the evidence above and gives every mean:

# %%
line("flow", z, np.ones(len(z)))
line("reweighted", z, np.exp(found.log_weights - found.log_weights.max()))

# %% [markdown]
# A good part of that is back, but not all: a wing that no draw has visited has no weights. The other way is to sample
# in the coordinates of the flow, in which the posterior is nearly normal for any sampler. `Independence` proposes draws
# of the flow and accepts them by the exact density; mixed with a local sampler it also gets to where the flow never
# draws. Errors of the flow cost draws and bias nothing.

# %%
latent = cf.neural_transport(target, flow)
moves = cf.samplers.Mixture((cf.samplers.Independence(), cf.samplers.HybridSplitting()))
start = jr.normal(keys[8], (4, latent.dim))
chain = cf.sample(latent, moves, num_draws=2500, num_chains=4, position=start, key=keys[9])
print(cf.summarize(chain), "\n")
sampled = jax.vmap(prior.inverse)({name: jnp.asarray(chain.posterior[name].ravel()) for name in prior.names})
line("exact", grid, mass)
line("sampled", sampled, np.ones(len(sampled)))

# %% [markdown]
# What differs from the truth now is Monte Carlo error, `MCSE` for the means, which falls with more draws; that of an
# unvisited wing would not.
#
# ## Where such flows fail
#
# The reverse divergence sees a mode only where the flow already draws, and no diagnostic can tell of what was never
# visited: with modes far apart, weights may look good while half of the posterior is missing. Then the flow must be
# trained on draws of a sampler that passes between modes, such as `cf.samplers.ParallelTempering`; [Flows](../flows.md)
# has an example, and says which potential and encoder suit which target. For the density of a few parameters a coupling
# flow is often better than a Hamiltonian one: [the benchmark](../benchmarks/flows.md) compares them, and
# [theory](../theory.md) has the equations.
