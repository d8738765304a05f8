"""The one place where the strings of a configuration become objects."""

from difflib import get_close_matches

from .._record import Keep, Record
from .._types import Key
from ..datasets import desi_dr2_bao, union3
from ..flows import HamiltonianFlow, fixed_kinetic_flow
from ..likelihoods import BAO, JointLikelihood, Supernovae
from ..samplers import (
    GHMC,
    NUTS,
    AbstractSampler,
    Boomerang,
    BouncyParticle,
    CoordinateSampler,
    ForwardEventChain,
    ZigZag,
)
from ..samplers.pdmp import ChordBound, SlopeBound
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
)
from ._errors import ConfigError
from ._priors import parameter_names
from ._schema import Config, FlowTable, KeepTable

_DISTRIBUTIONS: dict[str, type[AbstractTransport]] = {
    "uniform": Uniform,
    "normal": Normal,
    "truncated_normal": TruncatedNormal,
    "log_normal": LogNormal,
    "delta": Delta,
    "uniform_polygon": UniformPolygon,
}
_LIKELIHOODS = {
    "desi_dr2_bao": lambda options: BAO(desi_dr2_bao(), **options),
    "union3": lambda options: Supernovae(union3(), **options),
}


def _with_slope_bound(process):
    """The constructor of a process with one clock, options of its bound among its own."""
    return lambda safety, num_cells, **options: process(bound=SlopeBound(safety, num_cells), **options)


_SAMPLERS = {
    "zig_zag": lambda draw_interval, **bound: ZigZag(draw_interval, ChordBound(**bound)),
    "bouncy_particle": _with_slope_bound(BouncyParticle),
    "forward_event_chain": _with_slope_bound(ForwardEventChain),
    "boomerang": _with_slope_bound(Boomerang),
    "coordinate_sampler": _with_slope_bound(CoordinateSampler),
    "ghmc": GHMC,
    "nuts": NUTS,
}


def build_likelihood(config: Config) -> JointLikelihood:
    """The likelihoods of all data, by the names they have in the file."""
    members = config.likelihood.members()
    return JointLikelihood({name: _LIKELIHOODS[name](options.model_dump()) for name, options in members.items()})


def build_posterior(config: Config) -> Posterior:
    """Prior and likelihood.

    Raises:
        ConfigError: The prior lacks a parameter that a likelihood needs, or has one that none uses, or a distribution
            cannot be made.
    """
    likelihood = build_likelihood(config)
    blocks = {}
    for key, table in config.prior.items():
        names = parameter_names(key)
        try:
            distribution = _DISTRIBUTIONS[table.distribution](**table.model_dump(exclude={"distribution"}))
        except ValueError as error:
            raise ConfigError(config.source, f"prior.{key}: {error}") from error
        blocks[names if len(names) > 1 else key] = distribution
    prior = Prior(blocks)
    if prior.dim == 0:
        raise ConfigError(config.source, "prior holds every parameter fixed; give one of them a distribution")
    _check_names(config, prior, likelihood)
    return Posterior(prior, likelihood)  # pyright: ignore[reportCallIssue]


def build_sampler(config: Config) -> AbstractSampler:
    """The sampler, not yet tuned."""
    return _SAMPLERS[config.sampler.kind](**config.sampler.model_dump(exclude={"kind"}))


def build_record(config: Config) -> Record:
    """What is kept of each draw."""
    return Record({name: _keep(table) for name, table in config.record.items()})


def _keep(table: KeepTable) -> Keep | None:
    return Keep(**table.model_dump(exclude={"keep"})) if table.keep else None


def build_flow(table: FlowTable, dim: int, key: Key) -> HamiltonianFlow:
    """The flow, not yet trained."""
    return fixed_kinetic_flow(dim, **table.model_dump(), key=key)


def _check_names(config: Config, prior: Prior, likelihood: JointLikelihood) -> None:
    for parameter in config.record:
        if parameter not in prior.names:
            raise ConfigError(
                config.source, f"record.{parameter} is no parameter; the prior has {', '.join(prior.names)}"
            )
    used: set[str] = set()
    for name, member in zip(likelihood.names, likelihood.members, strict=True):
        for parameter in member.required:
            if parameter not in prior.names:
                problem = f"prior.{parameter} is missing, but likelihood.{name} needs it; add it to [prior]"
                raise ConfigError(config.source, problem)
        used |= {*member.required, *member.optional}
    for parameter in prior.names:
        if parameter not in used:
            close = get_close_matches(parameter, sorted(used), n=1)
            hint = f"the nearest known is {close[0]!r}" if close else "remove it"
            raise ConfigError(config.source, f"prior.{parameter} is used by no likelihood; {hint}")
