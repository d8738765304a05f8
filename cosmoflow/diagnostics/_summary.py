"""A run on one page."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from .._results import Status
from ..chains import Chain
from ._convergence import Convergence, convergence
from ._cost import Cost, cost
from ._evidence import TemperedEvidence, stepping_stone
from ._monitor import MAX_SCALARS
from ._rates import rates
from ._symptom import frozen_chains
from ._table import table

_QUANTILES = (0.05, 0.16, 0.5, 0.84, 0.95)
_COUNTS = {
    "diverging": "divergences",
    "num_violations": "bound violations",
    "num_cliffs": "cliffs",
    "num_stuck": "stuck draws",
    "non_finite": "non-finite densities",
}
_STATISTICS = ("lp", "squared_norm", "energy")
MAX_RHAT = 1.01
MIN_ESS = 400


@dataclass(frozen=True)
class Row:
    """One scalar: its distribution, in its own units, and how well that is known."""

    name: str
    mean: float
    sd: float
    q05: float
    q16: float
    q50: float
    q84: float
    q95: float
    convergence: Convergence

    @property
    def converged(self) -> bool:
        """Whether R-hat is below 1.01 and the bulk and tail effective sample sizes are above 400."""
        good = self.convergence
        return good.rhat < MAX_RHAT and min(good.ess_bulk, good.ess_tail) > MIN_ESS


@dataclass(frozen=True)
class Summary:
    """What a chain says and whether to believe it.

    Attributes:
        parameters: one row per scalar parameter.
        statistics: the rows of the log-density, of the squared norm of the sampler's coordinates and, where there is
            one, of the energy: a sampler can mix in every coordinate and not in these.
        cost: what the draws cost.
        counts: draws that went wrong, by kind.
        rates: events, refreshments and bounds per draw, and shares of what was rejected, where the sampler counts them.
        frozen: numbers, from zero, of chains that hardly moved.
        status: how the run ended.
        num_chains: number of chains.
        num_draws: draws per chain.
        tempered: the evidence and the round trips of parallel tempering, None of other runs.
    """

    parameters: tuple[Row, ...]
    statistics: tuple[Row, ...]
    cost: Cost
    counts: dict[str, int]
    rates: dict[str, float]
    frozen: tuple[int, ...]
    status: Status
    num_chains: int
    num_draws: int
    tempered: TemperedEvidence | None = None

    @property
    def ess(self) -> float:
        """The smallest bulk effective sample size of the parameters."""
        return min((row.convergence.ess_bulk for row in self.parameters), default=math.nan)

    @property
    def ess_per_1000_gradients(self) -> float:
        """Effective draws per 1000 gradients of sampling; NaN where the cost is not known."""
        return 1000 * self.ess / self.cost.sampling if self.cost.sampling else math.nan

    @property
    def ess_per_1000_gradients_in_all(self) -> float:
        """Effective draws per 1000 gradients of sampling and warm-up; NaN where the cost is not known."""
        return 1000 * self.ess / self.cost.total if self.cost.total else math.nan

    @property
    def ess_per_second(self) -> float:
        """Effective draws per second of sampling [1/s]; NaN where the time is not known."""
        return self.ess / self.cost.seconds if self.cost.seconds else math.nan

    @property
    def not_converged(self) -> tuple[str, ...]:
        """Names of the scalars with R-hat above 1.01 or fewer than 400 effective draws."""
        return tuple(row.name for row in self.parameters + self.statistics if not row.converged)

    def to_dict(self) -> dict[str, Any]:
        """Everything as numbers, strings, lists and dictionaries."""
        rows = {row.name: {**asdict(row), **asdict(row.convergence)} for row in self.parameters + self.statistics}
        for row in rows.values():
            del row["name"], row["convergence"]
        names = [row.name for row in self.parameters]
        return {
            "status": self.status.name,
            "num_chains": self.num_chains,
            "num_draws": self.num_draws,
            "parameters": {name: rows[name] for name in names},
            "statistics": {name: row for name, row in rows.items() if name not in names},
            "not_converged": list(self.not_converged),
            "counts": dict(self.counts),
            "rates": dict(self.rates),
            "frozen": list(self.frozen),
            "cost": {**asdict(self.cost), "sampling": self.cost.sampling, "total": self.cost.total},
            "tempered": None if self.tempered is None else asdict(self.tempered),
            "ess": self.ess,
            "ess_per_1000_gradients": self.ess_per_1000_gradients,
            "ess_per_1000_gradients_in_all": self.ess_per_1000_gradients_in_all,
            "ess_per_second": self.ess_per_second,
        }

    def __str__(self) -> str:
        lines = [f"{self.num_chains} chains of {self.num_draws} draws. {self.status.value}", ""]
        lines += table(self.parameters, self.statistics)
        lines += ["", f"Smallest bulk ESS {self.ess:.0f}{self._speeds()}"] if self.parameters else [""]
        lines += [f"Cost {self.cost}"] if self.cost.sampling else []
        lines += [", ".join(f"{rate:.3g} {kind}" for kind, rate in self.rates.items())] if self.rates else []
        lines += [", ".join(f"{count} {kind}" for kind, count in self.counts.items())] if self.counts else []
        lines += [] if self.tempered is None else [str(self.tempered)]
        lines += [f"HARDLY MOVED: chain {', '.join(map(str, self.frozen))}"] if self.frozen else []
        if self.not_converged:
            shown = ", ".join(self.not_converged[:8]) + ", ..." * (len(self.not_converged) > 8)
            lines += [f"NOT CONVERGED (R-hat above {MAX_RHAT} or ESS below {MIN_ESS}): {shown}"]
        return "\n".join(lines)

    def _speeds(self) -> str:
        speeds = {
            "per 1000 gradients": self.ess_per_1000_gradients,
            "with those of the warm-up": self.ess_per_1000_gradients_in_all,
            "per second": self.ess_per_second,
        }
        return "".join(f", {speed:.3g} {unit}" for unit, speed in speeds.items() if not math.isnan(speed))


def summarize(chain: Chain, parameters: Sequence[str] | None = None) -> Summary:
    """Means, intervals, convergence and cost of a chain.

    Args:
        chain: the draws.
        parameters: which parameters, by name (`x` for all of a vector, `x[1]` for one entry); all of them if None.

    Raises:
        ValueError: the chain has no such parameter.

    Examples:
        >>> import cosmoflow as cf, numpy as np
        >>> rng = np.random.default_rng(0)
        >>> summary = cf.summarize(cf.Chain({"Omega_m": rng.normal(0.3, 0.01, (4, 1000))}))
        >>> row = summary.parameters[0]
        >>> round(row.mean, 2), round(row.sd, 2), row.converged
        (0.3, 0.01, True)
        >>> summary.not_converged
        ()
    """
    statistics = {name: chain.sample_stats[name] for name in _STATISTICS if name in chain.sample_stats}
    scalars = chain.scalars(parameters)
    return Summary(
        parameters=tuple(_row(name, draws) for name, draws in scalars.items()),
        statistics=tuple(_row(name, draws) for name, draws in statistics.items()),
        cost=cost(chain),
        counts={
            kind: int(chain.sample_stats[name].sum()) for name, kind in _COUNTS.items() if name in chain.sample_stats
        },
        rates=rates(chain),
        frozen=_frozen([*statistics.values(), *scalars.values()][:MAX_SCALARS]),
        status=chain.status,
        num_chains=chain.num_chains,
        num_draws=chain.num_draws,
        tempered=stepping_stone(chain),
    )


def _frozen(scalars: Sequence[Shaped[np.ndarray, "chain draw"]]) -> tuple[int, ...]:
    return tuple(frozen_chains(np.stack(scalars, axis=2).astype(float))) if scalars else ()


def _row(name: str, draws: Shaped[np.ndarray, "chain draw"]) -> Row:
    draws = draws.astype(float)
    with np.errstate(invalid="ignore"):
        q05, q16, q50, q84, q95 = (float(quantile) for quantile in np.quantile(draws, _QUANTILES))
        mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    return Row(name, mean, sd, q05, q16, q50, q84, q95, convergence(draws))
