"""Damaged and forged files: no crash, no wrong numbers, nothing from outside, bounded time and memory."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("mutations.py")


@pytest.mark.parametrize(
    ("first", "count"), [(0, 200), pytest.param(200, 10_000, marks=pytest.mark.slow)], ids=["some", "ten thousand"]
)
def test_mutated_files(tmp_path, first, count):
    command = [sys.executable, str(PROGRAM), str(tmp_path), str(first), str(count)]
    outcome = subprocess.run(command, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    outcomes = ast.literal_eval(outcome.stdout)
    assert sum(outcomes.values()) == count
    assert outcomes["refused"] > 0.8 * count
