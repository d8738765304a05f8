"""The methods of the study: networks of one size, how they are trained, and how draws are made of them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from flowjax.bijections import RationalQuadraticSpline
from flowjax.distributions import Normal, Transformed
from flowjax.flows import coupling_flow
from flows_models import NegativeLogLikelihood

from cosmoflow.dynamics import AdditivePotential, RadialNetwork, RadialPotential
from cosmoflow.flows import (
    AdditiveGaussianMomentum,
    DenseGaussianMomentum,
    HamiltonianFlow,
    PhaseBase,
    SinhTails,
    fixed_kinetic_flow,
)
from cosmoflow.generative import (
    AbstractVelocityModel,
    BouncyParticleModel,
    CosineSchedule,
    CriticallyDamped,
    Diffusion,
    FlowMatching,
    ForwardEventChainModel,
    OscillationMatching,
    RandomisedHamiltonianModel,
    TimeNetwork,
    VelocityMixture,
    ZigZagModel,
)
from cosmoflow.training import AbstractLoss, Matching, NegativeELBO

WIDTH, DEPTH = 128, 3
STEPS = (1, 2, 5, 10, 20, 50, 100)
LENGTHS = (1, 2, 5, 10)
"""Maps of one leapfrog step each of a Hamiltonian flow; every number is a flow of its own."""
BELLS, ADDITIVE_WIDTH, PERCEPTRON_WIDTH = 128, 64, 64
COMPONENTS = 16
LEARNING_RATE, FLOW_RATE = 2e-3, 1e-2
Draw = Callable[[Any, jax.Array], jax.Array]


class Point(NamedTuple):
    """Draws of a trained model in one way: the way's name, steps, evaluations of the network, one draw from a key."""

    way: str
    steps: int
    evaluations: int
    draw: Draw


class Training(NamedTuple):
    """A model to be trained, on what, at which learning rate, and all ways of drawing from it."""

    model: Any
    loss: AbstractLoss
    rate: float
    points: Callable[[Any], Iterator[Point]]


def trainings(method: str, target: str, dim: int, key: jax.Array) -> Iterator[Training]:
    """What a method trains on a target."""
    if method == "hamiltonian_flow":
        for length in LENGTHS:
            yield Training(hamiltonian_flow(target, dim, length, key), NegativeELBO(), FLOW_RATE, _of_flow(length))
    elif method == "coupling_flow":
        spline = RationalQuadraticSpline(knots=8, interval=4)
        flow = coupling_flow(key, base_dist=_normal(dim), transformer=spline, nn_width=50, invert=False)
        yield Training(flow, NegativeLogLikelihood(), FLOW_RATE, _of_flow(1))
    else:
        learned, ways = _PROCESSES[method]
        model = next(iter(ways.values()))(dim, learned(dim, key))
        yield Training(model, Matching(), LEARNING_RATE, _of_process(method, dim))


def hamiltonian_flow(target: str, dim: int, length: int, key: jax.Array) -> Any:
    """Of fixed kinetic energy, of so many leapfrog steps, each with a potential of its own."""
    key_flow, key_encoder = jr.split(key)

    def bells(size: int, key: jax.Array) -> RadialPotential:
        return RadialPotential(size, num_bells=BELLS, key=key)

    def bell_network(inputs: int, outputs: int, key: jax.Array) -> RadialNetwork:
        return RadialNetwork(inputs, outputs, num_bells=BELLS, key=key)

    def additive(size: int, key: jax.Array) -> AdditivePotential:
        return AdditivePotential(size, width=ADDITIVE_WIDTH, depth=1, key=key)

    shape: dict[str, Any] = {"num_steps": 1, "num_maps": length, "key": key_flow}
    if dim == 2:
        momentum = DenseGaussianMomentum(dim, network=bell_network, key=key_encoder)
        return fixed_kinetic_flow(dim, potential=bells, momentum=momentum, **shape)
    if target == "many_well":
        momentum = AdditiveGaussianMomentum(dim, width=ADDITIVE_WIDTH, depth=1, key=key_encoder)
        return fixed_kinetic_flow(dim, potential=additive, momentum=momentum, **shape)
    base = PhaseBase(_normal(dim), Transformed(_normal(dim), SinhTails(dim)))
    momentum = DenseGaussianMomentum(dim, width=PERCEPTRON_WIDTH, key=key_encoder)
    return fixed_kinetic_flow(dim, width=PERCEPTRON_WIDTH, base=base, momentum=momentum, **shape)


def reference_network(dim: int) -> TimeNetwork:
    """The network that is the unit of sampling costs."""
    return TimeNetwork(dim, dim, width=WIDTH, depth=DEPTH, key=jr.key(0))


def _network(key: jax.Array, inputs: int, outputs: int) -> TimeNetwork:
    return TimeNetwork(inputs, outputs, width=WIDTH, depth=DEPTH, key=key)


def _velocity(dim: int, key: jax.Array) -> VelocityMixture:
    return VelocityMixture(dim, num_components=COMPONENTS, width=WIDTH, depth=DEPTH, key=key)


def _normal(dim: int) -> Normal:
    return Normal(jnp.zeros(dim), jnp.ones(dim))


def _perceptron(dim: int, key: jax.Array) -> TimeNetwork:
    return _network(key, dim, dim)


def _of_pairs(dim: int, key: jax.Array) -> TimeNetwork:
    return _network(key, 2 * dim, dim)


_NOISY_END = CosineSchedule(margin=0.01)
_PROCESSES: dict[str, tuple[Callable[[int, jax.Array], Any], dict[str, Callable[[int, Any], Any]]]] = {
    "ddpm": (
        _perceptron,
        {"": partial(Diffusion, schedule=_NOISY_END, prediction="noise", sampler="ancestral")},
    ),
    "diffusion": (
        _perceptron,
        {
            "DDIM": Diffusion,
            "ancestral": partial(Diffusion, sampler="ancestral"),
            "ODE, Heun": partial(Diffusion, sampler="ode"),
        },
    ),
    "critically_damped": (_of_pairs, {"": CriticallyDamped}),
    "flow_matching": (_perceptron, {"Euler": partial(FlowMatching, solver="euler"), "Heun": FlowMatching}),
    "oscillation": (_perceptron, {"Euler": partial(OscillationMatching, solver="euler"), "Heun": OscillationMatching}),
    "zig_zag": (_of_pairs, {"": ZigZagModel}),
    "bouncy_particle": (_velocity, {"": BouncyParticleModel}),
    "randomised_hamiltonian": (_velocity, {"": RandomisedHamiltonianModel}),
    "forward_event_chain": (_velocity, {"": ForwardEventChainModel}),
}
"""What a process has learned, and the models that have it, which are trained alike and draw in different ways."""


def _learned(model: Any) -> Any:
    return model.velocity if isinstance(model, AbstractVelocityModel) else model.network


def _of_process(method: str, dim: int) -> Callable[[Any], Iterator[Point]]:
    def points(model: Any) -> Iterator[Point]:
        for way, build in _PROCESSES[method][1].items():
            for steps in STEPS:
                evaluations = build(dim, _learned(model)).num_evaluations(steps)
                yield Point(way, steps, evaluations, partial(_draw, partial(build, dim), steps))

    return points


def _draw(build: Callable[[Any], Any], steps: int, model: Any, key: jax.Array) -> jax.Array:
    return build(_learned(model)).sample(key, num_steps=steps)


def _of_flow(length: int) -> Callable[[Any], Iterator[Point]]:
    def draw(model: Any, key: jax.Array) -> jax.Array:
        return model.sample_position(key=key) if isinstance(model, HamiltonianFlow) else model.sample(key)

    return lambda model: iter([Point("", length, length, draw)])
