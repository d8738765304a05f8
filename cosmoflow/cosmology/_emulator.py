"""The linear matter power of CAMB, by the neural network of the package emu_pk."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import CubicSpline

from .._types import Scalar
from ._cosmopower import Network
from ._linear_power import PIVOT, WAVENUMBER, LinearPower
from ._parameters import Cosmology

RANGES = {
    "omega_b": (0.017, 0.028),
    "omega_cdm": (0.05, 0.3),
    "h": (0.55, 0.85),
    "m_nu": (0.0, 0.6),
    "w0": (-1.5, -0.5),
    "wa": (-1.0, 0.6),
    "Omega_k": (-0.15, 0.15),
    "T_cmb": (2.725, 2.726),
    "N_eff": (3.04, 3.05),
}


class EmuPk(eqx.Module):
    """Linear power today with massive neutrinos, curvature and evolving dark energy, within 0.1 % of CAMB.

    The network was trained on CAMB within

        0.017 < omega_b < 0.028,  0.05 < omega_cdm < 0.3,  0.55 < h < 0.85,  0 <= m_nu < 0.6 eV,
        -1.5 < w0 < -0.5,  -1 < wa < 0.6,  w0 + wa < 0,  -0.15 < Omega_k < 0.15

    with omega_cdm = (Omega_m - Omega_nu - Omega_b) h^2, T_cmb = 2.7255 K and N_eff = 3.044, and outside of it the power
    is NaN. Amplitude and spectral index enter by their formula, without limits. One neutrino has all the mass. The
    power continues as power laws below 1e-4 and above 300 h/Mpc.

    The weights are read from the installed package `emu_pk`; no code of it runs in the computation.

    Raises:
        ImportError: If emu_pk is not installed, or its weights are of another kind.

    References:
        Comparat, github.com/JohanComparat/emu_pk; Spurio Mancini et al. 2022, arXiv:2106.03846 for the architecture.
    """

    network: Network
    low: Float[Array, " input"]
    high: Float[Array, " input"]

    def __init__(self):
        self.network = _network(_weights())
        self.low, self.high = jnp.asarray(np.array(list(RANGES.values()), float).T)

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest values of single parameters."""
        return {name: limits for name, limits in RANGES.items() if not name.startswith("omega")}

    def __call__(
        self, cosmology: Cosmology, *, n_s: Scalar, sigma8: Scalar | None = None, A_s: Scalar | None = None
    ) -> LinearPower:
        """The linear power, with the arguments of `linear_power`.

        Raises:
            ValueError: If not exactly one amplitude is given, or the universe has no radiation.
        """
        if (sigma8 is None) == (A_s is None):
            raise ValueError("The power spectrum needs one amplitude: give either `sigma8` or `A_s`.")
        if cosmology.T_cmb is None:
            raise ValueError("The emulator was trained on universes with radiation; give `T_cmb` as well.")
        dtype = cosmology.h.dtype
        mass = jnp.zeros_like(cosmology.h) if cosmology.m_nu is None else cosmology.m_nu
        cold = cosmology.omega_bc - cosmology.omega_b
        inputs = jnp.stack([cosmology.omega_b, cold, cosmology.h, mass, cosmology.w0, cosmology.wa, cosmology.Omega_k])
        limited = jnp.concatenate([inputs, jnp.stack([cosmology.T_cmb, cosmology.N_eff])])
        low, high = self.low.astype(dtype), self.high.astype(dtype)
        inside = jnp.all((low <= limited) & (limited <= high)) & (cosmology.w0 + cosmology.wa < 0)
        # The shares of the neutrinos, and log10(1 + z), are all zero.
        shape = self.network(jnp.concatenate([inputs, jnp.zeros(3, dtype)]))
        log_wavenumber = jnp.asarray(np.log(WAVENUMBER / PIVOT), dtype)
        shape += (n_s - 1) * (log_wavenumber + jnp.log(cosmology.h))
        shape = jnp.where(inside, shape, jnp.nan)
        if sigma8 is None:
            return LinearPower(shape + jnp.log(1e10 * jnp.asarray(A_s)))
        return LinearPower(shape + 2 * jnp.log(sigma8 / LinearPower(shape).sigma()))


def _weights() -> dict[str, Any]:
    try:
        from emu_pk.model import load_weights
    except ImportError as error:
        raise ImportError("The emulator of linear power needs emu_pk; pip install 'cosmoflow[emulator]'.") from error
    weights = load_weights()
    order = ["omega_b", "omega_cdm", "h", "sum_mnu", "w0", "wa", "Omega_k", "nu_r1", "nu_r2", "z"]
    form = [str(weights.get(key)) for key in ("target_form", "output_form", "z_var")]
    if list(weights.get("params_order", ())) != order or form != ["reduced", "direct", "log10_1pz"]:
        raise ImportError("The installed emu_pk has a network of another kind; install version 2.1.")
    return weights


def _network(weights: dict[str, Any]) -> Network:
    """The head for all matter; the first layer scales the inputs, the last one interpolates the outputs."""
    last = int(weights["n_layers"]) - 1
    matrices = [np.asarray(weights[f"W{i}"], float).T for i in range(last + 1)]
    biases = [np.asarray(weights[f"b{i}"], float) for i in range(last + 1)]
    mean, deviation = (np.asarray(weights[key], float) for key in ("x_mean", "x_std"))
    biases[0] = biases[0] - matrices[0] @ (mean / deviation)
    matrices[0] = matrices[0] / deviation
    size, scale = weights["lnk"].size, weights["feat_std_m"]
    to_table = _interpolation(weights["lnk"], np.log(WAVENUMBER))
    matrices[-1] = to_table @ (scale[:, None] * matrices[-1][:size])
    biases[-1] = to_table @ (scale * biases[-1][:size] + weights["feat_mean_m"])
    betas, gammas = ([weights[f"{name}{i}"] for i in range(last)] for name in ("beta", "gamma"))
    return Network(*(tuple(jnp.asarray(a, float) for a in part) for part in (matrices, biases, betas, gammas)))


def _interpolation(nodes: Float[np.ndarray, " node"], points: Float[np.ndarray, " point"]) -> np.ndarray:
    """The matrix of a cubic spline, with straight lines beyond the nodes."""
    within = np.clip(points, nodes[0], nodes[-1])
    values = np.eye(nodes.size)
    matrix = CubicSpline(nodes, values)(within)
    for end, (outer, inner) in ((points < nodes[0], (0, 1)), (points > nodes[-1], (-1, -2))):
        slope = (values[outer] - values[inner]) / (nodes[outer] - nodes[inner])
        matrix[end] += (points - within)[end, None] * slope
    return matrix
