"""The samples of a batch divided among devices."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, PartitionSpec
from jaxtyping import Shaped

from .._types import Device

_SAMPLES = "samples"


def spread_over(devices: Sequence[Device]) -> AbstractContextManager:
    """Within it, what is compiled divides samples among the devices, if there are several."""
    if len(devices) < 2:
        return nullcontext()
    return jax.set_mesh(Mesh(np.array(devices), (_SAMPLES,), axis_types=(AxisType.Auto,)))


def spread(samples: Shaped[jax.Array, "sample ..."]) -> Shaped[jax.Array, "sample ..."]:
    """Samples divided among the devices in whose context it is compiled, where their number goes.

    What is computed of them is divided as they are.
    """
    mesh = jax.sharding.get_abstract_mesh()
    if _SAMPLES not in mesh.axis_names or samples.shape[0] % mesh.shape[_SAMPLES]:
        return samples
    return jax.lax.with_sharding_constraint(samples, PartitionSpec(_SAMPLES))
