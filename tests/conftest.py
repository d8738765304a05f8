"""Shape and type checks on every annotated function, double precision, strict promotion, for every test.

What is compiled is kept in pytest's cache, for the processes that a test starts and for the next run.
"""

import os
from collections import Counter
from pathlib import Path

from jaxtyping import install_import_hook

os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "xla"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

install_import_hook("cosmoflow", "beartype.beartype")

import jax  # noqa: E402  (the hook must stand before the first import of the package)
import pytest  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test marked `soon(n)`, the cases beyond the first n are slow."""
    met = Counter()
    for item in items:
        few, slow = item.get_closest_marker("soon"), item.get_closest_marker("slow")
        if few is not None and slow is None:
            name = item.nodeid.partition("[")[0]
            met[name] += 1
            if met[name] > few.args[0]:
                item.add_marker(pytest.mark.slow)


MANY_MAPS = 30_000
"""Memory maps of a process at which compiled programs are dropped; Linux allows 65530 unless told otherwise."""


@pytest.fixture(autouse=True, scope="module")
def programs_do_not_exhaust_the_maps_of_memory():
    """Each compiled program takes some, and jaxlib crashes where there are no more."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MANY_MAPS:
        jax.clear_caches()


@pytest.fixture(autouse=True)
def programs_of_long_tests_are_dropped(request):
    """They are many and large."""
    yield
    if request.node.get_closest_marker("slow") is not None:
        jax.clear_caches()
