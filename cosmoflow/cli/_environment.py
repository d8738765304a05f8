"""JAX as the command line uses it: its precision, and compiled programs kept between runs."""

import os
import warnings
from pathlib import Path


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


def _cache_folder() -> Path | None:
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cosmoflow"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None
