"""The hybrid of reflections and event-chain jumps."""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Scalar, Vector
from .._base import AbstractInfo, AbstractSampler, scaled
from .._jumps import event_chain, reflect, refresh
from .._motions import AbstractMotion, Straight
from ._base import AbstractSplitting, Steps
from ._tuned import limited, spread

REFLECTION, EVENT_CHAIN = 0, 1


class HybridInfo(AbstractInfo):
    """Of the steps of one draw, counted apart for reflections and event chains; their acceptances are sums."""

    acceptance_rate: Float[Array, "..."]
    reflection_steps: Int[Array, "..."]
    reflection_jumps: Int[Array, "..."]
    reflection_acceptance: Float[Array, "..."]
    event_chain_steps: Int[Array, "..."]
    event_chain_jumps: Int[Array, "..."]
    event_chain_acceptance: Float[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class HybridSplitting(AbstractSplitting[HybridInfo]):
    """A Metropolised splitting that mixes the bouncy particle's reflections with the forward event chain's jumps.

    Each step is of one kind, drawn without regard to the state, and each kind has its own length: long steps with
    reflections travel along the level sets of the density, between its modes and along its bends, and shorter ones with
    event-chain jumps travel across them and mix the energy. Best in few dimensions, about 30 at most, for densities
    that are curved or have several modes.

    Args:
        reflection_step: Time of a step with reflections, tuned by `warmup`.
        event_chain_step: Time of a step with event-chain jumps, tuned by `warmup`.
        reflection_probability: Share of the steps with reflections; the more dimensions, the less of them is best.
        persistence: c in v <- c v + sqrt(1 - c^2) xi, before a step with reflections, and for what is orthogonal to
            the gradient at an event-chain jump.
        num_steps: Steps per draw.
        reflection_acceptance: What `warmup` tunes the reflections' step for.
        event_chain_acceptance: What `warmup` tunes the event chains' step for.
        motion: `Straight`, or `Rotation` about N(0, I).

    References:
        Bertazzi, Dobson, Monmarché 2023, arXiv:2301.02537; Bouchard-Côté, Vollmer, Doucet 2018, arXiv:1510.02451;
        Michel, Durmus, Sénécal 2020, arXiv:1702.08397.
    """

    tunable = ("reflection_step", "event_chain_step")

    reflection_step: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    event_chain_step: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    reflection_probability: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.6)
    num_steps: int = 1
    reflection_acceptance: float = 0.85
    event_chain_acceptance: float = 0.8
    motion: AbstractMotion = eqx.field(default_factory=Straight)

    def __check_init__(self):
        for name in self.tunable:
            if not 0 < getattr(self, name) < jnp.inf:
                raise ValueError(f"HybridSplitting's {name} is {getattr(self, name)}, but must be positive and finite.")
        if not 0 <= self.reflection_probability < 1:
            raise ValueError(
                f"HybridSplitting's reflection_probability is {self.reflection_probability}, but must lie in [0, 1)."
            )
        if not 0 <= self.persistence < 1:
            raise ValueError(f"HybridSplitting's persistence is {self.persistence}, but must lie in [0, 1).")
        if self.num_steps < 1:
            raise ValueError(f"HybridSplitting's num_steps is {self.num_steps}, but a draw needs at least one step.")

    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """N(0, I)."""
        return jr.normal(key, position.shape, position.dtype)

    def choose(self, *, key: Key) -> tuple[Scalar, Int[Array, ""]]:
        """Reflection or event chain, with its step."""
        kind = jnp.where(jr.bernoulli(key, self.reflection_probability), REFLECTION, EVENT_CHAIN).astype(jnp.int32)
        return jnp.where(kind == REFLECTION, self.reflection_step, self.event_chain_step), kind

    def refresh(self, velocity: Vector, kind: Int[Array, ""], *, key: Key) -> Vector:
        """A partial refreshment before a step with reflections."""
        fresh = refresh(velocity, self.persistence.astype(velocity.dtype), key=key)
        return jnp.where(kind == REFLECTION, fresh, velocity)

    def event_rates(self, gradient: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """One clock: v . g."""
        return (gradient @ velocity)[None]

    def jump(
        self, gradient: Vector, velocity: Vector, fired: Bool[Array, " clock"], kind: Int[Array, ""], *, key: Key
    ) -> Vector:
        """A reflection or an event-chain jump."""
        chained = event_chain(gradient, velocity, self.persistence.astype(velocity.dtype), key=key)
        return jnp.where(kind == REFLECTION, reflect(gradient, velocity), chained)

    def info(self, steps: Steps) -> HybridInfo:
        """Sums over the steps of each kind."""
        chain = steps.kind == EVENT_CHAIN
        count = jnp.asarray(self.num_steps, jnp.int32)
        return HybridInfo(
            acceptance_rate=jnp.mean(steps.acceptance),
            reflection_steps=jnp.sum(~chain, dtype=jnp.int32),
            reflection_jumps=jnp.sum(~chain & steps.jumped, dtype=jnp.int32),
            reflection_acceptance=jnp.sum(jnp.where(chain, 0, steps.acceptance)),
            event_chain_steps=jnp.sum(chain, dtype=jnp.int32),
            event_chain_jumps=jnp.sum(chain & steps.jumped, dtype=jnp.int32),
            event_chain_acceptance=jnp.sum(jnp.where(chain, steps.acceptance, 0)),
            non_finite=jnp.sum(steps.non_finite, dtype=jnp.int32),
            num_gradients=count,
            num_densities=count,
        )

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The splitting with each step moved towards its own acceptance rate, or limited by the spread of the draws."""
        sampler = self
        longest = self.motion.longest(spread(positions))
        wanted = {"reflection": self.reflection_acceptance, "event_chain": self.event_chain_acceptance}
        for kind, goal in wanted.items():
            num = float(np.sum(stats[f"{kind}_steps"]))
            if num > 0:
                step = getattr(self, f"{kind}_step")
                excess = (float(np.sum(stats[f"{kind}_acceptance"])) / num - goal) / (1 - goal)
                change = limited(step, gain * excess, longest)
                sampler = eqx.tree_at(lambda s: getattr(s, f"{kind}_step"), sampler, scaled(step, change))
        return sampler
