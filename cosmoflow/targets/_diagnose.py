"""Why a log-density is not finite: which likelihood, and which parameter."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._types import Vector
from ..likelihoods import AbstractLikelihood, JointLikelihood
from ._augmented import Augmented
from ._base import AbstractTarget
from ._posterior import Posterior
from ._prior import Prior
from ._pullback import Pullback

MOST_SHOWN = 6
"""Numbers of a parameter that are looked at and told one by one."""


def explain_non_finite(target: AbstractTarget, x: Vector) -> str:
    """One sentence that names the likelihood and the parameters behind a non-finite log-density at x."""
    value = target.log_density(x)
    while True:
        if isinstance(target, Pullback):
            target, x = target.target, target.bijection.transform(x)
        elif isinstance(target, Augmented):
            target, x = target.target, x[: target.target.dim]
        else:
            break
    if not isinstance(target, Posterior):
        return f"The log-density is {value} at the starting point {x}; pass a `position` inside the support."

    def culprits(likelihood: AbstractLikelihood, z: Vector) -> list[str]:
        parameters = target.constrain(z)
        members = {type(likelihood).__name__: likelihood}
        if isinstance(likelihood, JointLikelihood):
            members = dict(zip(likelihood.names, likelihood.members, strict=True))
        return [name for name, member in members.items() if not jnp.isfinite(member.log_likelihood(parameters))]

    likelihoods = culprits(target.likelihood, x)
    parameters = target.constrain(x)
    cured_by = []
    for part in _parts(target.prior):
        central = x.at[part].set(0.0)
        if not culprits(target.likelihood, central):
            changed = target.constrain(central)
            cured_by += [name for name in parameters if jnp.any(changed[name] != parameters[name])]
    blamed = ", ".join(_told(name, parameters[name]) for name in dict.fromkeys(cured_by or parameters))
    where = " and ".join(likelihoods) or "prior"
    return (
        f"The log-density is {value} at the starting point: likelihood {where} is not finite at {blamed}; narrow the "
        "prior of that parameter or repair the likelihood."
    )


def _parts(prior: Prior) -> list[slice]:
    """One coordinate after another; those of a large parameter, such as a field, together."""
    spans = dict.fromkeys((span.start, span.stop) for span in map(prior.span, prior.names))
    steps = [(start, stop, stop - start if stop - start > MOST_SHOWN else 1) for start, stop in spans]
    return [slice(i, i + step) for start, stop, step in steps for i in range(start, stop, step)]


def _told(name: str, value: Array) -> str:
    if value.size > MOST_SHOWN:
        return f"{name} of shape {value.shape}"
    return f"{name} = {np.array2string(np.asarray(value), precision=6)}"
