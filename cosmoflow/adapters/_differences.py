"""Central differences of a function that only gives numbers."""

from collections.abc import Callable

import numpy as np


def gradient(
    function: Callable[[np.ndarray], float], x: np.ndarray, steps: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The gradient by central differences inside a box, from 2 d calls.

        d_i f(x) = (f(x+) - f(x-)) / (x+_i - x-_i),    x+_i = min(x_i + h_i, high_i),   x-_i = max(x_i - h_i, low_i)

    Where one of the two is not finite, f(x) takes its place, and where both are not, the derivative is zero.

    Args:
        function: From a point to a number.
        x: The point, shape (dim,).
        steps: h, shape (dim,).
        low: Lower ends of the box.
        high: Upper ends of the box.
    """
    slopes = np.zeros_like(x)
    for i in range(x.size):
        ends = []
        for end in (min(x[i] + steps[i], high[i]), max(x[i] - steps[i], low[i])):
            moved = x.copy()
            moved[i] = end
            ends.append((end, function(moved)))
        finite = [pair for pair in ends if np.isfinite(pair[1])]
        if len(finite) == 1:
            finite.append((x[i], function(x)))
        if len(finite) == 2:
            (a, value_a), (b, value_b) = finite
            slopes[i] = (value_a - value_b) / (a - b)
    return slopes


def hessian(
    function: Callable[[np.ndarray], float], x: np.ndarray, steps: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The Hessian by second differences inside a box, from 2 d^2 + 1 calls.

        d_i d_j f(x) = (f(x + h_i + h_j) - f(x + h_i - h_j) - f(x - h_i + h_j) + f(x - h_i - h_j)) / (4 h_i h_j)
        d_i d_i f(x) = (f(x + h_i) - 2 f(x) + f(x - h_i)) / h_i^2

    The centre is moved inwards by as much as keeps all points in the box.

    Args:
        function: From a point to a number.
        x: The point, shape (dim,).
        steps: h, shape (dim,), at most half the width of the box.
        low: Lower ends of the box.
        high: Upper ends of the box.
    """
    x = np.clip(x, low + steps, high - steps)
    shifts = np.diag(steps)
    centre = function(x)
    curvatures = np.zeros((x.size, x.size))
    for i in range(x.size):
        curvatures[i, i] = (function(x + shifts[i]) - 2 * centre + function(x - shifts[i])) / steps[i] ** 2
        for j in range(i):
            same = function(x + shifts[i] + shifts[j]) + function(x - shifts[i] - shifts[j])
            opposite = function(x + shifts[i] - shifts[j]) + function(x - shifts[i] + shifts[j])
            curvatures[i, j] = curvatures[j, i] = (same - opposite) / (4 * steps[i] * steps[j])
    return curvatures
