"""The benchmark of two-point functions without its measurements: what it compares, its page."""

import os
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import two_point

    yield two_point
    for name in ("two_point", "mock_lsst_3x2pt", "cells"):
        del sys.modules[name]


def test_every_ratio_is_of_two_rows(benchmark):
    assert {name for pair in benchmark.RATIOS.values() for name in pair} <= set(benchmark.ROWS)
    assert set(benchmark.HELD) <= set(benchmark.ROWS)


def test_page(benchmark, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "PATH", tmp_path / "two_point.json")
    row = {"parameters": 1, "compile_cpu_seconds": 30.0, "temporary": 1e6, "resident": 2e6}
    rows = {name: row | {"turn": [0.002, 0.001, 0.003], "call": [0.002] * 3} for name in benchmark.ROWS}
    rows[benchmark.STOCK] = row | {"turn": [0.4, 0.3, 0.45], "call": [0.4] * 3}
    held = {name: {"compiling": 7e8, "compiled": 1e8, "called": 1.5e8} for name in benchmark.HELD}
    record = {"date": "2026-01-01", "commit": "0" * 40, "machine": "a machine", "versions": {"jax": "0"}, "load": 1.0}
    benchmark.write(record | {"rows": rows, "held": held})
    page = (tmp_path / "two_point.md").read_text()
    assert "| jax-cosmo's C(l) over our DES Y1 chi^2 | >= 100 | 200 (150, 300) | yes |" in page
    assert "| gradient of jax-cosmo's C(l) over that of our chi^2 | >= 100 | 1 (1, 1) | **no** |" in page
    assert "| compiling value and gradient of chi^2 [CPU s] | < 25 | 30 | **no** |" in page
