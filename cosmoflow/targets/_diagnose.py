"""Why a log-density is not finite: which likelihood, and which parameter."""

import jax.numpy as jnp
import numpy as np

from .._types import Vector
from ..likelihoods import AbstractLikelihood, JointLikelihood
from ._augmented import Augmented
from ._base import AbstractTarget
from ._posterior import Posterior
from ._pullback import Pullback


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
    for i in range(target.dim):
        central = x.at[i].set(0.0)
        if not culprits(target.likelihood, central):
            changed = target.constrain(central)
            cured_by += [name for name in parameters if jnp.any(changed[name] != parameters[name])]
    values = {name: np.array2string(np.asarray(value), precision=6, threshold=6) for name, value in parameters.items()}
    blamed = ", ".join(f"{name} = {values[name]}" for name in dict.fromkeys(cured_by or parameters))
    where = " and ".join(likelihoods) or "prior"
    return (
        f"The log-density is {value} at the starting point: likelihood {where} is not finite at {blamed}; narrow the "
        "prior of that parameter or repair the likelihood."
    )
