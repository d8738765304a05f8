"""What generative models are trained on: sets of the plane, posteriors, a lattice and boxes, beside those of flows."""

from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flows_targets import Problem
from flows_targets import problem as problem_of_flows
from generative_grid import FOLDER

import cosmoflow as cf
from cosmoflow.config import build_posterior, load
from cosmoflow.fields import Grid, LagrangianField
from cosmoflow.targets import AbstractTarget

CONFIGS = Path(__file__).parents[1] / "configs"
NUM_CHAINS, NUM_KEPT = 10, 4000
PHI4_STEP = 0.1
LATTICE, NUM_BOXES = (16, 16, 16), 3000

RADII = 0.5
RING_CENTRES = ((-1.1, 0.0), (0.0, 0.0), (1.1, 0.0), (-0.55, -0.5), (0.55, -0.5))
BRANCHES = 7


def problem(name: str) -> Problem:
    """A target by its name."""
    return _PROBLEMS[name]() if name in _PROBLEMS else problem_of_flows(name)


def olympic_rings() -> Problem:
    """Five interlaced rings of radius 1/2, with noise of 0.02."""
    centres = np.array(RING_CENTRES)

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        angle = 2 * np.pi * rng.random(n)
        points = RADII * np.stack([np.cos(angle), np.sin(angle)], 1) + centres[rng.integers(0, 5, n)]
        return points + 0.02 * rng.standard_normal((n, 2))

    return Problem(2, draw)


def rose() -> Problem:
    """r = cos(4 angle), eight petals, with noise of 0.02."""

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        angle = 2 * np.pi * rng.random(n)
        radius = np.cos(4 * angle)
        points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return points + 0.02 * rng.standard_normal((n, 2))

    return Problem(2, draw)


def fractal_tree() -> Problem:
    """A binary tree: branches end in two of 0.7 of the length, 30 degrees to both sides, seven times; noise of 0.01."""
    starts, ends = _branches()
    lengths = np.linalg.norm(ends - starts, axis=1)

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        which = rng.choice(len(lengths), n, p=lengths / lengths.sum())
        points = starts[which] + rng.random((n, 1)) * (ends - starts)[which]
        return points + 0.01 * rng.standard_normal((n, 2))

    return Problem(2, draw)


def _branches() -> tuple[np.ndarray, np.ndarray]:
    level = [(np.zeros(2), np.pi / 2)]
    starts, ends, length = [], [], 1.0
    for _ in range(BRANCHES):
        tips = [(start + length * np.array([np.cos(a), np.sin(a)]), a) for start, a in level]
        starts += [start for start, _ in level]
        ends += [tip for tip, _ in tips]
        level = [(tip, a + turn) for tip, a in tips for turn in (-np.pi / 6, np.pi / 6)]
        length *= 0.7
    return np.array(starts), np.array(ends)


class Phi4(AbstractTarget):
    """A scalar field on a periodic lattice of the plane: S = sum_x [phi (-Laplacian + m^2) phi + coupling phi^4].

    References:
        Albergo, Kanwar & Shanahan 2019, arXiv:1904.12072: m^2 = -4, coupling 6.008 on 8 x 8 sites.
    """

    side: int = eqx.field(static=True, default=8)
    square_mass: float = -4.0
    coupling: float = 6.008

    @property
    def dim(self) -> int:
        """Number of sites."""
        return self.side**2

    def log_density(self, x: jax.Array) -> jax.Array:
        """Minus the action."""
        phi = x.reshape(self.side, self.side)
        neighbours = sum(jnp.roll(phi, 1, axis) for axis in (0, 1))
        return -jnp.sum((4 + self.square_mass) * phi**2 - 2 * phi * neighbours + self.coupling * phi**4)

    def constrain(self, x: jax.Array) -> dict[str, jax.Array]:
        """The field."""
        return {"phi": x}


def demo() -> Problem:
    """The posterior of the demo."""
    return _kept("demo", lambda: draws_of(build_posterior(load(CONFIGS / "demo.toml"))))


def supernovae() -> Problem:
    """The posterior of flat w0-wa models from supernovae, BAO and the compressed CMB."""
    return _kept("supernovae", lambda: draws_of(build_posterior(load(CONFIGS / "desi_cmb_union3.toml"))))


def phi4() -> Problem:
    """The lattice of `Phi4`."""
    return _kept("phi4", lattices, grid=(8, 8))


def lagrangian() -> Problem:
    """Density contrasts of matter at redshift 1 in 16^3 cells of 10 Mpc/h, by second-order perturbation theory."""
    return _kept("lagrangian", boxes, grid=LATTICE)


def draws_of(target: AbstractTarget) -> np.ndarray:
    """Draws of a posterior by NUTS, standardised, chain by chain."""
    key_warmup, key_run = jr.split(jr.key(0))
    seen, sampler, start = cf.warmup(target, cf.samplers.NUTS(), num_chains=NUM_CHAINS, key=key_warmup)
    chain = cf.sample(seen, sampler, num_draws=NUM_KEPT, num_chains=NUM_CHAINS, position=start, key=key_run)
    draws = np.stack([values.ravel() for values in chain.scalars().values()], axis=1)
    draws = draws[:, np.ptp(draws, axis=0) > 0]  # parameters may be held fixed
    return (draws - draws.mean(axis=0)) / draws.std(axis=0)


def lattices() -> np.ndarray:
    """Draws by NUTS in the field itself, whose two modes no coordinates of one mode fit; a tenth is left out."""
    key_start, key_run = jr.split(jr.key(0))
    target = Phi4()
    start = 0.5 * jr.normal(key_start, (NUM_CHAINS, target.dim))
    sampler = cf.samplers.NUTS(step_size=PHI4_STEP)
    chain = cf.sample(target, sampler, num_draws=NUM_KEPT, num_chains=NUM_CHAINS, position=start, key=key_run)
    return chain.posterior["phi"][:, NUM_KEPT // 10 :].reshape(-1, target.dim)


def boxes() -> np.ndarray:
    """Simulated boxes."""
    model = LagrangianField(Grid(LATTICE, 10.0 * LATTICE[0]), 1.0)
    parameters = {"Omega_m": jnp.asarray(0.3), "sigma8": jnp.asarray(0.8)}

    def box(key: jax.Array) -> jax.Array:
        return model.predict(jr.normal(key, LATTICE), parameters).ravel()

    return np.asarray(jax.jit(lambda keys: jax.lax.map(box, keys, batch_size=20))(jr.split(jr.key(0), NUM_BOXES)))


def _kept(name: str, simulate: Callable[[], np.ndarray], grid: tuple[int, ...] | None = None) -> Problem:
    """Draws made once, in double precision, and kept in a file: the first half is trained on, the other held out."""
    path = FOLDER / f"draws-{name}.npy"
    if not path.exists():
        with jax.enable_x64():
            draws = simulate()
        FOLDER.mkdir(parents=True, exist_ok=True)
        np.save(path, draws.astype(np.float32))
    trained_on, held_out = np.split(np.load(path).astype(float), 2)

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        return trained_on[rng.integers(0, len(trained_on), n)]

    def unseen(rng: np.random.Generator, n: int) -> np.ndarray:
        return held_out[rng.choice(len(held_out), n, replace=False)]

    return Problem(held_out.shape[1], draw, unseen, grid=grid)


_PROBLEMS: dict[str, Callable[[], Problem]] = {
    "olympic_rings": olympic_rings,
    "rose": rose,
    "fractal_tree": fractal_tree,
    "demo": demo,
    "supernovae": supernovae,
    "phi4": phi4,
    "lagrangian": lagrangian,
}
