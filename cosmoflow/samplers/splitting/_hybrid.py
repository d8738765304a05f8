"""The hybrid of reflections and event-chain jumps."""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Scalar, Vector
from .._base import AbstractInfo, scaled
from .._jumps import event_chain, reflect
from .._motions import AbstractMotion, Straight
from ._base import AbstractSplitting, Steps


class HybridInfo(AbstractInfo):
    """Of the steps of one draw, those with reflections and those with event-chain jumps apart.

    Acceptances and jumps are sums over the steps of a kind, of which there are `reflection_steps` and
    `num_steps - reflection_steps`.
    """

    acceptance_rate: Float[Array, "..."]
    reflection_steps: Int[Array, "..."]
    reflection_acceptance: Float[Array, "..."]
    reflection_jumps: Int[Array, "..."]
    event_chain_steps: Int[Array, "..."]
    event_chain_acceptance: Float[Array, "..."]
    event_chain_jumps: Int[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class HybridSplitting(AbstractSplitting[HybridInfo]):
    """hybrid"""

    tunable = ("reflection_step", "event_chain_step")

    reflection_step: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    event_chain_step: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    reflection_probability: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    num_steps: int = 1
    motion: AbstractMotion = eqx.field(default_factory=Straight)
    targets: tuple = (0.9, 0.8)
    caps: tuple = (0.6, 0.9)
    jitter: float = 0.0
    c2: float = 1.0
    global_c: float = 1.0

    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        return jr.normal(key, position.shape, position.dtype)

    def refresh(self, velocity: Vector, *, key: Key) -> Vector:
        if self.global_c == 1.0:
            return velocity
        from .._jumps import refresh
        return refresh(velocity, jnp.asarray(self.global_c, velocity.dtype), key=key)

    def choose(self, *, key: Key) -> tuple[Scalar, Int[Array, ""]]:
        k1, k2 = jr.split(key)
        kind = jr.bernoulli(k1, 1 - self.reflection_probability).astype(jnp.int32)
        h = jnp.where(kind == 0, self.reflection_step, self.event_chain_step)
        return h * jr.uniform(k2, (), h.dtype, 1 - self.jitter, 1 + self.jitter), kind

    def event_rates(self, gradient: Vector, velocity: Vector) -> Float[Array, " clock"]:
        return (gradient @ velocity)[None]

    def jump(
        self, gradient: Vector, velocity: Vector, fired: Bool[Array, " clock"], kind: Int[Array, ""], *, key: Key
    ) -> Vector:
        c = jnp.asarray(np.sqrt(max(0.0, 1 - self.c2 / velocity.size)), velocity.dtype)
        chained = event_chain(gradient, velocity, c, key=key)
        return jnp.where(kind == 0, reflect(gradient, velocity), chained)

    def info(self, steps: Steps) -> HybridInfo:
        chain = steps.kind == 1

        def both(values):
            return jnp.sum(jnp.where(chain, 0, values)), jnp.sum(jnp.where(chain, values, 0))

        one = jnp.ones_like(steps.kind)
        n = both(one)
        a = both(steps.acceptance)
        j = both(steps.jumped.astype(jnp.int32))
        num = jnp.asarray(self.num_steps, jnp.int32)
        return HybridInfo(
            jnp.mean(steps.acceptance), n[0], a[0], j[0], n[1], a[1], j[1],
            jnp.sum(steps.non_finite).astype(jnp.int32), num, num,
        )

    def retuned(self, positions, stats: Mapping[str, np.ndarray], gain: float) -> "HybridSplitting":
        s = self
        for i, kind in enumerate(("reflection", "event_chain")):
            n = np.sum(stats[f"{kind}_steps"])
            if n == 0:
                continue
            acc = np.sum(stats[f"{kind}_acceptance"]) / n
            jmp = np.sum(stats[f"{kind}_jumps"]) / n
            excess = float(min(acc - self.targets[i], self.caps[i] - jmp))
            name = f"{kind}_step"
            s = eqx.tree_at(lambda q: getattr(q, name), s, scaled(getattr(s, name), gain * excess))
        return s
