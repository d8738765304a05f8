"""What a kernel makes of exact draws: its law must be the same after some steps."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from cosmoflow.targets import Skewed

TARGET = Skewed(jnp.array([1.0, 2.0]))
NUM = 6000


def worst_score(sampler, num_steps=20):
    """The largest standard error among means of x, x^2, x_0 x_1 and U after some steps from exact draws."""
    key_start, key_state, key_run = jr.split(jr.key(7), 3)
    starts = TARGET.sample(key_start, (NUM,))

    @jax.jit
    @jax.vmap
    def run(x, key, key_run):
        state = sampler.init(TARGET, x, key=key)

        def body(state, k):
            return sampler.step(TARGET, state, key=k)[0], None

        state, _ = jax.lax.scan(body, state, jr.split(key_run, num_steps))
        return state.position, sampler.log_density(state)

    x, log_density = run(starts, jr.split(key_state, NUM), jr.split(key_run, NUM))
    reference = TARGET.sample(jr.key(8), (200_000,))

    def tests(x, log_density):
        return np.concatenate([x, x**2, x[:, :1] * x[:, 1:], np.asarray(log_density)[:, None]], axis=1)

    ours, exact = tests(x, log_density), tests(reference, jax.vmap(TARGET.log_density)(reference))
    error = np.sqrt(np.var(ours, axis=0) / len(ours) + np.var(exact, axis=0) / len(exact))
    assert np.mean(np.any(np.asarray(x) != np.asarray(starts), axis=1)) > 0.9
    return np.max(np.abs(np.mean(ours, axis=0) - np.mean(exact, axis=0)) / error)
