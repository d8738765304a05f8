"""What a machine offers to a run, and whether it works."""

import os
import platform
import shutil
import sys
import warnings
from dataclasses import asdict, dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from ._cache import LIMIT, held

LIBRARIES = ("jax", "jaxlib", "equinox", "flowjax", "optax", "blackjax", "diffrax", "jax_cosmo", "h5py", "numpy")
OPTIONAL = ("matplotlib", "getdist", "sacc", "jaxpm", "numpyro", "cobaya")

ROUNDED = 1e-4
"""Relative error of a product in single precision above which its factors were rounded to fewer digits."""

_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass
class Health:
    """Facts by name, what is broken, and what may be better.

    Attributes:
        facts: Numbers and texts, in the order in which they are shown.
        problems: Sentences; none where a run would work.
        notes: Sentences on what works, but not as well as it might.
    """

    facts: dict[str, Any]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def examine() -> Health:
    """Look at everything, which takes some seconds; where something is broken, no further than there."""
    health = Health({"cosmoflow": metadata.version("cosmoflow"), "python": platform.python_version()})
    health.facts["machine"] = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    health.facts["libraries"] = {name: _version(name) for name in (*LIBRARIES, *OPTIONAL)}
    for name in LIBRARIES:
        if health.facts["libraries"][name] is None:
            health.problems.append(f"{name} is not installed; install cosmoflow again with pip.")
    for step in (_look_at_devices, _import_libraries, _time_kernels):
        if not health.problems:
            step(health)
    return health


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _look_at_devices(health: Health) -> None:
    from ._environment import configure_jax

    try:
        configure_jax()
        import jax
        import jax.numpy as jnp

        devices = jax.devices()
    except Exception as error:
        health.problems.append(f"JAX does not start ({_first_line(error)}); check the driver and JAX_PLATFORMS.")
        return
    health.facts["devices"] = [
        {"platform": one.platform, "kind": one.device_kind, "id": one.id, "memory": _memory(one)} for one in devices
    ]
    health.facts["precision"] = jnp.zeros(()).dtype.name
    health.facts["cache"] = _cache(health)
    hidden = devices[0].platform == "cpu" and "JAX_PLATFORMS" not in os.environ
    if hidden and (_DRIVER.exists() or shutil.which("nvidia-smi")):
        health.problems.append(
            "This machine has a driver for NVIDIA GPUs, but JAX sees none; install JAX for them, "
            f"`{Path(sys.executable).name} -m pip install 'jax[cuda12]'`, or set JAX_PLATFORMS=cpu."
        )


def _import_libraries(health: Health) -> None:
    for name in LIBRARIES:
        try:
            with warnings.catch_warnings(action="ignore"):
                import_module(name)
        except Exception as error:
            health.problems.append(f"{name} cannot be imported ({_first_line(error)}); install it again with pip.")


def _time_kernels(health: Health) -> None:
    from ._environment import without_cache
    from ._kernels import reference_kernels

    try:
        with without_cache():
            kernels = reference_kernels()
    except Exception as error:
        health.problems.append(f"A reference kernel failed: {_first_line(error)}; check the driver and the memory.")
        return
    health.facts["kernels"] = [asdict(kernel) for kernel in kernels]
    for kernel in kernels:
        if not kernel.right:
            health.problems.append(
                f"The result of {kernel.name} is off by {kernel.error:.1e}, where {kernel.tolerance:.0e} is allowed; "
                "do not trust this device."
            )
        elif "matrix product" in kernel.name and "float32" in kernel.name and kernel.error > ROUNDED:
            health.notes.append(
                "Matrix products in single precision are rounded to fewer digits; set "
                "JAX_DEFAULT_MATMUL_PRECISION=highest."
            )
        if not kernel.reproducible:
            health.notes.append(
                f"{kernel.name[:1].upper()}{kernel.name[1:]}: the last bits differ from time to time, so a resumed run "
                "need not repeat an uninterrupted one; with XLA_FLAGS=--xla_gpu_deterministic_ops=true it does, slower."
            )


def _cache(health: Health) -> dict[str, Any]:
    import jax

    folder = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    if not folder:
        health.notes.append(
            "Compiled programs are not kept between runs, because their folder cannot be written to; set "
            "XDG_CACHE_HOME or JAX_COMPILATION_CACHE_DIR to one that can."
        )
        return {"folder": None}
    own = "JAX_COMPILATION_CACHE_DIR" not in os.environ
    files, size = held(Path(folder))
    return {"folder": str(folder), "files": files, "bytes": size, "limit": LIMIT if own else None}


def _memory(device: Any) -> int | None:
    """Bytes that the device says it has."""
    return (device.memory_stats() or {}).get("bytes_limit")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
