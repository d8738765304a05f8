"""Whether Hamiltonian flows reach a quality at a lower cost than diffusions, with intervals from resampled seeds."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from cells import Record
from generative_grid import DIFFUSIONS, Cell
from generative_models import LENGTHS

Records = Mapping[Cell, Record]
RESAMPLINGS = 1000
INTERVAL = (2.5, 97.5)

COSTS: dict[str, Callable[[Record], float]] = {
    "evaluations": lambda point: point["evaluations"],
    "sampling": lambda point: point["forward_equivalents"],
    "training": lambda point: point["seconds_of_training"],
}
LEAST = 0.01
"""Distances below are noise of their estimates."""

FIXED = ("training",)
"""Costs that do not grow with the number of steps."""


class Curve(NamedTuple):
    """A method drawn from in one way: distances and costs, shape (seed, step)."""

    steps: np.ndarray
    distance: np.ndarray
    costs: dict[str, np.ndarray]


class Ratio(NamedTuple):
    """A ratio of medians over seeds and its interval."""

    value: float
    low: float
    high: float
    seeds: int

    @property
    def verdict(self) -> str:
        """On the claim that the ratio is above one."""
        if self.seeds == 1:
            return "one seed"
        return "supported" if self.low > 1 else "refuted" if self.high < 1 else "undecided"

    def __str__(self) -> str:
        interval = f" ({number(self.low)}, {number(self.high)})" if self.seeds > 1 else ""
        return number(self.value) + interval


def number(value: float) -> str:
    """Of a ratio: not reached, or three digits."""
    return "never" if np.isinf(value) else f"{value:.3g}"


def curves(records: Records, target: str, method: str, measure: str) -> dict[str, Curve]:
    """By way, what has been run of a method on a target."""
    runs = [records[cell]["points"] for cell in sorted(records) if cell[:2] == (target, method)]
    found = {}
    for way in dict.fromkeys(point["way"] for points in runs for point in points):
        chosen = [[point for point in points if point["way"] == way] for points in runs]
        found[way] = Curve(
            np.array([point["steps"] for point in chosen[0]]),
            np.array([[point[measure] for point in points] for points in chosen]),
            {name: np.array([[cost(p) for p in points] for points in chosen]) for name, cost in COSTS.items()},
        )
    return found


def cost_to_reach(curve: Curve, quality: float, cost: str, seeds: np.ndarray) -> float:
    """The least cost at which the median distance is down to a quality, logarithms interpolated; inf if it never is."""
    distance = np.median(curve.distance[seeds], axis=0)
    costs = np.median(curve.costs[cost][seeds], axis=0)
    reached = np.flatnonzero(distance <= quality)
    if not reached.size:
        return np.inf
    first = reached[0]
    if first == 0 or cost in FIXED or not np.isfinite(distance[first - 1]):
        return float(costs[first])
    share = np.log(distance[first - 1] / quality) / np.log(distance[first - 1] / distance[first])
    return float(np.exp(np.log(costs[first - 1]) + share * np.log(costs[first] / costs[first - 1])))


def advantage(records: Records, target: str, length: int, cost: str, measure: str) -> Ratio | None:
    """What the cheapest diffusion costs at the quality of a Hamiltonian flow, over the flow's own cost."""
    flow = curves(records, target, "hamiltonian_flow", measure).get("")
    rivals = [c for method in DIFFUSIONS for c in curves(records, target, method, measure).values()]
    if flow is None or not rivals:
        return None
    column = LENGTHS.index(length)

    def ratio(draw: Callable[[int], np.ndarray]) -> float:
        own = draw(len(flow.distance))
        quality = float(np.median(flow.distance[own, column]))
        theirs = min(cost_to_reach(rival, quality, cost, draw(len(rival.distance))) for rival in rivals)
        return theirs / float(np.median(flow.costs[cost][own, column]))

    return resampled(ratio, len(flow.distance))


def resampled(ratio: Callable[[Callable[[int], np.ndarray]], float], seeds: int) -> Ratio:
    """A function of seeds drawn for each curve, at all seeds and over resamplings of them."""
    rng = np.random.default_rng(0)
    values = [ratio(lambda n: rng.integers(0, n, n)) for _ in range(RESAMPLINGS)]
    low, high = np.quantile(values, np.array(INTERVAL) / 100, method="inverted_cdf")
    return Ratio(ratio(np.arange), float(low), float(high), seeds)


def lead(records: Records, target: str, leader: str, rivals: Iterable[str], steps: int, measure: str) -> Ratio | None:
    """The distance of the best of some rivals over that of a method, at as many steps each."""

    def at(method: str) -> list[np.ndarray]:
        found = curves(records, target, method, measure).values()
        return [c.distance[:, list(c.steps).index(steps)] for c in found if steps in c.steps]

    own, theirs = at(leader), [values for method in rivals for values in at(method)]
    if not own or not theirs:
        return None

    def best(values: list[np.ndarray], draw: Callable[[int], np.ndarray]) -> float:
        return max(min(float(np.median(v[draw(len(v))])) for v in values), LEAST)

    return resampled(lambda draw: best(theirs, draw) / best(own, draw), len(own[0]))
