"""Names for the array types that cross module boundaries."""

from typing import Any, TypeAlias

from jaxtyping import Array, Float, PRNGKeyArray

Scalar: TypeAlias = Float[Array, ""]
Vector: TypeAlias = Float[Array, " dim"]
Parameters: TypeAlias = dict[str, Array]
Key: TypeAlias = PRNGKeyArray
Device: TypeAlias = Any
"""`jax.Device`, which type checkers take for a variable."""
