"""The example of docs/generative.md runs, and finds what is known."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "generative.md").read_text()


@pytest.mark.slow
def test_example():
    page = {"__name__": "generative"}
    with jax.numpy_dtype_promotion("standard"):
        for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
            exec(compile(code, "generative.md", "exec"), page)
    assert abs(jnp.mean(page["draws"][:, 0] > 0, dtype=float) - 0.7) < 0.1
    assert jnp.all(jnp.isfinite(page["log_prob"]))
    assert page["model"].num_evaluations(20) == 20
