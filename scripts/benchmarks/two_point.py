"""What the two-point likelihood costs beside the angular power spectra of jax-cosmo, on one core.

python scripts/benchmarks/two_point.py takes a quarter of an hour and writes docs/benchmarks/two_point.json and .md. The
DES Y1 data are read from the folder that the environment variable COSMOFLOW_DATA names.
"""

import ctypes
import gc
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from cells import ONE_CORE, ROOT, circumstances, paragraphs, table

os.environ.update(ONE_CORE)
sys.path.append(str(ROOT / "scripts" / "data"))

import equinox as eqx
import jax
import jax.numpy as jnp
import mock_lsst_3x2pt as mocks

from cosmoflow import datasets
from cosmoflow._types import Parameters
from cosmoflow.cosmology import MULTIPOLE
from cosmoflow.datasets import TwoPointData
from cosmoflow.likelihoods import JointLikelihood, TwoPoint

PATH = ROOT / "docs" / "benchmarks" / "two_point.json"
PACKAGES = ("cosmoflow", "jax", "jax-cosmo", "equinox", "numpy")
ROUNDS = 7
SECONDS = 0.25
"""Of a loop in one round."""

POINT = {"Omega_m": 0.2905, "Omega_b": 0.0473, "h": 0.6887, "n_s": 0.969, "sigma8": 0.83, "A_IA": 1.0, "eta_IA": 1.0}
BIAS = (1.45, 1.55, 1.65, 1.8, 2.0)
SOURCE_SHIFT = (0.002, -0.015, 0.007, -0.018)
LENS_SHIFT = (0.002, 0.001, 0.003, 0.0, 0.0)
CALIBRATION = 0.012

TEXT = (
    "jax-cosmo: `angular_cl` of `WeakLensing` and `NumberCounts` of the nine DES Y1 bins with its defaults (halofit, "
    "transfer function of Eisenstein and Hu) at the 48 multipoles that our theory uses, alignment, bias and "
    "calibration included, 16 parameters. It computes all 45 pairs of bins and cannot leave any out. n(z) are "
    "subclasses of its `redshift_distribution` that interpolate the tables, twice as fast as its `kde_nz` on them; "
    "they are not shifted. The gradient is that of the sum of squares.",
    "cosmoflow: C(l) of the 35 pairs in the data with 25 parameters, shifts of n(z) among them, and the chi^2 of all "
    "457 numbers of shear, clustering and lensing of DES Y1. Mocks are those of scripts/data/mock_lsst_3x2pt.py, of "
    "one survey with 37 parameters and of three with 157. Double precision, but for the theory in the rows that say "
    "so.",
    f"Each row is a process of its own, all alive at once, measured in turn {ROUNDS} times: CPU time of one core, "
    "median with its range; those of a turn are inside one compiled loop over points that differ by parts in a "
    "thousand, those of a call from Python, which for jax-cosmo stand for both. Ratios are of measurements that follow "
    "each other, and bars of turns. The machine was shared, which the load tells of. Compilation is CPU "
    "time, trace included, in a fresh process without a cache. Temporary memory is what the compiled call asks for "
    "beside its arguments; resident memory is that of the process, of Python, JAX and its compiler too.",
)


def des_point(data: TwoPointData) -> dict[str, float]:
    """25 parameters."""
    return (
        POINT
        | {f"b_{name}": value for name, value in zip(data.lenses, BIAS, strict=True)}
        | {f"m_{name}": CALIBRATION for name in data.sources}
        | {f"dz_{name}": value for name, value in zip(data.sources, SOURCE_SHIFT, strict=True)}
        | {f"dz_{name}": value for name, value in zip(data.lenses, LENS_SHIFT, strict=True)}
    )


def stock_spectra(data: TwoPointData, p: Parameters) -> jax.Array:
    """C(l) of all pairs by jax-cosmo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jax_cosmo as jc

    class Tabulated(jc.redshift.redshift_distribution):
        def pz_fn(self, z: jax.Array) -> jax.Array:
            return jnp.interp(z, *self.params, left=0.0, right=0.0)

    jax.tree_util.register_pytree_node_class(Tabulated)

    def bins(names: tuple[str, ...]) -> list[Any]:
        given = [data.distributions[name] for name in names]
        return [Tabulated(jnp.asarray(d.redshift), jnp.asarray(d.density), zmax=float(d.redshift[-1])) for d in given]

    universe = jc.Cosmology(
        Omega_c=p["Omega_m"] - p["Omega_b"],
        Omega_b=p["Omega_b"],
        h=p["h"],
        n_s=p["n_s"],
        sigma8=p["sigma8"],
        Omega_k=0.0,
        w0=-1.0,
        wa=0.0,
    )
    lensing = jc.probes.WeakLensing(
        bins(data.sources),
        ia_bias=jc.bias.des_y1_ia_bias(p["A_IA"], p["eta_IA"], 0.62),
        multiplicative_bias=[p[f"m_{name}"] for name in data.sources],
    )
    clustering = jc.probes.NumberCounts(
        bins(data.lenses), [jc.bias.constant_linear_bias(p[f"b_{name}"]) for name in data.lenses]
    )
    return jc.angular_cl.angular_cl(universe, jnp.asarray(MULTIPOLE), [lensing, clustering])


Problem = tuple[Any, Callable[[Any, Parameters], Any], dict[str, float]]
"""A model, a function of it and of named parameters, and their values."""


def gradient(function: Callable[[Any, Parameters], jax.Array]) -> Callable[[Any, Parameters], Any]:
    """Value and gradient with respect to all parameters, of the sum of squares where there are many values."""

    def scalar(model: Any, point: Parameters) -> jax.Array:
        value = function(model, point)
        return value if value.ndim == 0 else jnp.sum(value**2)

    return lambda model, point: jax.value_and_grad(lambda p: scalar(model, p))(point)


def log_likelihood(model: JointLikelihood, point: Parameters) -> jax.Array:
    """Of mocks."""
    return model.log_likelihood(point)


def stock(what: str) -> Problem:
    """jax-cosmo."""
    data = datasets.des_y1_3x2pt()
    function = lambda _, p: stock_spectra(data, p)  # noqa: E731
    point = {name: value for name, value in des_point(data).items() if not name.startswith("dz_")}
    return None, gradient(function) if what == "gradient" else function, point


def des(what: str, precision: str = "double") -> Problem:
    """DES Y1."""
    data = datasets.des_y1_3x2pt()
    model = TwoPoint(data, amplitude="sigma8", precision=precision)
    spectra = lambda model, p: model.angular_power(p)  # noqa: E731
    functions: dict[str, Callable[[TwoPoint, Parameters], Any]] = {
        "C(l)": spectra,
        "C(l), gradient": gradient(spectra),
        "chi^2": lambda model, p: model.chi2(p),
        "chi^2, gradient": gradient(lambda model, p: model.chi2(p)),
        "Jacobian": lambda model, p: jax.jacfwd(model.predict)(p),
    }
    return model, functions[what], des_point(data)


def mock(what: str, *surveys: str) -> Problem:
    """Mocks of stage IV."""
    free, point = mocks.nuisances(*surveys), mocks.fiducial(*surveys)
    members = {
        survey: TwoPoint(mocks.mock(survey), amplitude="sigma8", magnification=len(surveys) > 1) for survey in surveys
    }
    function = gradient(log_likelihood) if what == "gradient" else log_likelihood
    return JointLikelihood(members), function, {name: point[name] for name in free}


ROWS: dict[str, Callable[[], Problem]] = {
    "jax-cosmo, C(l), value and gradient": partial(stock, "gradient"),
    "jax-cosmo, C(l)": partial(stock, "value"),
    "C(l)": partial(des, "C(l)"),
    "C(l), value and gradient": partial(des, "C(l), gradient"),
    "DES Y1 chi^2": partial(des, "chi^2"),
    "DES Y1 chi^2, value and gradient": partial(des, "chi^2, gradient"),
    "DES Y1 chi^2, single": partial(des, "chi^2", "single"),
    "DES Y1 chi^2, single, value and gradient": partial(des, "chi^2, gradient", "single"),
    "DES Y1, Jacobian of the data": partial(des, "Jacobian"),
    "mock, 37 parameters": partial(mock, "value", "lsst"),
    "mock, 37 parameters, value and gradient": partial(mock, "gradient", "lsst"),
    "mock, 157 parameters": partial(mock, "value", *mocks.SURVEYS),
    "mock, 157 parameters, value and gradient": partial(mock, "gradient", *mocks.SURVEYS),
}
HELD = ("jax-cosmo, C(l)", "DES Y1 chi^2", "DES Y1 chi^2, value and gradient")
"""Rows whose resident memory is looked into."""

STOCK, STOCK_GRADIENT = "jax-cosmo, C(l)", "jax-cosmo, C(l), value and gradient"
CHI2, CHI2_GRADIENT = "DES Y1 chi^2", "DES Y1 chi^2, value and gradient"
RATIOS = {
    "jax-cosmo's C(l) over our C(l)": (STOCK, "C(l)"),
    "jax-cosmo's C(l) over our DES Y1 chi^2": (STOCK, CHI2),
    "gradient of jax-cosmo's C(l) over that of our C(l)": (STOCK_GRADIENT, "C(l), value and gradient"),
    "gradient of jax-cosmo's C(l) over that of our chi^2": (STOCK_GRADIENT, CHI2_GRADIENT),
    "gradient over value, DES Y1": (CHI2_GRADIENT, CHI2),
    "gradient over value, mock, 37 parameters": ("mock, 37 parameters, value and gradient", "mock, 37 parameters"),
    "gradient over value, mock, 157 parameters": ("mock, 157 parameters, value and gradient", "mock, 157 parameters"),
}
"""Names of rows, the first over the second."""


def resident() -> int:
    """Memory of this process [bytes]."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def serve(name: str, pipe: Connection) -> None:
    """Compile one row, then measure it as often as asked."""
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)
    model, function, values = ROWS[name]()
    point = {key: jnp.asarray(value) for key, value in values.items()}
    start = time.process_time()
    compiled = eqx.filter_jit(function).lower(model, point).compile()
    compile_seconds = time.process_time() - start
    result = jax.block_until_ready(compiled(model, point))
    held = resident()
    stock_row = name.startswith("jax-cosmo")  # long to compile, and a call from Python costs it nothing
    turn = None if stock_row else loop_of(function, model, point)
    calls = 1 if stock_row else 20
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pipe.send(
        {
            "parameters": len(point),
            "compile_cpu_seconds": compile_seconds,
            "temporary": compiled.compiled.memory_analysis().temp_size_in_bytes,
            "resident": held,
            "finite": all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(result)),
        }
    )
    while pipe.recv():
        start = time.process_time()
        for _ in range(calls):
            jax.block_until_ready(compiled(model, point))
        call = (time.process_time() - start) / calls
        pipe.send({"call": call, "turn": call if turn is None else turn(max(1, int(SECONDS / call)))})


def hold(name: str, pipe: Connection) -> None:
    """Resident memory [bytes] beyond that before compiling: while compiling, after it, and after calls."""
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)
    model, function, values = ROWS[name]()
    point = {key: jnp.asarray(value) for key, value in values.items()}
    before = resident()
    compiled = eqx.filter_jit(function).lower(model, point).compile()
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    after = resident()
    for _ in range(10):
        jax.block_until_ready(compiled(model, point))
    pipe.send({"compiling": peak - before, "compiled": after - before, "called": resident() - before})


def held_by(names: Iterable[str]) -> dict[str, dict[str, int]]:
    """What `hold` finds, in a process for each row."""
    context, found = get_context("spawn"), {}
    for name in names:
        pipe, other = context.Pipe()
        process = context.Process(target=hold, args=(name, other))
        process.start()
        found[name] = pipe.recv()
        process.join()
        print(name, found[name], flush=True)
    return found


def loop_of(function: Callable[[Any, Parameters], Any], model: Any, point: Parameters) -> Callable[[int], float]:
    """CPU seconds of a turn of a compiled loop."""

    @eqx.filter_jit
    def loop(model: Any, turns: jax.Array, point: Parameters) -> Any:
        def turn(i: jax.Array, total: Any) -> Any:
            change = 1 + 1e-3 * jnp.sin(i.astype(float))
            moved = {name: change * value for name, value in point.items()}
            return jax.tree.map(jnp.add, total, function(model, moved))

        shape = jax.eval_shape(lambda p: function(model, p), point)
        return jax.lax.fori_loop(0, turns, turn, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape))

    def seconds(turns: int) -> float:
        start = time.process_time()
        jax.block_until_ready(loop(model, jnp.asarray(turns), point))
        return (time.process_time() - start) / turns

    seconds(1)
    return seconds


def measure() -> dict[str, Any]:
    """Every row; the longest to compile beside the others."""
    context, workers = get_context("spawn"), {}
    found: dict[str, Any] = {}
    for number, name in enumerate(ROWS):
        pipe, other = context.Pipe()
        process = context.Process(target=serve, args=(name, other), daemon=True)
        process.start()
        other.close()
        workers[name] = pipe
        if number:
            found[name] = pipe.recv()
            print(name, found[name], flush=True)
    first = next(iter(ROWS))
    found = {first: workers[first].recv(), **found}
    print(first, found[first], flush=True)
    for number in range(ROUNDS):
        for name, pipe in workers.items():
            pipe.send(True)
            for what, seconds in pipe.recv().items():
                found[name].setdefault(what, []).append(seconds)
        print("round", number + 1, flush=True)
    for pipe in workers.values():
        pipe.send(False)
    return found


def ratios_of(found: Mapping[str, Any], name: str, what: str = "turn") -> list[float]:
    """Of the turns or calls in each round."""
    upper, lower = RATIOS[name]
    return [a / b for a, b in zip(found[upper][what], found[lower][what], strict=True)]


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):.3g} ({min(values):.3g}, {max(values):.3g})"


def bars(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """What was wanted, what was found, and whether it is reached in the median."""
    found = record["rows"]
    for name, least in (
        ("jax-cosmo's C(l) over our DES Y1 chi^2", 100),
        ("gradient of jax-cosmo's C(l) over that of our chi^2", 100),
    ):
        values = ratios_of(found, name)
        yield name, f">= {least}", spread(values), median(values) >= least
    scaled = [340 * a / b for a, b in zip(found[CHI2_GRADIENT]["turn"], found[STOCK]["turn"], strict=True)]
    name = "value and gradient of chi^2 where jax-cosmo's C(l) takes 340 ms [ms]"
    yield name, "<= 10", spread(scaled), median(scaled) <= 10
    compiling = found[CHI2_GRADIENT]["compile_cpu_seconds"]
    yield "compiling value and gradient of chi^2 [CPU s]", "< 25", f"{compiling:.3g}", compiling < 25
    memory = found[CHI2_GRADIENT]["temporary"] / 1e6
    yield "temporary memory of value and gradient of chi^2 [MB]", "< 200", f"{memory:.3g}", memory < 200
    held = record["held"][CHI2_GRADIENT]["called"] / 1e6
    yield "resident memory after compiling and calling it, beyond that before [MB]", "< 200", f"{held:.3g}", held < 200
    values = ratios_of(found, "gradient over value, mock, 157 parameters")
    yield "gradient over value, mock, 157 parameters", "< 5", spread(values), median(values) < 5


def cells(name: str, row: Mapping[str, Any]) -> list[str]:
    """Of one line of the table."""
    turn, call = (spread([1e3 * seconds for seconds in row[what]]) for what in ("turn", "call"))
    memory = [f"{row[what] / 1e6:.3g}" for what in ("temporary", "resident")]
    return [name, str(row["parameters"]), turn, call, f"{row['compile_cpu_seconds']:.3g}", *memory]


def write(record: Mapping[str, Any]) -> None:
    """The page."""
    found = record["rows"]
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    head = ["what", "parameters", "turn [ms]", "call [ms]", "compile [CPU s]", "temporary [MB]", "resident [MB]"]
    lines = ["# Two-point functions", ""]
    where = f"{record['date']}, {record['machine']}, load {record['load']:.1f}; {versions}"
    lines += paragraphs([f"{where}; commit {record['commit'][:10]}.", *TEXT])
    lines += ["", *table(head, [cells(name, row) for name, row in found.items()]), ""]
    ratios = [[name, *(spread(ratios_of(found, name, what)) for what in ("turn", "call"))] for name in RATIOS]
    lines += [*table(["ratio", "of turns", "of calls"], ratios), ""]
    more = [
        [name, *(f"{held[what] / 1e6:.3g}" for what in ("compiling", "compiled", "called"))]
        for name, held in record["held"].items()
    ]
    head = ["resident memory beyond that before", "compiling, at most [MB]", "compiled [MB]", "called [MB]"]
    lines += [*table(head, more), ""]
    verdicts = [[name, bar, value, "yes" if reached else "**no**"] for name, bar, value, reached in bars(record)]
    lines += table(["bar", "wanted", "found", "reached"], verdicts)
    PATH.with_suffix(".md").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Measure and write."""
    given = circumstances(PACKAGES)
    record = given | {"rows": measure(), "held": held_by(HELD), "load": os.getloadavg()[0]}
    PATH.write_text(json.dumps(record, indent=1) + "\n")
    write(record)


if __name__ == "__main__":
    main()
