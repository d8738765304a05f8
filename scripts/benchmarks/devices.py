"""Chains on two devices against one, each with a core, and what the sharing out costs on one device.

python scripts/benchmarks/devices.py writes docs/benchmarks/devices.json and docs/benchmarks/devices.md, in about seven
minutes on two quiet cores.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROUNDS, REPEATS = 7, 20
NUM_CHAINS, BLOCK, CHUNK = 8, 4, 250  # draws of a chunk where a run names none
FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
ONE, PLACED, TWO, APART = "one", "one, placed", "two", "apart"
CORES = {ONE: ("0",), PLACED: ("0",), TWO: ("0,1",), APART: ("0", "1")}
"""Those of each process: `placed` names its one device, so that everything is put there by hand; `apart` are two
processes at once with half of the chains each, which is what the machine can do."""

CONFIGURATIONS = {"DESI BAO and Union3": "demo.toml", "with the compressed CMB": "desi_cmb_union3.toml"}
CONFIGS = Path(__file__).parents[1] / "configs"


def clocked(mode: str, config: str) -> list[float]:
    """Seconds of chunks of GHMC, whose chains all do the same work, once they are compiled."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.random as jr

    import cosmoflow as cf
    from cosmoflow._blocks import Blocks
    from cosmoflow._chunk import Chunks
    from cosmoflow.config import build_posterior, load

    posterior = build_posterior(load(CONFIGS / config))
    devices = jax.local_devices() if mode == PLACED else None
    num_chains = NUM_CHAINS // len(CORES[mode])
    chunks = Chunks(posterior, cf.Record(), Blocks.arranged(num_chains, BLOCK, posterior, devices), CHUNK)
    sampler = cf.samplers.GHMC(step_size=0.05)
    states = chunks.start(sampler, 0.1 * jr.normal(jr.key(0), (num_chains, posterior.dim)), jr.key(1))
    seconds = []
    for _ in range(1 + REPEATS):
        began = time.perf_counter()
        states, _, _ = chunks.advance(sampler, states, CHUNK)
        seconds.append(time.perf_counter() - began)
    return seconds[1:]


def measured(mode: str, config: str, cache: str) -> list[float]:
    """Of fresh processes on their cores; of two at once the slower. What one compiled is there for the next."""
    environment = os.environ | {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={2 if mode == TWO else 1}",
        "JAX_COMPILATION_CACHE_DIR": cache,
    }
    command = [sys.executable, __file__, "--once", mode, config]
    processes = [
        subprocess.Popen(["taskset", "--cpu-list", cores, *command], stdout=subprocess.PIPE, env=environment)
        for cores in CORES[mode]
    ]
    return max((json.loads(process.communicate()[0]) for process in processes), key=statistics.median)


def spread(values: list[float]) -> str:
    """The median, and the range."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def write(record: dict) -> None:
    """The table."""
    (FOLDER / "devices.json").write_text(json.dumps(record, indent=1) + "\n")
    rows = []
    for name, modes in record["seconds"].items():
        one, placed, two, apart = ([min(each) for each in modes[mode]] for mode in CORES)
        shown = [
            one,
            two,
            [a / (2 * b) for a, b in zip(one, two, strict=True)],
            [a / (2 * b) for a, b in zip(one, apart, strict=True)],
            [b / a - 1 for a, b in zip(one, placed, strict=True)],
        ]
        rows.append(f"| {name} | {' | '.join(map(spread, shown))} |")
    versions = ", ".join(f"{package} {number}" for package, number in record["versions"].items())
    lines = [
        "# Chains on two devices",
        "",
        f"{record['date']}, {record['machine']}; {versions}. `python scripts/benchmarks/devices.py` measures it again.",
        "",
        f"Seconds of {CHUNK} draws of {NUM_CHAINS} chains of GHMC in blocks of {BLOCK}, whose trajectories all take",
        "the same work: on one device pinned to one core, and on two devices on two cores. The efficiency is the first",
        "over twice the second. Beside it is that of two processes at once, each pinned to a core, with half of the",
        "chains each, which know nothing of each other: what the machine can do. The overhead is that of placing",
        "everything on a named device, over leaving it to JAX.",
        "",
        f"The least time of {REPEATS} chunks, since whatever else the machine does only adds to it; of that the median",
        f"of {ROUNDS} rounds of fresh processes in turn, and the range.",
        "",
        "| likelihood | one device [s] | two devices [s] | efficiency | of two processes | overhead on one device |",
        "|---|---|---|---|---|---|",
        *rows,
    ]
    text = "\n".join(lines) + "\n"
    (FOLDER / "devices.md").write_text(text)
    print(text)


def main() -> None:
    """Measure in turn, so that slow drifts of the machine meet all alike."""
    if sys.argv[1:2] == ["--once"]:
        print(json.dumps(clocked(*sys.argv[2:])))
        return
    seconds: dict[str, dict[str, list[list[float]]]] = {name: {mode: [] for mode in CORES} for name in CONFIGURATIONS}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(ROUNDS):
            for name, config in CONFIGURATIONS.items():
                for mode in CORES:
                    seconds[name][mode].append(measured(mode, config, cache))
    write(
        {
            "date": date.today().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "versions": {name: version(name) for name in ("cosmoflow", "jax", "jaxlib")},
            "seconds": seconds,
        }
    )


if __name__ == "__main__":
    main()
