"""Baryon acoustic oscillations, alone or with the growth of structure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._location import locate
from ._tables import read_columns, read_matrix

QUANTITIES = ("DM_over_rd", "DH_over_rd", "DV_over_rd", "f_sigma8")


@dataclass(frozen=True, eq=False)
class BAOData:
    """Distances in units of the sound horizon, and growth rates where the full shape was fitted.

    Args:
        redshift: Effective redshift of each value.
        quantity: What each value is: `DM_over_rd`, `DH_over_rd`, `DV_over_rd` or `f_sigma8`.
        value: The measured ratio or rate.
        covariance: Covariance of the values.
        tracer: What each value was measured with; empty if nobody asks.

    Raises:
        ValueError: If a quantity is unknown or the lengths disagree.
    """

    redshift: Float[np.ndarray, " data"]
    quantity: tuple[str, ...]
    value: Float[np.ndarray, " data"]
    covariance: Float[np.ndarray, "data data"]
    tracer: tuple[str, ...] = ()

    def __post_init__(self):
        size = len(self.quantity)
        if not self.redshift.shape == self.value.shape == (size,) or self.covariance.shape != (size, size):
            raise ValueError(f"{size} quantities need as many redshifts and values and a square covariance.")
        if len(self.tracer) not in (0, size):
            raise ValueError(f"{size} quantities need as many tracers, or none, but there are {len(self.tracer)}.")
        for quantity in self.quantity:
            if quantity not in QUANTITIES:
                raise ValueError(f"{quantity!r} is no BAO quantity; use one of {', '.join(QUANTITIES)}.")

    def select(self, tracers: Sequence[str]) -> "BAOData":
        """The values measured with some of the tracers, in their order here; the others are marginalised.

        Args:
            tracers: Names out of `tracer`.

        Raises:
            ValueError: If a tracer is unknown, or none is given.
        """
        known = tuple(dict.fromkeys(self.tracer))
        for tracer in tracers:
            if tracer not in known:
                raise ValueError(f"{tracer!r} is no tracer of these data; they have {', '.join(known) or 'none'}.")
        if not tracers:
            raise ValueError(f"At least one tracer is needed; the data have {', '.join(known) or 'none'}.")
        chosen = [i for i, tracer in enumerate(self.tracer) if tracer in tracers]
        return BAOData(
            redshift=self.redshift[chosen],
            quantity=tuple(self.quantity[i] for i in chosen),
            value=self.value[chosen],
            covariance=self.covariance[np.ix_(chosen, chosen)],
            tracer=tuple(self.tracer[i] for i in chosen),
        )


def desi_dr1_bao(tracers: Sequence[str] | None = None) -> BAOData:
    """DESI DR1: 12 distances at 7 redshifts from 0.295 to 2.33.

    Args:
        tracers: Any of BGS, LRG1, LRG2, LRG3+ELG1, ELG2, QSO and Lya; all by default.

    Raises:
        DataError: If a file is missing or damaged.
        ValueError: If a tracer is unknown.

    References:
        DESI Collaboration 2024, arXiv:2404.03000, arXiv:2404.03001 and arXiv:2404.03002.
    """
    return _read("desi_dr1_bao", tracers)


def desi_dr2_bao(tracers: Sequence[str] | None = None) -> BAOData:
    """DESI DR2: 13 distances at 7 redshifts from 0.295 to 2.33.

    Args:
        tracers: Any of BGS, LRG1, LRG2, LRG3+ELG1, ELG2, QSO and Lya; all by default.

    Raises:
        DataError: If a file is missing or damaged.
        ValueError: If a tracer is unknown.

    References:
        DESI Collaboration 2025, arXiv:2503.14738 and arXiv:2503.14739.
    """
    return _read("desi_dr2_bao", tracers)


def sdss_dr12_lrg_bao() -> BAOData:
    """SDSS DR12 (BOSS) luminous red galaxies: D_M and D_H at redshifts 0.38 and 0.51.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Alam et al. 2017, arXiv:1607.03155; eBOSS Collaboration 2021, arXiv:2007.08991.
    """
    return _read("sdss_dr12_lrg_bao")


def sdss_dr16_lrg_bao() -> BAOData:
    """SDSS DR16 (eBOSS) luminous red galaxies: D_M and D_H at redshift 0.698.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        eBOSS Collaboration 2021, arXiv:2007.08991.
    """
    return _read("sdss_dr16_lrg_bao")


def sdss_dr16_qso_bao() -> BAOData:
    """SDSS DR16 (eBOSS) quasars: D_M and D_H at redshift 1.48.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        eBOSS Collaboration 2021, arXiv:2007.08991.
    """
    return _read("sdss_dr16_qso_bao")


def sdss_dr16_lrg_full_shape() -> BAOData:
    """SDSS DR12 and DR16 luminous red galaxies: D_M, D_H and f sigma8 at redshifts 0.38, 0.51 and 0.698.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        eBOSS Collaboration 2021, arXiv:2007.08991.
    """
    return _read("sdss_dr16_lrg_full_shape")


def sdss_dr16_qso_full_shape() -> BAOData:
    """SDSS DR16 quasars: D_M, D_H and f sigma8 at redshift 1.48.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        eBOSS Collaboration 2021, arXiv:2007.08991.
    """
    return _read("sdss_dr16_qso_full_shape")


def _read(name: str, tracers: Sequence[str] | None = None) -> BAOData:
    folder = locate(name)
    columns = read_columns(folder / "measurements.csv")
    data = BAOData(
        redshift=np.array(columns["redshift"], float),
        quantity=tuple(columns["quantity"]),
        value=np.array(columns["value"], float),
        covariance=read_matrix(folder / "covariance.csv"),
        tracer=tuple(columns["tracer"]),
    )
    return data if tracers is None else data.select(tracers)
