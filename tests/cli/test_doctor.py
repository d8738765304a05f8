"""The self-check of a machine: sound here, and what it says where something is broken."""

import json
import subprocess
import sys

import jax
import numpy as np
import pytest

from cosmoflow.cli import _health, _kernels


@pytest.fixture
def quick(monkeypatch):
    """Small kernels."""
    monkeypatch.setattr(_kernels, "SIZE", 16)
    monkeypatch.setattr(_kernels, "CELLS", (8, 8, 8))
    monkeypatch.setattr(_kernels, "NUM_PARTICLES", 1000)
    monkeypatch.setattr(_kernels, "NUM_DRAWS", 5)
    before = jax.config.jax_enable_compilation_cache
    yield
    assert jax.config.jax_enable_compilation_cache == before


def test_this_machine_is_sound(folder, cosmoflow, quick):
    ended = cosmoflow("doctor")
    assert (ended.code, ended.err) == (0, ""), ended
    assert "device     cpu 0" in ended.out and f"jax {jax.__version__}" in ended.out and "leapfrog" in ended.out
    works, improve = ended.out.strip().splitlines()[-2:]
    assert works.startswith("Everything works") and improve == "Nothing to improve."
    assert [path.name for path in folder.iterdir()] == ["bao.toml"]


def test_for_programs(cosmoflow, quick):
    ended = cosmoflow("doctor", "--json")
    found = json.loads(ended.out)
    assert ended.code == 0 and found["problems"] == []
    facts = found["facts"]
    assert facts["precision"] == "float64" and facts["libraries"]["jax"] == jax.__version__
    assert len(facts["kernels"]) == 6
    for kernel in facts["kernels"]:
        assert min(kernel["run_seconds"], kernel["compile_seconds"]) > 0 and kernel["error"] <= kernel["tolerance"]


def test_a_wrong_result(cosmoflow, quick, monkeypatch):
    monkeypatch.setattr(jax.scipy.linalg, "cho_solve", lambda factor, b: 1.001 * b)
    ended = cosmoflow("doctor")
    assert ended.code == 1 and ended.is_one_sentence("Cholesky", "off by", "do not trust")
    assert "Broken: 1" in ended.out


def test_rounded_products_and_bits_that_differ_are_noted(cosmoflow, quick, monkeypatch):
    kernels = [
        _kernels.Kernel("matrix product 2 x 2, float32", 1.0, 1.0, 1e-3, 1e-2, True),
        _kernels.Kernel("a million particles", 1.0, 1.0, 0.0, 1e-5, False),
    ]
    monkeypatch.setattr(_kernels, "reference_kernels", lambda: kernels)
    ended = cosmoflow("doctor")
    assert ended.code == 0 and "Everything works" in ended.out
    assert "JAX_DEFAULT_MATMUL_PRECISION=highest" in ended.out and "xla_gpu_deterministic_ops" in ended.out


@pytest.mark.slow
def test_a_gpu_that_jax_does_not_see(cosmoflow, quick, monkeypatch, tmp_path):
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    monkeypatch.setattr(_health, "_DRIVER", tmp_path)
    ended = cosmoflow("doctor")
    assert ended.code == 1 and ended.is_one_sentence("NVIDIA", "jax[cuda12]")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert cosmoflow("doctor").code == 0


def test_libraries_that_are_missing_or_broken(folder, cosmoflow, quick, monkeypatch):
    monkeypatch.setattr(_health, "LIBRARIES", (*_health.LIBRARIES, "no_such_library"))
    ended = cosmoflow("doctor")
    assert ended.code == 1 and ended.is_one_sentence("no_such_library", "not installed")
    assert "device " not in ended.out and "no no_such_library" in ended.out
    monkeypatch.setattr(_health, "_version", lambda name: "1.0")
    (folder / "no_such_library.py").write_text("raise OSError('libcuda.so: no such file')")
    monkeypatch.syspath_prepend(str(folder))
    ended = cosmoflow("doctor")
    assert ended.code == 1 and ended.is_one_sentence("no_such_library cannot be imported", "libcuda.so: no such file")


def test_a_platform_that_is_not_there(folder):
    """Which JAX finds out when it starts."""
    command = [sys.executable, "-m", "cosmoflow", "doctor"]
    environment = _health.os.environ | {"JAX_PLATFORMS": "cuda"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ended.returncode == 1 and ended.stderr.startswith("cosmoflow: JAX does not start")
    assert ended.stderr.count("\n") == 1 and "JAX_PLATFORMS" in ended.stderr


def test_the_error_of_a_kernel_is_relative():
    found = _kernels._timed("twice", lambda x: 2 * x, [np.array([1.0, 2.0])], np.array([2.0, 5.0]), 0.1)
    assert found.error == pytest.approx(0.2) and not found.right and found.reproducible
