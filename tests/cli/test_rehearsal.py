"""A rehearsal before a run, and the profile of one: what they say, and that they leave nothing else."""

import re
import time

import jax
import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.cli._clock import CompileClock, Stopwatch
from cosmoflow.cli._rehearsal import duration


def number(pattern, text):
    """The number in the one place where a pattern fits."""
    (found,) = re.findall(pattern.replace("#", r"([\d.e+-]+)"), text)
    return float(found)


def test_spans_are_counted_once():
    clock = CompileClock()
    clock._spans = [(0.0, 1.0), (0.2, 0.5), (0.9, 2.0), (5.0, 6.0)]
    assert clock.seconds == 3.0
    watch = Stopwatch(clock)
    clock._note("/jax/core/compile/backend_compile_duration", 0.0)
    clock._note("/jax/core/something_else", 100.0)
    time.sleep(0.01)
    assert clock.programs == 1 and 0.01 <= watch.seconds < 1.0


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.2, "3.2 s"), (119.0, "119 s"), (600.0, "10 min"), (36000.0, "10 h"), (864000.0, "10 days")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.slow
def test_a_rehearsal_tells_what_a_run_takes(folder, cosmoflow):
    config = folder / "bao.toml"
    config.write_text(config.read_text().replace("num_draws = 300", "num_draws = 20_000"))
    told = cosmoflow("sample", "bao.toml", "--dry-run", "--quiet").out
    assert [path.name for path in folder.iterdir()] == ["bao.toml"]
    assert number("Compiled: # programs", told) > 5 and number("# MFLOP each", told) > 1e-4
    assert "for 4000 gradients\n" in told and "Sampler: ZigZag" in told
    gradients, milliseconds = number("of # gradients each", told), number("Draws: # ms", told)
    assert cosmoflow("sample", "bao.toml", "--quiet").code == 0
    chain = Chain.from_file("bao.h5")
    assert gradients == pytest.approx(np.mean(chain.sample_stats["num_gradients"]), rel=0.3)
    seconds = float(chain.attributes["sampling_seconds"])
    assert 0.2 < 20 * milliseconds / seconds < 5  # beside other tests; `make bench` looks closer


@pytest.mark.slow
def test_a_rehearsal_with_a_flow(folder, cosmoflow):
    config = folder / "bao.toml"
    flow = "[flow]\nwidth = 8\nnum_maps = 1\n[training]\nnum_steps = 120\nnum_samples = 16\n[sampler]"
    config.write_text(config.read_text().replace("[sampler]", flow))
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to integer powers
        told = cosmoflow("sample", "bao.toml", "--dry-run", "--quiet").out
    assert "for 120 steps\n" in told and "for 10000 samples\n" in told and "Sampler: ZigZag" in told


def test_a_rehearsal_that_is_stopped(folder, cosmoflow, monkeypatch):
    from cosmoflow.cli._signals import StopOnSignal

    monkeypatch.setattr(StopOnSignal, "__call__", lambda self: True)
    stopped = cosmoflow("sample", "bao.toml", "--dry-run", "--quiet")
    assert stopped.code == 2 and stopped.is_one_sentence("rehearsal was stopped", "nothing was written")
    assert [path.name for path in folder.iterdir()] == ["bao.toml"]


@pytest.mark.slow
def test_a_profile(folder, cosmoflow):
    told = cosmoflow("profile", "bao.toml", "--quiet")
    assert (told.code, told.err) == (0, "")
    trace = folder / re.findall(r"The trace is (\S+):", told.out)[0]
    assert trace.stat().st_size > 1000 and trace.is_relative_to(folder / "bao_trace")
    assert number("gradients per second  +#\n", told.out) > 10 and "xprof --logdir bao_trace" in told.out
    assert sorted(path.name for path in folder.iterdir()) == ["bao.toml", "bao_trace"]


def test_a_trace_that_cannot_be_written(folder, cosmoflow):
    refused = cosmoflow("profile", "bao.toml", "--quiet", "--folder", "bao.toml")
    assert refused.code == 2 and refused.is_one_sentence("bao.toml", "--folder")
