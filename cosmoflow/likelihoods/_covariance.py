"""Covariances as likelihoods use them."""

import numpy as np
from jaxtyping import Float


def lower_cholesky(covariance: Float[np.ndarray, "data data"], *, of: str) -> Float[np.ndarray, "data data"]:
    """The lower Cholesky factor of a covariance.

    Args:
        covariance: The matrix.
        of: What it is the covariance of, for the message.

    Raises:
        ValueError: If the matrix is not symmetric and positive definite.
    """
    if not np.allclose(covariance, covariance.T, rtol=1e-8, atol=0):
        raise ValueError(f"The covariance of {of} is not symmetric; is it a triangle of the matrix?")
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        smallest = np.linalg.eigvalsh(covariance)[0]
        raise ValueError(
            f"The covariance of {of} is not positive definite, its smallest eigenvalue is {smallest:.3g}; "
            "is it the covariance, or its inverse or correlation?"
        ) from error
