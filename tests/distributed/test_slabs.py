"""A field over the devices of two processes of `jax.distributed`: each has its slab, in memory and on the disk."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from cosmoflow._merge import merge
from cosmoflow.chains import check

PROGRAM = Path(__file__).with_name("slabs_program.py")
SHAPE = (16, 8, 6)
NUM_CELLS, DIM = 16 * 8 * 6, 772


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def start(folder, processes, devices, num_draws):
    """What each of some processes found, whose second run is stopped after so many draws."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    address = f"localhost:{free_port()}"
    started = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), str(index), str(processes), address, str(num_draws)],
            env=os.environ | {"XLA_FLAGS": flags}, cwd=PROGRAM.parents[2], stderr=subprocess.PIPE, text=True,
        )
        for index in range(processes)
    ]  # fmt: skip
    errors = [process.communicate(timeout=1800)[1] for process in started]
    assert [process.returncode for process in started] == [0] * processes, errors
    return [json.loads((folder / f"{index}.json").read_text()) for index in range(processes)]


def arrays(path):
    """All arrays of a file, by name."""
    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset) and not item.is_scale:
            found[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(add)
    return found


def segments(path):
    return sorted(path.with_name(f"{path.name}.segments").glob("seg-*"))


@pytest.fixture(scope="module", params=[1, pytest.param(2, id="two-devices-each")])
def layout(request, tmp_path_factory):
    """What two processes found and left, beside what one did with as many devices."""
    two, one = (tmp_path_factory.mktemp(name) for name in ("two", "one"))
    stopped = start(two, 2, request.param, 8)
    assert [(found["status"], found["num_draws"]) for found in stopped] == [("STOPPED", 8)] * 2
    before = [arrays(segments(two / f"parts-{i}.h5")[-1]) for i in range(2)]
    segments(two / "parts-1.h5")[-1].unlink()  # as if this process had died before the commit that the other made
    assert start(two, 2, request.param, 1000)[0]["status"] == "SUCCESSFUL"
    start(one, 1, 2 * request.param, 1000)
    return stopped, before, two, one


@pytest.mark.slow
def test_value_and_gradient_are_those_of_one_device_and_nothing_is_gathered(layout):
    for found in layout[0]:
        for model, values in found["likelihoods"].items():
            assert values["difference"] < 1e-11, model
            assert values["largest_moved"] <= NUM_CELLS // found["devices"], model
        assert found["largest_moved_by_a_chunk"] <= 2 * NUM_CELLS // found["devices"]  # of two chains


@pytest.mark.slow
def test_what_does_not_go_over_processes_is_refused(layout):
    for found in layout[0]:
        warmup, fit, uneven = found["refused"]
        assert "`warmup` does not" in warmup and "`fit` does not" in fit
        assert "771 coordinates" in uneven and f"Padded(target, {found['devices']})" in uneven


@pytest.mark.slow
def test_each_process_keeps_its_slab_alone(layout):
    """Of the state, the maps and the fields; what is small is in both files, the same."""
    first, second = layout[1]
    assert first["sampler_state/.chains.position"].shape == (2, DIM // 2)
    assert first["sampler_state/.window.moments['modes'].mean"].shape == (2, 8, 8, 6)
    assert first["posterior_moments/linear_sd"].shape == (2, 8, 8, 6)
    assert first["posterior_every_3/white_noise"].shape[2:] == (8, 8, 6)
    for array in first.values():
        assert not {DIM, SHAPE[0]} & set(array.shape)
    for name in first:
        if name.startswith(("posterior/", "sample_stats/")):
            np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.slow
def test_a_resumed_run_has_the_bits_of_an_uninterrupted_one(layout):
    """Where one process had committed what the other had not."""
    for index in range(2):
        whole, resumed = (arrays(layout[2] / f"{name}-{index}.h5") for name in ("whole", "parts"))
        assert whole.keys() == resumed.keys()
        for name, array in whole.items():
            np.testing.assert_array_equal(array, resumed[name], err_msg=name)


@pytest.mark.slow
def test_the_slabs_are_joined_to_the_draws_of_one_process(layout, tmp_path):
    *_, two, one = layout
    chain = merge([two / f"parts-{index}.h5" for index in range(2)], tmp_path / "run.h5")
    assert chain.num_draws == 24 and check(tmp_path / "run.h5").problems == ()
    joined, expected = arrays(tmp_path / "run.h5"), arrays(one / "whole-0.h5")
    assert joined.keys() == {name for name in expected if not name.startswith("sampler_state")}
    for name, array in joined.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-6, atol=1e-6, err_msg=name)
