"""Posteriors of fields and the coordinates in which they are seen."""

import jax
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float

from ..targets import AbstractTarget, Posterior, Pullback, SomeCoordinates, Wiener, wiener_coordinates
from ._coordinates import identity


def in_wiener_coordinates(
    target: AbstractTarget, position: Float[Array, "chain dim"] | None
) -> tuple[AbstractTarget, Float[Array, "chain dim"] | None]:
    """The posterior of a field in Wiener's coordinates, and starting points in them; other targets as they are."""
    wiener = wiener_coordinates(target) if isinstance(target, Posterior) else None
    if wiener is None:
        return target, position
    seen = Pullback(target, wiener)
    return seen, None if position is None else inverse(seen, position)


def wiener_of(target: AbstractTarget) -> Wiener | None:
    """Wiener's coordinates, where the target is the posterior of a field in them."""
    bijection = target.bijection if isinstance(target, Pullback) else None
    return bijection if isinstance(bijection, Wiener) else None


def coordinates_as_they_are(target: AbstractTarget) -> AbstractBijection:
    """The coordinates as they are, in the form that the target calls for."""
    wiener = wiener_of(target)
    if wiener is None or not wiener.beside:
        return identity(target.dim)
    return SomeCoordinates(identity(len(wiener.beside)), wiener.beside, target.dim)


def inverse(target: Pullback, positions: Float[Array, "chain dim"]) -> Float[Array, "chain dim"]:
    return jax.vmap(target.bijection.inverse)(positions)
