"""Two parameters uniform by area on a convex polygon, as a transport of N(0, I_2)."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from ._marginals import AbstractTransport
from ._normal import between, floats, from_between, from_tails, positive_tail


class UniformPolygon(AbstractTransport):
    """The uniform distribution, by area, on a convex polygon of the plane.

    The height h(x) of the polygon is linear between the abscissae of its vertices, so the distribution function of
    the first coordinate is piecewise quadratic and inverts in closed form: a distance s behind a knot,

        integral of h = A   =>   s = 2 A / (h_0 + h),   h = sqrt(h_0^2 + 2 h' A),

    and h is the height there, on which the second coordinate is uniform. Area is counted from the nearer end.

    Args:
        vertices: Corners in order, either way round, shape (vertices, 2).

    Raises:
        ValueError: If the vertices are fewer than three, enclose no area, or are not convex.

    Examples:
        >>> import cosmoflow as cf, jax.numpy as jnp
        >>> triangle = cf.UniformPolygon([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> [round(float(x), 3) for x in triangle.forward(jnp.zeros(2))]  # half of the area lies to the left
        [0.293, 0.354]
    """

    knots: Float[Array, " knots"]
    lower: Float[Array, " knots"]
    upper: Float[Array, " knots"]

    def __init__(self, vertices: ArrayLike | Sequence):
        corners = _counterclockwise(np.asarray(vertices, dtype=float))
        x, y = corners.T
        dx, dy = (np.roll(corners, -1, axis=0) - corners).T
        knots = np.unique(x)
        sloped = dx != 0
        slope = dy[sloped] / dx[sloped]
        lines = y[sloped] + slope * (knots[:, None] - x[sloped])
        lower = lines[:, dx[sloped] > 0].max(axis=1)
        self.knots = floats(knots)
        self.lower = floats(lower)
        self.upper = floats(np.maximum(lower, lines[:, dx[sloped] < 0].min(axis=1)))

    @classmethod
    def from_box(cls, low: Sequence[float], high: Sequence[float], sum_below: float) -> "UniformPolygon":
        """The box low <= (x, y) <= high below the diagonal x + y = sum_below.

        Args:
            low: Lower ends of the two parameters.
            high: Upper ends.
            sum_below: Largest value of the sum of the two.

        Raises:
            ValueError: If the box is reversed or lies above the diagonal.
        """
        (x0, y0), (x1, y1) = low, high
        if not (x0 < x1 and y0 < y1 and x0 + y0 < sum_below):
            raise ValueError(
                f"UniformPolygon needs low < high and a corner with sum below {sum_below}, "
                f"but low is {tuple(low)} and high is {tuple(high)}."
            )
        right, top = min(x1, sum_below - y0), min(y1, sum_below - x0)
        return cls(
            [(x0, y0), (right, y0), (right, min(top, sum_below - right)), (min(right, sum_below - top), top), (x0, top)]
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the standard-normal coordinates."""
        return (2,)

    def forward(self, z: Float[Array, " 2"]) -> Float[Array, " 2"]:
        """From standard-normal coordinates to the two parameters."""
        left = z[0] < 0
        knots = jnp.where(left, self.knots, -self.knots[::-1])
        lower = jnp.where(left, self.lower, self.lower[::-1])
        upper = jnp.where(left, self.upper, self.upper[::-1])
        heights, steps = upper - lower, jnp.diff(knots)
        areas = 0.5 * (heights[:-1] + heights[1:]) * steps
        ends = jnp.cumsum(areas)

        area = positive_tail(z[0]) * ends[-1]
        k = jnp.sum(ends[:-1] <= area)
        inside = (area - (ends[k] - areas[k])) / steps[k]
        height = jnp.sqrt(heights[k] ** 2 + 2 * (heights[k + 1] - heights[k]) * inside)
        fraction = 2 * inside / (heights[k] + height)
        x = knots[k] + fraction * steps[k]
        low = lower[k] + fraction * (lower[k + 1] - lower[k])
        return jnp.stack([jnp.where(left, x, -x), between(z[1], low, low + height)])

    def inverse(self, x: Float[Array, " 2"]) -> Float[Array, " 2"]:
        """From the two parameters to standard-normal coordinates; not finite outside the polygon."""
        heights = self.upper - self.lower
        left = _area_before(x[0], self.knots, heights)
        right = _area_before(-x[0], -self.knots[::-1], heights[::-1])
        low, high = jnp.interp(x[0], self.knots, self.lower), jnp.interp(x[0], self.knots, self.upper)
        first = from_tails(left / (left + right), right / (left + right))
        return jnp.stack([first, from_between(x[1], low, high)])


def _area_before(x: Float[Array, ""], knots: Float[Array, " k"], heights: Float[Array, " k"]) -> Float[Array, ""]:
    steps = jnp.diff(knots)
    fraction = jnp.clip((x - knots[:-1]) / steps, 0, 1)
    return jnp.sum(steps * fraction * (heights[:-1] + 0.5 * fraction * jnp.diff(heights)))


def _counterclockwise(vertices: np.ndarray) -> np.ndarray:
    if vertices.ndim != 2 or vertices.shape[0] < 3 or vertices.shape[1] != 2:
        raise ValueError(f"UniformPolygon needs at least three vertices (x, y), but their shape is {vertices.shape}.")
    size = np.ptp(vertices, axis=0)
    vertices = vertices[np.any(np.abs(np.roll(vertices, -1, axis=0) - vertices) > 1e-12 * size, axis=1)]
    after = np.roll(vertices, -1, axis=0)
    area = 0.5 * np.sum(vertices[:, 0] * after[:, 1] - vertices[:, 1] * after[:, 0])
    if not abs(area) > 1e-12 * size.prod():
        raise ValueError(f"UniformPolygon needs vertices that enclose an area, but they are {vertices.tolist()}.")
    vertices = vertices if area > 0 else vertices[::-1]
    edges = np.roll(vertices, -1, axis=0) - vertices
    following = np.roll(edges, -1, axis=0)
    cross = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    turns = np.arctan2(cross, np.sum(edges * following, axis=1))
    if np.any(cross < -1e-12 * size.prod()) or not np.isclose(turns.sum(), 2 * np.pi):
        raise ValueError(f"UniformPolygon needs the vertices of a convex polygon in order, not {vertices.tolist()}.")
    return vertices
