"""Who may import whom, as pyproject.toml says."""

from importlinter.cli import lint_imports


def test_layers():
    assert lint_imports() == 0
