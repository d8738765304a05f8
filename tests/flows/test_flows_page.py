"""The examples of docs/flows.md run, one after the other, and find what is known."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

import cosmoflow as cf

PAGE = (Path(__file__).parents[2] / "docs" / "flows.md").read_text()


@pytest.mark.slow
def test_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {"__name__": "flows"}
    with jax.numpy_dtype_promotion("standard"):
        for title, code in re.findall(r"^## (.*?)\n.*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
            exec(compile(code, title, "exec"), found)
    sample = found["found"]
    broad = cf.targets.CorrelatedGaussian(jnp.zeros(3), 4 * jnp.eye(3))
    x = broad.sample(jr.key(0), (100_000,))
    weights = jnp.exp(
        jax.vmap(lambda x: found["target"].log_density(x) - broad.log_density(x))(x) - sample.log_evidence
    )
    assert abs(weights.mean() - 1) < 5 * jnp.hypot(weights.std() / len(x) ** 0.5, sample.log_evidence_error) < 0.1
    assert sample.pareto_k < 0.7
    assert abs(found["q"].mean() - 0.8) < 0.1
    assert abs(found["q"].var() - 0.2) < 0.05
    assert (tmp_path / "portrait.png").exists()
