"""What a function costs: the operations of its traced program, loops multiplied by their lengths."""

from collections.abc import Callable
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr


def operations(function: Callable[..., Any], *arguments: Any) -> float:
    """Floating-point operations: two for each product of a contraction, one for each number of any other result.

    A loop whose length is not known when it is traced counts once.
    """
    return _of_jaxpr(jax.make_jaxpr(function)(*arguments).jaxpr)


def _of_jaxpr(jaxpr: Jaxpr) -> float:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: Any) -> float:
    inner = [
        part.jaxpr if isinstance(part, ClosedJaxpr) else part
        for value in equation.params.values()
        for part in (value if isinstance(value, tuple) else (value,))
        if isinstance(part, ClosedJaxpr | Jaxpr)
    ]
    if equation.primitive.name == "cond":
        return max(map(_of_jaxpr, inner))
    if inner:
        return equation.params.get("length", 1) * sum(map(_of_jaxpr, inner))
    size = sum(prod(out.aval.shape) for out in equation.outvars if jnp.issubdtype(out.aval.dtype, jnp.floating))
    if equation.primitive.name == "dot_general":
        contracted, _ = equation.params["dimension_numbers"]
        return 2 * size * prod(equation.invars[0].aval.shape[axis] for axis in contracted[0])
    return size
