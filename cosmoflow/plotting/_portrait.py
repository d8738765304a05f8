"""What a Hamiltonian flow does, seen in the phase plane of one coordinate."""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jaxtyping import Array, Float

from .._types import Key
from ..dynamics import SymplecticMap
from ..flows import HamiltonianFlow, compare_potential
from ..targets import AbstractTarget
from ._style import BLUE, GREEN, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUM_DRAWS = 2000
GRID = 121


def phase_portrait(
    flow: HamiltonianFlow,
    target: AbstractTarget,
    *,
    coordinate: int = 0,
    num_trajectories: int = 12,
    width: float = 9.0,
    key: Key,
) -> "Figure":
    """The learned potential beside -log pi along one coordinate, and trajectories among the level lines of the energy.

    The other coordinates are held at their mean, the other momenta at zero. -log pi is scaled and shifted to the
    potential by the fit of `compare_potential` over draws of the flow.

    Args:
        flow: A flow of one map; of a chain give `HamiltonianFlow(flow.base, flow.bijection.bijections[i], ...)`.
        target: What it was trained on.
        coordinate: Which coordinate is shown.
        num_trajectories: Draws of the base that are followed.
        width: Of the figure [inch].
        key: Random key of the draws.

    Returns:
        A figure that belongs to no window.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: The flow is made of several maps, or has no such coordinate.
    """
    flow = paramax.unwrap(flow)
    bijection = flow.bijection
    if not isinstance(bijection, SymplecticMap):
        raise ValueError("A phase portrait is that of one map; make a HamiltonianFlow of one map of the chain.")
    dim = target.dim
    if not 0 <= coordinate < dim:
        raise ValueError(f"The flow has {dim} coordinates, and none of number {coordinate}.")
    key_draws, key_paths = jr.split(key)
    draws = eqx.filter_jit(lambda k: flow.sample(k, (NUM_DRAWS,)))(key_draws)
    q, p = np.split(np.asarray(draws), 2, axis=1)
    hamiltonian, time = bijection.hamiltonian, jnp.zeros(())
    paths = np.asarray(_paths(bijection, flow.base.sample(key_paths, (num_trajectories,))))

    def plane(points: np.ndarray) -> Array:
        return jnp.broadcast_to(q.mean(axis=0), (len(points), dim)).at[:, coordinate].set(points)

    low, high = _limits(q[:, coordinate], paths[:, :, coordinate])
    along = np.linspace(low, high, GRID)
    momenta = np.linspace(*_limits(p[:, coordinate], paths[:, :, dim + coordinate]), GRID)
    potential = np.asarray(jax.vmap(lambda x: hamiltonian.potential(x, time))(plane(along)))
    kinetic = np.asarray(
        jax.vmap(hamiltonian.kinetic)(jnp.zeros((GRID, dim)).at[:, coordinate].set(jnp.asarray(momenta)))
    )
    fit = compare_potential(hamiltonian.potential, target, jnp.asarray(q))
    wanted = -np.asarray(jax.vmap(target.log_density)(plane(along))) * float(fit.slope) + float(fit.offset)
    name = f"$q_{{{coordinate}}}$" if dim > 1 else "$q$"

    def draw(figure):
        left, right = figure.subplots(1, 2)
        left.plot(along, potential, color=BLUE, label="learned potential")
        scaled = rf"$-\log \pi$, scaled by {float(fit.slope):.2g}; correlation {float(fit.correlation):.2f}"
        left.plot(along, wanted, color=VERMILION, linestyle="--", label=scaled)
        inside = (along > q[:, coordinate].min()) & (along < q[:, coordinate].max())
        values = np.concatenate([potential[inside], wanted[inside]])
        left.set(xlabel=name, ylabel="energy", ylim=(values.min() - 0.05 * np.ptp(values), values.max()))
        left.legend(fontsize=8)
        total = potential[None] + kinetic[:, None]
        right.contour(along, momenta, total, levels=18, colors="0.75", linewidths=0.7)
        right.plot(q[:, coordinate], p[:, coordinate], ".", color=GREEN, markersize=1.5, label="draws of the flow")
        for path in paths:
            points = path[:, [coordinate, dim + coordinate]].T
            right.plot(*points, color=BLUE, marker="o", markersize=2.5, linewidth=0.9)
            right.plot(*points[:, 0], color=VERMILION, marker="s", markersize=4)
        right.plot([], [], "s", color=VERMILION, markersize=4, label="base")
        right.plot([], [], "o-", color=BLUE, markersize=2.5, linewidth=0.9, label="steps of the map")
        right.set(xlabel=name, ylabel=name.replace("q", "p"), xlim=(low, high), ylim=(momenta[0], momenta[-1]))
        right.legend(fontsize=8)

    return new_figure(draw, width, 0.45 * width)


def _limits(*values: np.ndarray) -> tuple[float, float]:
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    return low - 0.1 * (high - low), high + 0.1 * (high - low)


def _paths(bijection: SymplecticMap, x: Float[Array, "path phase"]) -> Float[Array, "path point phase"]:
    """Each point and where it is after one step, two steps and so on."""
    steps = jnp.broadcast_to(jnp.asarray(bijection.step_size), (bijection.num_steps,))

    def after(num: int) -> SymplecticMap:
        changed: Any = (steps[:num], num)
        return eqx.tree_at(lambda b: (b.step_size, b.num_steps), bijection, changed)

    return jnp.stack([x, *(jax.vmap(after(n + 1).transform)(x) for n in range(bijection.num_steps))], axis=1)
