"""Several independent data sets."""

from collections.abc import Mapping

import equinox as eqx
from jaxtyping import Array

from .._types import Parameters, Scalar
from ._base import AbstractGaussianLikelihood, AbstractLikelihood


class JointLikelihood(AbstractLikelihood):
    """Independent data sets that share parameters: log L is the sum over the members.

    A name that one member requires is required; one that is only ever optional is optional.

    Args:
        members: Likelihoods by name.

    Raises:
        ValueError: If there are no members.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    members: tuple[AbstractLikelihood, ...]
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, members: Mapping[str, AbstractLikelihood]):
        if not members:
            raise ValueError("A joint likelihood needs at least one member.")
        self.names = tuple(members)
        self.members = tuple(members.values())
        self.required = tuple(dict.fromkeys(name for member in self.members for name in member.required))
        optional = dict.fromkeys(name for member in self.members for name in member.optional)
        self.optional = tuple(name for name in optional if name not in self.required)

    def log_likelihood(self, parameters: Parameters) -> Scalar:
        """Sum of the members' normalised log-likelihoods."""
        first, *others = (member.log_likelihood(parameters) for member in self.members)
        return sum(others, start=first)

    def observed_data(self) -> dict[str, Array]:
        """The data of each member, under the member's name."""
        return {
            name if key == "data" else f"{name}_{key}": data
            for name, member in zip(self.names, self.members, strict=True)
            for key, data in member.observed_data().items()
        }

    def derived(self, parameters: Parameters) -> Parameters:
        """What any of the members derives."""
        return {name: value for member in self.members for name, value in member.derived(parameters).items()}

    def averaged(self, parameters: Parameters) -> Parameters:
        """What any of the members has averaged."""
        return {name: value for member in self.members for name, value in member.averaged(parameters).items()}

    def chi2(self, parameters: Parameters) -> dict[str, Scalar]:
        """chi^2 of each Gaussian member, by name."""
        pairs = zip(self.names, self.members, strict=True)
        return {name: m.chi2(parameters) for name, m in pairs if isinstance(m, AbstractGaussianLikelihood)}
