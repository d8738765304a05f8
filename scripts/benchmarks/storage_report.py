"""The tables of the storage benchmark, in Markdown."""

from collections.abc import Iterator, Sequence
from statistics import median
from textwrap import wrap
from typing import Any

LOSSES = {
    "cosmoflow, commits alone": "no: 40 of 40 kills; a later append is a new file",
    "cosmoflow, with the final file": "by design no: the segments go only once the final file is verified",
    "dd conv=fsync": "not measured",
    "write and fsync from Python": "not measured",
    "emcee HDFBackend": "yes: 39 of 40 files readable; appending again: 28 of 150 crashes, 5 silent losses",
    "zarr v3 append": "yes: 7 of 40 arrays readable",
    "netCDF4 append and sync": "not measured; the same library and way as the next",
    "h5py append and flush": "at the kill no, 40 of 40 readable; appending again: 29 of 250 losses, 20 errors, "
    "13 crashes",
}


def report(record: dict[str, Any]) -> str:
    """All tables that there are numbers for."""
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        "# What it costs to keep a run on the disk",
        "",
        f"{record['date']}, {record['machine']}; {versions}. `make bench` measures it again.",
    ]
    sections = {"overhead": _overhead, "memory": _memory, "rates": _rates, "watched": _watched}
    for name, section in sections.items():
        if name in record["parts"]:
            lines += ["", *section(record["parts"][name])]
    return "\n".join(lines) + "\n"


def _overhead(cases: dict[str, Any]) -> Iterator[str]:
    yield "## Slowdown of a run"
    yield from _paragraph(
        "Pairs of runs with the same seed, with and without a store, the order turned round from pair to pair, after a "
        "run that compiles everything. Timed is the loop from the first chunk until the last draw is acknowledged; the "
        "final merge, which follows, is a column of its own. The run without a store drops its draws as they come, and "
        "writes no status file. Commits are the default ones: every 30 s, or earlier at 64 MiB."
    )
    yield from _paragraph(
        "The columns after the slowdown are measured directly: the time in which the main thread hands draws on or "
        "waits for a commit, and how long the thread that commits is busy beside it, partly on a core, where it "
        "competes with the run, and else waiting for the disk. The slowdown by wall clock holds more than that: the "
        "status file of a run with a store, for whose ESS and R-hat one per cent of the time is allowed, the memory "
        "that draws take while they wait, and the scatter of the machine. The import of arviz-stats, about a second "
        "once in a process, is left out."
    )
    yield ""
    yield "- demo: the posterior of `scripts/configs/demo.toml` without its flow, zig-zag process, 4 chains, float64."
    yield "- field: white noise of a log-normal field of 64^3 cells with Poisson counts, GHMC, 2 chains, float32,"
    yield "  chunks of 32 draws; every draw of the field is kept, or every 10th."
    yield ""
    yield from _table(
        [
            "run",
            "seconds without",
            "kept [MB]",
            "commits",
            "slowdown [%]",
            "main thread in commits [%]",
            "commit thread [s]",
            "of it on a core [s]",
            "final merge [s]",
        ],
        [_overhead_row(name, case["without"], case["with"]) for name, case in cases.items()],
    )


def _overhead_row(name: str, without: Sequence[float], kept: Sequence[dict[str, float]]) -> list[str]:
    columns = [
        without,
        [1e-6 * run["bytes"] for run in kept],
        [run["commits"] for run in kept],
        _slowdowns(without, [run["seconds"] for run in kept]),
        [100 * run["main_seconds"] / run["seconds"] for run in kept],
        *([run[kind] for run in kept] for kind in ("thread_seconds", "thread_cpu_seconds", "merge_seconds")),
    ]
    return [name, *map(_spread, columns)]


def _memory(runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    chunk = runs[0]["with"]["chunk_bytes"]
    peaks = {kind: [run[kind]["peak_bytes"] / chunk for run in runs] for kind in ("without", "with")}
    extra = [kept - plain for plain, kept in zip(peaks["without"], peaks["with"], strict=True)]
    yield "## Memory"
    yield from _paragraph(
        "The field, every draw kept: the peak of the resident memory while the loop lasts, above its level after "
        f"compilation, in units of the draws that one chunk keeps ({chunk / 2**20:.3g} MiB). Every run is a process of "
        "its own; the one without a store drops its draws, so its peak is what computing a chunk takes. The target for "
        "what the store adds is below two. The chain that `sample` returns is read afterwards and is not counted."
    )
    yield ""
    rows = {"without a store": peaks["without"], "with a store": peaks["with"], "what the store adds": extra}
    yield from _table(["", "chunks"], [[name, _spread(values)] for name, values in rows.items()])


def _rates(cases: dict[str, Any]) -> Iterator[str]:
    small, large = cases["small"], cases["large"]
    yield "## Write rate"
    yield from _paragraph(
        f"Durable appends of the same random numbers, one after the other: {small['num_commits']} commits of "
        f"{1e-3 * small['commit_bytes']:.3g} kB and {large['num_commits']} of {large['commit_bytes'] / 2**20:.3g} MiB, "
        "or as many as are made in 5 s. After each commit every writer but ours, which does so itself, is followed by "
        "an fsync of its files. dd is started anew for each commit. Ours joins its small files on the way; its final "
        "file is written, read back and compared. emcee opens and closes its file for each draw."
    )
    yield from _paragraph(
        "The last column was not measured here but apart, with h5py 3.16 (HDF5 2.0): 40 random kill -9 for each way of "
        "writing, and crashes replayed at single system calls. Ours was then a prototype of the same design; the "
        "losses of the others when appending again are those after an unclean end."
    )
    yield ""
    yield from _table(
        ["writer", "small commits [MB/s]", "large commits [MB/s]", "can a kill lose acknowledged draws?"],
        [
            [
                name,
                *(_spread([1e-6 * rate for rate in size["bytes_per_second"][name]]) for size in (small, large)),
                loss,
            ]
            for name, loss in LOSSES.items()
        ],
    )


def _watched(case: dict[str, Any]) -> Iterator[str]:
    codes = {looker[f"{name}_exit_code"] for looker in case["lookers"] for name in ("watch", "reader")}
    yield "## Being watched"
    yield from _paragraph(
        "The demo with a store, alone and while `cosmoflow watch` (every 2 s) and a reader (`Chain.from_file`, every "
        "0.5 s) look at it, each in a process of its own and on whatever core it gets; pairs as above. The clock "
        "starts once both have read the chain once. Commits come every 5 s, so that there is something new to read. "
        "All runs ended with all their draws. The target is below 2 %."
    )
    yield ""
    row = [
        _spread(case["without"]),
        _spread(_slowdowns(case["without"], case["with"])),
        _spread([looker["looks"] for looker in case["lookers"]]),
        ", ".join(map(str, sorted(codes))),
    ]
    yield from _table(["seconds alone", "slowdown [%]", "looks of the reader", "exit codes of the two"], [row])


def _paragraph(text: str) -> Iterator[str]:
    yield ""
    yield from wrap(text, 120)


def _slowdowns(without: Sequence[float], with_: Sequence[float]) -> list[float]:
    return [100 * (slow - fast) / fast for fast, slow in zip(without, with_, strict=True)]


def _spread(values: Sequence[float]) -> str:
    """Median and range."""
    low, middle, high = (f"{value:.3g}" for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)
