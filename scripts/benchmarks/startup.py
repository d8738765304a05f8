"""What a user waits for before anything runs: help, imports, the first and the later calls of the demo's posterior.

python scripts/benchmarks/startup.py writes docs/benchmarks/startup.json and docs/benchmarks/startup.md.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

REPEATS = 7
FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
JAX = "import jax, equinox"
EVERYTHING = f"{JAX}, cosmoflow; [getattr(cosmoflow, name) for name in dir(cosmoflow)]"


def seconds(*command: str) -> list[float]:
    """Wall time of a command, repeated after one run that warms the disk cache."""
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return times[1:]


def posterior() -> dict[str, list[float]]:
    """Seconds to compile, and to evaluate for four points at once, the gradient of the demo's posterior."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    from cosmoflow.config import build_posterior, load

    target = build_posterior(load(Path(__file__).parents[1] / "configs" / "demo.toml"))
    points = jnp.zeros((4, target.dim))
    compile_times, run_times = [], []
    for _ in range(3):
        jax.clear_caches()
        gradient = jax.jit(jax.vmap(jax.value_and_grad(target.log_density)))
        start = time.perf_counter()
        compiled = gradient.lower(points).compile()
        compile_times.append(time.perf_counter() - start)
        jax.block_until_ready(compiled(points))
        for _ in range(REPEATS):
            start = time.perf_counter()
            for _ in range(200):
                jax.block_until_ready(compiled(points))
            run_times.append((time.perf_counter() - start) / 200)
    return {"compile": compile_times, "value and gradient of 4 points": run_times}


def main() -> None:
    """Measure, and write the table."""
    python, tool = sys.executable, str(Path(sys.executable).with_name("cosmoflow"))
    results = {
        "cosmoflow --help": seconds(tool, "--help"),
        "cosmoflow sample --help": seconds(tool, "sample", "--help"),
        "import jax, equinox": seconds(python, "-c", JAX),
        "import jax, equinox and all of cosmoflow": seconds(python, "-c", EVERYTHING),
        **{f"demo posterior: {name}": times for name, times in posterior().items()},
    }
    packages = ("cosmoflow", "jax", "equinox", "flowjax", "h5py")
    record = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {name: version(name) for name in packages},
        "seconds": results,
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "startup.json").write_text(json.dumps(record, indent=1) + "\n")
    rows = [
        f"| {name} | {1e3 * statistics.median(times):.3g} | {1e3 * min(times):.3g} - {1e3 * max(times):.3g} |"
        for name, times in results.items()
    ]
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        "# What a user waits for before anything runs",
        "",
        f"{record['date']}, {record['machine']}; {versions}. `make bench` measures it again.",
        "",
        "| what | median [ms] | range [ms] |",
        "|---|---|---|",
        *rows,
    ]
    text = "\n".join(lines) + "\n"
    (FOLDER / "startup.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
