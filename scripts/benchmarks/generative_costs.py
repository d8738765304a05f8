"""What a function costs: the operations of its traced program, loops multiplied by their lengths."""

from collections.abc import Callable
from math import log2, prod
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr


def operations(function: Callable[..., Any], *arguments: Any) -> float:
    """Floating-point operations: two for each product of a contraction or convolution, 5 n log2(n) of a Fourier
    transform of n complex numbers, half of it where one side is real, and one for each number of any other result.

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
    name = equation.primitive.name
    if name == "cond":
        return max(map(_of_jaxpr, inner))
    if inner:
        return equation.params.get("length", 1) * sum(map(_of_jaxpr, inner))
    shapes = [[variable.aval.shape for variable in side] for side in (equation.invars, equation.outvars)]
    if name == "fft":
        return 5 * min(prod(side[0]) for side in shapes) * log2(prod(equation.params["fft_lengths"]))
    size = sum(_numbers(out.aval) for out in equation.outvars)
    if name == "dot_general":
        contracted, _ = equation.params["dimension_numbers"]
        return 2 * size * prod(shapes[0][0][axis] for axis in contracted[0])
    if name == "conv_general_dilated":
        kernel = shapes[0][1]
        return 2 * size * prod(kernel) / kernel[equation.params["dimension_numbers"].rhs_spec[0]]
    return size


def _numbers(aval: Any) -> int:
    """Real numbers of a result; a complex one has two."""
    if not jnp.issubdtype(aval.dtype, jnp.inexact):
        return 0
    return prod(aval.shape) * (2 if jnp.issubdtype(aval.dtype, jnp.complexfloating) else 1)
