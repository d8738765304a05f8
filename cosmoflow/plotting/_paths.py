"""The trajectories of piecewise deterministic processes."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..samplers.pdmp import Skeleton
from ._style import MARKERS, look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 16
"""Points of the path from one event to the next."""


def paths(skeleton: Skeleton, *, coordinates: tuple[int, int] = (0, 1), width: float = 5.0) -> "Figure":
    """The paths of all chains in the plane of two coordinates; marks are their events, refreshments included.

    Args:
        skeleton: as `samplers.pdmp.skeleton` returns it; a few dozen events show most.
        coordinates: which two of the sampler's coordinates.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the skeleton has no such coordinate.
    """
    dim = skeleton.positions.shape[-1]
    for coordinate in coordinates:
        if not 0 <= coordinate < dim:
            raise ValueError(f"The skeleton has {dim} coordinates, and none of number {coordinate}.")
    plane = list(coordinates)
    events, ways = np.asarray(skeleton.positions)[..., plane], path_points(skeleton)[..., plane]

    def draw(figure):
        axes = figure.subplots()
        for i, (way, marks) in enumerate(zip(ways, events, strict=True)):
            axes.plot(*way.T, linewidth=0.9, **look(i))
            axes.plot(*marks.T, MARKERS[i % len(MARKERS)], color=look(i)["color"], markersize=2.5)
        axes.set(xlabel=f"$x_{{{plane[0]}}}$", ylabel=f"$x_{{{plane[1]}}}$", aspect="equal")

    return new_figure(draw, width, width)


def path_points(skeleton: Skeleton) -> Float[np.ndarray, "chain point dim"]:
    """Points of every path in their order, dense enough to be joined by straight lines."""
    waits = jnp.diff(skeleton.times, axis=1)
    shares = jnp.linspace(0, 1, POINTS, dtype=waits.dtype)

    def along(position, velocity, wait):
        return jax.vmap(lambda share: skeleton.motion.move(position, velocity, share * wait)[0])(shares)

    points = jax.vmap(jax.vmap(along))(skeleton.positions[:, :-1], skeleton.velocities[:, :-1], waits)
    return np.asarray(points).reshape(len(points), -1, points.shape[-1])
