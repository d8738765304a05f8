"""How long a momentum should persist, from the spread of the draws."""

from itertools import permutations

import numpy as np
from jaxtyping import Array, Float

from ._base import scaled

MOST_DRAWS = 100
"""Draws of a chain that are looked at, evenly thinned."""

SPLITTINGS = [order for order in permutations(range(4)) if order[0] == 0 and order[2] < order[3]]
"""Two pairs out of four chains."""


def longest_scale(positions: Float[np.ndarray, "chain draw dim"]) -> float | None:
    """The standard deviation along the longest axes of a cloud of draws, sqrt(tr C^2 / tr C) of its covariance C.

    Both traces are estimated without bias from four independent chains, however few and correlated the draws of each
    are and in any dimension: differences of two chains need no mean, and tr C^2 is read off the products of those of
    one pair of chains and of another. Fewer chains are cut into pieces that stand for chains, pairs being of one chain:
    others would share what a chain remembers, which in many dimensions outweighs all else.

    Returns:
        The scale, one where the draws come from N(0, I); None where they do not move or are too few.

    References:
        Hoffman & Sountsov 2022, PMLR 151, 7799.
    """
    num_chains, num_draws, dim = positions.shape
    pieces = -(-4 // num_chains)
    length = num_draws // pieces
    if length == 0:
        return None
    chains = positions[:, : pieces * length].astype(float).reshape(pieces * num_chains, length, dim)
    chains = chains[:, :: -(-length // MOST_DRAWS)]
    square, trace = 0.0, 0.0
    for start in range(0, len(chains) - 3, 4):
        for a, b, c, d in SPLITTINGS if pieces == 1 else SPLITTINGS[:1]:
            one, other = chains[start + a] - chains[start + b], chains[start + c] - chains[start + d]
            square += float(np.mean((one @ other.T) ** 2)) / 4
            trace += float(np.mean(np.sum(one**2 + other**2, axis=1))) / 4
    scale = np.sqrt(square / trace) if trace > 0 else 0.0
    return float(scale) if 0 < scale < np.inf else None


def redirected(
    decoherence: Float[Array, ""],
    positions: Float[np.ndarray, "chain draw dim"],
    path: float,
    gain: float,
    persistence: float = 1.0,
) -> Float[Array, ""]:
    """A decoherence moved towards the longest scale of the last window's draws, times a persistence.

    It stays between a tenth of the path between draws, within which momenta are forgotten in any case, and a thousand
    such paths, more than the windows of a warm-up have.
    """
    scale = longest_scale(positions)
    if scale is None:
        return decoherence
    aim = float(np.clip(persistence * scale, 0.1 * path, 1000 * path))
    return scaled(decoherence, min(gain, 1.0) * float(np.clip(np.log(aim / float(decoherence)), -1, 1)))
