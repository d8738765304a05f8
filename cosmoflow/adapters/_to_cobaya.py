"""Likelihoods for Cobaya."""

from typing import Any

from ..likelihoods import AbstractLikelihood
from ._plain import plain


def to_cobaya(likelihood: AbstractLikelihood) -> dict[str, Any]:
    """An entry of Cobaya's `likelihood` block: `{"likelihood": {"bao": to_cobaya(likelihood)}, "params": ...}`.

    Cobaya passes the required parameters, and those optional ones that are among its `params`, under the names they
    have here; a name that differs is bridged by a function in `params`, as in `w0: {value: "lambda w: w"}`.

    Args:
        likelihood: The likelihood.

    Returns:
        A dictionary with the external function of the likelihood.
    """
    return {"external": plain(likelihood)}
