"""Trained flows on disk: one line of JSON that says what follows, then the arrays as NumPy writes them, no pickle."""

import json
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._results import CosmoflowError
from ._build import fixed_kinetic_flow
from ._hamiltonian import HamiltonianFlow

_FORMAT = 1


def save_flow(path: str | Path, flow: eqx.Module, **configuration: int | bool) -> None:
    """Write a flow, or a generative model.

    Args:
        path: File to write.
        flow: What was trained.
        **configuration: The arguments of `fixed_kinetic_flow` that it was constructed with, key, base and momentum
            apart; with them `load_flow` needs no template.
    """
    leaves = _leaves(flow)
    described = [[where, _describe(leaf)] for where, leaf in leaves]
    header = {"cosmoflow flow": _FORMAT, "configuration": configuration, "leaves": described}
    with open(path, "wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        for _, leaf in leaves:
            if eqx.is_array(leaf):
                np.save(file, np.asarray(leaf), allow_pickle=False)


def load_flow(path: str | Path, template: eqx.Module | None = None) -> Any:
    """Read a flow written by `save_flow`, on any machine and in any floating-point precision.

    Args:
        path: File to read.
        template: A flow or model of the same architecture, whose parameters are replaced and whose dtypes and settings
            are kept; without one, a flow is constructed from the configuration in the file.

    Raises:
        CosmoflowError: The file is no flow, of a later format, damaged, or of another architecture than the template.
    """
    with open(path, "rb") as file:
        try:
            header = json.loads(file.readline())
            version, saved = header["cosmoflow flow"], header["leaves"]
            configuration = header["configuration"]
        except (ValueError, TypeError, KeyError) as error:
            raise CosmoflowError(f"{path} does not hold a flow; write one with save_flow.") from error
        if version != _FORMAT:
            raise CosmoflowError(
                f"{path} holds a flow of format {version}, but this cosmoflow reads {_FORMAT}; install a later one."
            )
        if template is None:
            template = _constructed(path, configuration)
        leaves = _leaves(template)
        _compare(path, saved, leaves)
        try:
            arrays = [jnp.asarray(np.load(file, allow_pickle=False), x.dtype) for _, x in leaves if eqx.is_array(x)]
        except (ValueError, EOFError, OSError) as error:
            raise CosmoflowError(
                f"{path} is damaged: its arrays end early or cannot be read; restore it from a copy."
            ) from error
    if [a.shape for a in arrays] != [x.shape for _, x in leaves if eqx.is_array(x)]:
        raise CosmoflowError(
            f"{path} is damaged: its arrays do not have the shapes that it announces; restore it from a copy."
        )
    structure, static = eqx.partition(template, eqx.is_array)
    return eqx.combine(jax.tree.unflatten(jax.tree.structure(structure), arrays), static)


def _constructed(path: str | Path, configuration: dict[str, Any]) -> HamiltonianFlow:
    if not configuration:
        raise CosmoflowError(f"{path} does not say how its flow was constructed; pass a template of it to load_flow.")
    try:
        return fixed_kinetic_flow(**configuration, key=jr.key(0))
    except (TypeError, ValueError) as error:
        raise CosmoflowError(f"{path} holds arguments that fixed_kinetic_flow refuses: {error}") from error


def _leaves(flow: eqx.Module) -> list[tuple[str, Any]]:
    """Arrays and numbers of a flow with their places in it; functions are the template's own."""
    found = jax.tree.leaves_with_path(flow)
    return [(jax.tree_util.keystr(p), x) for p, x in found if eqx.is_array(x) or isinstance(x, int | float)]


def _describe(leaf: Any) -> Any:
    return list(leaf.shape) if eqx.is_array(leaf) else leaf


def _compare(path: str | Path, saved: list, leaves: list[tuple[str, Any]]) -> None:
    """Refuse another architecture, naming the first place where it differs."""
    expected = [[where, _describe(leaf)] for where, leaf in leaves]
    for one, other in zip(saved, expected, strict=False):
        if one != other:
            raise CosmoflowError(
                f"{path} holds a flow of another architecture than its template: {one[0]} is {one[1]} there, "
                f"{other[0]} is {other[1]} here; pass the one that it was saved from."
            )
    if len(saved) != len(expected):
        raise CosmoflowError(
            f"{path} holds a flow of another architecture than its template: {len(saved)} leaves, not "
            f"{len(expected)}; pass the one that it was saved from."
        )
