"""One sampler on one box in a process of its own: field_level_cell.py SIZE SAMPLER SEED... writes the cells."""

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from cells import ROOT, circumstances, write
from field_level_samplers import METHODS, Problem

from cosmoflow.diagnostics import convergence
from cosmoflow.fields import Grid, InterpolatedMatterPower, LagrangianField, WavenumberBins
from cosmoflow.fields._grid import filtered
from cosmoflow.fields._summary import MODES_PER_BIN, FieldSummary
from cosmoflow.likelihoods import WHITE_NOISE, FieldLevel, GaussianNoise
from cosmoflow.samplers import KineticLangevin
from cosmoflow.targets import Normal, Posterior, Prior, Pullback, TruncatedNormal, WhiteNoise, wiener_coordinates
from cosmoflow.warmup import warmup
from cosmoflow.warmup._fields import coordinates_as_they_are

FOLDER = ROOT / "docs" / "benchmarks" / "field_level"
PACKAGES = ("cosmoflow", "jax", "equinox", "blackjax", "numpy")
CELL_SIZE = 10.0  # [Mpc/h]
DENSITY = 1e-3  # of galaxies [(h/Mpc)^3]
REDSHIFT = 1.0
TRUTH = {"Omega_m": 0.3111, "sigma8": 0.8102, "b1": 1.0}
KEPT = 25
"""Draws kept of one compiled call; one where a draw takes many gradients."""


class Cell(NamedTuple):
    """One sampler on a box of so many cells along each side."""

    size: int
    sampler: str
    seed: int


class Size(NamedTuple):
    """Chains, the gradients that a cell may take, and those of the common warm-up."""

    num_chains: int
    budget: int
    warmup: int


SIZES = {16: Size(4, 20_000, 10_000), 32: Size(4, 20_000, 10_000), 64: Size(2, 5_000, 4_000)}
REFERENCE = 2
"""How many times the budget the reference may take."""


def posterior_of(size: int) -> Posterior:
    """A box of mock galaxies: 2LPT in redshift space, Gaussian noise of the variance of their counts."""
    grid = Grid((size,) * 3, CELL_SIZE * size)
    model = LagrangianField(grid, REDSHIFT, line_of_sight=2, power=InterpolatedMatterPower(grid))
    key_field, key_noise = jr.split(jr.key(size))
    truth = {name: jnp.asarray(value) for name, value in TRUTH.items()}
    truth[WHITE_NOISE] = jr.normal(key_field, grid.shape)
    noise = GaussianNoise((DENSITY * grid.cell_volume) ** -0.5)
    data = noise.sample(jax.jit(lambda t: model.predict(t[WHITE_NOISE], t))(truth), key=key_noise)
    prior = {
        "Omega_m": TruncatedNormal(0.3111, 0.5, 0.05, 1.0),
        "sigma8": TruncatedNormal(0.8102, 0.5, 0.0, jnp.inf),
        "b1": Normal(1.0, 0.5),
        WHITE_NOISE: WhiteNoise(grid.shape),
    }
    return Posterior(Prior(prior), FieldLevel(model, noise, data))


def prepared(size: int) -> tuple[Pullback, jax.Array]:
    """The posterior in our coordinates, and where chains start, from a warm-up that is made once and kept in a file."""
    plan, posterior, path = SIZES[size], posterior_of(size), FOLDER / f"warmup-{size}.eqx"
    if not path.exists():
        settings: Any = {"num_chains": plan.num_chains, "max_gradients": plan.warmup, "key": jr.key(0)}
        target, _, positions = warmup(posterior, KineticLangevin(), **settings)
        FOLDER.mkdir(parents=True, exist_ok=True)
        eqx.tree_serialise_leaves(path, (target.bijection, positions))
    seen = Pullback(posterior, wiener_coordinates(posterior))
    like = coordinates_as_they_are(seen), jnp.zeros((plan.num_chains, posterior.dim))
    bijection, positions = eqx.tree_deserialise_leaves(path, like)
    return Pullback(seen, bijection), positions


def plain(target: Any, positions: jax.Array) -> tuple[Any, jax.Array]:
    """The same in the coordinates of the prior."""
    while isinstance(target, Pullback):
        positions = jax.vmap(target.bijection.transform)(positions)
        target = target.target
    return target, positions


class Summary(eqx.Module):
    """What is kept of a draw: parameters, modes, the linear power, and x . grad U per mode, one on average."""

    target: Any
    likelihood: FieldLevel
    bins: WavenumberBins

    def __call__(self, position: jax.Array) -> dict[str, jax.Array]:
        """Of one draw."""
        parameters, model = self.target.constrain(position), self.likelihood.model
        modes = model.latents.modes(model.grid, parameters[WHITE_NOISE])
        product = -position * jax.grad(self.target.log_density)(position)
        per_mode = product[self._span()].reshape(model.grid.shape)
        index = jnp.asarray(self.bins.index_of_latents)
        return {
            **{name: parameters[name] for name in TRUTH},
            "modes": FieldSummary(model, self.bins)._real(modes).ravel()[self.bins.choose(MODES_PER_BIN)],
            "power": self.bins.power_spectrum(filtered(modes, model.response(parameters))),
            "virial": jnp.stack([jnp.mean(per_mode, where=index == i) for i in range(len(self.bins))]),
        }

    def _span(self) -> slice:
        posterior: Any = self.target
        while isinstance(posterior, Pullback):
            posterior = posterior.target
        return posterior.prior.span(WHITE_NOISE)


def measure(cell: Cell) -> dict[str, Any]:
    """Tune, spend the budget, judge what was kept."""
    ours, tune = METHODS[cell.sampler]
    target, positions = prepared(cell.size)
    if not ours:
        target, positions = plain(target, positions)
    plan = SIZES[cell.size]
    budget = plan.budget * (REFERENCE if cell.sampler == "reference" else 1)
    key_tune, key = jr.split(jr.key(cell.seed))
    began, clock = time.process_time(), time.perf_counter()
    tuned = tune(Problem(target, positions, budget), key_tune)
    tuning = time.process_time() - began
    likelihood: Any = plain(target, positions)[0].likelihood
    summary = Summary(target, likelihood, WavenumberBins(likelihood.model.grid))

    @jax.jit
    def chunk(states: Any, key: jax.Array) -> Any:
        def keep(carry: Any, key: jax.Array) -> Any:
            def advance(i: jax.Array, carry: Any) -> Any:
                states, gradients = carry
                keys = jr.split(jr.fold_in(key, i), plan.num_chains)
                states, more = jax.vmap(tuned.step)(states, keys)
                return states, gradients + jnp.sum(more)

            states, gradients = jax.lax.fori_loop(0, tuned.thin, advance, carry)
            return (states, gradients), jax.vmap(summary)(jax.vmap(tuned.position)(states))

        zero = jnp.zeros((), jnp.int32)
        (states, gradients), kept = jax.lax.scan(keep, (states, zero), jr.split(key, KEPT if tuned.thin > 1 else 1))
        return states, gradients, kept

    states, gradients, most, pieces = tuned.states, 0.0, 0.0, []
    compiled = chunk.lower(states, key).compile()
    sampling = time.process_time()
    while tuned.gradients + gradients + most <= budget:
        key, subkey = jr.split(key)
        states, more, kept = compiled(states, subkey)
        pieces.append(jax.tree.map(np.asarray, kept))
        gradients, most = gradients + float(more), max(most, float(more))
    seconds = {"tuning": tuning, "sampling": time.process_time() - sampling, "wall": time.perf_counter() - clock}
    draws = {name: np.concatenate([np.swapaxes(p[name], 0, 1) for p in pieces], axis=1) for name in pieces[0]}
    return {
        "num_chains": plan.num_chains,
        "tuning_gradients": tuned.gradients,
        "gradients": gradients,
        "cpu_seconds": seconds,
        "tuned": tuned.notes,
        "draws": draws["power"].shape[1],
        "wavenumber": np.asarray(summary.bins.wavenumber).tolist(),
        **judged(draws),
    }


def judged(draws: dict[str, np.ndarray]) -> dict[str, Any]:
    """Effective sizes, of the centre and of the spread whichever is less, R-hat, means and their errors."""

    def over(name: str, value: str) -> list:
        flat = draws[name].reshape(*draws[name].shape[:2], -1)
        found = [getattr(convergence(flat[:, :, i]), value) for i in range(flat.shape[2])]
        return np.reshape(found, draws[name].shape[2:]).tolist()

    names = list(TRUTH)
    return {
        "ess": {n: np.minimum(over(n, "ess_bulk"), over(n, "ess_sd")).tolist() for n in (*names, "modes")},
        "rhat": {name: over(name, "rhat") for name in names},
        "mean": {name: float(draws[name].mean()) for name in names},
        "sd": {name: float(draws[name].std()) for name in names},
        **{
            name: {"mean": draws[name].mean(axis=(0, 1)).tolist(), "error": over(name, "mcse_mean")}
            for name in ("power", "virial")
        },
    }


def main() -> None:
    """Run the seeds of one sampler on one box."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", type=int)
    parser.add_argument("sampler", choices=METHODS)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    for seed in given.seeds:
        cell = Cell(given.size, given.sampler, seed)
        write(cell, circumstances(PACKAGES) | measure(cell), given.folder)


if __name__ == "__main__":
    main()
