"""Shape and type checks on every annotated function, double precision, strict promotion, for every test."""

from jaxtyping import install_import_hook

install_import_hook("cosmoflow", "beartype.beartype")

import jax  # noqa: E402  (the hook must stand before the first import of the package)

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
