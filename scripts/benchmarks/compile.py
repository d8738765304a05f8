"""What a user waits for before a sampler's first draw: seconds to compile a chunk on the demo's posterior.

python scripts/benchmarks/compile.py [SAMPLER...] writes docs/benchmarks/compile.json and docs/benchmarks/compile.md.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path

REPEATS = 3
NUM_CHAINS, CHUNK = 4, 250
FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
GRADIENT = "the gradient alone"
"""For comparison, and as a yardstick of the machine."""

SAMPLERS = (
    "GHMC",
    "NUTS",
    "Langevin",
    "MALT",
    "MCLMC",
    "AdjustedMCLMC",
    "HybridSplitting",
    "BouncyParticleSplitting",
    "ForwardEventChainSplitting",
    "ZigZagSplitting",
    "CoordinateSplitting",
    "DiscreteBouncyParticle",
    "HugAndHop",
    "ZigZag",
    "BouncyParticle",
    "ForwardEventChain",
    "Boomerang",
    "CoordinateSampler",
    "Independence",
    "ParallelTempering",
)
"""Every sampler that needs no arguments."""


def compile_once(name: str) -> dict[str, float]:
    """Seconds to trace and to compile a chunk of one sampler, in triangular coordinates, in this process."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)
    import jax.numpy as jnp
    import jax.random as jr

    from cosmoflow import Pullback, Record, samplers
    from cosmoflow._chunk import init_states, run_chunk
    from cosmoflow.config import build_posterior, load
    from cosmoflow.warmup._coordinates import identity

    posterior = build_posterior(load(Path(__file__).parents[1] / "configs" / "demo.toml"))
    target, positions = Pullback(posterior, identity(posterior.dim)), jnp.zeros((NUM_CHAINS, posterior.dim))
    if name == GRADIENT:
        lower = partial(jax.jit(jax.vmap(jax.value_and_grad(target.log_density))).lower, positions)
    else:
        sampler, record = getattr(samplers, name)(), Record()
        state = init_states(target, sampler, positions, jr.split(jr.key(0), len(positions)), record)
        lower = partial(run_chunk.lower, (target, sampler, record, jnp.asarray(CHUNK)), state, capacity=CHUNK)
    start, busy = time.perf_counter(), time.process_time()
    lowered = lower()
    traced = time.perf_counter()
    lowered.compile()
    done = time.perf_counter()
    return {"trace": traced - start, "compile": done - traced, "processor": time.process_time() - busy}


def measured(name: str) -> list[dict[str, float]]:
    """Of fresh processes, one after another."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JAX_COMPILATION_CACHE")}
    command = [sys.executable, __file__, "--once", name]
    return [
        json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)
        for _ in range(REPEATS)
    ]


def write(record: dict) -> None:
    """The table."""
    (FOLDER / "compile.json").write_text(json.dumps(record, indent=1) + "\n")
    rows = []
    for name, times in record["seconds"].items():
        totals = [each["trace"] + each["compile"] for each in times]
        parts = [statistics.median(each[part] for each in times) for part in ("trace", "compile", "processor")]
        figures = " | ".join(f"{seconds:.1f}" for seconds in (*parts, statistics.median(totals)))
        rows.append(f"| {name} | {figures} | {min(totals):.1f} - {max(totals):.1f} |")
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        "# What a user waits for before the first draw",
        "",
        f"{record['date']}, {record['machine']}, load {record['load']:.1f}; {versions}.",
        "`make bench` measures it again.",
        "",
        f"Seconds to compile a chunk of {CHUNK} draws of {NUM_CHAINS} chains on the demo's posterior (DESI DR2 BAO",
        "and Union3, flat w0waCDM, four parameters, triangular coordinates, double precision), in a fresh process",
        f"without a compilation cache, median of {REPEATS}. Processor time is that of all threads. Beside other work,",
        "which the load tells of, all are longer, as that of the gradient alone shows. The command line keeps what it",
        "compiled: a later run waits for the trace alone.",
        "",
        "| sampler | trace [s] | compile [s] | processor [s] | both [s] | range [s] |",
        "|---|---|---|---|---|---|",
        *rows,
    ]
    text = "\n".join(lines) + "\n"
    (FOLDER / "compile.md").write_text(text)
    print(text)


def main() -> None:
    """Measure, and write the table; of the samplers that are named alone, where some are."""
    if sys.argv[1:2] == ["--once"]:
        print(json.dumps(compile_once(sys.argv[2])))
        return
    packages = ("cosmoflow", "jax", "equinox", "flowjax")
    record = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": os.getloadavg()[0],
        "versions": {name: version(name) for name in packages},
    }
    write(record | {"seconds": {name: measured(name) for name in (GRADIENT, *(sys.argv[1:] or SAMPLERS))}})


if __name__ == "__main__":
    main()
