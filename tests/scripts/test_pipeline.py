"""A pipeline with a loop of its own: the library keeps quiet, handles no signal and never exits."""

import os
import signal
import subprocess
import sys
import threading
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

import cosmoflow as cf

SCRIPT = Path(__file__).parents[2] / "scripts" / "pipeline.py"
SMALL = ["--error", "0.1", "--more", "200", "--interval", "0.1"]


def pipeline():
    spec = spec_from_file_location("pipeline", SCRIPT)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refuse(*arguments, **options):
    raise AssertionError("The library is not to do this.")


@pytest.mark.slow
def test_from_a_thread(tmp_path, monkeypatch, capfd):
    for owner, name in ((signal, "signal"), (signal, "set_wakeup_fd"), (sys, "exit"), (os, "_exit")):
        monkeypatch.setattr(owner, name, refuse)
    reports = []
    work = threading.Thread(target=lambda: reports.extend(pipeline().main(["--folder", str(tmp_path), *SMALL])))
    work.start()
    work.join()
    assert capfd.readouterr() == ("", "")
    assert [line.split()[1] for line in reports[::2]] == ["STOPPED", "STOPPED"]

    module = pipeline()
    extended = cf.Chain.from_file(tmp_path / "run1.h5")
    whole = module.draw(tmp_path / "whole.h5", 1, extended.num_draws, lambda: False)
    np.testing.assert_array_equal(extended.posterior["Omega_m"], whole.posterior["Omega_m"])


@pytest.mark.slow
def test_as_a_script(tmp_path):
    command = [sys.executable, str(SCRIPT), "--folder", str(tmp_path / "new"), *SMALL]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stderr == "" and ended.stdout.count("STOPPED after") == 2 and ended.stdout.count("Omega_m") == 2
    assert cf.Chain.from_file(tmp_path / "new" / "run0.h5").status is cf.Status.SUCCESSFUL


def test_what_goes_wrong_in_the_thread_is_raised(tmp_path):
    (tmp_path / "run0.h5").write_text("not a chain")
    with pytest.raises(cf.CosmoflowError, match=r"run0\.h5"):
        pipeline().main(["--folder", str(tmp_path), *SMALL])
