"""What the storage benchmark samples: the posterior of the demo, and a field of 64^3 numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

import cosmoflow as cf
from cosmoflow.config import build_posterior, build_sampler, load
from cosmoflow.targets import AbstractTarget

DEMO = Path(__file__).parents[1] / "configs" / "demo.toml"
SIDE = 64


@dataclass(frozen=True)
class Problem:
    """The arguments of `sample` that decide what is drawn and what is kept."""

    target: AbstractTarget
    sampler: Any
    position: Float[Array, "chain dim"]
    record: cf.Record
    chunk: int
    group: str = "posterior"

    def arguments(self) -> dict[str, Any]:
        """As `sample` takes them."""
        return {
            "target": self.target,
            "sampler": self.sampler,
            "position": self.position,
            "num_chains": len(self.position),
            "key": jr.key(1),
            "record": self.record,
            "chunk": self.chunk,
        }


class LogNormalField(AbstractTarget):
    """White noise z of a log-normal field, given Poisson counts: rate = mean exp(g - <g^2>/2), g = F^-1 sqrt(P) F z."""

    counts: Float[Array, "side side side"]
    amplitude: Float[Array, "side side half"]
    mean: Float[Array, ""]

    @property
    def dim(self) -> int:
        """Number of cells."""
        return self.counts.size

    def constrain(self, x: Float[Array, " dim"]) -> dict[str, Array]:
        """The white noise on its grid."""
        return {"white_noise": x.reshape(self.counts.shape)}

    def log_rate(self, x: Float[Array, " dim"]) -> Float[Array, "side side side"]:
        """The logarithm of the expected counts."""
        field = jnp.fft.irfftn(self.amplitude * jnp.fft.rfftn(x.reshape(self.counts.shape)), s=self.counts.shape)
        return jnp.log(self.mean) + field - 0.5

    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Poisson likelihood and N(0, I), without their constants."""
        log_rate = self.log_rate(x)
        return jnp.sum(self.counts * log_rate - jnp.exp(log_rate)) - 0.5 * jnp.sum(x**2)


def demo(*, quick: bool) -> Problem:
    """The demo's posterior without its flow, in double precision: the zig-zag process after a warm-up."""
    jax.config.update("jax_enable_x64", True)
    config = load(DEMO)
    target, sampler, position = cf.warmup(
        build_posterior(config),
        build_sampler(config),
        max_gradients=2000 if quick else None,
        num_chains=config.run.num_chains,
        key=jr.key(0),
    )
    return Problem(target, sampler, position, cf.Record(), config.run.chunk)


def field(*, every: int, quick: bool) -> Problem:
    """The field in single precision: two chains from the truth; in chunks of 64 MiB where every draw is kept."""
    side = 16 if quick else SIDE
    waves = jnp.meshgrid(*(jnp.fft.fftfreq(side),) * 2, jnp.fft.rfftfreq(side), indexing="ij")
    power = 1 / (0.03 + jnp.sqrt(sum(wave**2 for wave in waves))) ** 2
    unit = jnp.fft.irfftn(power, s=(side,) * 3)[0, 0, 0]  # the variance of the field
    target = LogNormalField(jnp.zeros((side,) * 3), jnp.sqrt(power / unit), jnp.asarray(2.0))
    truth = jr.normal(jr.key(0), (target.dim,))
    counts = jr.poisson(jr.key(1), jnp.exp(target.log_rate(truth))).astype(float)
    target = LogNormalField(counts, target.amplitude, target.mean)
    record = cf.Record({"white_noise": cf.Keep(every=every, dtype="float32")})
    group = "posterior" if every == 1 else f"posterior_every_{every}"
    return Problem(target, cf.samplers.GHMC(step_size=0.04), jnp.stack([truth, truth]), record, 32, group)


PROBLEMS: dict[str, Callable[..., Problem]] = {
    "demo": demo,
    "field": lambda *, quick: field(every=1, quick=quick),
    "field, every 10th": lambda *, quick: field(every=10, quick=quick),
}
