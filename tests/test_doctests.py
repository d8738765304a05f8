"""The examples in docstrings print what they say."""

import ast
import doctest
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parents[1] / "cosmoflow"
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef


def examples():
    """Of every docstring that has any; read from the sources, for decorators hide functions from `doctest`."""
    for path in sorted(ROOT.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if ">>> " not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            docstring = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
            if docstring and ">>> " in docstring:
                name = getattr(node, "name", path.stem)
                found = doctest.DocTestParser().get_doctest(docstring, {}, name, str(path), node.body[0].lineno - 1)
                yield pytest.param(found, id=f"{path.stem.lstrip('_')}.{name}")


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_prints_what_it_says(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = []
    with jax.numpy_dtype_promotion("standard"):
        outcome = doctest.DocTestRunner().run(example, out=told.append)
    assert outcome.failed == 0, "".join(told)
