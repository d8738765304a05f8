"""Neural Hamiltonian flows with the architecture that suits most targets."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import paramax
from flowjax.bijections import Chain
from flowjax.distributions import AbstractDistribution, Normal, Transformed

from .._types import Key
from ..dynamics import (
    AbstractPotential,
    ConditionalPotential,
    GaussianKinetic,
    Hamiltonian,
    NeuralKinetic,
    NeuralPotential,
    SymplecticMap,
    TimeDependentPotential,
    quarter_turn_step,
)
from ._base import PhaseBase
from ._dense_momentum import DenseGaussianMomentum
from ._hamiltonian import HamiltonianFlow
from ._momentum import GaussianMomentum
from ._tails import SinhTails

MAX_DENSE = 32


def fixed_kinetic_flow(
    dim: int,
    *,
    num_steps: int = 1,
    num_maps: int = 5,
    time_dependent: bool = False,
    cond_dim: int | None = None,
    width: int = 64,
    depth: int = 2,
    potential: Callable[[int, Key], AbstractPotential] | None = None,
    base: AbstractDistribution | None = None,
    momentum: AbstractDistribution | None = None,
    key: Key,
) -> HamiltonianFlow:
    """A neural Hamiltonian flow with learned potential and fixed-form kinetic energy p^T M^-1 p / 2, M diagonal.

    Before training it is the quarter turn of phase space, nearly exact for a standard normal target. Several maps of
    one step each, with potentials of their own, are better than one map of several steps. For targets of several modes,
    potentials and encoders made of bells are by far better than perceptrons: `RadialPotential`, and
    `DenseGaussianMomentum` with a `RadialNetwork`. Where coordinates are nearly independent and many, it is
    `AdditivePotential` and `AdditiveGaussianMomentum`.

    Args:
        dim: Dimension d of the positions.
        num_steps: Leapfrog steps L of each map, of learned lengths; sampling costs L gradients of the potential.
        num_maps: Hamiltonians that follow each other.
        time_dependent: Whether the potentials depend on time.
        cond_dim: Length of the condition of a flow p(q | condition), for amortised inference.
        width: Neurons per hidden layer, of potential and encoder.
        depth: Hidden layers, of potential and encoder.
        potential: Makes the potential of a map from the number of its inputs (d, and one for the time, and
            `cond_dim`) and a key; by default a `NeuralPotential`.
        base: Distribution on R^(2d); by default normal laws with learned location and scale. The momenta, of which the
            quarter turn makes positions, have `SinhTails`.
        momentum: Encoder; by default a `DenseGaussianMomentum` up to 32 dimensions, beyond them a `GaussianMomentum`.
        key: Random key of the initial weights.

    Examples:
        >>> import cosmoflow as cf, jax.random as jr
        >>> flow = cf.fixed_kinetic_flow(2, num_maps=3, key=jr.key(0))
        >>> flow.sample(jr.key(1), (100,)).shape  # positions and momenta
        (100, 4)

    References:
        Souveton, Guillin, Jasche, Lavaux, Michel 2024, arXiv:2302.01955.
    """

    if num_maps < 1 or num_steps < 1:
        raise ValueError(f"A flow needs at least one map and one step, not {num_maps} and {num_steps}.")
    key_maps, key_momentum = jr.split(key)
    log_step = jnp.full(num_steps, jnp.log(quarter_turn_step(num_steps * num_maps)))

    def network(size: int, key: Key) -> AbstractPotential:
        return NeuralPotential(size, width=width, depth=depth, key=key)

    make = network if potential is None else potential

    def symplectic_map(key: Key) -> SymplecticMap:
        energy = make(dim + time_dependent + (cond_dim or 0), key)
        if cond_dim is not None:
            energy = ConditionalPotential(energy)
        if time_dependent:
            energy = TimeDependentPotential(energy)
        return SymplecticMap(
            dim,
            Hamiltonian(energy, GaussianKinetic(paramax.Parameterize(jnp.exp, jnp.zeros(dim)))),
            step_size=paramax.Parameterize(jnp.exp, log_step),
            num_steps=num_steps,
            cond_dim=cond_dim,
        )

    maps = [symplectic_map(k) for k in jr.split(key_maps, num_maps)]
    if momentum is None:
        encoder = DenseGaussianMomentum if dim <= MAX_DENSE else GaussianMomentum
        momentum = encoder(dim, cond_dim=cond_dim or 0, width=width, depth=depth, key=key_momentum)
    return HamiltonianFlow(
        base=PhaseBase(_normal(dim), Transformed(_normal(dim), SinhTails(dim))) if base is None else base,
        bijection=maps[0] if num_maps == 1 else Chain(maps),
        momentum=momentum,
    )


def _normal(dim: int) -> Normal:
    return Normal(jnp.zeros(dim), jnp.ones(dim))


def learned_kinetic_flow(dim: int, *, width: int = 64, depth: int = 2, key: Key, **settings: Any) -> HamiltonianFlow:
    """The original neural Hamiltonian flow: `fixed_kinetic_flow` with a network as the kinetic energy of each map.

    Args:
        dim: Dimension d of the positions.
        width: Neurons per hidden layer, of potential, kinetic energy and encoder.
        depth: Hidden layers, of potential, kinetic energy and encoder.
        key: Random key of the initial weights.
        **settings: The other arguments of `fixed_kinetic_flow`.

    References:
        Toth et al. 2020, arXiv:1909.13789.
    """
    key_flow, key_kinetic = jr.split(key)
    flow = fixed_kinetic_flow(dim, width=width, depth=depth, key=key_flow, **settings)
    maps = flow.bijection.bijections if isinstance(flow.bijection, Chain) else (flow.bijection,)
    kinetics = [NeuralKinetic(dim, width=width, depth=depth, key=k) for k in jr.split(key_kinetic, len(maps))]
    learned = [
        eqx.tree_at(lambda m: m.hamiltonian.kinetic, bijection, kinetic)
        for bijection, kinetic in zip(maps, kinetics, strict=True)
    ]
    return HamiltonianFlow(flow.base, learned[0] if len(maps) == 1 else Chain(learned), flow.momentum)
