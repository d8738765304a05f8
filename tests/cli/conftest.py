"""A folder with a small run in it, and the command line called inside this process."""

import os
from typing import NamedTuple

import pytest

from cosmoflow.chains import ChainStore
from cosmoflow.cli import main

BAO = """
[likelihood.desi_dr2_bao]
[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "uniform", low = 10.0, high = 1000.0 }
[sampler]
kind = "zig_zag"
[warmup]
max_gradients = 4000
[run]
num_chains = 2
num_draws = 300
chunk = 100
commit_seconds = 0.001
"""


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    def is_one_sentence(self, *words):
        """Whether one line was said on stderr, with these words in it, and nothing else."""
        said = self.err.startswith("cosmoflow: ") and self.err.endswith(".\n") and self.err.count("\n") == 1
        return said and "Traceback" not in self.err and all(word in self.err for word in words)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder of its own, with `bao.toml` in it."""
    (tmp_path / "bao.toml").write_text(BAO)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    return tmp_path


@pytest.fixture
def cosmoflow(folder, monkeypatch, capsys):
    """Call the command line with these arguments."""

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["cosmoflow", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        return Outcome(exit_.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def signal_at_first_commit(monkeypatch):
    """Send this signal to the process when the first commit is acknowledged."""

    def prepare(number):
        append, sent = ChainStore.append_blocks, []

        def signalling(self, *arguments):
            append(self, *arguments)
            if not sent:
                sent.append(number)
                os.kill(os.getpid(), number)

        monkeypatch.setattr(ChainStore, "append_blocks", signalling)

    return prepare
