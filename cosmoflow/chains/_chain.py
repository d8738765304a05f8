"""Draws in memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped

from .._results import Status, StoreError
from ._files import storage_errors
from ._labels import default_label
from ._layout import POSTERIOR, SAMPLE_STATS, dataset_at, group_at, layout_of, read_array
from ._segments import RunPaths, list_segments, open_segments, read_manifest, read_totals

if TYPE_CHECKING:
    from getdist import MCSamples
    from xarray import DataTree

_BLOCK_BYTES = 2**26


@dataclass(frozen=True)
class Chain:
    """The draws of a run.

    Attributes:
        posterior: the parameters in their own units, each of shape (chain, draw, *shape).
        sample_stats: statistics of each draw, each of shape (chain, draw, *shape); `lp` is the log-density.
        attributes: text about the run, such as `labels` (LaTeX by name, as JSON), and numbers such as
            `sampling_seconds` [s].
        status: how the run ended.
    """

    posterior: dict[str, Shaped[np.ndarray, "chain draw ..."]]
    sample_stats: dict[str, Shaped[np.ndarray, "chain draw ..."]] = field(default_factory=dict)
    attributes: dict[str, str | float] = field(default_factory=dict)
    status: Status = Status.SUCCESSFUL

    @property
    def num_chains(self) -> int:
        """Number of chains."""
        return next(iter(self.posterior.values())).shape[0]

    @property
    def num_draws(self) -> int:
        """Draws per chain."""
        return next(iter(self.posterior.values())).shape[1]

    @property
    def labels(self) -> dict[str, str]:
        """LaTeX of each parameter, without dollar signs."""
        given = json.loads(str(self.attributes.get("labels", "{}")))
        return {name: given.get(name, default_label(name)) for name in self.posterior}

    def scalars(self, parameters: Sequence[str] | None = None) -> dict[str, Shaped[np.ndarray, "chain draw"]]:
        """The parameters one number at a time: a vector `x` becomes `x[0]`, `x[1]`, ..., a matrix `x[0,0]`, ...

        Args:
            parameters: which ones, by name (`x` for all of a vector, `x[1]` for one entry) and in this order.

        Raises:
            ValueError: the chain has no such parameter.
        """
        every = {
            name: {
                name + (f"[{','.join(map(str, index))}]" if index else ""): draws[(..., *index)]
                for index in np.ndindex(draws.shape[2:])
            }
            for name, draws in self.posterior.items()
            if parameters is None or any(asked.split("[")[0] == name for asked in parameters)
        }
        chosen = {}
        for asked in every if parameters is None else parameters:
            entries = every.get(asked.split("[")[0], {})
            if asked not in every and asked not in entries:
                raise ValueError(f"The chain has no parameter {asked!r}; it has {', '.join(self.posterior)}.")
            chosen |= entries if asked in every else {asked: entries[asked]}
        return chosen

    @staticmethod
    def from_file(path: str | Path) -> "Chain":
        """Read a finished run, or what there is of a running or an interrupted one.

        Args:
            path: the final file of the run, whether it exists yet or not.

        Raises:
            StoreError: there are no draws, draws are missing, or the file is damaged or refers to other files.
        """
        paths = RunPaths(Path(path))
        with storage_errors("read", paths.final):
            try:
                return _read(paths)
            except FileNotFoundError:
                return _read(paths)  # the run was finished, and its segments removed, meanwhile

    def to_getdist(self, parameters: Sequence[str] | None = None) -> "MCSamples":
        """The draws as GetDist samples, with labels and without any thinning or burn-in.

        Args:
            parameters: which ones, as for `scalars`.

        Raises:
            ImportError: GetDist is not installed.
        """
        from .formats._getdist import to_getdist

        return to_getdist(self, parameters)

    def to_datatree(self) -> "DataTree":
        """The draws as InferenceData: an xarray.DataTree with the groups `posterior` and `sample_stats`.

        ArviZ 1 takes it as it is, ArviZ 0.23 through `arviz.InferenceData.from_datatree`.

        Raises:
            ImportError: xarray is not installed.
        """
        from .formats._netcdf import to_datatree

        return to_datatree(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the chain as the finished file of a run.

        Args:
            path: the file.
            overwrite: whether a chain that is there may be replaced.

        Raises:
            StoreError: something is there already, or the chain cannot be stored.
        """
        from ._store import ChainStore

        totals, text = {}, {"status": self.status.name}
        for name, value in self.attributes.items():
            if name.startswith("sampling_") and not isinstance(value, str):
                totals[name.removeprefix("sampling_")] = float(value)
            elif name != "status":
                text[name] = str(value)
        arrays = [*self.posterior.values(), *self.sample_stats.values()]
        for group in (self.posterior, self.sample_stats):
            layout_of(group, self.num_chains)
        block = max(_BLOCK_BYTES * self.num_draws // max(sum(array.nbytes for array in arrays), 1), 1)
        with ChainStore(path, mode="overwrite" if overwrite else "create") as store:
            store.annotate(text)
            for first in range(0, self.num_draws, block):
                posterior, sample_stats = (
                    {name: array[:, first : first + block] for name, array in group.items()}
                    for group in (self.posterior, self.sample_stats)
                )
                store.append(posterior, sample_stats, {}, totals if first == 0 else {})
            store.finish()


def _read(paths: RunPaths) -> Chain:
    manifest = read_manifest(paths)
    segments = list_segments(paths)
    if not segments:
        raise StoreError(f"{paths.final} holds no draws yet; wait for the first commit, or resume the run.")
    groups: dict[str, dict[str, np.ndarray]] = {POSTERIOR: {}, SAMPLE_STATS: {}}
    totals: dict[str, float] = {}
    for segment, file, layouts in open_segments(segments):
        for name, layout in layouts.items():
            group = group_at(file, name)
            for variable, (shape, dtype) in layout.variables.items():
                if segment is segments[0]:
                    full = (layout.num_chains, segments[-1].stop, *shape)
                    groups[name][variable] = np.empty(full, dtype)
                draws = read_array(dataset_at(group, variable))
                groups[name][variable][:, segment.first : segment.stop] = draws
        for name, number in read_totals(file).items():
            totals[name] = totals.get(name, 0.0) + number
    unfinished = Status.SUCCESSFUL if segments[-1].path == paths.final else Status.STOPPED
    status = Status.__members__.get(manifest.attributes.get("status", ""), unfinished)
    return Chain(groups[POSTERIOR], groups[SAMPLE_STATS], manifest.attributes | totals, status)
