"""One run on one or two devices, in one or two processes of `jax.distributed`: the same chains, to the bit."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).with_name("layout_program.py")
LAYOUTS = [(1, 1), (1, 2), (2, 1), (2, 2)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def run(folder, processes, devices):
    folder.mkdir()
    environment = os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    address = f"localhost:{free_port()}"
    started = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), str(index), str(processes), address], env=environment
        )
        for index in range(processes)
    ]
    assert [process.wait(1800) for process in started] == [0] * processes
    found = [json.loads((folder / f"{index}.json").read_text()) for index in range(processes)]
    assert {one["devices"] for one in found} == {devices}
    assert all(one["warmed"] == found[0]["warmed"] for one in found)
    names = found[0]["digests"]
    chains = {name: [digest for one in found for digest in one["digests"][name]] for name in names}
    return chains, found[0]["losses"], found[0]["warmed"]


@pytest.mark.slow
def test_every_sampler_draws_the_same_chains_in_every_layout(tmp_path):
    """And every warm-up finds the same."""
    outcomes = {layout: run(tmp_path / "{}-{}".format(*layout), *layout) for layout in LAYOUTS}
    chains, losses, warmed = outcomes[1, 1]
    for name, digests in chains.items():
        assert len(set(digests)) == 8, f"{name}: chains that are the same would hide that they are swapped"
    for layout, (others, curve, found) in outcomes.items():
        assert found == warmed, layout
        differing = [name for name in chains if chains[name] != others[name]]
        assert not differing, f"{layout}: {differing}"
        np.testing.assert_allclose(curve, losses, rtol=1e-8, err_msg=str(layout))
