"""Write data/mock_fields, two small mock fields with their truth: python scripts/data/mock_fields.py.

- `convergence_128.h5`: a log-normal map of convergence, 10 degrees wide, of the sources in `sources.txt`, with the
  shape noise of 30 galaxies per arcmin^2.
- `galaxies_32.h5`: galaxies of second-order Lagrangian perturbation theory in redshift space, 1e-3 (h/Mpc)^3 of them in
  a box of 320 Mpc/h, with Gaussian noise of the variance of their counts.

References:
    Euclid Collaboration 2020, arXiv:1910.09273, for n(z); Simon-Onfroy, Lanusse & de Mattia 2025, arXiv:2504.20130, for
    the box.
"""

import hashlib
from pathlib import Path

import equinox as eqx
import h5py
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from plain_tables import DATA

from cosmoflow.fields import (
    AbstractFieldModel,
    ConfigurationLatents,
    ConvergencePower,
    Grid,
    LagrangianField,
    LogNormalField,
)
from cosmoflow.likelihoods import AbstractFieldNoise, GaussianNoise

SEED = 2025
COSMOLOGY = {"Omega_m": 0.3111, "sigma8": 0.8102}

WIDTH = np.radians(10)  # of the map
SHIFT = 0.03  # the least convergence, with a minus
SHAPE_NOISE = 0.37  # of both components of the ellipticity together
SOURCES = 30  # in an arcmin^2

LENGTH = 320.0  # of the box [Mpc/h]
GALAXIES = 1e-3  # in a (Mpc/h)^3
REDSHIFT = 1.0
LINE_OF_SIGHT = 2
BIAS = {"b1": 1.0}  # Lagrangian


def sources() -> np.ndarray:
    """Redshift and number of sources, not normalised."""
    redshift = np.linspace(0, 3, 61)
    return np.stack([redshift, redshift**2 * np.exp(-((redshift / (0.9 / np.sqrt(2))) ** 1.5))], axis=1)


def convergence() -> tuple[AbstractFieldModel, AbstractFieldNoise]:
    """The map and its noise."""
    grid = Grid((128, 128), float(WIDTH))
    power = ConvergencePower(*sources().T)
    noise = GaussianNoise.of_shapes(SHAPE_NOISE, SOURCES, grid.cell_volume)
    return LogNormalField(grid, power, SHIFT, latents=ConfigurationLatents()), noise


def galaxies() -> tuple[AbstractFieldModel, AbstractFieldNoise]:
    """The box and its noise."""
    grid = Grid((32, 32, 32), LENGTH)
    noise = GaussianNoise((GALAXIES * grid.cell_volume) ** -0.5)
    return LagrangianField(grid, REDSHIFT, line_of_sight=LINE_OF_SIGHT, latents=ConfigurationLatents()), noise


def write(path: Path, model: AbstractFieldModel, noise: AbstractFieldNoise, truth: dict[str, float], seed: int) -> None:
    """A draw of the white noise, and of the data that it gives, in single precision."""
    key_field, key_noise = jr.split(jr.key(seed))
    white_noise = jr.normal(key_field, model.grid.shape)
    parameters = {name: jnp.asarray(value) for name, value in truth.items()}
    data = noise.sample(eqx.filter_jit(model.predict)(white_noise, parameters), key=key_noise)
    with h5py.File(path, "w") as file:
        file.attrs["box_size"] = model.grid.box_size[0]
        file["data"] = np.asarray(data, np.float32)
        file["noise_sd"] = float(noise.precision() ** -0.5)
        file["truth"] = np.asarray(white_noise, np.float32)
        file["truth"].attrs.update(truth)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    folder = DATA / "mock_fields"
    folder.mkdir(exist_ok=True)
    np.savetxt(folder / "sources.txt", sources(), "%.6g", header="redshift, sources (not normalised)")
    write(folder / "convergence_128.h5", *convergence(), COSMOLOGY, SEED)
    write(folder / "galaxies_32.h5", *galaxies(), COSMOLOGY | BIAS, SEED + 1)
    files = sorted(path for path in folder.iterdir() if path.suffix in (".h5", ".txt"))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(sums))
