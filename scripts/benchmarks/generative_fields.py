"""How far the statistics of periodic fields are from those of others: power, values of cells, and peaks."""

import math

import jax
import numpy as np
from scipy.ndimage import maximum_filter
from scipy.stats import wasserstein_distance

from cosmoflow.fields import Grid, WavenumberBins

HEIGHTS = (-math.inf, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, math.inf)
"""Edges of bins of the height of peaks, in standard deviations of the cells from their mean."""


def differences(fields: np.ndarray, reference: np.ndarray, grid: tuple[int, ...]) -> dict[str, float]:
    """Of fields, shape (field, cell), from others.

    - `power`: root mean square over bins of |k| of P / P_reference - 1, P a mean over fields;
    - `one_point`: Wasserstein-1 distance of the values of all cells, in standard deviations;
    - `peaks`: differences of the numbers of peaks in each bin of height, summed, over the number of all peaks.
    """
    mean, sd = reference.mean(), reference.std()
    fields, reference = ((some - mean) / sd for some in (fields, reference))
    spectrum, numbers = power(reference, grid), peaks(reference, grid)
    return {
        "power": float(np.sqrt(np.mean((power(fields, grid) / spectrum - 1) ** 2))),
        "one_point": float(wasserstein_distance(fields.ravel(), reference.ravel())),
        "peaks": float(np.sum(np.abs(peaks(fields, grid) - numbers)) / np.sum(numbers)),
    }


def power(fields: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """Mean spectrum in bins of |k|, in units of the volume of a cell."""
    box = Grid(grid, tuple(map(float, grid)))
    bins = WavenumberBins(box)
    return np.asarray(jax.vmap(lambda field: bins.power_spectrum(box.modes(field)))(fields.reshape(-1, *grid))).mean(0)


def peaks(fields: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """Mean number in each bin of height of cells that are above all their neighbours, diagonal ones included."""
    boxes = fields.reshape(-1, *grid)
    highest = maximum_filter(boxes, size=(1, *[3] * len(grid)), mode="wrap") == boxes
    return np.histogram(boxes[highest], HEIGHTS)[0] / len(boxes)
