"""A field that is split over devices gives what it gives on one, and no device ever holds all of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from cosmoflow.fields import SlabGrid
from cosmoflow.fields._slab import _check_processes

NUM_CELLS = 16 * 8 * 6
PROGRAM = Path(__file__).with_name("slab_program.py")


def on_devices(name, *arguments):
    """What the program says where XLA feigns four devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    command = [sys.executable, str(PROGRAM), name, *map(str, arguments)]
    ended = subprocess.run(
        command, env=os.environ | {"XLA_FLAGS": flags}, cwd=PROGRAM.parents[2], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("model", "count"),
    [
        ("gaussian", 4),
        pytest.param("gaussian", 2, marks=pytest.mark.slow),
        pytest.param("log_normal", 2, marks=pytest.mark.slow),
        pytest.param("log_normal", 4, marks=pytest.mark.slow),
        pytest.param("lagrangian", 2, marks=pytest.mark.slow),
        pytest.param("lagrangian", 4, marks=pytest.mark.slow),
    ],
)
def test_value_and_gradient_are_those_of_one_device_and_nothing_is_gathered(model, count):
    result = on_devices("likelihoods", model, count)
    assert result["difference"] < 1e-11
    assert result["stays"]
    assert result["largest_moved"] <= NUM_CELLS // count
    assert result["largest_moved_by_the_wrong_grid"] >= NUM_CELLS  # a grid of one device, of which the same is asked


@pytest.mark.slow
@pytest.mark.parametrize("count", [4, pytest.param(2, marks=pytest.mark.slow)])
def test_particles_are_those_of_one_device_and_none_is_lost_in_silence(count):
    result = on_devices("particles", count)
    assert result["difference"] < 1e-12
    assert result["not_finite"][0] > 0
    assert result["not_finite"][1] == 0


@pytest.mark.slow
def test_a_run_split_by_cells_or_by_chains_makes_the_draws_of_one_device():
    result = on_devices("chains")
    assert result["cells"] < 1e-11
    assert result["chains"] < 1e-11
    assert result["moved"] > 0.1


def test_one_device_holds_one_slab():
    grid = SlabGrid((6, 4, 4), 10.0, jax.devices()[:1])
    field = jax.random.normal(jax.random.key(0), grid.shape)
    assert abs(jax.jit(lambda x: grid.field(grid.modes(x)))(field) - field).max() < 1e-12
    moved = [grid.paint(jnp.zeros((3, *grid.shape)).at[0].set(cells)) for cells in (5.9, 6.1)]
    assert jnp.all(jnp.isfinite(moved[0])) and jnp.any(jnp.isnan(moved[1]))  # the halo is as thick as the slab
    mask = grid.place(field > 0)
    assert mask.sharding.is_equivalent_to(grid.sharding, mask.ndim)


class ManyDevices(SlabGrid):
    """Of three devices, of which the tests have one."""

    def __init__(self, shape, halo):
        self.shape, self.box_size, self.halo, self.precision = shape, (1.0,) * len(shape), halo, "double"
        self.mesh = jax.sharding.AbstractMesh((3,), ("slabs",))


@pytest.mark.parametrize(
    ("shape", "halo", "words"),
    [
        ((64, 66, 4), 1, r"64 cells along its first axis, which 3 devices .* multiple of 3, or use 1 device"),
        ((66, 64, 4), 1, r"64 cells along its second axis, which 3 devices"),
        ((6, 6, 4), 3, r"halo has 3 cells.* at most the 2 of a slab, 6 over 3 devices"),
        ((6, 6, 4), 0, r"halo has 0 cells"),
        ((6, 6), 1, r"needs three axes.*\(6, 6\)"),
    ],
)
def test_what_cannot_be_split_is_refused(shape, halo, words):
    with pytest.raises(ValueError, match=words):
        ManyDevices(shape, halo)


@pytest.mark.parametrize("processes", [[0, 1, 0, 1], [0, 0, 1], [0, 1, 1]])
def test_processes_whose_slabs_are_not_side_by_side_are_refused(processes):
    with pytest.raises(ValueError, match=r"devices of the processes \[0, .*order of jax.devices"):
        _check_processes(processes)
    _check_processes([2, 2, 0, 0])
