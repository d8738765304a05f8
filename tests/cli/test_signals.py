"""Signals: the first asks, the second ends the process, wherever it is."""

import os
import signal
import subprocess
import sys
import time

import pytest
from cli.conftest import BAO

from cosmoflow.chains import Chain
from cosmoflow.cli._signals import StopOnSignal

LONG = BAO.replace("zig_zag", 'ghmc"\nnum_steps = 500\n#').replace("chunk = 100", "chunk = 100000")


def wait_for(condition):
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_handlers_come_and_go(number, capfd):
    before = signal.getsignal(number)
    with StopOnSignal() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert wait_for(stop)
        assert wait_for(lambda: signal.Signals(number).name in capfd.readouterr().err)
    assert signal.getsignal(number) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_the_chunk_is_committed_and_the_way_on_is_said(folder, cosmoflow, signal_at_first_commit):
    config = folder / "bao.toml"
    config.write_text(config.read_text().replace("num_draws = 300", "num_draws = 1_000_000"))
    signal_at_first_commit(signal.SIGTERM)
    stopped = cosmoflow("sample", "bao.toml", "--output", "a b.h5", "--quiet", "--force")
    assert stopped.code == 75 and stopped.is_one_sentence(
        "`cosmoflow sample bao.toml --output 'a b.h5' --quiet --resume`"
    )
    assert 100 <= Chain.from_file("a b.h5").num_draws < 1_000_000


@pytest.mark.slow
def test_a_second_signal_ends_a_long_chunk_at_once(folder):
    """A chunk of minutes: Python itself would run no handler before its end."""
    (folder / "long.toml").write_text(LONG.replace("num_draws = 300", "num_draws = 100000"))
    command = [sys.executable, "-m", "cosmoflow", "sample", "long.toml"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert any(line.startswith("Sampling") for line in process.stdout)
        time.sleep(1)
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.stderr.readline() == "\n" and "SIGTERM came" in process.stderr.readline()
        assert time.monotonic() - start < 2
        time.sleep(0.5)
        assert process.poll() is None
        start = time.monotonic()
        process.send_signal(signal.SIGUSR1)
        assert process.wait(timeout=5) == 128 + signal.SIGUSR1
        assert time.monotonic() - start < 2
    finally:
        process.kill()
        process.communicate()
