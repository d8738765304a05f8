"""What the rest of the package takes for granted of a likelihood."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest


def assert_conforms(likelihood, point, *, rtol=1e-5):
    """Hold a likelihood to its promises at a point of parameters, which has all that are required.

    Args:
        likelihood: Of parameters by name.
        point: Scalars by name, inside of the prior, where log L is smooth.
        rtol: Of the gradient against central differences.
    """
    point = {name: jnp.asarray(value, float) for name, value in point.items()}
    assert set(likelihood.required) <= set(point), "the point lacks a required parameter"
    assert not set(likelihood.required) & set(likelihood.optional), "a name is either required or optional"
    known = {name: point[name] for name in (*likelihood.required, *likelihood.optional) if name in point}

    arrays, static = eqx.partition(likelihood, eqx.is_array)

    def log_likelihood(parameters, arrays):  # arrays are arguments, so that none of them may be asked for its values
        return eqx.combine(arrays, static).log_likelihood(parameters)

    evaluate = jax.jit(jax.value_and_grad(log_likelihood))
    value, gradient = evaluate(known, arrays)
    assert np.isfinite(value), "log L is finite"
    assert evaluate(known | {"nobody_knows_it": jnp.asarray(1.0)}, arrays)[0] == value, "names of others are ignored"
    for name in likelihood.required:
        with pytest.raises((KeyError, TypeError, ValueError), match=name):
            jax.eval_shape(log_likelihood, {other: at for other, at in known.items() if other != name}, arrays)

    def moved(name, by):
        return known | {name: known[name] + by}

    step = {name: 1e-5 * max(abs(float(at)), 1e-2) for name, at in known.items()}
    points = [moved(name, sign * step[name]) for name in known for sign in (1, -1)]
    batch = {name: jnp.stack([p[name] for p in points]) for name in known}
    values = jax.jit(jax.vmap(log_likelihood, (0, None)))(batch, arrays)
    np.testing.assert_allclose(np.mean(values), value, rtol=1e-3, err_msg="alone and in a batch")
    scale = max(abs(float(gradient[name]) * step[name]) for name in known)
    for name, above, below in zip(known, values[::2], values[1::2], strict=True):
        np.testing.assert_allclose(
            above - below,
            2 * gradient[name] * step[name],
            rtol=rtol,
            atol=rtol * scale + 1e-11 * abs(value),
            err_msg=f"the gradient by {name}",
        )
