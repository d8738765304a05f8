"""The sampler benchmark without its samplers: which cells it plans, that it goes on where it stopped, its tables."""

import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def grid(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import samplers_grid

    yield samplers_grid
    for name in [name for name in sys.modules if name.startswith(("samplers", "cells"))]:
        del sys.modules[name]


def record(value, *, rhat=1.0, kind="NUTS"):
    return {
        "date": "2026-01-01",
        "commit": "0123456789abcdef",
        "machine": "a machine",
        "versions": {"cosmoflow": "0"},
        "per_1000": {"sampling": value, "total": value / 2},
        "per_cpu_second": {"sampling": 10 * value, "total": 5 * value},
        "rhat": rhat,
        "error_mcse": 1.0,
        "error_sd": 0.01,
        "notes": {"kind": kind},
    }


def row(text, title, first):
    """The columns of the row that begins with `first` in the section of a title."""
    section = text.split(f"## {title}\n")[1].split("\n## ")[0]
    return next(line for line in section.splitlines() if line.startswith(f"| {first} "))


def test_grids_hold_every_cell_once(grid):
    core, full = grid.planned("core"), grid.planned("full")
    assert len(set(core + full)) == len(core) + len(full)
    assert {cell.target for cell in core} == set(grid.CORE_TARGETS)
    assert {cell.target for cell in core + full} == set(grid.TARGETS)
    assert sum(cell[:2] == ("banana", "auto") for cell in core) == 3
    assert sum(cell[:2] == ("banana", "auto") for cell in core + full) == 4
    assert not any(cell[:2] == ("normal_1000", "emcee") for cell in full)
    assert not any(cell.sampler.startswith("pdmp_jax_forward") and cell.target == "banana" for cell in core)
    assert {cell.sampler for cell in core + full} == {
        *grid.OURS,
        *grid.RIVALS,
        *grid.DUELS_OURS,
        *grid.DUELS_RIVALS,
    }


def test_cells_that_are_there_are_not_run_again(grid, tmp_path):
    from cells import missing, records_of, write

    cells = [grid.Cell("banana", "auto", seed) for seed in range(3)] + [grid.Cell("funnel", "auto", 0)]
    assert missing(cells, tmp_path) == {("banana", "auto"): [0, 1, 2], ("funnel", "auto"): [0]}
    write(cells[1], record(1.0), tmp_path)
    (tmp_path / ".funnel-auto-0.draft").write_text("{")  # a process that was killed while it wrote
    assert missing(cells, tmp_path) == {("banana", "auto"): [0, 2], ("funnel", "auto"): [0]}
    assert records_of(tmp_path) == [cells[1]._asdict() | record(1.0)]


def test_report(grid):
    from samplers_report import report

    cells = {grid.Cell("banana", "auto", seed): record(value) for seed, value in enumerate((8.0, 10.0, 12.0))}
    cells |= {grid.Cell("banana", "blackjax_nuts", seed): record(4.0) for seed in range(3)}
    cells |= {grid.Cell("banana", "blackjax_mclmc", seed): record(5.0, rhat=2.0) for seed in range(3)}
    cells |= {grid.Cell("banana", "zig_zag_white", 0): record(6.0)}
    cells |= {grid.Cell("banana", f"pdmp_jax_zig_zag_white_{n}", 0): record(n / 5) for n in grid.GRIDS}
    cells |= {grid.Cell("funnel", "blackjax_nuts", 0): record(1.0) | {"failure": "RunError: stuck"}}
    text = report(cells, {"core": grid.planned("core"), "full": [*cells][:4]})

    assert f"of {len(grid.planned('core'))} cells of the core grid" in text and "4 of 4 cells" in text
    assert row(text, "Per 1000 gradients", "auto") == "| auto | 10 (8-12) |"
    assert row(text, "Per CPU-second, warm-up included", "auto") == "| auto | 50 (40-60) |"
    assert row(text, "Per 1000 gradients", "blackjax_mclmc") == "| blackjax_mclmc | 5† |"
    ratios = row(text, "The automatic choice against the best rival", "banana")
    assert ratios.startswith("| banana | NUTS | 2.00 (1.60) | blackjax_mclmc† |")
    assert "| 6 / 2: 3 (3) |" in row(text, "Exact processes against those of pdmp-jax", "banana | white | zig_zag")
    assert "1 failed: RunError: stuck" in row(text, "Draws that are not to be trusted, and failures", "funnel")


def test_compiling_is_counted_once(grid):
    from samplers_clock import _covered

    assert _covered([(0.0, 4.0), (1.0, 2.0), (3.0, 5.0), (7.0, 8.0)]) == 6.0


def test_slopes(grid):
    from samplers_scaling_figure import slope

    points = {str(d): {"dim": d, "cost_per_ess": 3 * d**0.5, "ess": 100.0} for d in (10, 100, 1000, 10_000)}
    points["100000"] = {"dim": 100_000, "cost_per_ess": 1e9, "ess": 3.0}  # too few effective draws to count
    np.testing.assert_allclose(slope(points)["slope"], 0.5, atol=1e-12)
    assert slope({"10": points["10"]}) is None
