"""What is no covariance is refused, with its row."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ._location import DataError

_ASYMMETRY = 1e-6  # of a covariance, relative to sqrt(C_ii C_jj): digits of single precision


def checked_covariance(
    matrix: Float[np.ndarray, "data data"], name: str, *, rows: Sequence[str] = ()
) -> Float[np.ndarray, "data data"]:
    """A covariance, made symmetric to the last bit.

    Args:
        matrix: What a file has.
        name: What the matrix is called in messages.
        rows: What its rows are called; by default `row 1`, `row 2`.

    Raises:
        DataError: If it is not finite, not symmetric or not positive definite.
    """
    rows = rows or [f"row {i}" for i in range(1, len(matrix) + 1)]
    if bad := np.argwhere(~np.isfinite(matrix)).tolist():
        i, j = bad[0]
        raise DataError(f"{name} is not finite in {rows[i]}, column {j + 1}; correct it.")
    variance = np.diagonal(matrix)
    if bad := np.flatnonzero(variance <= 0).tolist():
        raise DataError(f"{name}, {rows[bad[0]]}: the variance {variance[bad[0]]:g} is not positive; correct it.")
    scale = np.sqrt(np.outer(variance, variance))
    asymmetry = np.abs(matrix - matrix.T) / scale
    if asymmetry.max() > _ASYMMETRY:
        i, j = map(int, np.unravel_index(np.argmax(asymmetry), matrix.shape))
        raise DataError(
            f"{name} is not symmetric: {rows[i]}, column {j + 1} is {matrix[i, j]:g}, but {rows[j]}, column {i + 1} "
            f"is {matrix[j, i]:g}; write both halves of the covariance."
        )
    matrix = (matrix + matrix.T) / 2
    try:
        np.linalg.cholesky(matrix / scale)
    except np.linalg.LinAlgError as error:
        smallest = np.linalg.eigvalsh(matrix / scale)[0]
        raise DataError(
            f"{name} is not positive definite: the smallest eigenvalue of its correlations is {smallest:.3g}; give "
            "more digits, or look for values that are listed twice."
        ) from error
    return matrix
