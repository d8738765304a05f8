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
    page = {"__name__": "flows"}
    with jax.numpy_dtype_promotion("standard"):
        for title, code in re.findall(r"^## (.*?)\n.*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
            exec(compile(code, title, "exec"), page)
    found, target, q = page["found"], page["target"], page["q"]
    broad = cf.targets.CorrelatedGaussian(jnp.zeros(3), 4 * jnp.eye(3))
    points = broad.sample(jr.key(0), (100_000,))
    ratios = jax.vmap(lambda x: target.log_density(x) - broad.log_density(x))(points)
    weights = jnp.exp(ratios - found.log_evidence)
    assert abs(weights.mean() - 1) < 5 * jnp.hypot(weights.std() / len(points) ** 0.5, found.log_evidence_error) < 0.1
    assert found.pareto_k < 0.7
    assert abs(q.mean() - 0.8) < 0.1
    assert abs(q.var() - 0.2) < 0.05
    assert (tmp_path / "portrait.png").exists()
