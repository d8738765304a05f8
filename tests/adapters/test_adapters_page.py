"""The examples of docs/adapters.md run."""

import re
from pathlib import Path

import jax
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text()
EXAMPLES = dict(re.findall(r"^## (.*?)\n.*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


def test_every_direction_has_an_example():
    assert list(EXAMPLES) == re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert len(EXAMPLES) == PAGE.count("```python")


@pytest.mark.parametrize(
    "title",
    [pytest.param(title, marks=[pytest.mark.slow] * (title in ("From NumPyro", "From Cobaya"))) for title in EXAMPLES],
)
def test_examples(title):
    with jax.numpy_dtype_promotion("standard"):
        exec(compile(EXAMPLES[title], title, "exec"), {"__name__": title})
