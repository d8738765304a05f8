"""Every system call of commits, checkpoints, compactions and merges as the last one before a crash."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("crashes.py")
PARTS = 4


def crash(kind, folder, *, every, first=0, sabotage="none"):
    command = [sys.executable, str(PROGRAM), kind, str(folder), str(every), str(first), sabotage]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize(("kind", "every"), [("die", 150), ("power", 60)])
def test_some_crashes(tmp_path, kind, every):
    outcome = crash(kind, tmp_path, every=every)
    assert outcome.returncode == 0, outcome.stderr
    assert int(outcome.stdout) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("first", range(PARTS))
@pytest.mark.parametrize("kind", ["die", "power"])
def test_every_crash(tmp_path, kind, first):
    outcome = crash(kind, tmp_path, every=PARTS, first=first)
    assert outcome.returncode == 0, outcome.stderr
    assert int(outcome.stdout) >= {"die": 200, "power": 150}[kind]


@pytest.mark.parametrize(
    ("kind", "sabotage"), [("die", "no-rename"), ("power", "no-file-sync"), ("power", "no-folder-sync")]
)
def test_a_store_without_its_safeguards_loses_draws(tmp_path, kind, sabotage):
    outcome = crash(kind, tmp_path, every=7, sabotage=sabotage)
    assert outcome.returncode == 1 and "was not survived" in outcome.stderr
