"""Every sampler on a Gaussian field with Gaussian noise, whose posterior is known mode by mode.

python scripts/benchmarks/gaussian_field.py runs what is missing in docs/benchmarks/gaussian_field/ and writes
docs/benchmarks/gaussian_field.md.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from cells import ROOT, circumstances, circumstances_text, name_of, paragraphs, records_of, table, write
from jaxtyping import Array, Float

from cosmoflow.diagnostics import convergence
from cosmoflow.dynamics import HarmonicSplitting
from cosmoflow.fields import FourierLatents, GaussianField, Grid, LinearMatterPower, TabulatedPower
from cosmoflow.likelihoods import FieldLevel, GaussianNoise
from cosmoflow.samplers import (
    GHMC,
    MALT,
    MCLMC,
    NUTS,
    AbstractSampler,
    AdjustedMCLMC,
    Boomerang,
    KineticLangevin,
    Langevin,
    over_draws,
)
from cosmoflow.targets import AbstractTarget, Posterior, Prior, Pullback, WhiteNoise, wiener_coordinates
from cosmoflow.warmup._tuner import Tuner

FOLDER = ROOT / "docs" / "benchmarks" / "gaussian_field"
PACKAGES = ("cosmoflow", "jax", "equinox", "numpy", "blackjax")
CELL_SIZE = 10.0  # [Mpc/h]
NUM_CHAINS = 2
NUM_BANDS = 8
WINDOW = 20
TUNING = 12
"""Windows in which a sampler is tuned, all draws of which are left out."""

SIGMAS = 5.0
LEAST_ESS = 100.0


class Setup(NamedTuple):
    """A sampler, the response of its Wiener coordinates over the right one (0 for the prior's), draws at 32^3."""

    make: Callable[[], AbstractSampler]
    response: float
    num_draws: int


SETUPS = {
    "MCLMC": Setup(lambda: MCLMC(step_size=0.25, energy_variance=1e-7), 0.0, 4000),
    "KineticLangevin": Setup(lambda: KineticLangevin(step_size=0.5), 0.8, 3000),
    "AdjustedMCLMC": Setup(lambda: AdjustedMCLMC(step_size=0.2, num_steps=16), 0.0, 300),
    "Langevin": Setup(lambda: Langevin(step_size=0.3), 0.8, 3000),
    "GHMC, harmonic": Setup(lambda: GHMC(step_size=0.3, integrator=HarmonicSplitting()), 0.8, 500),
    "MALT": Setup(lambda: MALT(step_size=0.2, num_steps=16), 0.0, 300),
    "NUTS": Setup(lambda: NUTS(step_size=0.2), 0.0, 600),
    "Boomerang": Setup(lambda: Boomerang(), 0.99, 500),
}
CONTROL = "MCLMC, step x 5"


class Cell(NamedTuple):
    """One sampler on one grid."""

    size: int
    sampler: str
    seed: int


class Bands(eqx.Module):
    """What is known exactly of a draw, in bands of |k|, over its expectation: three numbers of mean one for each.

    The mean, sum m h / sum m^2, of latents h of posterior mean m; the variance, the average of (h - m)^2 / s^2; the
    power of the field, the average of R^2 h^2.
    """

    mean: Float[Array, "*grid"]
    variance: Float[Array, "*grid"]
    response: Float[Array, "*grid"]
    members: Float[Array, "band cell"]

    def __call__(self, latents: Float[Array, "*grid"]) -> Float[Array, "3 band"]:
        """The three numbers of each band."""

        def share(of, exact):
            return (self.members @ of.ravel()) / (self.members @ exact.ravel())

        square = self.response**2
        return jnp.stack(
            [
                share(self.mean * latents, self.mean**2),
                share((latents - self.mean) ** 2 / self.variance, jnp.ones_like(latents)),
                share(square * latents**2, square * (self.mean**2 + self.variance)),
            ]
        )


def field_posterior(size: int, *, noise: float = 1.0, seed: int = 0) -> Posterior:
    """A box with the linear power spectrum of matter, with a noise of as much variance as its cells."""
    grid = Grid((size,) * 3, CELL_SIZE * size)
    given = {"Omega_m": jnp.asarray(0.31), "sigma8": jnp.asarray(0.8)}
    power = LinearMatterPower()(grid, given)[1:]
    model = GaussianField(grid, TabulatedPower(jnp.asarray(grid.shells[1:]), power))
    key_field, key_noise = jr.split(jr.key(seed))
    field = model.predict(jr.normal(key_field, grid.shape), {})
    sd = noise * jnp.std(field)
    data = field + sd / noise * jr.normal(key_noise, grid.shape)
    return Posterior(Prior({"white_noise": WhiteNoise(grid.shape)}), FieldLevel(model, GaussianNoise(sd), data))


def bands_of(posterior: Posterior) -> Bands:
    """The exact posterior: the Wiener filter."""
    likelihood = posterior.likelihood
    grid, latents = likelihood.model.grid, FourierLatents()

    def everywhere(half):
        ones = latents.modes(grid, jnp.ones(grid.shape))
        return latents.latents(grid, jax.lax.complex(ones.real * half, ones.imag * half))

    response, wavenumber = (everywhere(jnp.asarray(a, float)) for a in (likelihood.model.response({}), grid.wavenumber))
    tau = likelihood.noise.precision()
    variance = 1 / (1 + tau * response**2)
    mean = variance * tau * response * latents.latents(grid, grid.modes(likelihood.data))
    edges = np.linspace(grid.shells[1] * (1 - 1e-5), grid.shells[-1] * (1 + 1e-5), NUM_BANDS + 1)
    members = np.digitize(np.asarray(wavenumber).ravel(), edges) - 1 == np.arange(NUM_BANDS)[:, None]
    return Bands(mean, variance, response, jnp.asarray(members, float))


def target_of(posterior: Posterior, response: float) -> AbstractTarget:
    """The posterior in the prior's coordinates, or in Wiener's of a response that is wrong by a factor."""
    if not response:
        return posterior
    wiener = wiener_coordinates(posterior, at=jnp.zeros(posterior.dim))
    return Pullback(posterior, eqx.tree_at(lambda w: w.response, wiener, response * wiener.response))


@eqx.filter_jit
def start(sampler: AbstractSampler, target: AbstractTarget, positions: Array, keys: Array) -> Any:
    """The states of all chains."""
    return jax.vmap(lambda x, k: sampler.init(target, x, key=k))(positions, keys)


@eqx.filter_jit
def advance(sampler: AbstractSampler, target: AbstractTarget, bands: Bands, states: Any, num_draws: Array):
    """A window of draws: states, positions, infos, and the bands."""
    states, draws, infos = sampler.run_chunk(target, states, num_draws, capacity=WINDOW)
    kept = over_draws(lambda x: bands(target.constrain(x)["white_noise"]), draws.position)
    return states, draws, infos, kept


def run(
    sampler: AbstractSampler,
    target: AbstractTarget,
    bands: Bands,
    *,
    num_draws: int,
    key: Array,
    factor: float = 1.0,
) -> dict[str, Any]:
    """Tune a sampler, multiply its step by a factor, sample: z-scores, effective sizes of all bands, the cost."""
    key_start, key_init = jr.split(key)
    starts = jr.normal(key_start, (NUM_CHAINS, target.dim))
    states = start(sampler, target, starts, jr.split(key_init, NUM_CHAINS))
    tuner, count, kept = Tuner(sampler), jnp.asarray(WINDOW), []
    for _ in range(TUNING):
        states, draws, infos, _ = advance(tuner.sampler, target, bands, states, count)
        stats = {name: np.asarray(value) for name, value in vars(infos).items() if value is not None}
        tuner.update(np.asarray(draws.position), stats | {"lp": np.asarray(draws.log_density)})
    tuned: Any = tuner.tuned()
    if factor != 1:
        tuned = eqx.tree_at(lambda s: s.step_size, tuned, factor * tuned.step_size)
    states, *_ = advance(tuned, target, bands, states, count)
    gradients, densities, clock = 0, 0, time.process_time()
    for _ in range(num_draws // WINDOW):
        states, _, infos, values = advance(tuned, target, bands, states, count)
        kept.append(np.asarray(values))
        gradients += int(np.sum(infos.num_gradients))
        densities += int(np.sum(infos.num_densities))
    seconds = time.process_time() - clock
    values = np.concatenate(kept, axis=1).reshape(NUM_CHAINS, -1, 3, NUM_BANDS)
    found = [[convergence(values[:, :, i, band]) for band in range(NUM_BANDS)] for i in range(3)]
    ess = np.array([[c.ess_mean for c in row] for row in found])
    error = np.array([[c.mcse_mean for c in row] for row in found])
    excess = values.mean(axis=(0, 1)) - 1
    return {
        "tuned": {name: float(getattr(tuned, name)) for name in tuned.tunable},
        "gradients": gradients,
        "densities": densities,
        "cpu_seconds": seconds,
        "ess": ess.tolist(),
        "z": np.where(np.isfinite(error), excess / error, np.inf).tolist(),
        "bias": excess.tolist(),
    }


def passes(record: Any) -> bool:
    """Whether every number of every band is right, at an effective size that says something."""
    return bool(np.max(np.abs(record["z"])) < SIGMAS and np.min(record["ess"]) > LEAST_ESS)


def outcome(cell: Cell) -> dict[str, Any]:
    """One cell."""
    name = "MCLMC" if cell.sampler == CONTROL else cell.sampler
    setup, posterior = SETUPS[name], field_posterior(cell.size)
    return run(
        setup.make(),
        target_of(posterior, setup.response),
        bands_of(posterior),
        num_draws=setup.num_draws // (2 if cell.sampler == CONTROL else 1),
        key=jr.key(cell.seed),
        factor=5.0 if cell.sampler == CONTROL else 1.0,
    )


TEXT = (
    "A periodic box of 32^3 cells, 320 Mpc/h, with the linear power spectrum of matter and Gaussian noise of as much "
    "variance as the field: its posterior is the Wiener filter, known mode by mode. Three numbers are compared with it "
    "in each of 8 bands of |k|: the mean (along the exact one), the variance of the latents about it, and the power of "
    "the field. z: the largest of the 24 deviations, in Monte Carlo standard errors; bias: the largest in units of the "
    "exact value.",
    "Coordinates: the prior's, in which the posterior is wide where the noise wins and narrow where the data do; or "
    "static Wiener coordinates for a response that is wrong by a factor, for samplers that are exact where the target "
    "is N(0, I). Two chains in single precision, tuned in 12 windows of 20 draws, which are left out. The boomerang "
    "process is reflected at a rate that grows with the mismatch and the root of the dimension, and gets coordinates "
    "that are wrong by one per cent. The last row is the control: unadjusted, with a step five times too large, and "
    "it has to fail.",
)


def main() -> None:
    """Run what is missing, and write the page."""
    cells = [Cell(32, name, 0) for name in (*SETUPS, CONTROL)]
    wanted = sys.argv[1:] or [cell.sampler for cell in cells]
    for cell in cells:
        if cell.sampler in wanted and not (FOLDER / f"{name_of(cell)}.json").exists():
            record = outcome(cell)
            write(cell, circumstances(PACKAGES) | record, FOLDER)
            print(*cell, f"z {np.max(np.abs(record['z'])):.2f}, ESS {np.min(record['ess']):.0f}", flush=True)
    records = {Cell(r["size"], r["sampler"], r["seed"]): r for r in records_of(FOLDER)}
    rows = []
    for cell in filter(records.__contains__, cells):
        record = records[cell]
        response = SETUPS["MCLMC" if cell.sampler == CONTROL else cell.sampler].response
        work = record["gradients"] + record["densities"] / 3
        rows.append(
            [
                cell.sampler,
                f"Wiener, response x {response:g}" if response else "prior",
                f"{record['tuned']['step_size']:.3g}" if "step_size" in record["tuned"] else "none",
                f"{record['gradients']:,}",
                f"{np.min(record['ess']):.0f} / {np.median(record['ess']):.0f}",
                f"{1000 * np.min(record['ess']) / work:.3g} / {1000 * np.median(record['ess']) / work:.3g}",
                *(f"{np.max(np.abs(part)):.1f}" for part in record["z"]),
                f"{np.max(np.abs(record['bias'])):.2g}",
                "yes" if passes(record) else "**no**",
            ]
        )
    head = ["sampler", "coordinates", "step", "gradients", "ESS, least / median", "ESS per 1000 gradients"]
    head += ["z of mean", "z of variance", "z of P(k)", "bias", f"within {SIGMAS:g} sigma at ESS > {LEAST_ESS:g}"]
    lines = ["# The Gaussian field", ""]
    how = "`python scripts/benchmarks/gaussian_field.py` runs what is missing."
    lines += [*circumstances_text(records, {"only": cells}, how), "", *paragraphs(TEXT), "", *table(head, rows)]
    (FOLDER.parent / "gaussian_field.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
