"""One number, known with a Gaussian error."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from .._types import Parameters
from ._base import AbstractGaussianLikelihood

_DERIVED = {
    "H0": (("h",), lambda h: 100 * h),
    "omega_b": (("Omega_b", "h"), lambda Omega_b, h: Omega_b * h**2),
    "omega_m": (("Omega_m", "h"), lambda Omega_m, h: Omega_m * h**2),
    "S8": (("sigma8", "Omega_m"), lambda sigma8, Omega_m: sigma8 * jnp.sqrt(Omega_m / 0.3)),
}
_DIRECT = ("Omega_m", "Omega_b", "Omega_k", "h", "w0", "wa", "T_cmb", "N_eff", "m_nu", "r_d", "h_r_d")
_DIRECT += ("sigma8", "n_s", "A_s", "tau")


class GaussianConstraint(AbstractGaussianLikelihood):
    """A measurement mean +- sd of a parameter, or of a function of several:

        H0 = 100 h [km/s/Mpc],    omega_b = Omega_b h^2,    omega_m = Omega_m h^2,    S8 = sigma8 (Omega_m / 0.3)^(1/2).

    The parameters that it needs are required. `GaussianConstraint(*datasets.h0_shoes2022())` is a published one.

    Args:
        quantity: What was measured.
        mean: The value.
        sd: Its standard deviation.

    Raises:
        ValueError: If the quantity is unknown, the mean is not finite, or not sd > 0.
    """

    data: Float[Array, " 1"]
    cholesky: Float[Array, "1 1"]
    quantity: str = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, quantity: str, mean: ArrayLike, sd: ArrayLike):
        if quantity not in (*_DERIVED, *_DIRECT):
            raise ValueError(f"{quantity!r} cannot be constrained; use one of {', '.join((*_DERIVED, *_DIRECT))}.")
        if not (np.isfinite(mean) and 0 < np.asarray(sd) < np.inf):
            raise ValueError(f"The constraint on {quantity} needs a finite mean and sd > 0, not {mean} +- {sd}.")
        self.data = jnp.asarray([mean], float)
        self.cholesky = jnp.asarray([[sd]], float)
        self.quantity = quantity
        self.required = _DERIVED[quantity][0] if quantity in _DERIVED else (quantity,)
        self.optional = ()

    def predict(self, parameters: Parameters) -> Float[Array, " 1"]:
        """The quantity."""
        for name in self.required:
            if name not in parameters:
                raise ValueError(f"The constraint on {self.quantity} needs the parameter {name!r}.")
        values = [jnp.asarray(parameters[name]) for name in self.required]
        return jnp.reshape(_DERIVED[self.quantity][1](*values) if self.quantity in _DERIVED else values[0], (1,))
