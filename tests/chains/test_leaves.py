import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow._results import StoreError
from cosmoflow.chains import arrays_to_tree, tree_to_arrays


class State(eqx.Module):
    position: jax.Array
    key: jax.Array
    extra: dict
    name: str = "state"


def make(seed: int = 0) -> State:
    return State(
        jnp.arange(3.0) + seed,
        jr.split(jr.key(seed), 2),
        {"a/b": np.arange(4), "flag": jnp.asarray(True), "none": None},
    )


def test_round_trip_through_shapes():
    state = make(seed=5)
    arrays = tree_to_arrays(state)
    assert not any("/" in name for name in arrays)
    template = eqx.filter_eval_shape(make, seed=0)
    restored = arrays_to_tree(template, arrays)
    assert restored.name == "state"
    assert jnp.array_equal(jr.key_data(restored.key), jr.key_data(state.key))
    assert restored.key.dtype == state.key.dtype
    assert eqx.tree_equal(arrays_to_tree(make(), arrays), state)


def test_bare_array():
    assert np.array_equal(arrays_to_tree(np.zeros(3), tree_to_arrays(np.arange(3.0))), np.arange(3.0))


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ({"x": np.zeros(4)}, "stored as float64"),
        ({"x": np.zeros(3, np.float32)}, "float32"),
        ({"x": np.zeros(3), "y": np.zeros(3)}, r"'y'.* is not stored"),
        ({}, "has no place"),
        ({"x": jr.key(0)}, "is not stored"),
    ],
)
def test_refuses_what_does_not_fit(template, complaint):
    with pytest.raises(StoreError, match=complaint):
        arrays_to_tree(template, tree_to_arrays({"x": np.zeros(3)}))


def test_refuses_another_generator():
    arrays = tree_to_arrays({"key": jr.key(0, impl="rbg")})
    with pytest.raises(StoreError, match="key"):
        arrays_to_tree({"key": jr.key(0)}, arrays)
