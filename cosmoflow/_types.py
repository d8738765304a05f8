"""Names for the array types that cross module boundaries."""

from typing import TypeAlias

from jaxtyping import Array, Float, PRNGKeyArray

Scalar: TypeAlias = Float[Array, ""]
Vector: TypeAlias = Float[Array, " dim"]
Parameters: TypeAlias = dict[str, Array]
Key: TypeAlias = PRNGKeyArray
