"""The parameters of a homogeneous universe."""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from .._types import Scalar
from ._neutrinos import fermi_dirac_energy

T_CMB = 2.7255  # [K], Fixsen 2009, arXiv:0911.1955

LABELS = {
    "Omega_m": r"\Omega_\mathrm{m}",
    "Omega_b": r"\Omega_\mathrm{b}",
    "Omega_k": r"\Omega_\mathrm{k}",
    "h": r"h",
    "H0": r"H_0\ [\mathrm{km/s/Mpc}]",
    "h_r_d": r"h\,r_\mathrm{d}\ [\mathrm{Mpc}]",
    "r_d": r"r_\mathrm{d}\ [\mathrm{Mpc}]",
    "w0": r"w_0",
    "wa": r"w_a",
    "m_nu": r"\sum m_\nu",
    "N_eff": r"N_\mathrm{eff}",
    "T_cmb": r"T_\mathrm{CMB}",
    "sigma8": r"\sigma_8",
    "S8": r"S_8",
    "n_s": r"n_\mathrm{s}",
    "A_s": r"A_\mathrm{s}",
    "logA": r"\ln(10^{10} A_\mathrm{s})",
    "A_planck": r"A_\mathrm{Planck}",
    "A_IA": r"A_\mathrm{IA}",
    "eta_IA": r"\eta_\mathrm{IA}",
    "tau": r"\tau",
    "M": r"M\ [\mathrm{mag}]",
}

_G = 6.67430e-11  # [m^3 / kg / s^2]
_STEFAN_BOLTZMANN = 5.670374419e-8  # [W / m^2 / K^4]
_LIGHT_SPEED = 299792458.0  # [m / s]
_BOLTZMANN = 8.617333262e-5  # [eV / K]
_HUBBLE_100 = 1e5 / 3.0856775814913673e22  # 100 km/s/Mpc [1 / s]
_PHOTONS = 32 * np.pi * _G * _STEFAN_BOLTZMANN / (3 * _HUBBLE_100**2 * _LIGHT_SPEED**3)  # Omega_gamma h^2 / T_cmb^4


class Cosmology(eqx.Module):
    """A universe of matter, curvature, dark energy with w(a) = w0 + wa (1 - a), and optionally radiation.

    `Omega_m` is all matter today, massive neutrinos included, and dark energy closes the budget.
    Three neutrino species share `N_eff` equally; one of them has the mass `m_nu`.
    A Python zero for `T_cmb` or `m_nu` switches radiation or the mass off and costs nothing; the field is then None.
    All fields have one dtype: that of the arrays given, or JAX's default.

    Args:
        Omega_m: Matter density today over the critical density.
        h: Hubble constant in units of 100 km/s/Mpc.
        Omega_b: Baryon density today over the critical density.
        Omega_k: Curvature density; positive for an open universe.
        w0: Dark-energy equation of state today.
        wa: Its derivative with respect to -a.
        T_cmb: Temperature of the microwave background [K].
        N_eff: Effective number of neutrino species.
        m_nu: Neutrino mass [eV].

    Raises:
        ValueError: If neutrinos have a mass but the universe has no radiation.

    Examples:
        >>> from cosmoflow.cosmology import Cosmology, hubble_rate
        >>> round(float(hubble_rate(Cosmology(0.3, h=0.7, w0=-0.9), 1.0)), 1)
        126.4

    References:
        Chevallier & Polarski 2001, arXiv:gr-qc/0009008; Linder 2003, arXiv:astro-ph/0208512.
    """

    Omega_m: Scalar
    h: Scalar
    Omega_b: Scalar
    Omega_k: Scalar
    w0: Scalar
    wa: Scalar
    T_cmb: Scalar | None
    N_eff: Scalar
    m_nu: Scalar | None

    def __init__(
        self,
        Omega_m: ArrayLike,
        *,
        h: ArrayLike = 0.7,
        Omega_b: ArrayLike = 0.05,
        Omega_k: ArrayLike = 0.0,
        w0: ArrayLike = -1.0,
        wa: ArrayLike = 0.0,
        T_cmb: ArrayLike = 0.0,
        N_eff: ArrayLike = 3.044,
        m_nu: ArrayLike = 0.0,
    ):
        if _is_off(T_cmb) and not _is_off(m_nu):
            raise ValueError("A neutrino mass `m_nu` needs radiation; give `T_cmb` as well.")
        dtype = jnp.result_type(float, Omega_m, h, Omega_b, Omega_k, w0, wa, T_cmb, N_eff, m_nu)
        self.Omega_m = jnp.asarray(Omega_m, dtype)
        self.h = jnp.asarray(h, dtype)
        self.Omega_b = jnp.asarray(Omega_b, dtype)
        self.Omega_k = jnp.asarray(Omega_k, dtype)
        self.w0 = jnp.asarray(w0, dtype)
        self.wa = jnp.asarray(wa, dtype)
        self.T_cmb = None if _is_off(T_cmb) else jnp.asarray(T_cmb, dtype)
        self.N_eff = jnp.asarray(N_eff, dtype)
        self.m_nu = None if _is_off(m_nu) else jnp.asarray(m_nu, dtype)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, ArrayLike], **defaults: ArrayLike) -> "Cosmology":
        """The cosmology of the names found among `parameters`; other names are ignored.

        Args:
            parameters: Values by name; those of this class's arguments are taken.
            **defaults: Values of arguments that `parameters` lacks.

        Returns:
            The cosmology.
        """
        return cls(**{**defaults, **{name: parameters[name] for name in cls.__annotations__ if name in parameters}})

    @property
    def Omega_gamma(self) -> Scalar:
        """Photon density today over the critical density."""
        return jnp.zeros_like(self.h) if self.T_cmb is None else _PHOTONS * self.T_cmb**4 / self.h**2

    @property
    def Omega_species(self) -> Scalar:
        """Density today of one neutrino species, were it massless: 7/8 (4/11)^(4/3) N_eff/3 Omega_gamma."""
        return 7 / 8 * (4 / 11) ** (4 / 3) / 3 * self.N_eff * self.Omega_gamma

    @property
    def Omega_radiation(self) -> Scalar:
        """Density today of photons and massless neutrinos."""
        return self.Omega_gamma + (3 if self.m_nu is None else 2) * self.Omega_species

    @property
    def mass_over_temperature(self) -> Scalar:
        """Neutrino mass over neutrino temperature today, with T = (4/11)^(1/3) (N_eff/3)^(1/4) T_cmb."""
        if self.T_cmb is None or self.m_nu is None:
            return jnp.zeros_like(self.h)
        return self.m_nu / (_BOLTZMANN * (4 / 11) ** (1 / 3) * (self.N_eff / 3) ** 0.25 * self.T_cmb)

    @property
    def Omega_nu(self) -> Scalar:
        """Density today of the massive neutrinos, part of `Omega_m`."""
        if self.m_nu is None:
            return jnp.zeros_like(self.h)
        return self.Omega_species * fermi_dirac_energy(self.mass_over_temperature)

    @property
    def omega_b(self) -> Scalar:
        """Physical density of baryons, Omega_b h^2."""
        return self.Omega_b * self.h**2

    @property
    def omega_bc(self) -> Scalar:
        """Physical density of baryons and cold dark matter, (Omega_m - Omega_nu) h^2."""
        return (self.Omega_m - self.Omega_nu) * self.h**2

    @property
    def Omega_de(self) -> Scalar:
        """Dark-energy density today, 1 - Omega_m - Omega_k - Omega_radiation."""
        return 1 - self.Omega_m - self.Omega_k - self.Omega_radiation


def _is_off(value: ArrayLike) -> bool:
    return isinstance(value, int | float) and value == 0
