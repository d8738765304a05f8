"""JAX as the command line uses it: its precision, and compiled programs kept between runs."""

import os
import warnings
from contextlib import suppress
from pathlib import Path

from .._results import CosmoflowError


def configure_jax() -> None:
    """Set double precision, a schedule that cannot lock up and, where its folder is writable, the compilation cache."""
    warnings.showwarning = lambda message, *_: os.write(2, f"cosmoflow: warning: {message}\n".encode())
    # Another run is writing the entry, or was killed while it did; it is compiled anew.
    warnings.filterwarnings("ignore", "Error reading persistent compilation cache entry")
    # In jaxlib 0.10.2 batched LAPACK calls that are scheduled side by side can wait for each other for ever.
    flag = "--xla_cpu_enable_concurrency_optimized_scheduler"
    if flag not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}=false".strip()
    import jax

    jax.config.update("jax_enable_x64", True)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ and (folder := _cache_folder()) is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def set_precision(precision: str) -> None:
    """That of all arrays to come, "float32" or "float64"."""
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")


def devices_in_use(count: int | None) -> list | None:
    """The first so many devices of this process; None, which is all of them, where no number is given.

    The processor is made to show as many as it is asked for, if JAX has not been used yet.

    Raises:
        CosmoflowError: There are fewer.
    """
    import jax

    if count is None:
        return None
    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        with suppress(RuntimeError):  # JAX has been used
            jax.config.update("jax_num_cpu_devices", count)
    devices = jax.local_devices()
    if len(devices) < count:
        raise CosmoflowError(
            f"The run asks for {count} devices, but this process has {len(devices)}; set run.devices or --devices to "
            "at most that."
        )
    return devices[:count]


def _cache_folder() -> Path | None:
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cosmoflow"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None
