"""Polynomial interpolation at Chebyshev nodes."""

import numpy as np
from jaxtyping import Float
from numpy.polynomial.chebyshev import chebvander


def chebyshev_nodes(low: float, high: float, num_nodes: int) -> Float[np.ndarray, " node"]:
    """Zeros of the Chebyshev polynomial of degree `num_nodes` on an interval, from its upper to its lower end."""
    return (low + high) / 2 + (high - low) / 2 * _nodes(num_nodes)


def cardinal_functions(
    x: Float[np.ndarray, "*shape"], low: float, high: float, num_nodes: int
) -> Float[np.ndarray, "*shape node"]:
    """Polynomials l_j(x) that are one at the j-th node and zero at all others.

        f(x) = sum_j l_j(x) f(x_j),    l_j(x) = (2 / n) sum'_k T_k(x_j) T_k(x)

    for polynomials f of a degree below n; the prime halves the first term.
    """
    weights = np.full(num_nodes, 2 / num_nodes)
    weights[0] /= 2
    at_x = chebvander((2 * x - low - high) / (high - low), num_nodes - 1)
    return (at_x * weights) @ chebvander(_nodes(num_nodes), num_nodes - 1).T


def _nodes(num_nodes: int) -> Float[np.ndarray, " node"]:
    return np.cos(np.pi * (np.arange(num_nodes) + 0.5) / num_nodes)
