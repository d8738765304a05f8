"""How much memory a field-level run takes, said before it takes it."""

import math
import os
from pathlib import Path

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

MODEL_NUMBERS = {"gaussian": 8, "log_normal": 13, "lagrangian": 54, "particle_mesh": 84}
"""Numbers per cell that value and gradient of a field-level likelihood take, input and output included.

At 64^3, in float32 and float64, XLA states 7.6 of a Gaussian and 10.2 of a log-normal field, 36 of second-order
Lagrangian perturbation theory, and 50 with bias in redshift space; the transforms take the rest. That of a
particle mesh is estimated: six more for each of five steps.
"""

SAMPLER_NUMBERS = 32
"""Numbers per cell that the state of a sampler takes, before and after a step, and with what a step needs."""

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_needed(
    grid_shape: tuple[int, ...],
    *,
    num_chains: int = 1,
    chunk: int = 250,
    every: int = 1,
    dtype: DTypeLike = float,
    model: str = "lagrangian",
) -> int:
    """Bytes that sampling a field takes at its peak.

        size of a number x cells x chains x (model + sampler + chunk (1 + 1 / every))

    The buffers of a chunk hold the position of every draw, and the field of those that are kept. Measured runs take up
    to half a gigabyte more, most of it the compiler's.

    Args:
        grid_shape: Cells along each axis.
        num_chains: Chains, which run side by side.
        chunk: Draws per compiled call.
        every: One of this many fields is kept.
        dtype: Of the field; the default floating dtype of JAX if it is not given.
        model: The forward model, one of `MODEL_NUMBERS`.
    """
    numbers = MODEL_NUMBERS[model] + SAMPLER_NUMBERS + chunk + math.ceil(chunk / every)
    return jnp.zeros((), dtype).dtype.itemsize * math.prod(grid_shape) * num_chains * numbers


def memory_available(num_devices: int = 1) -> int:
    """Bytes that are free: of that many devices where they say so, or of the machine and within the limit of its
    control group."""
    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return num_devices * (stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    limits = [_machine()]
    for path in map(Path, _CGROUP_LIMITS):
        if path.exists() and (text := path.read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits)


def check_memory(
    grid_shape: tuple[int, ...],
    *,
    num_chains: int = 1,
    chunk: int = 250,
    every: int = 1,
    dtype: DTypeLike = float,
    model: str = "lagrangian",
    num_devices: int = 1,
) -> None:
    """Refuse a run that will not fit into the memory, before anything of it is allocated.

    Args:
        grid_shape: Cells along each axis.
        num_chains: Chains, which run side by side.
        chunk: Draws per compiled call.
        every: One of this many fields is kept.
        dtype: Of the field; the default floating dtype of JAX if it is not given.
        model: The forward model, one of `MODEL_NUMBERS`.
        num_devices: Accelerators over which the field or the chains are split; those of one machine share its memory.

    Raises:
        ValueError: It needs more than there is.
    """
    needed = memory_needed(grid_shape, num_chains=num_chains, chunk=chunk, every=every, dtype=dtype, model=model)
    available = memory_available(num_devices)
    if needed > available:
        raise ValueError(
            f"The run needs about {needed / 1e9:.3g} GB of memory, but {available / 1e9:.3g} GB are available: "
            f"reduce the grid {tuple(grid_shape)}, the chains ({num_chains}) or the draws per chunk ({chunk})."
        )


def _machine() -> int:
    """Bytes of the machine's memory that are not in use; all of it where the system does not tell."""
    info = Path("/proc/meminfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
