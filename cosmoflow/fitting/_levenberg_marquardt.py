"""Nonlinear least squares in a box."""

import enum
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

MAX_JACOBIANS = 60
FIRST_RADIUS = 3.0
LEAST_RADIUS = 1e-7
TOLERANCE = 1e-8
"""Of what a step can still promise, in units of chi^2 / 2: the parameters are within 1e-4 of their errors."""

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class FitStatus(enum.Enum):
    """How a fit ended; the value is the sentence a user reads."""

    CONVERGED = "The fit converged."
    AT_THE_EDGE = "The fit converged where the prior ends; widen the prior, or take the fit for one at its edge."
    NOT_CONVERGED = "The fit did not converge; start it elsewhere, or from more points by `num_starts`."
    STALLED = (
        "The fit stalled: chi^2 does not fall where its slope says it should; look for noise or a kink in the "
        "likelihood, or for a wrong gradient, or compute in double precision."
    )

    @property
    def good(self) -> bool:
        """Whether the fit is a minimum."""
        return self in (FitStatus.CONVERGED, FitStatus.AT_THE_EDGE)


class Minimum(NamedTuple):
    """Where a search ended: the point, the residual and its Jacobian there, and the number of Jacobians it took."""

    position: Float[np.ndarray, " dim"]
    residual: Float[np.ndarray, " row"]
    jacobian: Float[np.ndarray, "row dim"]
    status: FitStatus
    num_jacobians: int

    @property
    def cost(self) -> float:
        """|r|^2 / 2."""
        return 0.5 * float(self.residual @ self.residual)


def least_squares(
    evaluate: Evaluate, start: Float[np.ndarray, " dim"], limit: Float[np.ndarray, " dim"], precision: float
) -> Minimum:
    """Minimise |r(z)|^2 for |z_i| <= limit_i.

    A step minimises |r + J s|^2 among those of length up to a radius, which adapts to how well the promised decrease is
    kept; within it, the step is that of Gauss and Newton, so that a linear problem is solved by the first.

    Args:
        evaluate: From a point to r and J, one compiled call.
        start: Where to begin, in coordinates of unit scale.
        limit: Of each coordinate, possibly infinite.
        precision: The rounding error of the residuals relative to them.

    References:
        Moré 1978, Lecture Notes in Mathematics 630, 105.
    """
    best = Minimum(start, *evaluate(start), FitStatus.NOT_CONVERGED, 1)
    radius = FIRST_RADIUS
    while best.num_jacobians < MAX_JACOBIANS:
        gradient, hessian = best.jacobian.T @ best.residual, best.jacobian.T @ best.jacobian
        step = _step(gradient, hessian, best.position, limit, radius)
        promised = -(gradient @ step + 0.5 * step @ hessian @ step)
        if not promised > TOLERANCE + 100 * precision * best.cost:
            at_the_edge = np.any(np.abs(best.position) >= limit)
            return best._replace(status=FitStatus.AT_THE_EDGE if at_the_edge else FitStatus.CONVERGED)
        end = best.position + step
        trial = Minimum(end, *evaluate(end), FitStatus.NOT_CONVERGED, best.num_jacobians + 1)
        kept = (best.cost - trial.cost) / promised
        sound = np.isfinite(kept) and np.all(np.isfinite(trial.jacobian))
        length = float(np.linalg.norm(step))
        if not sound or kept < 0.25:
            radius = 0.25 * length
        elif kept > 0.75:
            radius = max(radius, 3 * length)
        best = trial if sound and kept > 1e-4 else best._replace(num_jacobians=trial.num_jacobians)
        if radius < LEAST_RADIUS:
            return best._replace(status=FitStatus.STALLED)
    return best


def _step(
    gradient: np.ndarray, hessian: np.ndarray, position: np.ndarray, limit: np.ndarray, radius: float
) -> np.ndarray:
    """The best step within the radius and the box; what would leave the box goes to its wall, and the rest anew."""
    step, at_wall = np.zeros_like(position), np.zeros(position.shape, bool)
    while True:
        rest = np.flatnonzero(~at_wall)
        slope = (gradient + hessian[:, at_wall] @ step[at_wall])[rest]
        step[rest] = _trust_region(slope, hessian[np.ix_(rest, rest)], radius)
        end = position + step
        beyond = ~at_wall & (np.abs(end) > limit)
        if not np.any(beyond):
            return step
        step[beyond] = np.sign(end[beyond]) * limit[beyond] - position[beyond]
        at_wall |= beyond


def _trust_region(gradient: np.ndarray, hessian: np.ndarray, radius: float) -> np.ndarray:
    """The minimum of gradient . s + s . hessian . s / 2 for |s| <= radius."""
    if not gradient.size:
        return gradient
    curvature, axes = np.linalg.eigh(hessian)
    slope = axes.T @ gradient
    curvature = np.maximum(curvature, 0) + 1e-15 * max(curvature[-1], 1e-300)

    def along_axes(damping: float) -> np.ndarray:
        return -slope / (curvature + damping)

    low, high = 0.0, float(np.linalg.norm(slope)) / radius
    if np.linalg.norm(along_axes(0.0)) <= radius:
        return axes @ along_axes(0.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.linalg.norm(along_axes(middle)) > radius else (low, middle)
    return axes @ along_axes(high)
