"""What the flows are trained on: densities, draws of them, or both, and the modes whose weights are known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from samplers_targets import DEMO

from cosmoflow.config import build_posterior, load
from cosmoflow.targets import AbstractTarget, Funnel, GaussianMixture
from cosmoflow.warmup import whiten

Draws = Callable[[np.random.Generator, int], np.ndarray]
TRAINING_DRAWS = 500_000


@dataclass(frozen=True)
class Problem:
    """What is known of a target.

    Attributes:
        dim: Number of coordinates.
        draw: Independent draws, shape (draw, dim); where there are none, flows are trained on the density.
        held_out: Draws to judge by, where they are not those of `draw`.
        target: Its density, where it has one.
        log_evidence: Exact log of the integral of the density, where it is known.
        mode_of: The mode of each point, shape (draw, dim) -> (draw, group): one number for each of some groups.
        weights: Weights of the modes of one group.
        grid: Cells along each axis, of periodic fields.
    """

    dim: int
    draw: Draws | None
    held_out: Draws | None = None
    target: AbstractTarget | None = None
    log_evidence: float | None = None
    mode_of: Callable[[np.ndarray], np.ndarray] | None = None
    weights: np.ndarray | None = None
    grid: tuple[int, ...] | None = None


def problem(name: str) -> Problem:
    """A target by its name."""
    return _PROBLEMS[name]()


def _of_target(target: Any, **known: Any) -> Problem:
    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        return np.asarray(target.sample(jr.key(rng.integers(2**31)), (n,)))

    return Problem(target.dim, draw, target=target, **known)


def nine_modes() -> Problem:
    """The mixture of arXiv:2407.19448: centres {-1, 0, 1}^2, standard deviation 0.1, unequal weights."""
    weights = np.array([0.01, 0.1, 0.3, 0.2, 0.02, 0.15, 0.02, 0.15, 0.05])
    centres = np.array([(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)])

    def mode_of(x: np.ndarray) -> np.ndarray:
        return np.argmin(((x[:, None] - centres) ** 2).sum(axis=2), axis=1)[:, None]

    mixture = GaussianMixture(weights, centres, 0.1)
    return _of_target(mixture, log_evidence=0.0, mode_of=mode_of, weights=weights)


class ManyWell(AbstractTarget):
    """Double wells side by side: U = sum_i x_i^4 - 6 x_i^2 - x_i / 2 + y_i^2 / 2 on (x_1, y_1, x_2, ...).

    References:
        Midgley et al. 2023, arXiv:2208.01893.
    """

    num_wells: int = eqx.field(default=16, static=True)

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return 2 * self.num_wells

    def log_density(self, x: jax.Array) -> jax.Array:
        """Unnormalised log-density at one point."""
        return jnp.sum(_log_double_well(x[::2]) - 0.5 * x[1::2] ** 2)

    def constrain(self, x: jax.Array) -> dict[str, jax.Array]:
        """Coordinates are parameters."""
        return {"x": x}


def _log_double_well(x: Any) -> Any:
    return -(x**4) + 6 * x**2 + 0.5 * x


def many_well() -> Problem:
    """ManyWell-32; each of 16 double wells has a deep side at x > 0."""
    target = ManyWell()
    grid = np.linspace(-4, 4, 200_001)
    density = np.exp(_log_double_well(grid))
    cumulated = np.cumsum(density) / density.sum()

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        x = rng.standard_normal((n, target.dim))
        x[:, ::2] = np.interp(rng.random((n, target.num_wells)), cumulated, grid)
        return x

    return Problem(
        target.dim,
        draw,
        target=target,
        log_evidence=target.num_wells * float(np.log(density.sum() * (grid[1] - grid[0])) + 0.5 * np.log(2 * np.pi)),
        mode_of=lambda x: (x[:, ::2] > 0).astype(int),
        weights=np.array([density[grid <= 0].sum(), density[grid > 0].sum()]) / density.sum(),
    )


def demo() -> Problem:
    """The posterior of the demo, whitened at its mode as `cosmoflow sample` does; its evidence is not known exactly."""
    target = whiten(build_posterior(load(DEMO)), key=jr.key(0))
    return Problem(target.dim, None, target=target)


def moons() -> Problem:
    """Two interleaved half circles with noise of 0.05, those of scikit-learn."""

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        angle, lower = np.pi * rng.random(n), rng.random(n) < 0.5
        x = np.where(lower, 1 - np.cos(angle), np.cos(angle))
        y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle))
        return np.stack([x, y], axis=1) + 0.05 * rng.standard_normal((n, 2))

    return Problem(2, draw)


def rings() -> Problem:
    """Four rings of equal weight about the origin, radii 1/2 to 2, with noise of 0.08."""

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        angle, radius = 2 * np.pi * rng.random(n), rng.integers(1, 5, n) / 2
        return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) + 0.08 * rng.standard_normal((n, 2))

    return Problem(2, draw)


def checkerboard() -> Problem:
    """The dark squares of a board of 4 x 4 on [-2, 2]^2."""

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        x, row = 4 * rng.random(n) - 2, rng.integers(0, 2, n)
        return np.stack([x, rng.random(n) + 2 * row - 2 + np.floor(x) % 2], axis=1)

    return Problem(2, draw)


def log_normal() -> Problem:
    """A periodic log-normal field on 16 x 16 cells, of a spectrum that falls as exp(-2 |k| / k_max), standardised."""
    grid = (16, 16)
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(16), np.fft.rfftfreq(16), indexing="ij"))
    transfer = np.exp(-4 * k)
    transfer /= np.sqrt(np.mean(np.fft.irfft2(np.fft.rfft2(_impulse(grid)) * transfer, grid) ** 2) * 256)

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        noise = rng.standard_normal((n, *grid))
        gaussian = np.fft.irfft2(np.fft.rfft2(noise) * transfer, grid)
        return (np.exp(0.5 * gaussian - 0.125) - 1).reshape(n, -1) / 0.5

    return Problem(256, draw, grid=grid)


def _impulse(grid: tuple[int, int]) -> np.ndarray:
    impulse = np.zeros(grid)
    impulse[0, 0] = 1
    return impulse


def _table(values: np.ndarray) -> Problem:
    """Rows of a table, standardised, smeared by a tenth of a standard deviation; every fifth is held out."""
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-3)

    def drawn_from(rows: np.ndarray) -> Draws:
        def draw(rng: np.random.Generator, n: int) -> np.ndarray:
            return rows[rng.integers(0, len(rows), n)] + 0.1 * rng.standard_normal((n, rows.shape[1]))

        return draw

    held_out = np.arange(len(values)) % 5 == 0
    return Problem(values.shape[1], drawn_from(values[~held_out]), drawn_from(values[held_out]))


def digits() -> Problem:
    """scikit-learn's handwritten digits, 8 x 8 grey levels."""
    from sklearn.datasets import load_digits

    return _table(load_digits().data)


def tabular() -> Problem:
    """scikit-learn's breast cancer table, 30 columns."""
    from sklearn.datasets import load_breast_cancer

    return _table(load_breast_cancer().data)


_PROBLEMS: dict[str, Callable[[], Problem]] = {
    "nine_modes": nine_modes,
    "moons": moons,
    "demo": demo,
    "many_well": many_well,
    "rings": rings,
    "checkerboard": checkerboard,
    "funnel": lambda: _of_target(Funnel(10), log_evidence=0.0),
    "digits": digits,
    "tabular": tabular,
    "log_normal": log_normal,
}
