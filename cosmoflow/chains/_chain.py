"""Draws in memory."""

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped

from .._results import Status, StoreError
from ._files import storage_errors
from ._labels import default_label
from ._layout import (
    OBSERVED_DATA,
    POSTERIOR,
    POSTERIOR_MOMENTS,
    SAMPLE_STATS,
    WARMUP_POSTERIOR,
    WARMUP_SAMPLE_STATS,
    dataset_at,
    draw_numbers,
    group_at,
    read_array,
    read_arrays,
)
from ._segments import (
    GapError,
    RunPaths,
    list_segments,
    open_segments,
    read_group,
    read_manifest,
    read_totals,
)

if TYPE_CHECKING:
    from getdist import MCSamples
    from xarray import DataTree

_PATIENCE = 10
"""How often a reader begins again when the files of a running chain are joined under its eyes."""


@dataclass(frozen=True)
class Chain:
    """The draws of a run.

    Attributes:
        posterior: the parameters in their own units, each of shape (chain, draw, *shape).
        sample_stats: statistics of each draw, each of shape (chain, draw, *shape); `lp` is the log-density.
        attributes: text about the run, such as `labels` (LaTeX by name, as JSON), and numbers such as
            `sampling_seconds` [s].
        status: how the run ended.
        observed_data: the data that were fitted, by name.
        moments: means and standard deviations over the draws of each chain, as `<name>_mean` and `<name>_sd`, each of
            shape (chain, *shape), of what a `Record` has averaged.

    Examples:
        >>> import cosmoflow as cf, numpy as np
        >>> rng = np.random.default_rng(0)
        >>> chain = cf.Chain({"Omega_m": rng.normal(0.3, 0.01, (4, 500)), "w": rng.normal(size=(4, 500, 2))})
        >>> chain.num_chains, chain.num_draws
        (4, 500)
        >>> list(chain.scalars(["Omega_m", "w"]))
        ['Omega_m', 'w[0]', 'w[1]']
    """

    posterior: dict[str, Shaped[np.ndarray, "chain draw ..."]]
    sample_stats: dict[str, Shaped[np.ndarray, "chain draw ..."]] = field(default_factory=dict)
    attributes: dict[str, str | float] = field(default_factory=dict)
    status: Status = Status.SUCCESSFUL
    observed_data: dict[str, np.ndarray] = field(default_factory=dict)
    moments: dict[str, Shaped[np.ndarray, "chain ..."]] = field(default_factory=dict)

    @property
    def num_chains(self) -> int:
        """Number of chains."""
        return next(iter((self.posterior or self.sample_stats).values())).shape[0]

    @property
    def num_draws(self) -> int:
        """Draws per chain."""
        return next(iter((self.posterior or self.sample_stats).values())).shape[1]

    @property
    def labels(self) -> dict[str, str]:
        """LaTeX of each parameter, without dollar signs."""
        given = json.loads(str(self.attributes.get("labels", "{}")))
        return {name: given.get(name, default_label(name)) for name in self.posterior}

    @property
    def bounds(self) -> dict[str, tuple[float | None, float | None]]:
        """Where the densities of priors end, None for infinity, of the parameters of which that is known."""
        given = json.loads(str(self.attributes.get("bounds", "{}")))
        return {name: (low, high) for name, (low, high) in given.items() if name in self.posterior}

    def label(self, scalar: str) -> str:
        """LaTeX of a parameter or of one entry of it, `x[0]`, on one line and without dollar signs."""
        head = scalar.split("[")[0]
        return " ".join((self.labels[head] + scalar[len(head) :]).split())

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
    def from_file(
        path: str | Path,
        *,
        group: str = POSTERIOR,
        parameters: Sequence[str] | None = None,
        max_size: int | None = None,
    ) -> "Chain":
        """Read a finished run, or what there is of a running or an interrupted one.

        Args:
            path: the final file of the run, whether it exists yet or not.
            group: which draws: `posterior`, `posterior_every_<n>` for variables of which every n-th draw was kept, or
                `warmup_posterior`.
            parameters: which ones to load; all of them if None.
            max_size: numbers per draw above which a variable, or a moment, is not loaded; no limit if None.

        Raises:
            StoreError: there are no such draws, draws are missing, or the file is damaged or refers to other files.
        """
        paths = RunPaths(Path(path))
        with storage_errors("read", paths.final):
            for _ in range(_PATIENCE):
                with suppress(FileNotFoundError, GapError):  # files were joined, or the run was finished, meanwhile
                    return _read(paths, group, parameters, max_size)
            return _read(paths, group, parameters, max_size)

    def to_getdist(self, parameters: Sequence[str] | None = None) -> "MCSamples":
        """The draws as GetDist samples, with labels, bounds of the prior, and without any thinning or burn-in.

        Args:
            parameters: which ones, as for `scalars`.

        Raises:
            ImportError: GetDist is not installed.
        """
        from .formats._getdist import to_getdist

        return to_getdist(self, parameters)

    def to_datatree(self) -> "DataTree":
        """The chain as InferenceData: a DataTree with the groups `posterior`, `sample_stats`, `observed_data` and
        `posterior_moments`.

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
        from ._save import save

        save(self, Path(path), overwrite=overwrite)


def _read(paths: RunPaths, group: str, parameters: Sequence[str] | None, max_size: int | None) -> Chain:
    manifest = read_manifest(paths)
    observed = read_group(paths, OBSERVED_DATA, manifest.run) or {}
    if group == WARMUP_POSTERIOR:
        draws, stats = (read_group(paths, name, manifest.run) for name in (WARMUP_POSTERIOR, WARMUP_SAMPLE_STATS))
        if draws is None or stats is None:
            raise StoreError(f"{paths.final} holds no warm-up; there is none before the warm-up has ended.")
        chosen = {name: array for name, array in draws.items() if parameters is None or name in parameters}
        return Chain(chosen, stats, dict(manifest.attributes), observed_data=observed)

    segments, _ = list_segments(paths)
    if not segments:
        raise StoreError(f"{paths.final} holds no draws yet; wait for the first commit, or resume the run.")
    names = [POSTERIOR, SAMPLE_STATS] if group == POSTERIOR else [group]
    groups: dict[str, dict[str, np.ndarray]] = {name: {} for name in names}
    totals: dict[str, float] = {}
    moments: dict[str, np.ndarray] = {}
    for segment, file, layouts in open_segments(paths, segments, manifest.run):
        for name in names:
            if name not in layouts:
                raise StoreError(f"{paths.final} has no draws in a group {name!r}; it has {', '.join(layouts)}.")
            place = len(draw_numbers(name, 0, segment.first))
            num_draws = len(draw_numbers(name, 0, segments[-1].stop))
            for variable, (shape, dtype) in layouts[name].variables.items():
                unwanted = parameters is not None and variable not in parameters
                if name == group and (unwanted or (max_size is not None and math.prod(shape) > max_size)):
                    continue
                if variable not in groups[name]:
                    groups[name][variable] = np.empty((layouts[name].num_chains, num_draws, *shape), dtype)
                draws = read_array(dataset_at(group_at(file, name), variable))
                groups[name][variable][:, place : place + draws.shape[1]] = draws
        for name, number in read_totals(file).items():
            totals[name] = totals.get(name, 0.0) + number
        if segment == segments[-1] and POSTERIOR_MOMENTS in file:
            moments = read_arrays(group_at(file, POSTERIOR_MOMENTS), max_size=max_size)
    unfinished = Status.SUCCESSFUL if segments[-1].path == paths.final else Status.STOPPED
    status = Status.__members__.get(manifest.attributes.get("status", ""), unfinished)
    return Chain(groups[group], groups.get(SAMPLE_STATS, {}), manifest.attributes | totals, status, observed, moments)
