"""Kinetic Langevin dynamics without a Metropolis test, in the order of steps that is exact for Gaussian targets."""

from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget, drift
from ._base import AbstractInfo, AbstractKernel, AbstractSampler, AbstractState, scaled
from ._climb import climb
from ._decoherence import redirected
from ._divergence import diverges

LONGEST_STEP = 1.25
"""In units of the standard deviation along the narrowest axis, where a step of two is the limit of stability."""

PERSISTENCE = 2.0
"""Decoherence in units of the standard deviation along the longest axes: at two, means and squares have about as many
effective draws; means would gain from more, and squares lose.
"""

BIAS_PER_VARIANCE = 0.4
"""How far x . grad U / d is off where a step's change of energy has a variance of one per dimension: found for galaxies
of second-order perturbation theory at steps of 0.3 to 0.4, and less wherever the target is closer to Gaussian.
"""

CAUTION = 0.7
"""Share of a step at which something diverged that is tried next."""

RECOVERY = 0.03
"""Logarithm by which that grows with each window without a divergence. In the first windows, of a gain above one, what
diverged shortens the step and sets no limit: steps from a poor start are no rule.
"""


class KineticLangevinState(AbstractState):
    """Position and momentum with the gradient, and the chain's random stream."""

    position: Vector
    momentum: Vector
    potential: Scalar
    gradient: Vector
    key: Key
    counter: Int[Array, ""]


class KineticLangevinInfo(AbstractInfo):
    """Of one step; `equipartition` is x . grad U / d, whose mean is one where the draws are right."""

    energy_change: Float[Array, "..."]
    equipartition: Float[Array, "..."]
    diverging: Bool[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class KineticLangevin(AbstractKernel[KineticLangevinState, KineticLangevinInfo]):
    """Underdamped Langevin dynamics by the splitting BAOAB, one gradient per step, without a Metropolis test.

        p -= h/2 grad U(q);  q += h/2 p;  p <- a p + sqrt(1 - a^2) xi;  q += h/2 p;  p -= h/2 grad U(q)

    with a = exp(-h / decoherence). Positions have the right law to the last digit where the target is Gaussian, at any
    step below the limit of stability, twice the standard deviation along the narrowest axis: only what is not Gaussian
    makes a bias, of the order h^2, and h^4 as the friction grows. In whitened coordinates of many dimensions a draw is
    nearly independent after two steps. A step to where the density is not finite, or by which the energy grows as it
    does only beyond the limit of stability, is undone, counted, and a new momentum drawn.

    The mean of x . grad U / d is one under the target, with a scatter of sqrt(2 / d) from draw to draw. A parameter of
    which all dimensions tell, such as the amplitude of a field, is off by as many of its standard deviations as that
    mean is in units of that scatter. So steps are to be the shorter the more dimensions there are. That mean itself
    shows too little in a window of a warm-up, and is off while draws settle; the step is tuned by the variance of its
    change of energy, which has neither fault.

    It takes bare scores too. Their change of energy is a line integral over the step, which sees what is linear in the
    score and not the skewness of the law: halve the step and compare.

    Args:
        step_size: Step h, tuned by `warmup`.
        longest_step: Step that its tuning does not exceed.
        stable_step: The same, found by `warmup` from the steps that diverged.
        decoherence: Time in which the momentum is forgotten; `warmup` moves it to twice the standard deviation along
            the longest axes of the draws, which is one where the target is whitened.
        bias: How far a parameter may be off of which all dimensions tell, in its standard deviations.

    References:
        Leimkuhler & Matthews 2013, arXiv:1203.5428; Leimkuhler, Matthews & Stoltz 2016, arXiv:1308.5814.
    """

    tunable: ClassVar[tuple[str, ...]] = ("step_size", "decoherence")

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.1)
    longest_step: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=LONGEST_STEP)
    stable_step: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=jnp.inf)
    decoherence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    bias: float = 0.1

    def __check_init__(self):
        for name in ("step_size", "longest_step", "decoherence", "bias"):
            if not 0 < (value := getattr(self, name)) < jnp.inf:
                raise ValueError(f"KineticLangevin's {name} is {value}, but must be positive and finite.")

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The kernel with its step size moved towards its error of energy, its decoherence to the draws' scale.

        The variance of the error grows with the sixth power of the step.
        """
        dim, step_size = positions.shape[-1], float(self.step_size)
        sound = (stats["non_finite"] == 0) & ~stats["diverging"]
        if not sound.any():
            shorter = scaled(self.step_size, -1.0)
            return eqx.tree_at(lambda s: (s.step_size, s.stable_step), self, (shorter, shorter))
        variance = np.mean(stats["energy_change"][sound].astype(float) ** 2) / dim
        wanted = self.bias * np.sqrt(2 / dim) / BIAS_PER_VARIANCE
        excess = np.log(wanted / max(variance, np.finfo(float).tiny)) / 6
        exponent = min(gain, 1.0) * float(np.clip(excess, -1, 0.5))
        recovered = float(self.stable_step) * np.exp(RECOVERY * min(gain, 1.0))
        cautious = np.inf if sound.all() else CAUTION * step_size
        stable = recovered if gain > 1 or sound.all() else min(float(self.stable_step), cautious)
        exponent = min(exponent, float(np.log(min(stable, cautious, float(self.longest_step)) / step_size)))
        decoherence = redirected(self.decoherence, positions, step_size, gain, PERSISTENCE)
        return eqx.tree_at(
            lambda s: (s.step_size, s.stable_step, s.decoherence),
            self,
            (scaled(self.step_size, exponent), jnp.asarray(stable, self.stable_step.dtype), decoherence),
        )

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> KineticLangevinState:
        """The state of one chain that starts at a position."""
        key_momentum, key_run = jr.split(key)
        potential, gradient = self._slope(target, position)
        momentum = jr.normal(key_momentum, position.shape, position.dtype)
        return KineticLangevinState(position, momentum, potential, gradient, key_run, jnp.zeros((), jnp.int32))

    def _slope(self, target: AbstractTarget, position: Vector) -> tuple[Scalar, Vector]:
        """The potential and its gradient."""
        return jax.value_and_grad(lambda q: -drift(target).log_density(q))(position)

    def log_density(self, state: KineticLangevinState) -> Scalar:
        """The target's log-density at the state's position."""
        return -state.potential

    def step(
        self, target: AbstractTarget, state: KineticLangevinState, *, key: Key
    ) -> tuple[KineticLangevinState, KineticLangevinInfo]:
        """Kick, drift, refresh the momentum, drift, kick."""
        key_noise, key_fresh = jr.split(key)
        dtype, dim = state.position.dtype, state.position.size
        h = self.step_size.astype(dtype)
        persistence = jnp.exp(-h / self.decoherence.astype(dtype))

        before = state.momentum - 0.5 * h * state.gradient
        noise = jr.normal(key_noise, before.shape, dtype)
        after = persistence * before + jnp.sqrt(1 - persistence**2) * noise
        displacement = 0.5 * h * (before + after)
        position = state.position + displacement
        potential, gradient = self._slope(target, position)
        momentum = after - 0.5 * h * gradient

        kinetic = 0.5 * (momentum @ momentum - after @ after + before @ before - state.momentum @ state.momentum)
        change = climb(target, displacement, (state.potential, potential), (state.gradient, gradient)) + kinetic
        finite = jnp.isfinite(change) & jnp.isfinite(potential) & jnp.all(jnp.isfinite(gradient))
        diverging = finite & diverges(change, dim)
        sound = finite & ~diverging

        def choose(new, old):
            return jnp.where(sound, new, old)

        position, gradient = choose(position, state.position), choose(gradient, state.gradient)
        info = KineticLangevinInfo(
            energy_change=choose(change, 0),
            equipartition=jnp.dot(position, gradient) / dim,
            diverging=diverging,
            non_finite=1 - finite.astype(jnp.int32),
            num_gradients=jnp.ones((), jnp.int32),
            num_densities=jnp.zeros((), jnp.int32),
        )
        momentum = choose(momentum, jr.normal(key_fresh, momentum.shape, dtype))
        return KineticLangevinState(
            position, momentum, choose(potential, state.potential), gradient, state.key, state.counter
        ), info
