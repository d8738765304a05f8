"""The store of a run in progress."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Literal

import numpy as np
from jaxtyping import Shaped

from .._results import StoreError
from ._chain import Chain
from ._compaction import tail_to_join
from ._files import RunLock, drafted, make_folder, remove, storage_errors, sync
from ._layout import (
    POSTERIOR,
    SAMPLE_STATS,
    STATE,
    DrawsLayout,
    bytes_of_draws,
    draw_numbers,
    extent,
    group_at,
    layout_of,
    read_arrays,
    write_group,
)
from ._manifest import Manifest
from ._merge import merge_run, merge_segments, write_stage
from ._seal import sealed_hdf5
from ._segments import (
    RUN_ATTRIBUTE,
    Block,
    RunPaths,
    checked_layouts,
    list_segments,
    open_segments,
    read_final_manifest,
    read_group,
    read_manifest,
    read_stage,
    write_segment,
)

Draws = Mapping[str, Shaped[np.ndarray, "chain draw ..."]]
OtherGroup = Literal["warmup_posterior", "warmup_sample_stats", "observed_data"]


class ChainStore:
    """Keeps every acknowledged draw of a run, whatever happens to its process or its machine.

    Each commit is a new file that appears by one rename; nothing is ever appended to. Small files are joined on the
    way, and `finish` merges all of them into the one file at `path`. Use it as a context manager: a lock keeps other
    writers out until it is closed.

    Args:
        path: the final file; while the run lasts its pieces lie in the folder `<path>.segments` beside it.
        mode: "create" refuses what is already there, "resume" continues it or starts anew where nothing is there,
            "overwrite" removes it, and only it.

    Raises:
        StoreError: the folder is missing or not writable, something is there already, or another process writes to it.

    Examples:
        >>> import cosmoflow as cf, jax.random as jr
        >>> target, sampler = cf.targets.CorrelatedGaussian([0.0], [[1.0]]), cf.samplers.GHMC()
        >>> with cf.ChainStore("run.h5", mode="resume") as store:
        ...     chain = cf.sample(target, sampler, num_draws=100, num_chains=4, key=jr.key(0), store=store)
        >>> cf.Chain.from_file("run.h5").num_draws
        100
    """

    def __init__(self, path: str | Path, *, mode: Literal["create", "resume", "overwrite"] = "create"):
        self._paths = RunPaths(Path(path))
        self._failed = False
        self._busy = RLock()
        self._layouts: dict[str, DrawsLayout] | None = None
        self._lock: RunLock | None = None
        with storage_errors("open", self.path):
            make_folder(self._paths.folder)
            self._lock = RunLock(self._paths.lock)
            try:
                self._open(mode)
            except BaseException:
                self.close()
                raise

    def _open(self, mode: str) -> None:
        for leftover in self._paths.folder.glob("*.tmp"):
            remove(leftover)
        exists = self.path.exists() or bool(self._paths.pieces())
        if exists and mode == "create":
            raise StoreError(f"{self.path} already holds a run; open it with mode 'resume' or 'overwrite'.")
        if exists and mode == "overwrite":
            if self.path.exists():
                read_final_manifest(self._paths)
            self.abandon()
            remove(self.path)
            sync(self.path.parent)
        self._manifest = read_manifest(self._paths) if exists and mode == "resume" else Manifest()
        self._segments, leftovers = list_segments(self._paths)
        if exists and mode == "resume":
            self._manifest.warn_of_changed_versions()
            if self._segments:
                self._layouts = self._layouts_of_last()
            if leftovers:
                for _ in open_segments(self._paths, self._segments, self._manifest.run):
                    pass  # the draws of the leftovers are safe elsewhere
            for leftover in leftovers:
                remove(leftover)
        else:
            self._write_manifest(self._manifest)

    @property
    def path(self) -> Path:
        """The final file."""
        return self._paths.final

    @property
    def num_draws(self) -> int:
        """Acknowledged draws per chain."""
        return self._segments[-1].stop if self._segments else 0

    @property
    def identity(self) -> dict[str, Any]:
        """What makes this run the run it is, as far as it was said."""
        return deepcopy(self._manifest.identity)

    def identify(self, entries: dict[str, Any]) -> None:
        """Record what makes this run the run it is, or compare it with what is recorded.

        Args:
            entries: strings, numbers, lists and dictionaries of them by name: checksums, settings, the seed.

        Raises:
            StoreError: the run was started with another value; each such entry is named.
        """
        with self._writing("write the manifest of"):
            manifest = deepcopy(self._manifest)
            if manifest.identify(entries):
                self._write_manifest(manifest)

    def annotate(self, attributes: dict[str, str]) -> None:
        """Set root attributes of the final file, such as the resolved configuration and the labels (JSON)."""
        with self._writing("write the manifest of"):
            if not attributes.items() <= self._manifest.attributes.items():
                manifest = deepcopy(self._manifest)
                manifest.attributes |= attributes
                self._write_manifest(manifest)

    def adopt(self, manifest: Manifest) -> None:
        """Take over the identity, attributes, versions and date of another run, under a name of its own."""
        with self._writing("write the manifest of"):
            self._write_manifest(replace(manifest, run=self._manifest.run))

    def save_stage(self, name: str, arrays: Mapping[str, np.ndarray], attributes: dict[str, Any] | None = None) -> None:
        """Keep a finished stage, or a checkpoint of one, in place of what was kept under this name.

        Args:
            name: letters, digits, dots, dashes and underscores.
            arrays: numbers of any shape, as `tree_to_arrays` gives them.
            attributes: anything that JSON can hold.
        """
        with self._writing(f"save the stage {name!r} of"), sealed_hdf5(self._paths.stage(name)) as file:
            file.attrs[RUN_ATTRIBUTE] = self._manifest.run
            write_stage(file, name, arrays, attributes or {})

    def load_stage(self, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """The arrays and attributes of a stage, or None where it was never saved."""
        with storage_errors(f"read the stage {name!r} of", self.path):
            return read_stage(self._paths, name, self._manifest.run)

    def save_group(self, name: OtherGroup, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep a group of the final file that does not grow with the draws.

        Args:
            name: a group of InferenceData.
            arrays: draws of the warm-up, each of shape (chain, draw, *shape), or data of any shape.
        """
        attributes = self._manifest.group_attributes()
        with self._writing(f"save the group {name!r} of"), sealed_hdf5(self._paths.group(name)) as file:
            file.attrs[RUN_ATTRIBUTE] = self._manifest.run
            write_group(file, name, arrays, attributes)

    def load_group(self, name: OtherGroup) -> dict[str, np.ndarray] | None:
        """The arrays of such a group, or None where it was never saved."""
        with storage_errors(f"read the group {name!r} of", self.path):
            return read_group(self._paths, name, self._manifest.run)

    def append(
        self,
        posterior: Draws,
        sample_stats: Draws,
        state: dict[str, np.ndarray],
        totals: Mapping[str, float] | None = None,
        moments: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Commit the next draws; they are acknowledged once this returns.

        Args:
            posterior: parameters, each of shape (chain, draw, *shape).
            sample_stats: statistics of the draws, each of shape (chain, draw, *shape).
            state: the sampler's state after the last of these draws.
            totals: numbers that add up over commits, such as `seconds` [s]; the chain's attribute `sampling_seconds`
                is their sum.
            moments: of all draws up to the last of these, each of shape (chain, *shape), by name.

        Raises:
            StoreError: the draws do not continue those before them, or could not be written; draws acknowledged
                earlier are safe. After a failure to write, open the store again to continue.
        """
        self.append_blocks([{POSTERIOR: posterior, SAMPLE_STATS: sample_stats}], state, totals or {}, moments or {})

    def append_blocks(
        self,
        blocks: Sequence[Block],
        state: dict[str, np.ndarray],
        totals: Mapping[str, float],
        moments: Mapping[str, np.ndarray],
    ) -> None:
        """Commit several blocks of consecutive draws at once, without joining them in memory.

        Args:
            blocks: the groups of draws by name: `posterior`, `sample_stats` and, for variables of which the last of
                every n draws is kept, `posterior_every_<n>`.
            state: as for `append`.
            totals: as for `append`.
            moments: as for `append`.

        Raises:
            StoreError: as for `append`.
        """
        if self._failed:
            raise StoreError(f"An earlier commit to {self.path} failed; open it again with mode 'resume'.")
        first = self.num_draws
        num_chains, num_draws = extent([block[SAMPLE_STATS] or block[POSTERIOR] for block in blocks])
        segment = self._paths.segment(first, first + num_draws)
        with self._busy, self._writing("commit draws to"):
            layouts = {name: layout_of(arrays, num_chains) for name, arrays in blocks[0].items()}
            _check_lengths(blocks, layouts, first)
            if self._layouts not in (None, layouts):
                raise StoreError(
                    f"The draws differ in names, shapes, dtypes or number of chains from those in {self.path}; "
                    "continue a run with the settings it was started with."
                )
            self._failed = True
            with sealed_hdf5(segment.path) as file:
                file.attrs[RUN_ATTRIBUTE] = self._manifest.run
                attributes = self._manifest.group_attributes()
                write_segment(file, segment, blocks, layouts, state, totals, moments, attributes)
            self._failed = False
            self._layouts = layouts
            self._segments.append(segment)
            self._compact(layouts)

    def undo(self, num_draws: int) -> None:
        """Go back to the draws before the last commit, which another process of the run did not come to make.

        Raises:
            StoreError: the last commit does not begin after so many draws.
        """
        if num_draws == self.num_draws:
            return
        if self._segments[-1].first != num_draws or self._segments[-1].path == self.path:
            raise StoreError(
                f"{self.path} holds {self.num_draws} draws, but the store of another process of this run holds "
                f"{num_draws}, and more than one commit lies between; restore both from one copy."
            )
        with self._writing("go back in"):
            remove(self._segments.pop().path)
            sync(self._paths.folder)

    def _compact(self, layouts: Mapping[str, DrawsLayout]) -> None:
        """Join the last segments but one where it is time to; the last stays, so that it can be undone, and so does the
        final file, the first of an extended run.
        """
        while True:
            pieces = [segment for segment in self._segments[:-1] if segment.path != self.path]
            sizes = [bytes_of_draws(layouts, segment.first, segment.stop) for segment in pieces]
            if not (count := tail_to_join(sizes)):
                return
            sources = self._segments[-count - 1 : -1]
            joined = self._paths.segment(sources[0].first, sources[-1].stop)
            try:
                merge_segments(self._paths, joined, sources, self._manifest)
            except (OSError, StoreError):  # what was committed is safe as it is; the next commit tries again
                self._failed = True
                remove(joined.path)
                sync(self._paths.folder)
                self._failed = False
                return
            self._segments[-count - 1 : -1] = [joined]
            for source in reversed(sources):
                remove(source.path)

    def _layouts_of_last(self) -> dict[str, DrawsLayout]:
        with self._paths.open(self._segments[-1].path) as file:
            return checked_layouts(file, self._segments[-1])

    def load_state(self) -> dict[str, np.ndarray] | None:
        """The sampler's state after the last acknowledged draw, or None before the first."""
        if not self._segments:
            return None
        with (
            storage_errors("read the sampler's state from", self._segments[-1].path),
            self._paths.open(self._segments[-1].path) as file,
        ):
            return read_arrays(group_at(file, STATE))

    def finish(self) -> None:
        """Merge everything into the final file and remove the segments; the store can still be extended."""
        if not self._paths.pieces():
            return
        with self._writing("write the final file"):
            merge_run(self._paths, self._segments, self._manifest)
            self._segments, _ = list_segments(self._paths)
            self.abandon()

    def abandon(self) -> None:
        """Remove all pieces of the run but the final file."""
        with self._writing("remove the pieces of"):
            for piece in self._paths.pieces():
                remove(piece)

    def read(self, *, parameters: Sequence[str] | None = None) -> Chain:
        """All acknowledged draws, of some parameters or of all."""
        return Chain.from_file(self.path, parameters=parameters)

    def close(self) -> None:
        """Let the next writer in; a store that was finished leaves nothing but its final file."""
        with self._busy:  # a commit in another thread still needs the lock
            if self._lock is not None:
                self._lock.release(with_folder=not self._paths.pieces())
                self._lock = None

    def __enter__(self) -> "ChainStore":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _write_manifest(self, manifest: Manifest) -> None:
        with drafted(self._paths.manifest) as draft:
            draft.write(manifest.to_json().encode())
        self._manifest = manifest

    @contextmanager
    def _writing(self, action: str) -> Iterator[None]:
        if self._lock is None:
            raise StoreError(f"The store of {self.path} is closed; open it again to write.")
        with storage_errors(action, self.path):
            yield


def _check_lengths(blocks: Sequence[Block], layouts: Mapping[str, DrawsLayout], first: int) -> None:
    """Refuse blocks that hold other variables than the first, or other draws than their groups shall hold."""
    for block in blocks:
        stop = first + extent([block[SAMPLE_STATS] or block[POSTERIOR]])[1]
        for name, layout in layouts.items():
            needed = (layout.num_chains, len(draw_numbers(name, first, stop)))
            if layout_of(block[name], layout.num_chains) != layout:
                raise StoreError(f"Two blocks of one commit differ in the variables of {name!r}; commit them apart.")
            for variable, array in block[name].items():
                if array.shape[:2] != needed:
                    raise StoreError(
                        f"The variable {variable!r} of {name!r} has {array.shape[:2]} chains and draws, but {needed} "
                        f"are needed for the draws [{first}, {stop}); give the same of each."
                    )
        first = stop
