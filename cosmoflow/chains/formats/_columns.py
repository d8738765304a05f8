"""The parameters of a chain one column of numbers at a time, as the writers take them."""

import re
from collections.abc import Container, Sequence

import numpy as np

from ..._results import StoreError
from .._chain import Chain


def columns_of(
    chain: Chain, parameters: Sequence[str] | None, kind: str, *, refused: Container[str] = (), spaces: bool = False
) -> dict[str, np.ndarray]:
    """The columns of shape (chain, draw) that a format can hold without loss.

    Args:
        chain: the draws.
        parameters: which ones, as for `Chain.scalars`.
        kind: the format, for messages.
        refused: names that mean something else there.
        spaces: whether names may contain white space.

    Raises:
        ValueError: the chain has no such parameter.
        StoreError: a name or a number cannot be written in this format.
    """
    columns = chain.scalars(parameters)
    for name, draws in columns.items():
        if name in refused or "\n" in name or (not spaces and re.search(r"[\s*?#]", name)):
            raise StoreError(
                f"The format {kind} cannot hold the name {name!r}; leave it out with a choice of parameters."
            )
        if draws.dtype.itemsize > 8:
            raise StoreError(
                f"The format {kind} cannot hold {name!r} of dtype {draws.dtype} without loss; convert it first."
            )
    return columns
