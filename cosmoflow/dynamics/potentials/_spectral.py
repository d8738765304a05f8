"""A potential of periodic fields made in Fourier space, affordable for large grids."""

import equinox as eqx
import jax.numpy as jnp

from ..._types import Key, Scalar, Vector
from .._field_network import FieldNetwork
from .._potential import AbstractPotential


class SpectralPotential(AbstractPotential):
    """V(q) = <q, T_0 q + sum_j T_j c_j> / 2 + sum_x n(x), n a `FieldNetwork` of q and the c_j: invariant, isotropic.

    The quadratic form alone makes Gaussian fields of any isotropic spectrum, and given fields c (data, masks) their
    Wiener filter; the neurons make them non-Gaussian. A gradient costs about 2 (F + 2) fast Fourier transforms. It
    starts as the harmonic well. The position is flat, the field's cells and then those of each c, shape
    ((1 + number of c) cells,).

    Args:
        grid: Cells along each axis.
        num_conditions: Number of fields c; a `ConditionalPotential` of this one hands them over.
        num_filters: Number F of filtered fields that the neurons see.
        width: Neurons per cell.
        num_modes: Cosines per filter.
        key: Random key of the network.
    """

    network: FieldNetwork

    def __init__(
        self,
        grid: tuple[int, ...],
        *,
        num_conditions: int = 0,
        num_filters: int = 4,
        width: int = 16,
        num_modes: int = 8,
        key: Key,
    ):
        network = FieldNetwork(
            grid, 1 + num_conditions, 1, num_filters=num_filters, width=width, num_modes=num_modes, key=key
        )
        self.network = eqx.tree_at(lambda n: n.linear, network, network.linear.at[0, 0].set(1))

    @property
    def grid(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return self.network.grid

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy of one field."""
        fields = q.reshape(-1, *self.grid)
        linear, pointwise = self.network(fields)
        return 0.5 * jnp.vdot(fields[0], linear) + jnp.sum(pointwise)
