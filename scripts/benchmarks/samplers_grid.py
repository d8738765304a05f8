"""The cells of the sampler benchmark: which are planned, which have been run, which targets a sampler is tried on."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cells import ROOT

FOLDER = ROOT / "docs" / "benchmarks" / "samplers"

CORE_TARGETS = ("gaussian_rotated", "banana", "funnel", "demo")
MORE_TARGETS = (
    "two_modes",
    "funnel_permuted",
    "gaussian_aligned",
    "normal_10",
    "normal_100",
    "normal_1000",
    "field_16",
    "field_32",
    "eight_schools",
    "eight_schools_centred",
    "logistic",
    "stochastic_volatility",
    "item_response",
    "cox_process",
    "two_point",
)
TARGETS = CORE_TARGETS + MORE_TARGETS

PROCESSES = ("zig_zag", "bouncy_particle", "forward_event_chain", "boomerang")
EXACT = (*PROCESSES, "coordinate_sampler")
KERNELS = ("hybrid_splitting", "langevin", "mclmc", "adjusted_mclmc", "malt", "ghmc", "nuts")
COORDINATES = ("plain", "white")
GRIDS = (10, 2)
"""Nodes of pdmp-jax's bound: its default, and the one that was found to be the best."""

OURS = ("auto", *EXACT, *KERNELS)
CORE_RIVALS = ("blackjax_nuts_dense", "blackjax_mclmc_low_rank")
RIVALS = (
    *CORE_RIVALS,
    "blackjax_nuts",
    "blackjax_mclmc",
    "blackjax_adjusted_mclmc",
    "blackjax_meads",
    "numpyro_nuts",
    "emcee",
)
DUELS_OURS = tuple(f"{process}_{coordinates}" for process in PROCESSES for coordinates in COORDINATES)
DUELS_RIVALS = tuple(
    f"pdmp_jax_{process}_{coordinates}_{grid}" for process in PROCESSES for coordinates in COORDINATES for grid in GRIDS
)
"""Exact processes of both packages without a warm-up: as they are, and in coordinates whitened by the same map."""

DUEL_TARGETS = (*CORE_TARGETS, "two_modes", "normal_10", "eight_schools", "logistic", "two_point")
HIGH_DIMENSIONAL = ("normal_1000", "field_16", "field_32")

SEEDS = {"core": 3, "full": 4}


class Cell(NamedTuple):
    """One run of one sampler on one target."""

    target: str
    sampler: str
    seed: int


def applies(target: str, sampler: str) -> bool:
    """Whether a sampler is tried on a target."""
    if "forward_event_chain" in sampler and sampler.startswith("pdmp_jax") and target == "banana":
        return False  # it refuses two dimensions
    if "boomerang_plain" in sampler and target != "normal_10":
        return False  # its reference is N(0, I)
    if sampler in DUELS_OURS + DUELS_RIVALS:
        return target in DUEL_TARGETS
    return not (sampler == "emcee" and target in HIGH_DIMENSIONAL)


def planned(grid: str) -> list[Cell]:
    """All cells of a grid, the most telling samplers first; the full grid holds what the core one does not."""
    first = ("auto", *CORE_RIVALS, *DUELS_OURS, *DUELS_RIVALS)
    core = [Cell(*cell) for cell in _product(first, CORE_TARGETS, range(SEEDS["core"]))]
    if grid == "core":
        return core
    everything = _product((*OURS, *RIVALS, *DUELS_OURS, *DUELS_RIVALS), TARGETS, range(SEEDS["full"]))
    return [Cell(*cell) for cell in everything if Cell(*cell) not in set(core)]


def _product(samplers: Iterable[str], targets: Iterable[str], seeds: range) -> Iterator[tuple[str, str, int]]:
    yield from ((t, s, seed) for s in samplers for t in targets if applies(t, s) for seed in seeds)
