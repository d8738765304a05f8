"""From angular power spectra to correlation functions and bandpowers: matrices that are computed once.

A spectrum is known at a few multipoles; between them l^1.5 C(l) is a cubic spline in ln l. What is observed is linear
in it, so that each observed number is a row times the spectrum.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

MULTIPOLE = np.unique(
    np.round(np.concatenate([[1, 2, 3, 5, 8, 12, 18], np.geomspace(26, 1500, 24), np.geomspace(1900, 6e4, 17)]), 0)
)
"""Multipoles at which spectra are computed: closer where baryon oscillations are seen."""

_SPINS = {"xi_plus": (2, 2), "xi_minus": (2, -2), "gamma_t": (2, 0), "w": (0, 0)}
STATISTICS = tuple(_SPINS)
_NODES = 8  # Gauss-Legendre nodes of an average over a bin of angles
_BLOCK = 1024  # multipoles at a time


def correlation_matrix(
    statistic: Sequence[str], theta: Float[np.ndarray, " row"] | Float[np.ndarray, "row 2"]
) -> Float[np.ndarray, "row ell"]:
    """The rows that turn a spectrum at `MULTIPOLE` into correlation functions on the full sky.

        xi+-(theta) = sum (2 l + 1) / (4 pi) C(l) d^l_{2, +-2}(theta),    gamma_t with d^l_{2, 0},    w with d^l_{0, 0}

    Sums run from l = 2, for w from l = 1, to 6e4.

    Args:
        statistic: For each row `xi_plus`, `xi_minus`, `gamma_t` or `w`.
        theta: Angle of each row [arcmin], or the two edges of a bin over whose area is averaged.

    Raises:
        ValueError: If a statistic is none of the four.

    References:
        Kitching et al. 2017, arXiv:1611.04954, for shear on the full sky.
    """
    for name in statistic:
        if name not in _SPINS:
            raise ValueError(f"{name!r} is no correlation function; use one of {', '.join(STATISTICS)}.")
    first, second = np.array([_SPINS[name] for name in statistic]).T[:, :, None]
    radian = np.radians(np.asarray(theta) / 60)
    nodes, weights = np.zeros(1), np.ones(1)
    if radian.ndim == 2:
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    low, high = np.cos(radian.reshape(len(statistic), -1)[:, [0, -1]]).T[:, :, None]
    cosine = (low + high) / 2 + (high - low) / 2 * nodes
    weights = weights / weights.sum()
    spins = (first == 2).astype(float) + (second != 0)

    total = 3 / (4 * np.pi) * np.where(spins == 0, cosine @ weights[:, None], 0) * _interpolation(np.ones(1))
    for ell, wigner in _wigner_d(first, second, int(MULTIPOLE[-1]), cosine):
        weighted = (2 * ell + 1) / (4 * np.pi) * _spin_factor(ell) ** spins * (wigner @ weights).T
        total += weighted @ _interpolation(ell)
    return total


def bandpower_matrix(
    statistic: str, multipole: Float[np.ndarray, " ell"], window: Float[np.ndarray, "band ell"]
) -> Float[np.ndarray, "band node"]:
    """The rows that turn a spectrum at `MULTIPOLE` into bandpowers, sums over multipoles with a window each.

    Args:
        statistic: `cl_ee`, `cl_ge` or `cl_gg`; says how many fields of spin two there are.
        multipole: Multipoles of the window.
        window: Weight of each multipole in each band.
    """
    spins = {"cl_gg": 0, "cl_ge": 1, "cl_ee": 2}[statistic]
    return (window * _spin_factor(multipole) ** spins) @ _interpolation(multipole)


def _spin_factor(ell: np.ndarray) -> np.ndarray:
    """sqrt((l + 2)! / (l - 2)!) / (l + 1/2)^2, which is one on small scales."""
    return np.sqrt(np.maximum((ell + 2) * (ell + 1) * ell * (ell - 1.0), 0)) / (ell + 0.5) ** 2


def _interpolation(ell: np.ndarray) -> np.ndarray:
    """Values at `ell` of the natural spline through values at `MULTIPOLE`, as a matrix."""
    nodes = np.log(MULTIPOLE)
    gap = np.diff(nodes)
    size = nodes.size
    # Second derivatives of the spline are linear in its values.
    system, right = np.eye(size), np.zeros((size, size))
    for i in range(1, size - 1):
        system[i, i - 1 : i + 2] = gap[i - 1], 2 * (gap[i - 1] + gap[i]), gap[i]
        right[i, i - 1 : i + 2] = 6 / gap[i - 1], -6 / gap[i - 1] - 6 / gap[i], 6 / gap[i]
    bend = np.linalg.solve(system, right)
    x = np.log(ell)
    low = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, size - 2)
    t = ((x - nodes[low]) / gap[low])[:, None]
    square = gap[low][:, None] ** 2 / 6
    identity = np.eye(size)
    spline = (1 - t) * identity[low] + t * identity[low + 1]
    spline += square * (((1 - t) ** 3 - (1 - t)) * bend[low] + (t**3 - t) * bend[low + 1])
    return spline * MULTIPOLE**1.5 / np.asarray(ell, float)[:, None] ** 1.5


def _wigner_d(
    m: np.ndarray, n: np.ndarray, last: int, cosine: Float[np.ndarray, "row angle"]
) -> Iterator[tuple[Float[np.ndarray, " ell"], Float[np.ndarray, "ell row angle"]]]:
    """d^l_{m, n} for l from 2 to `last`, in blocks, by the recurrence in l, for m and n among 0 and +-2.

    References:
        Kostelec & Rockmore 2008, J. Fourier Anal. Appl. 14, 145, Eq. 1.
    """
    quadrupole = {0: (3 * cosine**2 - 1) / 2, 1: np.sqrt(6) / 4 * (1 - cosine**2), 2: ((1 + n / 2 * cosine) / 2) ** 2}
    spins = np.abs(m) // 2 + np.abs(n) // 2
    before = np.where(spins == 0, cosine, 0.0)
    current = np.select([spins == 0, spins == 1], [quadrupole[0], quadrupole[1]], quadrupole[2])
    for start in range(2, last + 1, _BLOCK):
        ell = np.arange(start, min(start + _BLOCK, last + 1), dtype=float)
        l = ell[:, None, None]
        up = np.sqrt(((l + 1) ** 2 - m**2) * ((l + 1) ** 2 - n**2)) / (l + 1)
        slope, shift = (2 * l + 1) / up, m * n / (l * (l + 1))
        down = np.sqrt((l**2 - m**2) * (l**2 - n**2)) / l / up
        values = np.empty((ell.size, *cosine.shape))
        for i in range(ell.size):
            values[i] = current
            before, current = current, slope[i] * (cosine - shift[i]) * current - down[i] * before
        yield ell, values
