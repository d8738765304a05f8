"""What a rehearsal says of a run, beside what then happens.

python scripts/benchmarks/rehearsal.py [NAME ...] runs the demo, DES Y1 and a field of 64^3, each twice: with --dry-run,
and in earnest. It writes docs/benchmarks/rehearsal.json and docs/benchmarks/rehearsal.md.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "scripts" / "configs"
PATH = ROOT / "docs" / "benchmarks" / "rehearsal.json"

FIELD = """
[likelihood.galaxies]
field = "galaxies_64.h5"
model = { kind = "lagrangian", redshift = 1.0, order = 2, line_of_sight = 2, power = { kind = "interpolated_matter" } }
noise = { kind = "gaussian" }
[prior]
Omega_m = { distribution = "truncated_normal", mean = 0.3111, sd = 0.5, low = 0.05, high = 1.0 }
sigma8 = { distribution = "truncated_normal", mean = 0.8102, sd = 0.5, low = 0.0 }
b1 = { distribution = "normal", mean = 1.0, sd = 0.5 }
[record]
white_noise = { every = 50, dtype = "float32" }
[warmup]
max_gradients = 800
[run]
seed = 1
precision = "float32"
num_draws = 200
"""
"""`galaxy_field.toml` in 64^3 cells, with a warm-up and a number of draws that fit into minutes."""

WRITE_FIELD = """
import sys
sys.path.insert(0, sys.argv[1])
import jax
jax.config.update("jax_enable_x64", True)
from pathlib import Path
import mock_fields as mock
grid = mock.Grid((64, 64, 64), 2 * mock.LENGTH)
noise = mock.GaussianNoise((mock.GALAXIES * grid.cell_volume) ** -0.5)
model = mock.LagrangianField(grid, mock.REDSHIFT, line_of_sight=mock.LINE_OF_SIGHT, latents=mock.ConfigurationLatents())
mock.write(Path("galaxies_64.h5"), model, noise, mock.COSMOLOGY | mock.BIAS, mock.SEED)
"""

RUNS = {"demo": "demo.toml", "DES Y1": "des_y1_3x2pt.toml", "field of 64^3": "field_64.toml"}


def command(folder: Path, *arguments: str) -> tuple[str, float]:
    """What the command line prints, and its peak of memory [GB]; programs are kept in the folder."""
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "MPLBACKEND": "agg"}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    line = [sys.executable, "-m", "cosmoflow", *arguments]
    process = subprocess.Popen(line, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise RuntimeError(f"{' '.join(line)} failed:\n{text}")
    return text, usage.ru_maxrss * 1024 / 1e9


def number(pattern: str, text: str) -> float:
    """The number in the one place where a pattern fits."""
    (found,) = re.findall(pattern.replace("#", r"([\d.e+-]+)"), text)
    return float(found)


def measured(name: str, folder: Path) -> dict:
    """A rehearsal and the run itself, in a folder."""
    config = CONFIGS / RUNS[name]
    if not config.exists():
        config = folder / RUNS[name]
        config.write_text(FIELD)
        subprocess.run([sys.executable, "-c", WRITE_FIELD, str(ROOT / "scripts" / "data")], cwd=folder, check=True)
    told, _ = command(folder, "sample", str(config), "--dry-run", "--quiet")
    print(told, flush=True)
    _, actual_peak = command(folder, "sample", str(config), "--quiet", "--output", "run.h5")
    read = (
        "import json, cosmoflow as cf; c = cf.Chain.from_file('run.h5');"
        "print(json.dumps([float(c.attributes['sampling_seconds']), c.num_draws, str(c.status.name)]))"
    )
    answer = subprocess.run([sys.executable, "-c", read], cwd=folder, capture_output=True, text=True, check=True)
    seconds, num_draws, status = json.loads(answer.stdout)
    return {
        "told": told[told.index("Compiled:") :].strip(),
        "status": status,
        "milliseconds": [number("Draws: # ms", told), 1e3 * seconds / num_draws],
        "memory": [number("Memory: # GB", told), actual_peak],
    }


def table(record: dict) -> str:
    """Rows for the page."""
    rows = ["| run | a draw, told [ms] | measured | memory, told [GB] | measured |", "|---|---|---|---|---|"]
    for name, found in record["runs"].items():
        told, actual = found["milliseconds"]
        memory, peak = found["memory"]
        rows.append(f"| {name} | {told:.3g} | {actual:.3g} | {memory:.2f} | {peak:.2f} |")
    return "\n".join(rows)


def main() -> None:
    """Run what is asked for, or all."""
    record = json.loads(PATH.read_text()) if PATH.exists() else {"runs": {}}
    for name in sys.argv[1:] or RUNS:
        with tempfile.TemporaryDirectory() as folder:
            record["runs"][name] = measured(name, Path(folder))
        names = ("cosmoflow", "jax", "jaxlib")
        record |= {
            "date": date.today().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "versions": {package: version(package) for package in names},
        }
        PATH.write_text(json.dumps(record, indent=1) + "\n")
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        "# What a rehearsal says, and what then happens",
        "",
        f"{record['date']}, {record['machine']}; {versions}. `make bench` measures it again.",
        "",
        "`cosmoflow sample --dry-run` beside the run itself: the time of a draw of all chains, compiling apart, and",
        "the peak of memory of the whole process, interpreter and libraries included. The run finds its programs",
        "compiled by the rehearsal, which tells apart what compiling them took of memory. The warm-up of the",
        "field is a short one in both.",
        "",
        table(record),
        "",
    ]
    for name, found in record["runs"].items():
        lines += [f"The rehearsal of {name} said", "", "```text", found["told"], "```", ""]
    PATH.with_suffix(".md").write_text("\n".join(lines))
    print(table(record))


if __name__ == "__main__":
    main()
