"""CosmoPower's emulator of the microwave background, from the weights that the package cosmopower-jax ships."""

import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Parameters
from ._cmb_spectra import AbstractCMBSpectra
from ._parameters import T_CMB

RANGES = {
    "omega_b": (0.005, 0.04),
    "omega_cdm": (0.001, 0.99),
    "h": (0.2, 1.0),
    "tau_reio": (0.01, 0.8),
    "n_s": (0.7, 1.3),
    "ln10^{10}A_s": (1.61, 5.0),
}

_ALLOWED = {("numpy", "ndarray"), ("numpy", "dtype"), ("numpy._core.multiarray", "_reconstruct")}


class CosmoPowerCMB(AbstractCMBSpectra):
    r"""Lensed C_ell of flat LCDM with massless neutrinos (N_eff = 3.046), from ell = 2 to 2508, by neural networks.

    The six inputs are omega_b = Omega_b h^2, omega_cdm = (Omega_m - Omega_b) h^2, h, tau, n_s and ln(10^10 A_s). The
    networks were trained on CLASS within

        0.005 < omega_b < 0.04,  0.001 < omega_cdm < 0.99,  0.2 < h < 1,
        0.01 < tau < 0.8,  0.7 < n_s < 1.3,  1.61 < ln(10^10 A_s) < 5

    and outside of it the spectra are NaN. One neutrino of 0.06 eV lowers h by 0.005 at a fixed angle of the sound
    horizon, so h is not to be compared with analyses that have one.

    The weights are read from the installed package `cosmopower-jax` (`pip install cosmopower-jax`), whose licence, the
    GPL with a condition of non-commercial use, is for its user to heed; no code of it runs. The networks compute in the
    precision of the arrays held here, which is single, as in their training.

    Args:
        amplitude: The name of the amplitude among the parameters: `"logA"` for ln(10^10 A_s), or `"A_s"`.

    Raises:
        ImportError: If cosmopower-jax is not installed, or comes without the networks.
        ValueError: If `amplitude` is neither name, or the installed weights are of another kind.

    References:
        Spurio Mancini et al. 2022, arXiv:2106.03846; Piras & Spurio Mancini 2023, arXiv:2305.06347.
    """

    networks: dict[str, "Network"]
    low: Float[Array, " input"]
    high: Float[Array, " input"]
    amplitude: str = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, amplitude: Literal["logA", "A_s"] = "logA"):
        if amplitude not in ("logA", "A_s"):
            raise ValueError(f"`amplitude` is 'logA' or 'A_s', not {amplitude!r}.")
        spec = find_spec("cosmopower_jax")
        if spec is None or not spec.submodule_search_locations:
            raise ImportError("The CMB emulator needs cosmopower-jax; install it with `pip install cosmopower-jax`.")
        package = Path(spec.submodule_search_locations[0])
        self.networks = {name: _read(package, name) for name in ("TT", "TE", "EE")}
        self.low, self.high = jnp.asarray(np.array(list(RANGES.values()), float).T)
        self.amplitude = amplitude
        self.required = ("Omega_m", "Omega_b", "h", "n_s", amplitude, "tau")
        self.optional = ()

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest values of single parameters."""
        names = {"h": "h", "n_s": "n_s", "tau": "tau_reio"} | (
            {"logA": "ln10^{10}A_s"} if self.amplitude == "logA" else {}
        )
        return {name: RANGES[key] for name, key in names.items()}

    def __call__(self, parameters: Parameters) -> dict[str, Float[Array, " _"]]:
        """Lensed C_ell [muK^2] from ell = 0, where the first two are zero.

        Raises:
            ValueError: If a required name is missing.
        """
        inputs = self._inputs(parameters)
        inside = jnp.all((self.low < inputs) & (inputs < self.high))
        scale = jnp.where(inside, 1e12 * T_CMB**2, jnp.nan).astype(inputs.dtype)
        output = {name: network(inputs) for name, network in self.networks.items()}
        spectra = {"TT": 10 ** output["TT"], "TE": output["TE"], "EE": 10 ** output["EE"]}
        return {name: jnp.pad(scale * power, (2, 0)) for name, power in spectra.items()}

    def _inputs(self, parameters: Parameters) -> Float[Array, " input"]:
        """The six inputs, in the order of `RANGES`."""
        for name in self.required:
            if name not in parameters:
                raise ValueError(f"The CMB emulator needs the parameter {name!r}.")
        Omega_m, Omega_b, h, n_s, amplitude, tau = (jnp.asarray(parameters[name]) for name in self.required)
        log_amplitude = amplitude if self.amplitude == "logA" else jnp.log(1e10 * amplitude)
        return jnp.stack([Omega_b * h**2, (Omega_m - Omega_b) * h**2, h, tau, n_s, log_amplitude])


class Network(eqx.Module):
    """Affine layers with gates between them, f(x) = (gamma + (1 - gamma) sigmoid(beta x)) x, Eq. A1 of the paper."""

    weights: tuple[Float[Array, "_ _"], ...]
    biases: tuple[Float[Array, " _"], ...]
    betas: tuple[Float[Array, " _"], ...]
    gammas: tuple[Float[Array, " _"], ...]

    def __call__(self, inputs: Float[Array, " input"]) -> Float[Array, " _"]:
        x = inputs.astype(self.weights[0].dtype)
        for weight, bias, beta, gamma in zip(self.weights[:-1], self.biases[:-1], self.betas, self.gammas, strict=True):
            x = weight @ x + bias
            x = (gamma + (1 - gamma) * jax.nn.sigmoid(beta * x)) * x
        return (self.weights[-1] @ x + self.biases[-1]).astype(inputs.dtype)


def _read(package: Path, spectrum: str) -> Network:
    """One network, with the scaling of its inputs and outputs made part of the first and last layers."""
    name = f"cmb_{spectrum.lower()}"
    path = package / "trained_models" / f"{name}.pkl"
    if not path.exists():
        raise ImportError(f"The installed cosmopower-jax has no {path}; install version 0.5.8.")
    with path.open("rb") as file:
        layers, gates, x_mean, x_std, y_mean, y_std, _, names, *_ = _ArraysOnly(file).load()
    if list(names) != list(RANGES):
        raise ValueError(f"The emulator {path} is one of {', '.join(names)}, not of {', '.join(RANGES)}.")
    x_mean, x_std, y_mean, y_std = (np.asarray(array, float) for array in (x_mean, x_std, y_mean, y_std))
    weights = [np.asarray(weight, float) for weight, _ in layers]
    biases = [np.asarray(bias, float) for _, bias in layers]
    biases[0] = biases[0] - weights[0] @ (x_mean / x_std)
    weights[0] = weights[0] / x_std
    weights[-1] = y_std[:, None] * weights[-1]
    biases[-1] = y_std * biases[-1][-1] + y_mean  # one bias for all outputs, stored as the last
    components = package / "pca_utils" / f"{name}_pca_transform_matrix.npy"
    if components.exists():
        mean, std = (np.load(package / "pca_utils" / f"{name}_training_{kind}.npy") for kind in ("mean", "std"))
        basis = std[:, None] * np.load(components).T.astype(float)
        weights[-1], biases[-1] = basis @ weights[-1], basis @ biases[-1] + mean
    betas, gammas = zip(*gates, strict=True)
    return Network(*(tuple(jnp.asarray(a, jnp.float32) for a in part) for part in (weights, biases, betas, gammas)))


class _ArraysOnly(pickle.Unpickler):
    """Reads lists and NumPy arrays and refuses everything else, so that no code in a file can run."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        module = module_name.replace("numpy.core", "numpy._core")
        if (module, global_name) in _ALLOWED:
            return super().find_class(module, global_name)
        raise ValueError(f"The emulator's file asks for {module_name}.{global_name}, which is no array.")
