"""How well the modes of a field are sampled, how much the data say of them, and whether that is right."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from ..chains import Chain
from ..fields import Grid, WavenumberBins
from ._convergence import convergence

_EDGES = "wavenumber_edges"
_COLUMNS = ("k", "modes", "ESS median", "worst", "R-hat median", "worst", "coherence", "transfer", "in 1 sd", "<z^2>")


@dataclass(frozen=True)
class FieldBin:
    """The modes of one bin of |k|; what is not known is NaN.

    Attributes:
        wavenumber: mean |k|.
        num_modes: modes in the bin.
        ess_median: bulk effective sample size, the median of the modes that were kept.
        ess_worst: the smallest of theirs.
        rhat_median: R-hat, the median of the modes that were kept.
        rhat_worst: the largest of theirs.
        power: mean power of the field in linear theory.
        power_sd: its standard deviation over the draws.
        power_predicted: mean power of the prediction.
        power_predicted_sd: its standard deviation over the draws.
        coherence: mean coherence of draws with the truth.
        coherence_sd: its standard deviation over the draws.
        transfer: mean of sqrt(power of a draw / power of the truth), of the white noise.
        transfer_sd: its standard deviation over the draws.
        coverage: share of all modes whose truth is within one posterior standard deviation of their mean; 0.683 where
            the posterior is right and normal.
        z_squared: mean over all modes of ((truth - mean) / sd)^2; one where the posterior is right.
    """

    wavenumber: float
    num_modes: int
    ess_median: float
    ess_worst: float
    rhat_median: float
    rhat_worst: float
    power: float
    power_sd: float
    power_predicted: float
    power_predicted_sd: float
    coherence: float
    coherence_sd: float
    transfer: float
    transfer_sd: float
    coverage: float
    z_squared: float


@dataclass(frozen=True)
class FieldsSummary:
    """What a chain says of its field, bin by bin.

    Attributes:
        bins: in the order of |k|.
        energy_variance: mean square of the change of energy in a step, per cell, of microcanonical Langevin dynamics:
            the bias of variances is of this order; NaN of other samplers.
        equipartition: its mean of x . grad U per dimension, which is one where the draws are right; NaN of others.
        num_chains: number of chains.
        num_draws: draws per chain.
    """

    bins: tuple[FieldBin, ...]
    energy_variance: float
    equipartition: float
    num_chains: int
    num_draws: int

    @property
    def ess(self) -> float:
        """The smallest effective sample size of a mode."""
        return min(row.ess_worst for row in self.bins)

    @property
    def rhat(self) -> float:
        """The largest R-hat of a mode."""
        return max(row.rhat_worst for row in self.bins)

    def to_dict(self) -> dict[str, Any]:
        """Everything as numbers, lists and dictionaries."""
        return {**asdict(self), "bins": [asdict(row) for row in self.bins], "ess": self.ess, "rhat": self.rhat}

    def __str__(self) -> str:
        cells = [_COLUMNS, *map(_cells, self.bins)]
        shown = [column for column in range(len(_COLUMNS)) if any(row[column] for row in cells[1:])]
        widths = [max(len(row[column]) for row in cells) for column in range(len(_COLUMNS))]
        lines = [f"A field in {len(self.bins)} bins of |k|: {self.num_chains} chains of {self.num_draws} draws", ""]
        lines += ["  ".join(row[column].rjust(widths[column]) for column in shown) for row in cells]
        lines += ["", f"Smallest ESS of a mode {self.ess:.0f}, largest R-hat {self.rhat:.3f}"]
        if not math.isnan(self.energy_variance):
            lines += [
                f"Energy error per step: variance {self.energy_variance:.2g} per cell; "
                f"equipartition {self.equipartition:.3f}"
            ]
        return "\n".join(lines)


def summarize_fields(chain: Chain) -> FieldsSummary:
    """Convergence, spectra, and agreement with the truth of the modes of a field.

    Args:
        chain: of a `FieldLevel` likelihood, with what it derives kept of each draw; coverage needs what it averages.

    Raises:
        ValueError: the chain is not that of a field, or lacks the modes.
    """
    field = observed_field(chain)
    if "modes" not in chain.posterior:
        raise ValueError("The chain holds no modes of a field; keep what the likelihood derives, Record(derived=...).")
    bins = WavenumberBins(Grid(field["data"].shape, tuple(map(float, field["box_size"]))), field[_EDGES])
    found = [[convergence(draws) for draws in np.moveaxis(modes, -1, 0)] for modes in _by_bin(chain.posterior["modes"])]
    ess = np.array([[one.ess_bulk for one in row] for row in found])
    rhat = np.array([[one.rhat for one in row] for row in found])
    columns = {
        "wavenumber": field["wavenumber"],
        "num_modes": bins.num_modes,
        "ess_median": np.median(ess, axis=1),
        "ess_worst": ess.min(axis=1),
        "rhat_median": np.median(rhat, axis=1),
        "rhat_worst": rhat.max(axis=1),
    }
    unknown = np.full(len(bins), np.nan)
    for name in ("power", "power_predicted", "coherence", "transfer"):
        draws = chain.posterior.get(name)
        columns[name] = unknown if draws is None else draws.mean(axis=(0, 1), dtype=float)
        columns[f"{name}_sd"] = unknown if draws is None else draws.std(axis=(0, 1), dtype=float)
    columns["coverage"] = columns["z_squared"] = unknown
    if "truth_modes" in field and "modes_mean" in chain.moments:
        columns["coverage"], columns["z_squared"] = _coverage(chain, field["truth_modes"], bins)
    lists = {name: column.tolist() for name, column in columns.items()}
    return FieldsSummary(
        bins=tuple(FieldBin(**dict(zip(lists, row, strict=True))) for row in zip(*lists.values(), strict=True)),
        energy_variance=_mean(chain, "energy_change", 2) / field["data"].size,
        equipartition=_mean(chain, "equipartition", 1),
        num_chains=chain.num_chains,
        num_draws=chain.num_draws,
    )


def is_field(chain: Chain) -> bool:
    """Whether a chain is that of a field."""
    return any(name.endswith(_EDGES) for name in chain.observed_data)


def observed_field(chain: Chain) -> dict[str, np.ndarray]:
    """What the file of a chain tells of its field: `data`, perhaps `mask`, and what `FieldSummary.known` has.

    Raises:
        ValueError: the chain is not that of a field.
    """
    for name in chain.observed_data:
        if name.endswith(_EDGES):
            prefix = name.removesuffix(_EDGES)  # that of the likelihood among several
            known = {key.removeprefix(prefix): a for key, a in chain.observed_data.items() if key.startswith(prefix)}
            return known | {"data": chain.observed_data[prefix[:-1] or "data"]}
    raise ValueError("The chain holds no observed field; it is not that of a field, or its data were not saved.")


def pooled_moments(chain: Chain, name: str) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """The mean and the standard deviation over all draws of all chains of what a `Record` has averaged.

    Raises:
        ValueError: nothing was averaged under this name.
    """
    if f"{name}_mean" not in chain.moments:
        raise ValueError(f"The chain has no moments of {name!r}; have it averaged, Record(averaged=...).")
    means, sds = (chain.moments[f"{name}_{kind}"].astype(float) for kind in ("mean", "sd"))
    mean, (num_chains, num_draws) = means.mean(axis=0), (chain.num_chains, chain.num_draws)
    squares = (num_draws - 1) * (sds**2).sum(axis=0) + num_draws * ((means - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(squares / max(num_chains * num_draws - 1, 1))


def _by_bin(draws: Shaped[np.ndarray, "chain draw bin mode"]) -> Shaped[np.ndarray, "bin chain draw mode"]:
    return np.moveaxis(draws, 2, 0)


def _coverage(chain: Chain, truth: Float[np.ndarray, "*grid"], bins: WavenumberBins) -> list[np.ndarray]:
    """In each bin, the share of modes within one standard deviation of the truth, and the mean of z^2."""
    mean, sd = pooled_moments(chain, "modes")
    index = bins.index_of_latents
    inside = (index >= 0) & (index < len(bins))
    z_squared = ((truth[inside] - mean[inside]) / sd[inside]) ** 2
    return [np.bincount(index[inside], w, len(bins)) / bins.num_modes for w in ((z_squared < 1) * 1.0, z_squared)]


def _mean(chain: Chain, name: str, power: int) -> float:
    values = chain.sample_stats.get(name)
    return math.nan if values is None else float(np.mean(values.astype(float) ** power))


def _cells(row: FieldBin) -> tuple[str, ...]:
    def known(text: str, value: float) -> str:
        return "" if math.isnan(value) else text

    return (
        f"{row.wavenumber:.4g}",
        f"{row.num_modes}",
        f"{row.ess_median:.0f}",
        f"{row.ess_worst:.0f}",
        f"{row.rhat_median:.3f}",
        f"{row.rhat_worst:.3f}",
        known(f"{row.coherence:.3f} ± {row.coherence_sd:.3f}", row.coherence),
        known(f"{row.transfer:.3f} ± {row.transfer_sd:.3f}", row.transfer),
        known(f"{row.coverage:.3f}", row.coverage),
        known(f"{row.z_squared:.3f}", row.z_squared),
    )
