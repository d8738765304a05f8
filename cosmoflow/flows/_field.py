"""Flows of periodic fields: translation-invariant, at the cost of a few Fourier transforms per map."""

import math

import jax.numpy as jnp
import jax.random as jr
import paramax
from flowjax.bijections import Chain
from flowjax.distributions import StandardNormal, Transformed
from jaxtyping import Array, Float

from .._types import Key
from ..dynamics import (
    ConditionalPotential,
    GaussianKinetic,
    Hamiltonian,
    SpectralPotential,
    SymplecticMap,
    quarter_turn_step,
)
from ._base import PhaseBase
from ._field_momentum import FieldMomentum
from ._hamiltonian import HamiltonianFlow
from ._spectral_scale import SpectralScale


def field_flow(
    grid: tuple[int, ...],
    *,
    num_maps: int = 4,
    num_conditions: int = 0,
    num_filters: int = 4,
    width: int = 16,
    num_modes: int = 8,
    num_knots: int = 12,
    fields: Float[Array, "field cell"] | None = None,
    reversible: bool = True,
    key: Key,
) -> HamiltonianFlow:
    dim = math.prod(grid)
    sizes = {"num_conditions": num_conditions, "num_filters": num_filters, "width": width, "num_modes": num_modes}
    cond_dim = num_conditions * dim if num_conditions else None
    key_maps, key_momentum = jr.split(key)
    log_step = jnp.log(quarter_turn_step(num_maps))

    def symplectic_map(key: Key) -> SymplecticMap:
        potential = SpectralPotential(grid, **sizes, key=key)
        if num_conditions:
            potential = ConditionalPotential(potential)
        return SymplecticMap(
            dim,
            Hamiltonian(potential, GaussianKinetic(paramax.NonTrainable(jnp.ones(())))),
            step_size=paramax.Parameterize(jnp.exp, log_step),
            num_steps=1,
            reversible=reversible,
            cond_dim=cond_dim,
        )

    maps = [symplectic_map(k) for k in jr.split(key_maps, num_maps)]

    def law(fields) -> Transformed:
        return Transformed(StandardNormal((dim,)), SpectralScale(grid, num_knots=num_knots, fields=fields))

    return HamiltonianFlow(
        PhaseBase(law(None), law(fields)), Chain(maps), FieldMomentum(grid, **sizes, key=key_momentum)
    )
