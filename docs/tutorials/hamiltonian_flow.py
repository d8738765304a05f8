# %% [markdown]
# # Train a Hamiltonian flow and look inside
#
# A Hamiltonian flow carries normal positions and momenta along the motion of a learned energy. Motion preserves volume,
# so that the density of what arrives is exact without a Jacobian. With a kinetic energy of fixed form, p^2 / 2m, all
# that is learned is a potential, which can be drawn. Here we train one in two dimensions, where everything can be seen.

# %%
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from matplotlib.figure import Figure

import cosmoflow as cf

jax.config.update("jax_enable_x64", True)
keys = jr.split(jr.key(0), 8)

# %% [markdown]
# ## The target
#
# A bent normal law. It is normalised, so that we know what the flow must find: an evidence of one.


# %%
def bent(q):
    """q_0 ~ N(0, 1), and q_1 given q_0 ~ N(0.4 (q_0^2 - 1), 0.6^2)."""
    residual = (q[1] - 0.4 * (q[0] ** 2 - 1)) / 0.6
    return -0.5 * (q[0] ** 2 + residual**2) - jnp.log(2 * jnp.pi * 0.6)


target = cf.CallableTarget(bent, jnp.zeros(2))

# %% [markdown]
# Of a posterior take `cf.whiten(posterior, key=key)` first: an untrained flow draws from N(0, I), and a target of other
# scales wastes the training on them.
#
# ## Training
#
# `ReverseKL` compares draws of the flow with the target and needs no data; `cf.NegativeELBO` would train on draws
# instead. The loss is a bound: it is at least -log evidence, here zero, and the distance to it is what flow and
# momentum encoder together do not manage.

# %%
flow = cf.fixed_kinetic_flow(2, num_maps=1, num_steps=5, key=keys[0])
untrained = cf.importance_sample(flow, target, num_samples=4000, key=keys[1])
flow, history = cf.fit(flow, cf.ReverseKL(target), num_steps=600, key=keys[2])

figure = Figure(figsize=(7, 3), layout="constrained")
axes = figure.subplots()
axes.semilogy(history.losses, color="0.7", label="each step")
steps = 50 * np.arange(1, 1 + len(history.validation))
axes.semilogy(steps, history.validation, "o-", color="#0072B2", label="validation")
axes.set(xlabel="step", ylabel="loss $-$ its bound [nats]")
axes.legend()
figure

# %% [markdown]
# ## Is it any good?
#
# Not by its loss, but by its weights: target over flow, for draws of the flow. Look at `pareto_k` before anything else.
# Above 0.7 a few draws decide everything, and neither evidence nor effective size mean anything.

# %%
found = cf.importance_sample(flow, target, num_samples=4000, key=keys[1])
for name, outcome in (("untrained", untrained), ("trained", found)):
    print(
        f"{name:9} log evidence {float(outcome.log_evidence):6.3f} +- {float(outcome.log_evidence_error):.3f}, "
        f"effective share {float(outcome.ess_fraction):.3f}, pareto_k {float(outcome.pareto_k):.2f}"
    )

# %% [markdown]
# The evidence is one, its logarithm zero. Where it is found to be less by more than its error, the flow misses a part
# of the target: weights know nothing of places where the flow never draws, and the reverse divergence gives up wings
# before it covers too much. Here are the draws of the flow beside the level lines of the target, which hold 39, 86 and
# 99 % of it:

# %%
q = np.asarray(eqx.filter_jit(lambda key: flow.sample(key, (3000,)))(keys[3]))[:, :2]
x, y = np.meshgrid(np.linspace(-3.5, 3.5, 200), np.linspace(-2.5, 5, 200))
height = jax.vmap(bent)(jnp.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape) + jnp.log(2 * jnp.pi * 0.6)

figure = Figure(figsize=(6, 4.5), layout="constrained")
axes = figure.subplots()
axes.plot(*q.T, ".", color="#0072B2", markersize=2, alpha=0.5)
axes.contour(x, y, height, levels=[-4.5, -2.0, -0.5], colors="#D55E00")
axes.set(xlabel="$q_0$", ylabel="$q_1$", xlim=(-3.5, 3.5), ylim=(-2.5, 5))
figure

# %% [markdown]
# ## What it has learned
#
# On the left the learned potential along one coordinate, beside minus the log-density of the target; on the right a few
# paths in the plane of that coordinate and its momentum, from the normal law to the target.

# %%
cf.plotting.phase_portrait(flow, target, coordinate=0, key=keys[4])

# %% [markdown]
# The potential need not be that of the target: it is the energy that *carries* a normal law there in five steps. How
# like the two are is a number, too; [what a flow learns](../benchmarks/flows_portrait.md) has more of them.

# %%
likeness = cf.flows.compare_potential(flow.bijection.hamiltonian.potential, target, jnp.asarray(q))
print(f"correlation of the learned potential with -log pi: {float(likeness.correlation):.2f}")

# %% [markdown]
# ## Exact draws from it
#
# In the coordinates of the flow the target is nearly normal, for any sampler. `Independence` proposes what the flow
# draws and accepts by the exact density, so that errors of the flow cost draws and bias nothing.

# %%
latent = cf.neural_transport(target, flow)
start = jr.normal(keys[5], (4, latent.dim))
chain = cf.sample(latent, cf.samplers.Independence(), num_draws=2000, num_chains=4, position=start, key=keys[6])
draws = chain.posterior["x"].reshape(-1, 2)
print("mean", draws.mean(axis=0).round(2), "and variance", draws.var(axis=0).round(2))
print("exactly  0, 0           1, 0.68")
print(f"{cf.summarize(chain).ess:.0f} effective draws of {len(draws)}")

# %% [markdown]
# For a posterior of more parameters keep the default of five maps with a potential each, `num_maps=5`, which is better
# than one map of five steps but has no single potential to look at. [Flows](../flows.md) says which potential and which
# encoder suit which target, and has amortised posteriors and flows of fields; [theory](../theory.md) has the equations.
