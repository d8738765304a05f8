"""The one place where the strings of a configuration become objects."""

import math
from difflib import get_close_matches

import jax
import jax.numpy as jnp
import jax.random as jr

from .._record import Keep, Record
from .._types import Key
from ..datasets import field_shape
from ..dynamics import AdditivePotential, NeuralPotential, RadialNetwork, RadialPotential
from ..fields import check_memory
from ..flows import (
    AdditiveGaussianMomentum,
    DenseGaussianMomentum,
    GaussianMomentum,
    HamiltonianFlow,
    LowRankGaussianMomentum,
    fixed_kinetic_flow,
    learned_kinetic_flow,
)
from ..likelihoods import WHITE_NOISE, FieldLevel, JointLikelihood
from ..targets import (
    AbstractTransport,
    Delta,
    LogNormal,
    Normal,
    Posterior,
    Prior,
    TruncatedNormal,
    Uniform,
    UniformPolygon,
    WhiteNoise,
)
from ._errors import ConfigError
from ._field_tables import FieldTable
from ._likelihoods import build_member
from ._priors import bounds, parameter_names
from ._schema import Config, FlowTable, KeepTable

FIELD = Keep(every=10, dtype="float32")
"""How the latents of a field are kept where nothing is said."""

_DISTRIBUTIONS: dict[str, type[AbstractTransport]] = {
    "uniform": Uniform,
    "normal": Normal,
    "truncated_normal": TruncatedNormal,
    "log_normal": LogNormal,
    "delta": Delta,
    "uniform_polygon": UniformPolygon,
}
_FLOWS = {"fixed": fixed_kinetic_flow, "learned": learned_kinetic_flow}
_POTENTIALS = {
    "network": NeuralPotential,
    "bells": lambda dim, *, width, depth, key: RadialPotential(dim, num_bells=width, key=key),
    "additive": AdditivePotential,
}
_MOMENTA = {
    "diagonal": GaussianMomentum,
    "low_rank": LowRankGaussianMomentum,
    "dense": DenseGaussianMomentum,
    "bells": lambda dim, *, width, depth, key: DenseGaussianMomentum(
        dim, network=lambda *sizes: RadialNetwork(*sizes[:2], num_bells=width, key=sizes[2]), key=key
    ),
    "additive": AdditiveGaussianMomentum,
}


def build_likelihood(config: Config) -> JointLikelihood:
    """The likelihoods of all data, by the names they have in the file.

    Raises:
        ConfigError: One of them cannot be made.
        DataError: The data of one are missing or damaged.
    """
    members = {}
    for name, table in config.likelihood.items():
        layout = {"devices": config.run.devices} if isinstance(table, FieldTable) else {}
        try:
            members[name] = build_member(name, table, config.source.parent, **layout)
        except (ImportError, ValueError) as error:
            raise ConfigError(config.source, f"likelihood.{name}: {error}") from error
    return JointLikelihood(members)


def build_posterior(config: Config) -> Posterior:
    """Prior and likelihood; the latents of a field, N(0, 1) each, are the last block of the prior.

    Raises:
        ConfigError: The prior lacks a parameter that a likelihood needs, or has one that none uses, or a distribution
            cannot be made, or a field needs more memory than there is.
    """
    _check_memory(config)
    likelihood = build_likelihood(config)
    blocks = {}
    for key, table in config.prior.items():
        names = parameter_names(key)
        try:
            distribution = _DISTRIBUTIONS[table.distribution](**table.model_dump(exclude={"distribution"}))
        except ValueError as error:
            raise ConfigError(config.source, f"prior.{key}: {error}") from error
        blocks[names if len(names) > 1 else key] = distribution
    for member in likelihood.members:
        if isinstance(member, FieldLevel):
            if WHITE_NOISE in config.prior:
                problem = f"prior.{WHITE_NOISE} is that of the field itself, N(0, 1) in every cell; remove it"
                raise ConfigError(config.source, problem)
            blocks[WHITE_NOISE] = WhiteNoise(member.model.grid.shape)
    prior = Prior(blocks)
    if prior.dim == 0:
        raise ConfigError(config.source, "prior holds every parameter fixed; give one of them a distribution")
    _check_names(config, prior, likelihood)
    _check_ranges(config, likelihood)
    return Posterior(prior, likelihood)  # pyright: ignore[reportCallIssue]


def build_record(config: Config, posterior: Posterior) -> Record:
    """What is kept of each draw: the parameters, and what the likelihood derives from them.

    Raises:
        ConfigError: The configuration names what is neither.
    """
    likelihood = posterior.likelihood
    parameters = jax.eval_shape(posterior.constrain, jnp.zeros(posterior.dim))
    derived, averaged = (jax.eval_shape(told, parameters) for told in (likelihood.derived, likelihood.averaged))
    known = [*posterior.prior.names, *derived]
    for name in config.record:
        if name not in known:
            raise ConfigError(config.source, f"record.{name} is no parameter; the run has {', '.join(known)}")
    kept = {WHITE_NOISE: FIELD} if WHITE_NOISE in posterior.prior.names else {}
    kept |= {name: _keep(table) for name, table in config.record.items()}
    return Record(kept, likelihood.derived if derived else None, likelihood.averaged if averaged else None)


def _keep(table: KeepTable) -> Keep | None:
    return Keep(**table.model_dump(exclude={"keep"})) if table.keep else None


def build_flow(table: FlowTable, dim: int, key: Key) -> HamiltonianFlow:
    """The flow, not yet trained."""
    network = {"width": table.width, "depth": table.depth}
    kind = table.potential if table.momentum == "auto" else table.momentum
    return _FLOWS[table.kinetic](
        dim,
        num_steps=table.num_steps,
        num_maps=table.num_maps,
        potential=lambda size, key: _POTENTIALS[table.potential](size, **network, key=key),
        # "network" is the encoder of the flow itself, which splits the key in two
        momentum=None if kind == "network" else _MOMENTA[kind](dim, **network, key=jr.fold_in(key, 2)),
        **network,
        key=key,
    )


def _check_memory(config: Config) -> None:
    """Refuse a field that is too large before anything of it is read."""
    kept = FIELD if WHITE_NOISE not in config.record else _keep(config.record[WHITE_NOISE])
    for name, table in config.likelihood.items():
        if isinstance(table, FieldTable):
            shape, run = field_shape(config.source.parent / table.field), config.run
            chunk = run.draws_per_call(math.prod(shape))
            try:
                check_memory(
                    shape,
                    num_chains=run.num_chains,
                    chunk=chunk,
                    every=chunk if kept is None else kept.every,
                    dtype=run.precision,
                    model=table.model.kind,
                    num_devices=len(jax.local_devices()[: run.devices]) if table.slabs else 1,
                )
            except ValueError as error:
                raise ConfigError(config.source, f"likelihood.{name}: {error}") from error


def _check_names(config: Config, prior: Prior, likelihood: JointLikelihood) -> None:
    used = {name for member in likelihood.members for name in (*member.required, *member.optional)}
    strange = [name for name in prior.names if name not in used]
    for name, member in zip(likelihood.names, likelihood.members, strict=True):
        for parameter in member.required:
            if parameter not in prior.names:
                close = get_close_matches(parameter, strange, n=1, cutoff=0.8)
                advice = f"rename {close[0]!r}, which none needs" if close else "add it to [prior]"
                raise ConfigError(
                    config.source, f"prior.{parameter} is missing, but likelihood.{name} needs it; {advice}"
                )
    for parameter in strange:
        close = get_close_matches(parameter, sorted(used), n=1)
        hint = f"the nearest known is {close[0]!r}" if close else "remove it"
        raise ConfigError(config.source, f"prior.{parameter} is used by no likelihood; {hint}")


def prior_bounds(config: Config) -> dict[str, tuple[float, float]]:
    """The least and greatest values that the priors allow, by parameter; infinite where there is no end."""
    return {name: limits for key, table in config.prior.items() for name, limits in bounds(key, table).items()}


def _check_ranges(config: Config, likelihood: JointLikelihood) -> None:
    """Refuse priors that reach to where a likelihood is NaN."""
    reached = prior_bounds(config)
    for name, member in zip(likelihood.names, likelihood.members, strict=True):
        for parameter, (low, high) in member.ranges().items():
            least, greatest = reached.get(parameter, (low, high))
            if -math.inf < least < low or high < greatest < math.inf:
                problem = (
                    f"prior.{parameter} reaches from {least:g} to {greatest:g}, but the emulator of likelihood.{name}"
                )
                raise ConfigError(config.source, f"{problem} is good from {low:g} to {high:g}; narrow the prior")
