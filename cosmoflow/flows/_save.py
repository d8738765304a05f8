"""Trained flows on disk: one line of JSON with the constructor's arguments, then the arrays."""

import json
from pathlib import Path

import equinox as eqx
import jax.random as jr

from .._results import CosmoflowError
from ._hamiltonian import HamiltonianFlow, fixed_kinetic_flow


def save_flow(path: str | Path, flow: HamiltonianFlow, **configuration: int) -> None:
    """Write a flow made by `fixed_kinetic_flow(**configuration, key=...)`.

    Args:
        path: File to write.
        flow: The trained flow.
        **configuration: The arguments it was constructed with, key and base apart.
    """
    with open(path, "wb") as file:
        file.write(json.dumps(configuration).encode() + b"\n")
        eqx.tree_serialise_leaves(file, flow)


def load_flow(path: str | Path) -> HamiltonianFlow:
    """Read a flow written by `save_flow`.

    Raises:
        CosmoflowError: The file is no flow, or was written in another floating-point precision.
    """
    with open(path, "rb") as file:
        try:
            configuration = json.loads(file.readline())
            template = fixed_kinetic_flow(**configuration, key=jr.key(0))
            return eqx.tree_deserialise_leaves(file, template)
        except (ValueError, TypeError, RuntimeError) as error:
            raise CosmoflowError(
                f"{path} does not hold a flow of this package and precision; save it again with save_flow, or set "
                "jax_enable_x64 as it was when the flow was trained."
            ) from error
