"""The flow of a Hamiltonian for a fixed time, as a volume-preserving bijection of phase space."""

from typing import Any

import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float
from paramax import AbstractUnwrappable

from .._types import Scalar
from ._hamiltonian import Hamiltonian
from ._integrator import AbstractIntegrator
from ._splitting import Leapfrog


class SymplecticMap(AbstractBijection):
    """`num_steps` symplectic steps on x = concatenate(q, p); the log-determinant is exactly zero.

    Args:
        dim: Dimension d of the position; the bijection acts on R^(2d).
        hamiltonian: Potential and kinetic energy.
        step_size: Length of one step.
        num_steps: Number of steps.
        integrator: Leapfrog by default.
    """

    shape: tuple[int, ...]
    hamiltonian: Hamiltonian
    integrator: AbstractIntegrator
    step_size: Float[Array, ""] | AbstractUnwrappable
    num_steps: int
    cond_shape: None = None

    def __init__(
        self,
        dim: int,
        hamiltonian: Hamiltonian,
        *,
        step_size: float | Float[Array, ""] | AbstractUnwrappable,
        num_steps: int,
        integrator: AbstractIntegrator | None = None,
    ):
        if num_steps < 1:
            raise ValueError(f"num_steps is {num_steps}, but a map needs at least one step.")
        self.shape = (2 * dim,)
        self.hamiltonian = hamiltonian
        self.integrator = Leapfrog() if integrator is None else integrator
        wrapped = isinstance(step_size, AbstractUnwrappable)
        self.step_size = step_size if wrapped else jnp.asarray(step_size, float)
        self.num_steps = num_steps

    def _run(self, x: Any, *, backwards: bool) -> tuple[Float[Array, " phase"], Scalar]:
        h: Any = self.step_size
        start, h = (self.num_steps * h, -h) if backwards else (jnp.zeros_like(h), h)
        q, p = jnp.split(x, 2)
        state = self.integrator.init(self.hamiltonian, q, p, start)
        state = self.integrator.integrate(self.hamiltonian, state, h, self.num_steps)
        return jnp.concatenate([state.q, state.p]), jnp.zeros((), x.dtype)

    def transform_and_log_det(self, x, condition=None):
        """Follow the flow from time 0 to `num_steps * step_size`."""
        return self._run(x, backwards=False)

    def inverse_and_log_det(self, y, condition=None):
        """Follow the flow back from `num_steps * step_size` to time 0."""
        return self._run(y, backwards=True)
