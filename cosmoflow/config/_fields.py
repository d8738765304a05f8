"""From the table of an observed field to its likelihood."""

from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from ..datasets import FieldData, read_curve, read_field
from ..fields import (
    AbstractFieldModel,
    AbstractGrid,
    AbstractLatents,
    AbstractPower,
    ConfigurationLatents,
    ConvergencePower,
    FourierLatents,
    GaussianField,
    Grid,
    InterpolatedMatterPower,
    LagrangianField,
    LinearMatterPower,
    LogNormalField,
    ParticleMeshField,
    SlabGrid,
    TabulatedPower,
)
from ..likelihoods import (
    WHITE_NOISE,
    AbstractFieldNoise,
    FieldLevel,
    GaussianNoise,
    NegativeBinomialNoise,
    PoissonNoise,
)

_LATENTS: dict[str, type[AbstractLatents]] = {"fourier": FourierLatents, "configuration": ConfigurationLatents}
_MODELS: dict[str, type[AbstractFieldModel]] = {
    "gaussian": GaussianField,
    "log_normal": LogNormalField,
    "lagrangian": LagrangianField,
    "particle_mesh": ParticleMeshField,
}


def build_field(
    folder: Path,
    *,
    field: str,
    model: dict[str, Any],
    noise: dict[str, Any],
    latents: str,
    box_size: float | tuple[float, ...] | None,
    mask: str | None,
    precision: Literal["single", "double"],
    slabs: bool,
    halo: int | None,
    devices: int | None,
) -> FieldLevel:
    """The likelihood of an observed field; paths are relative to `folder`, slabs lie on so many devices, or on all.

    Raises:
        ValueError: Something is refused by its constructor, or said neither in the table nor in the file.
        DataError: A file is missing or damaged.
    """
    observed = read_field(folder / field, mask=None if mask is None else folder / mask)
    lengths = observed.box_size if box_size is None else box_size
    if lengths is None:
        raise ValueError(f"box_size is missing, and {folder / field} has no such attribute; add it")
    if slabs:
        used = jax.local_devices()[:devices]
        grid = SlabGrid(observed.data.shape, lengths, used, halo=halo, precision=precision)
    else:
        grid = Grid(observed.data.shape, lengths, precision=precision)
    made = _model(folder, grid=grid, latents=_LATENTS[latents](), **model)
    truth = _truth(observed, grid, made.latents)
    return FieldLevel(made, _noise(observed, grid, **noise), observed.data, observed.mask, truth=truth)


def _model(folder: Path, *, kind: str, **options: Any) -> AbstractFieldModel:
    power = options.pop("power", None)
    if power is not None:
        options["power"] = _power(folder, options["grid"], **power)
    return _MODELS[kind](**options)


def _power(folder: Path, grid: AbstractGrid, *, kind: str, **options: Any) -> AbstractPower:
    match kind:
        case "matter":
            return LinearMatterPower(**options)
        case "interpolated_matter":
            return InterpolatedMatterPower(grid, **options)
        case "convergence":
            return ConvergencePower(*read_curve(folder / options.pop("sources")), **options)
        case _:
            return TabulatedPower(*read_curve(folder / options["values"]))


def _truth(observed: FieldData, grid: AbstractGrid, latents: AbstractLatents) -> dict[str, Any] | None:
    """The parameters of a mock, with its white noise as latents."""
    if observed.truth is None:
        return None
    modes = grid.modes(jnp.asarray(observed.truth, float))
    return {**observed.parameters, WHITE_NOISE: latents.latents(grid, modes)}


def _noise(observed: FieldData, grid: AbstractGrid, *, kind: str, **options: Any) -> AbstractFieldNoise:
    match kind:
        case "gaussian":
            return GaussianNoise(_cells(observed, "noise_sd", "noise.sd", options["sd"]))
        case "shape":
            return GaussianNoise.of_shapes(**options, cell_area=grid.cell_volume)
    mean_count = _cells(observed, "mean_count", "noise.mean_count", options.pop("mean_count"))
    return PoissonNoise(mean_count) if kind == "poisson" else NegativeBinomialNoise(mean_count, **options)


def _cells(observed: FieldData, name: str, key: str, given: float | None) -> Any:
    """What the table or else the file says of the noise; one where nothing was observed."""
    value = getattr(observed, name) if given is None else given
    if value is None:
        raise ValueError(f"{key} is missing, and the file of the field has no dataset {name!r}; add one of them")
    return np.where(observed.mask, value, 1) if observed.mask is not None and np.ndim(value) else value
