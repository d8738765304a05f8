"""Whitening without a run: a target in the coordinates of its Laplace fit."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._progress import stage
from .._types import Key
from ..chains import ChainStore, digest
from ..targets import AbstractTarget, Affine, Pullback
from ._laplace import laplace

STAGE = "whitening"


def whiten(target: AbstractTarget, *, key: Key, num_starts: int = 8, store: ChainStore | None = None) -> Pullback:
    """A target in the coordinates of its Laplace fit, where a flow is easily trained.

    Args:
        target: Unnormalised density.
        key: Random key of the standard normal points from which the mode is sought.
        num_starts: How many.
        store: Where the coordinates are committed; what it already holds is not computed again.

    Raises:
        StartError: The log-density is not finite at a starting point.
    """
    if store is not None:
        store.identify({STAGE: digest((target, key, num_starts))})
        saved = store.load_stage(STAGE)
        if saved is not None:
            arrays, _ = saved
            return Pullback(target, Affine(jnp.asarray(arrays["location"]), jnp.asarray(arrays["cholesky"])))
    with stage(STAGE, visible=False, run=None if store is None else store.path):
        affine, num_gradients = laplace(target, jr.normal(key, (num_starts, target.dim)))
    if store is not None:
        arrays = {"location": np.asarray(affine.location), "cholesky": np.asarray(affine.cholesky)}
        store.save_stage(STAGE, arrays, {"kind": "affine", "dim": target.dim, "num_gradients": num_gradients})
    return Pullback(target, affine)
