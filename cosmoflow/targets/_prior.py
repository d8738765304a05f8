"""Priors as transports of N(0, I)."""

from collections import Counter
from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._types import Parameters, Vector
from ._marginals import AbstractTransport


class Prior(eqx.Module):
    """Blocks of parameters, each a transport of its own coordinates of N(0, I).

        z ~ N(0, I)   =>   prior.forward(z) ~ prior

    The coordinates follow the order of `blocks`, which are independent but for those whose law depends on parameters
    that stand before them.

    Args:
        blocks: A transport for each parameter name, `{"Omega_m": Uniform(0.01, 0.99)}`, or for a tuple of names that
            share a joint prior, `{("w0", "wa"): UniformPolygon(vertices)}`.

    Raises:
        ValueError: If a name appears twice, a joint block has not one coordinate per name, or a block depends on a
            parameter that does not stand before it.

    Examples:
        >>> import cosmoflow as cf, jax.numpy as jnp
        >>> prior = cf.Prior({"Omega_m": cf.Uniform(0.0, 1.0), "h": cf.Normal(0.7, 0.1)})
        >>> prior.names
        ('Omega_m', 'h')
        >>> {name: round(float(value), 3) for name, value in prior.forward(jnp.array([0.0, 1.0])).items()}
        {'Omega_m': 0.5, 'h': 0.8}
    """

    blocks: tuple[AbstractTransport, ...]
    keys: tuple[str | tuple[str, ...], ...] = eqx.field(static=True)

    def __init__(self, blocks: Mapping):
        self.keys = tuple(blocks)
        self.blocks = tuple(blocks.values())

    def __check_init__(self):
        repeated = [name for name, count in Counter(self.names).items() if count > 1]
        if repeated:
            raise ValueError(f"The prior names {', '.join(map(repr, repeated))} more than once.")
        before: list[str] = []
        for key, block in zip(self.keys, self.blocks, strict=True):
            if isinstance(key, tuple) and block.shape != (len(key),):
                raise ValueError(
                    f"The joint prior of {', '.join(map(repr, key))} needs coordinates of shape ({len(key)},), "
                    f"but {type(block).__name__} has {block.shape}."
                )
            missing = [name for name in block.conditions if name not in before]
            if missing:
                raise ValueError(f"The prior of {key!r} depends on {missing[0]!r}, which must stand before it.")
            before += key if isinstance(key, tuple) else [key]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the blocks."""
        return tuple(name for key in self.keys for name in (key if isinstance(key, tuple) else (key,)))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the parameters on which the laws of others depend."""
        return tuple(dict.fromkeys(name for block in self.blocks for name in block.conditions))

    @property
    def dim(self) -> int:
        """Number of standard-normal coordinates."""
        return sum(int(np.prod(block.shape)) for block in self.blocks)

    def span(self, name: str) -> slice:
        """Which coordinates the block of a parameter has."""
        start = 0
        for key, block in zip(self.keys, self.blocks, strict=True):
            size = int(np.prod(block.shape))
            if name in (key if isinstance(key, tuple) else (key,)):
                return slice(start, start + size)
            start += size
        raise KeyError(name)

    def forward(self, z: Vector) -> Parameters:
        """From standard-normal coordinates, shape (dim,), to named parameters in their own units."""
        parameters: dict[str, Array] = {}
        start = 0
        for key, block in zip(self.keys, self.blocks, strict=True):
            stop = start + int(np.prod(block.shape))
            value = block.given(parameters).forward(z[start:stop].reshape(block.shape))
            parameters.update(
                {name: value[i] for i, name in enumerate(key)} if isinstance(key, tuple) else {key: value}
            )
            start = stop
        return parameters

    def inverse(self, parameters: Parameters) -> Vector:
        """From named parameters to standard-normal coordinates, shape (dim,); not finite outside the support."""
        pieces = []
        for key, block in zip(self.keys, self.blocks, strict=True):
            value = jnp.stack([parameters[name] for name in key]) if isinstance(key, tuple) else parameters[key]
            pieces.append(block.given(parameters).inverse(value).reshape(-1))
        return jnp.concatenate(pieces)
