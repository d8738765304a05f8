"""Microcanonical Langevin dynamics: fast, and biased by what its step size allows."""

from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._types import Key, Scalar, Vector
from ..dynamics import AbstractSplitting, Hamiltonian, IsokineticKinetic, MinimalNorm, PhaseState, TargetPotential
from ..targets import AbstractTarget, drift
from ._base import AbstractInfo, AbstractKernel, AbstractSampler, AbstractState, scaled
from ._climb import climb
from ._decoherence import redirected
from ._divergence import diverges


class MCLMCState(AbstractState):
    """Position and direction with the gradient, and the chain's random stream."""

    position: Vector
    momentum: Vector
    potential: Scalar
    gradient: Vector
    key: Key
    counter: Int[Array, ""]


class MCLMCInfo(AbstractInfo):
    """Of one step; `equipartition` is x . grad U / d, whose mean is one where the draws are right."""

    energy_change: Float[Array, "..."]
    equipartition: Float[Array, "..."]
    diverging: Bool[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class MCLMC(AbstractKernel[MCLMCState, MCLMCInfo]):
    """Microcanonical Langevin Monte Carlo, without a Metropolis test.

    A particle of constant speed is turned by the gradient and by a little noise. The exact dynamics leave the target
    invariant; the error of the energy per step and dimension measures what discretisation adds, and the step size is
    tuned to a given variance of it. A step to where the density is not finite, or by which the energy grows as it does
    only beyond the limit of stability, is undone, counted, and a new direction drawn.

    It takes bare scores too, whose change of energy is a line integral over the step.

    Its speed is sqrt(dim), so that steps and paths are those of a standard normal momentum.

    Args:
        step_size: Step of the integrator, tuned by `warmup`.
        decoherence: Path over which the direction is forgotten; `warmup` moves it to the standard deviation along the
            longest axes of the draws, which is one where the target is whitened.
        energy_variance: Variance of a step's change of energy, per dimension, that `warmup` tunes the step size for:
            the bias of variances is of this order.
        integrator: McLachlan's minimal norm splitting by default, of two gradients a step.

    References:
        Robnik, De Luca, Silverstein & Seljak 2022, arXiv:2212.08549; Robnik & Seljak 2023, arXiv:2303.18221;
        Hoffman & Sountsov 2022, PMLR 151, 7799.
    """

    tunable: ClassVar[tuple[str, ...]] = ("step_size", "decoherence")

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    decoherence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    energy_variance: float = 5e-4
    integrator: AbstractSplitting = eqx.field(default_factory=MinimalNorm)

    def __check_init__(self):
        for name in ("step_size", "decoherence", "energy_variance"):
            if not 0 < (value := getattr(self, name)) < jnp.inf:
                raise ValueError(f"MCLMC's {name} is {value}, but must be positive and finite.")

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The kernel with its step size moved towards its energy error, its decoherence to the draws' scale.

        The variance of the energy error grows with the sixth power of the step.
        """
        sound = (stats["non_finite"] == 0) & ~stats["diverging"]
        if not sound.any():
            return eqx.tree_at(lambda s: s.step_size, self, scaled(self.step_size, -1.0))
        variance = np.mean(stats["energy_change"][sound].astype(float) ** 2) / positions.shape[-1]
        excess = np.log(self.energy_variance / max(variance, np.finfo(float).tiny)) / 6
        exponent = min(gain, 1.0) * float(np.clip(excess, -1, 1)) - float(np.mean(~sound))
        decoherence = redirected(self.decoherence, positions, float(self.step_size), gain)
        return eqx.tree_at(
            lambda s: (s.step_size, s.decoherence), self, (scaled(self.step_size, exponent), decoherence)
        )

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> MCLMCState:
        """The state of one chain that starts at a position.

        Raises:
            ValueError: If the target has one dimension.
        """
        if position.size < 2:
            raise ValueError("MCLMC needs two dimensions at least, but the target has one; use Langevin instead.")
        key_momentum, key_run = jr.split(key)
        potential, gradient = jax.value_and_grad(lambda q: -drift(target).log_density(q))(position)
        momentum = IsokineticKinetic().sample(position, key=key_momentum)
        return MCLMCState(position, momentum, potential, gradient, key_run, jnp.zeros((), jnp.int32))

    def log_density(self, state: MCLMCState) -> Scalar:
        """The target's log-density at the state's position."""
        return -state.potential

    def step(self, target: AbstractTarget, state: MCLMCState, *, key: Key) -> tuple[MCLMCState, MCLMCInfo]:
        """Turn a little at random, and move one step."""
        key_turn, key_fresh = jr.split(key)
        dtype, dim = state.position.dtype, state.position.size
        kinetic = IsokineticKinetic()
        hamiltonian = Hamiltonian(TargetPotential(drift(target)), kinetic)
        momentum = kinetic.refreshed(state.momentum, jnp.exp(-self.step_size / self.decoherence), key=key_turn)
        start = PhaseState(state.position, momentum, jnp.zeros((), dtype), state.potential, state.gradient)
        end = self.integrator.step(hamiltonian, start, self.step_size.astype(dtype))
        climbed = climb(target, end.q - start.q, (start.value, end.value), (start.gradient, end.gradient))
        change = climbed + kinetic(end.p) - kinetic(start.p)
        finite = jnp.isfinite(change) & jnp.isfinite(end.value) & jnp.all(jnp.isfinite(end.gradient))
        diverging = finite & diverges(change, dim)
        sound = finite & ~diverging

        def choose(new, old):
            return jnp.where(sound, new, old)

        position, gradient = choose(end.q, state.position), choose(end.gradient, state.gradient)
        info = MCLMCInfo(
            energy_change=choose(change, 0),
            equipartition=jnp.dot(position, gradient) / dim,
            diverging=diverging,
            non_finite=1 - finite.astype(jnp.int32),
            num_gradients=jnp.asarray(self.integrator.num_gradients, jnp.int32),
            num_densities=jnp.zeros((), jnp.int32),
        )
        momentum = choose(kinetic.gauged(end.p), kinetic.sample(position, key=key_fresh))
        potential = choose(end.value, state.potential)
        return MCLMCState(position, momentum, potential, gradient, state.key, state.counter), info
