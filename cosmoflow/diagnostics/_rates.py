"""How a sampler spent its draws: events, refreshments, and work that led to none."""

from ..chains import Chain

_PER_DRAW = {"num_events": "events", "num_refreshments": "refreshments", "num_bounds": "bounds"}


def rates(chain: Chain) -> dict[str, float]:
    """What a sampler's counts say of its work, where it has them.

    Args:
        chain: counts are read from `num_events`, `num_refreshments`, `num_bounds`, `num_candidates` and
            `acceptance_rate`.

    Returns:
        Events, refreshments and bounds per draw, the share of candidate events that were rejected, the acceptance rate.
    """
    stats = chain.sample_stats
    found = {f"{kind} per draw": float(stats[name].mean()) for name, kind in _PER_DRAW.items() if name in stats}
    if "num_candidates" in stats and "num_events" in stats and stats["num_candidates"].sum() > 0:
        found["rejected candidates"] = 1 - float(stats["num_events"].sum() / stats["num_candidates"].sum())
    if "acceptance_rate" in stats:
        found["acceptance rate"] = float(stats["acceptance_rate"].mean())
    return found
