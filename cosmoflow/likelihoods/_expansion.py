"""From named parameters to the expansion history."""

from .._types import Parameters
from ..cosmology import T_CMB, Cosmology

EXPANSION = ("Omega_k", "w0", "wa")
RADIATION = ("T_cmb", "N_eff", "m_nu")


def expansion(
    parameters: Parameters, required: tuple[str, ...], optional: tuple[str, ...], *, radiation: bool
) -> Cosmology:
    """The cosmology of those parameters that a likelihood declares; h = 1 where it declares none.

    Args:
        parameters: Values by name.
        required: Names that must be there.
        optional: Names that are taken where they are there.
        radiation: Whether there is radiation, of temperature 2.7255 K unless given.

    Raises:
        ValueError: If a required name is missing.
    """
    for name in required:
        if name not in parameters:
            raise ValueError(f"The likelihood needs the parameter {name!r}.")
    declared = {name: parameters[name] for name in (*required, *optional) if name in parameters}
    return Cosmology.from_parameters(declared, h=1.0, T_cmb=T_CMB if radiation else 0.0)
