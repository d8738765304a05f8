"""Flows of periodic fields: translation-invariant, at the cost of a few Fourier transforms per map."""

import math
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import paramax
from flowjax.bijections import Chain, Concatenate
from flowjax.distributions import StandardNormal
from jaxtyping import Array, Float

from .._types import Key
from ..dynamics import (
    AbstractPotential,
    ConditionalPotential,
    GaussianKinetic,
    Hamiltonian,
    SpectralPotential,
    SymplecticMap,
    quarter_turn_step,
)
from ._field_momentum import FieldMomentum
from ._hamiltonian import HamiltonianFlow
from ._spectral_scale import SpectralScale


def field_flow(
    grid: tuple[int, ...],
    *,
    num_maps: int = 3,
    num_conditions: int = 0,
    num_filters: int = 4,
    width: int = 16,
    num_modes: int = 8,
    num_knots: int = 12,
    potential: Callable[[Key], AbstractPotential] | None = None,
    fields: Float[Array, "field cell"] | None = None,
    key: Key,
) -> HamiltonianFlow:
    """A Hamiltonian flow of periodic fields with fixed kinetic energy |p|^2 / 2, equivariant under translations.

    White noise on phase space gets a learned spectrum, `SpectralScale`, and is carried by maps of one leapfrog step
    each. Before training it is the quarter turn: the law of its positions is the Gaussian one of the mean and spectrum
    of `fields`, exactly, and training makes it non-Gaussian. Its base is white, so that `neural_transport` and
    `FlowPosterior` have white coordinates. Fields should have a variance of order one: scale others first.

    Args:
        grid: Cells along each axis; positions are flat, shape (number of cells,).
        num_maps: Hamiltonians that follow each other.
        num_conditions: Number of fields of the condition, for p(field | data); the condition is flat, shape
            (num_conditions * number of cells,).
        num_filters: Filtered fields that the neurons of potential and encoder see.
        width: Neurons per cell, of potential and encoder.
        num_modes: Cosines per filter.
        num_knots: Knots of the learned spectra.
        potential: Makes the potential of a map from a key, of the field and the condition's fields where there are
            some; by default a `SpectralPotential`.
        fields: Training fields, shape (field, number of cells); without them it starts as white noise.
        key: Random key of the initial weights.

    Raises:
        ValueError: There is no map, or the fields do not have the cells of the grid.

    References:
        Souveton, Guillin, Jasche, Lavaux, Michel 2024, arXiv:2302.01955; Rezende et al. 2019, arXiv:1909.13739.
    """
    if num_maps < 1:
        raise ValueError(f"A flow needs at least one map, not {num_maps}.")
    dim = math.prod(grid)
    sizes = {"num_conditions": num_conditions, "num_filters": num_filters, "width": width, "num_modes": num_modes}
    key_maps, key_momentum = jr.split(key)

    def symplectic_map(key: Key) -> SymplecticMap:
        energy = SpectralPotential(grid, **sizes, key=key) if potential is None else potential(key)
        return SymplecticMap(
            dim,
            Hamiltonian(
                ConditionalPotential(energy) if num_conditions else energy,
                GaussianKinetic(paramax.NonTrainable(jnp.ones(()))),
            ),
            step_size=paramax.Parameterize(jnp.exp, jnp.asarray(math.log(quarter_turn_step(num_maps)), float)),
            num_steps=1,
            cond_dim=num_conditions * dim if num_conditions else None,
        )

    shrinkage = math.cos(math.pi / (4 * num_maps))
    of_momentum = SpectralScale(grid, num_knots=num_knots, fields=None if fields is None else shrinkage * fields)
    of_position = SpectralScale(grid, num_knots=num_knots)
    of_position = eqx.tree_at(lambda s: s.log_power, of_position, of_position.log_power - 2 * math.log(shrinkage))
    return HamiltonianFlow(
        base=StandardNormal((2 * dim,)),
        bijection=Chain(
            [Concatenate((of_position, of_momentum)), *(symplectic_map(k) for k in jr.split(key_maps, num_maps))]
        ),
        momentum=FieldMomentum(grid, **sizes, num_knots=num_knots, key=key_momentum),
    )
