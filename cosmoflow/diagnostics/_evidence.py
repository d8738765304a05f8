"""The evidence of a tempered chain."""

from dataclasses import dataclass

import numpy as np

from ..chains import Chain
from ._convergence import convergence

_BRIDGE = ("log_bridge_hot", "log_bridge_cold", "swap_rejection", "round_trips")


@dataclass(frozen=True)
class TemperedEvidence:
    """What a tempered chain knows beside its draws.

    Attributes:
        log_evidence: log of the integral of the target, for a posterior the log-evidence.
        log_evidence_error: its Monte Carlo standard error.
        barrier: the communication barrier, the rejection probabilities of all swaps added up; about two rungs per unit
            of it are best.
        num_rungs: temperatures, the reference and the target included.
        round_trips: how often a point of the reference reached the target, over all chains.
    """

    log_evidence: float
    log_evidence_error: float
    barrier: float
    num_rungs: int
    round_trips: int

    def __str__(self) -> str:
        return (
            f"log evidence {self.log_evidence:.4f} +- {self.log_evidence_error:.4f} by stepping stones, "
            f"{self.round_trips} round trips over {self.num_rungs} rungs with a barrier of {self.barrier:.1f}"
        )


def stepping_stone(chain: Chain) -> TemperedEvidence | None:
    """The evidence from a run of `ParallelTempering`, or None of any other run.

    The ratio of two neighbours' normalisations is a bridge, taken at all draws of both:

        Z' / Z = E_b[L^((b' - b) / 2)] / E_b'[L^(-(b' - b) / 2)]

    The error is that of the sum of all linearised ratios, with its autocorrelation.

    Args:
        chain: the draws.

    References:
        Xie et al. 2011, doi:10.1093/sysbio/syq085; Meng and Wong 1996, Statistica Sinica 6, 831.
    """
    stats = chain.sample_stats
    if not all(name in stats for name in _BRIDGE):
        return None
    log_evidence, influence = 0.0, np.zeros((chain.num_chains, chain.num_draws))
    for name, sign in (("log_bridge_hot", 1), ("log_bridge_cold", -1)):
        values = stats[name].astype(float)
        largest = np.max(values, axis=(0, 1))
        scaled = np.exp(values - largest)
        mean = np.mean(scaled, axis=(0, 1))
        log_evidence += sign * float(np.sum(np.log(mean) + largest))
        influence += sign * np.sum(scaled / mean, axis=2)
    rejection = np.mean(stats["swap_rejection"], axis=(0, 1), dtype=float)
    return TemperedEvidence(
        log_evidence,
        convergence(influence).mcse_mean,
        barrier=float(np.sum(rejection)),
        num_rungs=len(rejection) + 1,
        round_trips=int(np.sum(stats["round_trips"])),
    )
