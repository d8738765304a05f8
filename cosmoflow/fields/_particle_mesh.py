"""Matter and galaxies by a particle-mesh simulation."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Parameters, Scalar
from ..cosmology import Cosmology
from ..cosmology._background import matter_scaled
from ._bias import lagrangian_weights
from ._displacement import displacement, growth, second_order_density, tidal_field
from ._grid import AbstractGrid, filtered
from ._latents import AbstractLatents, FourierLatents
from ._power import AbstractPower, LinearMatterPower, fiducial_cosmology
from ._structure import AbstractStructure


class ParticleMeshField(AbstractStructure):
    """Matter or galaxies moved by their gravity on the grid, from second-order perturbation theory on.

    With the momentum p = a^2 E dx / d ln a and G = a^2 E f D, which is that of linear growth, a leapfrog of steps that
    are equal in the scale factor drifts and kicks by

        x += p (D(a_1) - D(a_0)) / G(a_r),    p += -grad laplacian^-1 delta (G(a_1) - G(a_0)) / D(a_r)

    where a_r is the time of what moves. So linear growth is exact at any number of steps. The first half kick is that
    of perturbation theory, and the force is painted and read cloud in cell, which softens it below two cells.

    A value takes 13 transforms and four for each step, and keeps only the particles of each step for its gradient.
    `Omega_m` and what the power requires are required. The bias `b1`, `b2`, `bs2`, `bn2` is optional; without it the
    field is that of matter.

    Args:
        grid: The cells, of three axes.
        redshift: Where the field is observed.
        steps: How many.
        start: The redshift where perturbation theory ends.
        line_of_sight: The axis along which redshifts are distances; none if it is None.
        power: The linear power spectrum of today.
        latents: Whether the latents are Fourier modes or cells.

    Raises:
        ValueError: The grid has not three axes, there is no step or no such axis, or the start is not before the end.

    References:
        Hockney & Eastwood 1988, Computer Simulation Using Particles; Feng, Chu, Seljak & McDonald 2016,
        arXiv:1603.00476, for the factors of drifts and kicks.
    """

    grid: AbstractGrid
    redshift: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    steps: int = eqx.field(static=True, default=5)
    start: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=9.0)
    line_of_sight: int | None = eqx.field(static=True, default=None)
    power: AbstractPower = eqx.field(default_factory=LinearMatterPower)
    latents: AbstractLatents = eqx.field(default_factory=FourierLatents)

    def __check_init__(self):
        if self.steps < 1:
            raise ValueError(f"A particle-mesh simulation needs a step at least, but steps is {self.steps}.")
        if not self.start > self.redshift:
            raise ValueError(f"The simulation starts at redshift {self.start}, but ends before, at {self.redshift}.")

    def predict(self, white_noise: Float[Array, "*grid"], parameters: Parameters) -> Float[Array, "*grid"]:
        """The density contrast."""
        grid, universe, linear = self.grid, fiducial_cosmology(parameters), self.linear(white_noise, parameters)
        times = self._times(universe)
        grown, pace = growth(universe, 1 / times - 1), jnp.sqrt(times * matter_scaled(universe, times))
        linear = filtered(linear, grown.factor[-1])
        tidal = tidal_field(grid, linear)
        second = grid.modes(second_order_density(tidal))

        scale = grown.factor / grown.factor[-1]
        scale2 = scale**2 * grown.second
        start = filtered(linear, scale[0]) + filtered(second, scale2[0])
        speed = filtered(linear, (pace * grown.rate * scale)[1])
        speed = speed + filtered(second, (pace * grown.second_rate * scale2)[1])
        particles = displacement(grid, [start] * 3), displacement(grid, [speed] * 3)

        factors = _leapfrog(grown.factor, pace * grown.rate * grown.factor)
        shift, momentum = self._evolved(particles, grid.rounded(factors))
        if self.line_of_sight is not None:
            shift = shift.at[self.line_of_sight].add(momentum[self.line_of_sight] / grid.rounded(pace[-1]))
        return grid.paint(shift, lagrangian_weights(grid, linear, tidal, parameters)) - 1

    def _times(self, universe: Cosmology) -> Float[Array, " time"]:
        """Scale factors at the ends and the middles of all steps."""
        first, last = (1 / (1 + redshift.astype(universe.h.dtype)) for redshift in (self.start, self.redshift))
        return first + (last - first) * jnp.linspace(0, 1, 2 * self.steps + 1, dtype=first.dtype)

    def _evolved(self, particles: tuple[Array, Array], factors: tuple[Array, Array]) -> tuple[Array, Array]:
        """Displacements and momenta after all drifts and kicks."""
        grid = self.grid

        def step(particles: tuple[Array, Array], factors: tuple[Scalar, Scalar]):
            (shift, momentum), (drift, kick) = particles, factors
            shift = shift + drift * momentum
            density = grid.modes(grid.paint(shift))
            force = jnp.stack([grid.read(part, shift) for part in displacement(grid, [density] * 3)])
            return (shift, momentum + kick * force), None

        return jax.lax.scan(jax.checkpoint(step, prevent_cse=False), particles, factors)[0]


def _leapfrog(
    factor: Float[Array, " time"], momentum: Float[Array, " time"]
) -> tuple[Float[Array, " step"], Float[Array, " step"]]:
    """How far each step drifts and kicks, from D and G at the ends and the middles of all steps."""
    drifts = (factor[2::2] - factor[:-2:2]) / momentum[1::2]
    kicks = (jnp.append(momentum[3::2], momentum[-1]) - momentum[1::2]) / factor[2::2]
    return drifts, kicks
