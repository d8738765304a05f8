"""From angular power spectra to correlation functions and bandpowers: matrices that are computed once.

A spectrum is known at a few multipoles; between them l^1.5 C(l) is a cubic spline in ln l. What is observed is linear
in it, so that each observed number is a row times the spectrum.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.special import erfc, j0, j1

MULTIPOLE = np.unique(
    np.round(np.concatenate([[1, 2, 3, 5, 8, 12, 18], np.geomspace(26, 1500, 24), np.geomspace(1900, 6e4, 17)]), 0)
)
"""Multipoles at which spectra are computed: closer where baryon oscillations are seen."""

_SPINS = {"xi_plus": (2, 2), "xi_minus": (2, -2), "gamma_t": (2, 0), "w": (0, 0)}
STATISTICS = tuple(_SPINS)
_NODES = 8  # Gauss-Legendre nodes of an average over a bin of angles
_PARTING = (500.0, 4500.0)  # between these multipoles the sum goes over from every one to every n-th
_PHASE = 0.5  # [rad] of the oscillation from one of those to the next
_MAX_STEP = 20
_FADING = 3e4  # where the sum begins to end


def correlation_matrix(
    statistic: Sequence[str], theta: Float[np.ndarray, " row"] | Float[np.ndarray, "row 2"]
) -> Float[np.ndarray, "row ell"]:
    """The rows that turn a spectrum at `MULTIPOLE` into correlation functions on the full sky.

        xi+-(theta) = sum (2 l + 1) / (4 pi) C(l) d^l_{2, +-2}(theta),    gamma_t with d^l_{2, 0},    w with d^l_{0, 0}

    Sums run from l = 2, for w from l = 1, and fade out between 3e4 and 6e4, which keeps a sharp end from ringing.
    Where l is large, so smooth a summand is summed over every n-th l.

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
    spins = (first != 0).astype(int) + (second != 0)

    total = 3 / (4 * np.pi) * np.where(spins == 0, cosine @ weights[:, None], 0) * _interpolation(np.ones(1))
    step = int(np.clip(_PHASE / np.max(radian), 1, _MAX_STEP))
    every = np.arange(2, _PARTING[1])
    some = np.arange(_PARTING[0], MULTIPOLE[-1], step)
    for wigner, ell, share in (
        (_wigner_recurrence, every, 1 - _ramp(every, *_PARTING)),
        (_wigner_bessel, some, step * _ramp(some, *_PARTING) * _ramp(some, MULTIPOLE[-1], _FADING)),
    ):
        factor = share * (2 * ell + 1) / (4 * np.pi) * _spin_factor(ell) ** np.arange(3)[:, None]
        average = wigner(first, second, ell, cosine, weights)
        total += (factor[spins[:, 0]] * average) @ _interpolation(ell)
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


def _ramp(ell: np.ndarray, zero: float, one: float) -> np.ndarray:
    """A smooth step in ln l from 0 at one multipole to 1 at another."""
    return erfc(5 - 10 * np.log(ell / zero) / np.log(one / zero)) / 2


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
    t = (x - nodes[low]) / gap[low]
    row, square = np.arange(x.size), gap[low] ** 2 / 6
    line, curve = np.zeros((2, x.size, size))
    line[row, low], line[row, low + 1] = 1 - t, t
    curve[row, low], curve[row, low + 1] = square * ((1 - t) ** 3 - (1 - t)), square * (t**3 - t)
    spline = line + curve @ bend
    return spline * MULTIPOLE**1.5 / np.asarray(ell, float)[:, None] ** 1.5


def _wigner_recurrence(
    m: Int[np.ndarray, "row 1"],
    n: Int[np.ndarray, "row 1"],
    ell: Float[np.ndarray, " ell"],
    cosine: Float[np.ndarray, "row angle"],
    weights: Float[np.ndarray, " angle"],
) -> Float[np.ndarray, "row ell"]:
    """Averages of d^l_{m, n} over angles, m and n among 0 and +-2, by the recurrence in l, which starts at l = 2.

    References:
        Kostelec & Rockmore 2008, J. Fourier Anal. Appl. 14, 145, Eq. 1.
    """
    quadrupole = {0: (3 * cosine**2 - 1) / 2, 1: np.sqrt(6) / 4 * (1 - cosine**2), 2: ((1 + n / 2 * cosine) / 2) ** 2}
    spins = np.abs(m) // 2 + np.abs(n) // 2
    before = np.where(spins == 0, cosine, 0.0)
    current = np.select([spins == 0, spins == 1], [quadrupole[0], quadrupole[1]], quadrupole[2])
    average = np.empty((len(cosine), ell.size))
    for i, l in enumerate(ell):
        average[:, i] = current @ weights
        up = np.sqrt(((l + 1) ** 2 - m**2) * ((l + 1) ** 2 - n**2)) / (l + 1)
        down = np.sqrt((l**2 - m**2) * (l**2 - n**2)) / l
        forward = (2 * l + 1) * (cosine - m * n / (l * (l + 1))) * current
        before, current = current, (forward - down * before) / up
    return average


def _wigner_bessel(
    m: Int[np.ndarray, "row 1"],
    n: Int[np.ndarray, "row 1"],
    ell: Float[np.ndarray, " ell"],
    cosine: Float[np.ndarray, "row angle"],
    weights: Float[np.ndarray, " angle"],
) -> Float[np.ndarray, "row ell"]:
    """The same for large l by the first two terms of the expansion in Bessel functions.

    With N = l + 1/2, alpha = |m - n| and beta = |m + n|, up to terms of relative order (theta / N)^2,

        d^l_{m, n} = c_l (theta / sin theta)^(1/2) (J_alpha(N theta) + A / N J_(alpha + 1)(N theta)),
        A = (alpha^2 - 1/4) (1 - theta cot theta) / (2 theta) - (alpha^2 - beta^2) / 4 tan(theta / 2)

    References:
        Frenzen & Wong 1985, Canad. J. Math. 37, 979.
    """
    shape = np.concatenate([np.abs(m - n), np.abs(m + n)], axis=1)
    average = np.empty((len(cosine), ell.size))
    scale = _spin_factor(ell) ** np.arange(3)[:, None]
    angles, place = np.unique(cosine, axis=0, return_inverse=True)
    for k, theta in enumerate(np.arccos(angles)):
        x = theta[:, None] * (ell + 0.5)
        bessel = [j0(x), j1(x)]
        for order in range(1, shape.max() + 1):
            bessel.append(2 * order / x * bessel[order] - bessel[order - 1])
        weighted = weights * np.sqrt(theta / np.sin(theta))
        for i in np.flatnonzero(place.ravel() == k):
            alpha, beta = shape[i]
            A = (alpha**2 - 0.25) * (1 - theta / np.tan(theta)) / (2 * theta)
            A -= (alpha**2 - beta**2) / 4 * np.tan(theta / 2)
            average[i] = weighted @ bessel[alpha] + (weighted * A) @ bessel[alpha + 1] / (ell + 0.5)
            average[i] *= scale[alpha // 2]
    return average
