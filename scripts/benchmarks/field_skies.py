"""Simulated skies of log-normal convergence with shape noise, and ranks of what is true among posterior draws."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flowjax.bijections import Chain, Concatenate, Identity, TriangularAffine
from jaxtyping import Array, Float
from scipy.stats import chi2

from cosmoflow._types import Parameters
from cosmoflow.fields import AbstractGrid, AbstractPower, ConvergencePower, Grid, LogNormalField
from cosmoflow.likelihoods import FieldLevel, GaussianNoise
from cosmoflow.samplers import MCLMC
from cosmoflow.targets import Normal, Posterior, Prior, Pullback, WhiteNoise, wiener_coordinates

SHIFT = 0.03
SHAPE_NOISE = 0.26
GALAXIES = 20.0  # per square arcminute
MODES = ((0, 1), (1, 1), (2, 0), (0, 4), (5, 6), (8, 0), (11, 12), (0, 24), (32, 0), (40, 40))
"""Modes whose latents are ranked, as far as a grid has them, in units of the fundamental wave number."""

PARAMETERS = ("Omega_m", "sigma8")
OMEGA_M, SIGMA8 = (0.3, 0.2), (0.8, 0.4)
"""Middle and half width of where power is tabulated."""

NUM_NODES = 6


class Plan(NamedTuple):
    """How long a sky is sampled: steps between draws, draws that count, and draws before them."""

    thinning: int
    num_draws: int
    num_settling: int


def sources() -> tuple[np.ndarray, np.ndarray]:
    """n(z) of source galaxies at z of about one."""
    z = np.linspace(0, 2.5, 101)
    return z, z**2 * np.exp(-((z / 0.64) ** 1.5))


class TabulatedConvergence(AbstractPower):
    """`ConvergencePower` of halofit, as a polynomial in Omega_m and sigma8 of ln C(l), which costs next to nothing.

    Args:
        coefficients: Of Chebyshev polynomials of both parameters on `OMEGA_M` and `SIGMA8`, at the shells of a grid.
    """

    coefficients: Float[Array, "degree degree shell"]
    required: tuple[str, ...] = eqx.field(default=("Omega_m", "sigma8"), static=True, init=False)
    optional: tuple[str, ...] = eqx.field(default=(), static=True, init=False)

    @classmethod
    def of(cls, grid: Grid) -> "TabulatedConvergence":
        """For one grid."""
        x = np.cos(np.pi * (np.arange(NUM_NODES) + 0.5) / NUM_NODES)
        power = eqx.filter_jit(ConvergencePower(*sources()))
        values = np.empty((NUM_NODES, NUM_NODES, grid.shells.size - 1))
        for i, j in np.ndindex(NUM_NODES, NUM_NODES):
            point = (OMEGA_M[0] + OMEGA_M[1] * x[i], SIGMA8[0] + SIGMA8[1] * x[j])
            given = {name: jnp.asarray(value) for name, value in zip(PARAMETERS, point, strict=True)}
            values[i, j] = np.log(power(grid, given)[1:])
        inverse = np.linalg.inv(np.polynomial.chebyshev.chebvander(x, NUM_NODES - 1))
        return cls(jnp.asarray(np.einsum("ai,bj,ijs->abs", inverse, inverse, values)))

    def __call__(self, grid: AbstractGrid, parameters: Parameters) -> Float[Array, " shell"]:
        """The power at the distinct wave numbers of the grid it was tabulated for."""
        first = _chebyshev((parameters["Omega_m"] - OMEGA_M[0]) / OMEGA_M[1])
        second = _chebyshev((parameters["sigma8"] - SIGMA8[0]) / SIGMA8[1])
        log_power = jnp.outer(first, second).ravel() @ self.coefficients.reshape(NUM_NODES**2, -1)
        return jnp.pad(jnp.exp(log_power), (1, 0))


def _chebyshev(x: Array) -> Array:
    values = [jnp.ones_like(x), x]
    while len(values) < NUM_NODES:
        values.append(2 * x * values[-1] - values[-2])
    return jnp.stack(values)


def survey(cells: int, degrees: float) -> Posterior:
    """The posterior of a map that has not been observed yet: its data are zero."""
    grid = Grid((cells, cells), float(np.radians(degrees)))
    power = TabulatedConvergence.of(grid)
    noise = GaussianNoise.of_shapes(SHAPE_NOISE, GALAXIES, grid.cell_volume)
    prior = Prior(
        {
            "Omega_m": Normal(0.3, 0.03),
            "sigma8": Normal(0.8, 0.06),
            "white_noise": WhiteNoise(grid.shape),
        }
    )
    return Posterior(prior, FieldLevel(LogNormalField(grid, power, SHIFT), noise, np.zeros(grid.shape)))


def names(posterior: Posterior) -> list[str]:
    """Of what is ranked."""
    modes = [mode for mode in MODES if max(mode) < min(posterior.likelihood.model.grid.shape) // 2]
    return [*PARAMETERS, *(f"mode {i} {j}" for i, j in modes), "log density"]


def coordinates(posterior: Posterior) -> Chain:
    """Wiener's for the cosmology at each point, of data that are zero, and parameters whitened by Fisher's information.

    That of the power spectrum of a Gaussian field P with noise N, sum (d ln P)^2 / 2 (P / (P + N))^2, and of the prior.
    """
    model, tau = posterior.likelihood.model, posterior.likelihood.noise.precision()

    def log_power(z):
        given = {name: posterior.prior.blocks[i].forward(z[i]) for i, name in enumerate(PARAMETERS)}
        return jnp.log(jnp.maximum(model.response(given) ** 2, 1e-30)).ravel()

    slopes = np.asarray(jax.jit(jax.jacfwd(log_power))(jnp.zeros(2)), float)
    signal = float(tau) * np.exp(np.asarray(log_power(jnp.zeros(2)), float))
    weight = (
        0.5 * np.broadcast_to(model.grid.multiplicity, model.grid.half_shape).ravel() * (signal / (1 + signal)) ** 2
    )
    covariance = np.linalg.inv(np.eye(2) + slopes.T @ (weight[:, None] * slopes))
    triangle = TriangularAffine(jnp.zeros(2), jnp.asarray(np.linalg.cholesky(covariance)))
    return Chain([Concatenate([triangle, Identity((posterior.dim - 2,))]), wiener_coordinates(posterior)])


def simulated(posterior: Posterior, key: Array) -> tuple[Array, Array]:
    """What is true, in coordinates of the prior, and the map that is observed."""
    key_truth, key_noise = jr.split(key)
    truth = jr.normal(key_truth, (posterior.dim,))
    return truth, posterior.likelihood.simulate(posterior.prior.forward(truth), key=key_noise)


def sky(posterior: Posterior, bijection: Chain, key: Array) -> tuple[Pullback, Array]:
    """The posterior of a simulated sky in its coordinates, and what is true, in these."""
    truth, data = simulated(posterior, key)
    observed = eqx.tree_at(lambda p: p.likelihood.data, posterior, data)
    modes = posterior.likelihood.model.grid.modes(data)
    bijection = eqx.tree_at(lambda b: b.bijections[1].data, bijection, modes)
    return Pullback(observed, bijection), bijection.inverse(truth)


@eqx.filter_jit
def draw_skies(
    posterior: Posterior, bijection: Chain, sampler: MCLMC, plan: Plan, keys: Array
) -> tuple[Array, Array, Array]:
    """Skies side by side: what is true, of shape (sky, quantity), the draws, (sky, draw, quantity), energy errors."""
    grid = posterior.likelihood.model.grid
    modes = tuple(np.array([mode for mode in MODES if max(mode) < min(grid.shape) // 2]).T)

    def one(key):
        key_sky, key_start, key_init, key_run = jr.split(key, 4)
        target, truth = sky(posterior, bijection, key_sky)

        def quantities(state):
            given = target.constrain(state.position)
            parameters = jnp.stack([given[name] for name in PARAMETERS])
            return jnp.concatenate([parameters, given["white_noise"][modes], -state.potential[None]])

        def draw(state, key):
            def advance(i, carry):
                state, total = carry
                state, info = sampler.step(target, state, key=jr.fold_in(key, i))
                return state, total + info.energy_change**2

            state, total = jax.lax.fori_loop(0, plan.thinning, advance, (state, jnp.zeros_like(state.potential)))
            return state, (quantities(state), total / plan.thinning / target.dim)

        points = jnp.stack([truth, jr.normal(key_start, truth.shape)])
        ends = jax.vmap(lambda x: sampler.init(target, x, key=key_init))(points)
        true, start = (jax.tree.map(lambda leaf: leaf[i], ends) for i in range(2))
        _, (draws, errors) = jax.lax.scan(draw, start, jr.split(key_run, plan.num_draws + plan.num_settling))
        return quantities(true), draws[plan.num_settling :], errors

    return jax.vmap(one)(keys)


def ranks(truth: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """How many draws lie below the truth, shape (sky, quantity)."""
    return np.sum(draws < truth[:, None], axis=1)


def uniformity(ranks: np.ndarray, num_draws: int, num_bins: int = 10) -> np.ndarray:
    """p-values of chi^2 tests that ranks of shape (sky, quantity) are uniform on 0 ... num_draws."""
    edges = np.linspace(0, num_draws + 1, num_bins + 1)
    share = np.diff(np.ceil(edges)) / (num_draws + 1)
    counts = np.stack([np.histogram(column, np.ceil(edges) - 0.5)[0] for column in ranks.T])
    expected = len(ranks) * share
    return chi2.sf(np.sum((counts - expected) ** 2 / expected, axis=1), num_bins - 1)


def correlation_time(draws: np.ndarray) -> np.ndarray:
    """Integrated autocorrelation times [draws] of each quantity, from all skies together: one where independent.

    Infinite where nothing moves.
    """
    centred = draws - draws.mean(axis=1, keepdims=True)
    length = draws.shape[1]
    spectrum = np.abs(np.fft.rfft(centred, 2 * length, axis=1)) ** 2
    correlation = np.fft.irfft(spectrum.mean(axis=0), axis=0)[:length]
    moves = correlation[0] > 0
    correlation /= np.where(moves, correlation[0], 1)
    sums = 2 * np.cumsum(correlation, axis=0) - 1
    window = np.argmax(np.arange(length)[:, None] >= 5 * sums, axis=0)
    return np.where(moves, sums[window, np.arange(draws.shape[2])], np.inf)
