"""The store of a run in progress."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from jaxtyping import Shaped

from .._results import StoreError
from ._chain import Chain
from ._files import RunLock, publish, storage_errors, temporary_beside, write_atomic
from ._layout import (
    POSTERIOR,
    SAMPLE_STATS,
    STATE,
    DrawsLayout,
    group_at,
    image,
    layout_of,
    read_arrays,
)
from ._manifest import Manifest
from ._merge import merge, write_stage
from ._segments import (
    RunPaths,
    Segment,
    checked_layouts,
    list_segments,
    read_final_manifest,
    read_manifest,
    read_stage,
    stage_names,
    write_segment,
)
from ._trust import open_trusted

Draws = dict[str, Shaped[np.ndarray, "chain draw ..."]]


class ChainStore:
    """Keeps every acknowledged draw of a run, whatever happens to its process.

    Each commit is a new file that appears by one rename; nothing is ever appended to. `finish` merges them into the
    one file at `path`. Use it as a context manager: a lock keeps other writers out until it is closed.

    Args:
        path: the final file; while the run lasts its pieces lie in the folder `<path>.segments` beside it.
        mode: "create" refuses what is already there, "resume" continues it or starts anew where nothing is there,
            "overwrite" removes it, and only it.

    Raises:
        StoreError: the folder is missing or not writable, something is there already, or another process writes to it.
    """

    def __init__(self, path: str | Path, *, mode: Literal["create", "resume", "overwrite"] = "create"):
        self._paths = RunPaths(Path(path))
        self._failed = False
        self._layouts: dict[str, DrawsLayout] | None = None
        self._lock: RunLock | None = None
        with storage_errors("open", self.path):
            self._paths.folder.mkdir(exist_ok=True)
            self._lock = RunLock(self._paths.lock)
            try:
                self._open(mode)
            except BaseException:
                self.close()
                raise

    def _open(self, mode: str) -> None:
        for leftover in self._paths.folder.glob("*.tmp"):
            leftover.unlink()
        exists = self.path.exists() or bool(self._paths.pieces())
        if exists and mode == "create":
            raise StoreError(f"{self.path} already holds a run; open it with mode 'resume' or 'overwrite'.")
        if exists and mode == "overwrite":
            if self.path.exists():
                read_final_manifest(self.path)
            for piece in self._paths.pieces():
                piece.unlink()
            self.path.unlink(missing_ok=True)
        self._manifest = read_manifest(self._paths) if exists and mode == "resume" else Manifest()
        self._segments = list_segments(self._paths)
        if exists and mode == "resume":
            self._manifest.warn_of_changed_versions()
        else:
            self._write_manifest()

    @property
    def path(self) -> Path:
        """The final file."""
        return self._paths.final

    @property
    def num_draws(self) -> int:
        """Acknowledged draws per chain."""
        return self._segments[-1].stop if self._segments else 0

    def identify(self, entries: dict[str, Any]) -> None:
        """Record what makes this run the run it is, or compare it with what is recorded.

        Args:
            entries: strings, numbers, lists and dictionaries of them by name: checksums, settings, the seed.

        Raises:
            StoreError: the run was started with another value; each such entry is named.
        """
        with self._writing("write the manifest of"):
            if self._manifest.identify(entries):
                self._write_manifest()

    def annotate(self, attributes: dict[str, str]) -> None:
        """Set root attributes of the final file, such as the resolved configuration and the labels (JSON)."""
        with self._writing("write the manifest of"):
            if not attributes.items() <= self._manifest.attributes.items():
                self._manifest.attributes |= attributes
                self._write_manifest()

    def save_stage(self, name: str, arrays: dict[str, np.ndarray], attributes: dict[str, Any] | None = None) -> None:
        """Keep a finished stage, or a checkpoint of one, in place of what was kept under this name.

        Args:
            name: letters, digits, dots, dashes and underscores.
            arrays: numbers of any shape, as `tree_to_arrays` gives them.
            attributes: anything that JSON can hold.
        """
        with self._writing(f"save the stage {name!r} of"):
            data = image(lambda file: write_stage(file, name, arrays, attributes or {}))
            write_atomic(self._paths.stage(name), data)

    def load_stage(self, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """The arrays and attributes of a stage, or None where it was never saved."""
        with storage_errors(f"read the stage {name!r} of", self.path):
            return read_stage(self._paths, name)

    def append(
        self,
        posterior: Draws,
        sample_stats: Draws,
        state: dict[str, np.ndarray],
        totals: dict[str, float] | None = None,
    ) -> None:
        """Commit the next draws; they are acknowledged once this returns.

        Args:
            posterior: parameters, each of shape (chain, draw, *shape).
            sample_stats: statistics of the draws, each of shape (chain, draw, *shape).
            state: the sampler's state after the last of these draws.
            totals: numbers that add up over commits, such as `seconds` [s]; the chain's attribute `sampling_seconds`
                is their sum.

        Raises:
            StoreError: the draws do not continue those before them, or could not be written; draws acknowledged
                earlier are safe. After a failure to write, open the store again to continue.
        """
        if self._failed:
            raise StoreError(f"An earlier commit to {self.path} failed; open it again with mode 'resume'.")
        groups = {POSTERIOR: posterior, SAMPLE_STATS: sample_stats}
        lengths = {array.shape[:2] for arrays in groups.values() for array in arrays.values()}
        if not posterior or len(lengths) != 1 or 0 in min(lengths):
            raise StoreError(
                f"A commit needs the same chains and draws in every variable, and at least one: got {sorted(lengths)}."
            )
        num_chains, num_draws = min(lengths)
        layouts = {name: layout_of(arrays, num_chains) for name, arrays in groups.items()}
        stop = self.num_draws + num_draws
        segment = Segment(self.num_draws, stop, self._paths.segment(self.num_draws, stop))

        with self._writing("commit draws to"):
            self._check_layouts(layouts)
            attributes = self._manifest.group_attributes()
            data = image(lambda file: write_segment(file, segment, groups, layouts, state, totals or {}, attributes))
            self._failed = True
            write_atomic(segment.path, data)
            self._failed = False
        self._segments.append(segment)

    def _check_layouts(self, layouts: dict[str, DrawsLayout]) -> None:
        if self._layouts is None and self._segments:
            with open_trusted(self._segments[-1].path) as file:
                self._layouts = checked_layouts(file, self._segments[-1])
        if self._layouts not in (None, layouts):
            raise StoreError(
                f"The draws differ in names, shapes, dtypes or number of chains from those in {self.path}; "
                "continue a run with the settings it was started with."
            )
        self._layouts = layouts

    def load_state(self) -> dict[str, np.ndarray] | None:
        """The sampler's state after the last acknowledged draw, or None before the first."""
        if not self._segments:
            return None
        with (
            storage_errors("read the sampler's state from", self._segments[-1].path),
            open_trusted(self._segments[-1].path) as file,
        ):
            return read_arrays(group_at(file, STATE))

    def finish(self) -> None:
        """Merge everything into the final file and remove the segments; the store can still be extended."""
        if not self._paths.pieces():
            return
        with self._writing("write the final file"):
            stages = {
                name: stage for name in stage_names(self._paths) if (stage := read_stage(self._paths, name)) is not None
            }
            temporary = temporary_beside(self._paths.folder / self.path.name)
            try:
                merge(temporary, self._segments, stages, self._manifest)
                publish(temporary, self.path)
            finally:
                with suppress(OSError):
                    temporary.unlink()
            self._segments = list_segments(self._paths)
            for piece in self._paths.pieces():
                piece.unlink()

    def read(self) -> Chain:
        """All acknowledged draws."""
        return Chain.from_file(self.path)

    def close(self) -> None:
        """Let the next writer in; a store that was finished leaves nothing but its final file."""
        if self._lock is not None:
            empty = not self._paths.pieces()
            self._lock.release(remove=empty)
            self._lock = None
            if empty:
                with suppress(OSError):
                    self._paths.folder.rmdir()

    def __enter__(self) -> "ChainStore":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _write_manifest(self) -> None:
        write_atomic(self._paths.manifest, self._manifest.to_json().encode())

    @contextmanager
    def _writing(self, action: str) -> Iterator[None]:
        if self._lock is None:
            raise StoreError(f"The store of {self.path} is closed; open it again to write.")
        with storage_errors(action, self.path):
            yield
