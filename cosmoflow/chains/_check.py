"""Is a chain on disk whole?"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .._results import StoreError
from ._files import storage_errors
from ._layout import dataset_at, group_at
from ._merge import DIGESTS_ATTRIBUTE, Digest, pieces
from ._segments import RunPaths, arrange_segments, open_segments, read_manifest


@dataclass(frozen=True)
class Soundness:
    """What was found of a chain on disk.

    Attributes:
        num_files: how many files belong to it.
        problems: what is wrong, a sentence each; none where the chain is whole.
        notes: what is worth knowing but harms nothing.
        num_chains: number of chains; 0 where there are no sound draws.
        num_draws: sound draws per chain, counted up to the first problem.
        sha256: digest of the names and numbers of all sound draws, empty where there are none; equal for equal draws,
            however they came to the disk.
    """

    num_files: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    num_chains: int
    num_draws: int
    sha256: str

    def __str__(self) -> str:
        files = "1 file" if self.num_files == 1 else f"{self.num_files} files"
        lines = [f"{files}, {self.num_chains} chains of {self.num_draws} sound draws"]
        lines += [f"sha256 of the draws {self.sha256}"] if self.sha256 else []
        lines += [f"Note: {note}" for note in self.notes]
        return "\n".join([*lines, *(f"DAMAGED: {problem}" for problem in self.problems)])


def check(path: str | Path) -> Soundness:
    """Read everything that belongs to a chain, finished or not, and compare it with its seals and digests.

    Args:
        path: the final file of the run, whether it exists yet or not.

    Raises:
        StoreError: there is nothing at this path.
    """
    paths = RunPaths(Path(path))
    while True:
        everything = _files_of(paths)
        if not everything:
            raise StoreError(f"There is no chain at {paths.final}; check the path.")
        found = _look(paths, everything)
        if not found.problems or _files_of(paths) == everything:  # else files were joined meanwhile
            return found


def _files_of(paths: RunPaths) -> list[Path]:
    return [file for file in (*paths.pieces(), paths.final) if file.exists()]


def _look(paths: RunPaths, everything: list[Path]) -> Soundness:
    files = [file for file in everything if file.suffix != ".tmp"]
    problems = [text for file in files if file != paths.manifest for text in problem_of(paths, file)]
    digests: dict[str, Digest] = {}
    extent = (0, 0)

    def read_draws() -> None:
        nonlocal extent
        manifest = read_manifest(paths)
        segments, _, gap = arrange_segments(paths)
        problems.extend([gap] if gap else [])
        for segment, file, layouts in open_segments(paths, segments, manifest.run):
            for group, layout in layouts.items():
                for name in layout.variables:
                    for draws in pieces(dataset_at(group_at(file, group), name)):
                        digests.setdefault(f"{group}/{name}", Digest()).update(draws)
            stated = json.loads(str(file.attrs.get(DIGESTS_ATTRIBUTE, "{}")))
            differing = [name for name in stated if stated[name] != digests[name].hexdigest()]
            if differing:
                raise StoreError(
                    f"{segment.path} does not hold the numbers of {differing[0]} that were put into it; restore it "
                    "from a copy."
                )
            extent = (next(iter(layouts.values())).num_chains, segment.stop)

    problems += _problem(paths.final, read_draws)
    unfinished = len(everything) - len(files)
    notes = [f"{unfinished} unfinished files of a writer that was killed; the next one removes them"]
    combined = json.dumps({name: digest.hexdigest() for name, digest in sorted(digests.items())})
    return Soundness(
        num_files=len(files),
        problems=tuple(dict.fromkeys(problems)),
        notes=tuple(notes if unfinished else ()),
        num_chains=extent[0],
        num_draws=extent[1],
        sha256=hashlib.sha256(combined.encode()).hexdigest() if extent[1] else "",
    )


def problem_of(paths: RunPaths, file: Path) -> list[str]:
    """What is wrong with one file of a run, if anything."""

    def look() -> None:
        with paths.open(file):
            pass

    return _problem(file, look)


def _problem(path: Path, attempt: Callable[[], None]) -> list[str]:
    try:
        with storage_errors("read", path):
            attempt()
    except StoreError as error:
        return [str(error)]
    return []
