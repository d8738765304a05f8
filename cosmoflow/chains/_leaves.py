"""Pytrees as named arrays, and back."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.tree_util import keystr, tree_flatten_with_path, tree_unflatten

from .._results import StoreError
from .._shards import laid_as, own, own_shape

_ARRAYS = (jax.Array, np.ndarray, np.generic, jax.ShapeDtypeStruct)


def _name(path: tuple) -> str:
    return keystr(path).replace("%", "%25").replace("/", "%2F") or "value"


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def tree_to_arrays(tree: Any) -> dict[str, np.ndarray]:
    """The array leaves of a pytree, copied to the host and named by their paths; this process's part of each.

    A typed PRNG key becomes its key data, with the name of its implementation behind a colon:
    `.key:threefry2x32`. Leaves that are not arrays are left out.

    Args:
        tree: any pytree.

    Returns:
        A dictionary in the order of the leaves.
    """
    arrays = {}
    for path, leaf in tree_flatten_with_path(tree)[0]:
        if isinstance(leaf, jax.Array) and _is_key(leaf):
            arrays[f"{_name(path)}:{jr.key_impl(leaf)}"] = np.asarray(jr.key_data(leaf))
        elif isinstance(leaf, jax.Array | np.ndarray | np.generic):
            arrays[_name(path)] = own(leaf)
    return arrays


def arrays_to_tree(template: Any, arrays: dict[str, np.ndarray]) -> Any:
    """A pytree of the structure of `template` with its array leaves taken from `arrays`.

    Args:
        template: a pytree whose array leaves are arrays or `jax.ShapeDtypeStruct`; its other leaves are kept. What lies
            on several devices there does so in what is returned.
        arrays: what `tree_to_arrays` returned for a tree of this structure.

    Raises:
        StoreError: a leaf is missing, left over, or of another shape, dtype or PRNG implementation.
    """
    left = dict(arrays)
    leaves, structure = tree_flatten_with_path(template)
    restored = [_restore(_name(path), leaf, left) if isinstance(leaf, _ARRAYS) else leaf for path, leaf in leaves]
    if left:
        raise StoreError(
            f"The stored leaf {next(iter(left))!r} has no place in the present object; "
            "restore it with the settings it was stored with."
        )
    return tree_unflatten(structure, restored)


def _restore(name: str, leaf: Any, left: dict[str, np.ndarray]) -> Any:
    stored = next((other for other in left if other.startswith(f"{name}:")), "") if _is_key(leaf) else name
    if stored not in left:
        raise StoreError(
            f"The leaf {name!r} is not stored; restore into an object with the settings of the stored one."
        )
    array = left.pop(stored)
    if _is_key(leaf):
        array = _wrap(name, array, implementation=stored.removeprefix(f"{name}:"))
    if array.shape != (shape := own_shape(leaf)) or array.dtype != leaf.dtype:
        raise StoreError(
            f"The leaf {name!r} is stored as {array.dtype}{list(array.shape)} but {leaf.dtype}{list(shape)} "
            "is needed; use the settings and the precision of the stored run."
        )
    if isinstance(leaf, np.ndarray | np.generic):
        return array
    return laid_as(leaf, array) if isinstance(leaf, jax.Array) and len(leaf.devices()) > 1 else jnp.asarray(array)


def _wrap(name: str, data: np.ndarray, *, implementation: str) -> jax.Array:
    try:
        return jr.wrap_key_data(jnp.asarray(data), impl=implementation)
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"The random key {name!r} is stored for the implementation {implementation!r}, "
            f"which does not fit ({error}); restore it with the settings it was stored with."
        ) from error
