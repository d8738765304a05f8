import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.chains import digest

SCRIPT = """
import jax, jax.numpy as jnp, equinox as eqx, functools
from cosmoflow.chains import digest
jax.config.update("jax_enable_x64", True)
tree = {
    "b": eqx.nn.MLP(2, 2, 3, 1, activation=jax.nn.tanh, key=jax.random.key(0)), "a": (1, 2.5, "x", None, True),
    "f": functools.partial(jnp.sum, axis=0), "k": jax.random.key(3), "o": object(), "s": jax.jit(jnp.sin),
}
print(digest(tree))
"""


def test_same_in_every_process():
    runs = [
        subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True) for _ in range(2)
    ]
    assert len(runs[0].stdout.strip()) == 64
    assert runs[0].stdout == runs[1].stdout


def scaled(scale):
    return lambda x: scale * x


class Pair(eqx.Module):
    x: jax.Array
    power: int = eqx.field(static=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (["a", "b"], ["ab"]),
        ([1, [2]], [[1], 2]),
        ({"a": 1}, {"b": 1}),
        (np.zeros(3), np.zeros(3, np.float32)),
        (np.zeros(4), np.zeros((2, 2))),
        (jr.key(0), jr.key_data(jr.key(0))),
        (jnp.sin, jnp.cos),
        (jnp.add, jnp.multiply),
        (scaled(1.0), scaled(2.0)),
        (Pair(jnp.ones(2), 1), Pair(jnp.ones(2), 2)),
        (Pair(jnp.ones(2), 1), Pair(jnp.zeros(2), 1)),
    ],
)
def test_tells_apart(one, other):
    assert digest(one) != digest(other)


def test_equal_objects():
    assert digest(Pair(jnp.ones(2), 1)) == digest(Pair(jnp.ones(2), 1))
    assert digest(scaled(1.0)) == digest(scaled(1.0))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_recursion_ends():
    def recursive(n):
        return recursive(n - 1) if n else 0

    assert digest(recursive)
