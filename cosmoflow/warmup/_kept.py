"""What a store keeps of a warm-up."""

import json
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..chains import ChainStore, arrays_to_tree, tree_to_arrays
from ..samplers import AbstractSampler
from ..targets import AbstractTarget, Pullback
from ._fields import coordinates_as_they_are
from ._pilot import Pilot, concatenated

STAGE = "warmup"
Warmed = tuple[Pullback, AbstractSampler, Float[Array, "chain dim"]]


def keep(
    store: ChainStore, pilot: Pilot, warmed: Warmed, name: str, steps: list[dict[str, Any]], seconds: float
) -> None:
    """Commit the outcome of a warm-up, the draws of its pilots, and what it cost.

    Args:
        store: Where.
        pilot: After the last run.
        warmed: The outcome.
        name: That of its sampler among those that were tried.
        steps: What was done.
        seconds: How long it took.
    """
    whitened, sampler, positions = warmed
    store.save_group("warmup_posterior", concatenated(pilot.parameters))
    store.save_group("warmup_sample_stats", concatenated(pilot.stats))
    parts = {"coordinates": whitened.bijection, "sampler": sampler}
    arrays = {f"{part}{leaf}": array for part in parts for leaf, array in tree_to_arrays(parts[part]).items()}
    arrays["positions"] = np.asarray(positions)
    facts = {"sampler": name, "steps": json.dumps(steps), "num_gradients": round(pilot.cost), "seconds": seconds}
    store.save_stage(STAGE, arrays, facts)
    _annotate(store, facts)


def restored(
    target: AbstractTarget,
    tried: dict[str, AbstractSampler],
    store: ChainStore,
    arrays: dict[str, np.ndarray],
    facts: dict[str, Any],
) -> Warmed:
    """The outcome that was committed, as the arrays and the facts of its stage."""
    _annotate(store, facts)

    def part(name: str, template: Any) -> Any:
        leaves = {key.removeprefix(name): array for key, array in arrays.items() if key.startswith(f"{name}.")}
        return arrays_to_tree(template, leaves)

    bijection = part("coordinates", coordinates_as_they_are(target))
    sampler = part("sampler", tried[facts["sampler"]])
    return Pullback(target, bijection), sampler, jnp.asarray(arrays["positions"])


def _annotate(store: ChainStore, facts: dict[str, Any]) -> None:
    store.annotate(
        {
            "warmup_gradients": str(facts["num_gradients"]),
            "warmup_seconds": f"{facts['seconds']:.3f}",
            "warmup": facts["steps"],
        }
    )
