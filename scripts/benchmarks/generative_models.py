"""The methods of the study: networks of one size, how they are trained, and how draws are made of them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
from flows_models import NegativeLogLikelihood, hamiltonian_flow, spline_coupling
from flows_targets import Problem

from cosmoflow.flows import HamiltonianFlow, field_flow, fixed_kinetic_flow
from cosmoflow.generative import (
    AbstractVelocityModel,
    BouncyParticleModel,
    CosineSchedule,
    CriticallyDamped,
    Diffusion,
    FieldUNet,
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
CHANNELS, HALVINGS = 8, 2
"""Of the networks of fields."""
STEPS = (1, 2, 5, 10, 20, 50, 100)
LENGTHS = (1, 2, 5, 10)
"""Maps of one leapfrog step each of a Hamiltonian flow; every number is a flow of its own."""
BELLS, PERCEPTRON_WIDTH, FILTERED_WIDTH = 128, 64, 8
"""Of a potential in the plane, of vectors and of fields."""
STARTING_FIELDS = 500
"""Of training, whose mean and spectrum a Hamiltonian flow of fields starts from."""
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


def trainings(method: str, target: str, what: Problem, data: jax.Array, key: jax.Array) -> Iterator[Training]:
    """What a method trains on a target, whose standardised draws are given."""
    if method == "hamiltonian_flow":
        for length in LENGTHS:
            yield Training(_flow(target, what, length, data, key), NegativeELBO(), FLOW_RATE, _of_flow(length))
    elif method == "coupling_flow":
        yield Training(spline_coupling(what.dim, 50, key), NegativeLogLikelihood(), FLOW_RATE, _of_flow(1))
    else:
        learned, ways = _PROCESSES[method]
        model = next(iter(ways.values()))(what.dim, learned(what, key))
        yield Training(model, Matching(), LEARNING_RATE, _of_process(method, what.dim))


def _flow(target: str, what: Problem, length: int, data: jax.Array, key: jax.Array) -> HamiltonianFlow:
    """Of fixed kinetic energy, of so many leapfrog steps, each with a potential of its own."""
    if what.grid is not None:
        fields = data[:STARTING_FIELDS]
        return field_flow(what.grid, num_maps=length, width=FILTERED_WIDTH, fields=fields, key=key)
    width = BELLS if what.dim == 2 else PERCEPTRON_WIDTH
    return hamiltonian_flow(fixed_kinetic_flow, target, what.dim, width, length, key)


def network(what: Problem, key: jax.Array) -> TimeNetwork | FieldUNet:
    """From a datum to a datum: of fields a U-Net, elsewhere a perceptron."""
    return _network(what, 1, key)


def _of_pairs(what: Problem, key: jax.Array) -> TimeNetwork | FieldUNet:
    return _network(what, 2, key)


def _network(what: Problem, inputs: int, key: jax.Array) -> TimeNetwork | FieldUNet:
    if what.grid is not None:
        return FieldUNet(what.grid, in_fields=inputs, channels=CHANNELS, depth=HALVINGS, key=key)
    return TimeNetwork(inputs * what.dim, what.dim, width=WIDTH, depth=DEPTH, key=key)


def _velocity(what: Problem, key: jax.Array) -> VelocityMixture:
    return VelocityMixture(what.dim, num_components=COMPONENTS, width=WIDTH, depth=DEPTH, key=key)


_NOISY_END = CosineSchedule(margin=0.01)
_PROCESSES: dict[str, tuple[Callable[[Problem, jax.Array], Any], dict[str, Callable[[int, Any], Any]]]] = {
    "ddpm": (
        network,
        {"": partial(Diffusion, schedule=_NOISY_END, prediction="noise", sampler="ancestral")},
    ),
    "diffusion": (
        network,
        {
            "DDIM": Diffusion,
            "ancestral": partial(Diffusion, sampler="ancestral"),
            "ODE, Heun": partial(Diffusion, sampler="ode"),
        },
    ),
    "critically_damped": (_of_pairs, {"": CriticallyDamped}),
    "flow_matching": (network, {"Euler": partial(FlowMatching, solver="euler"), "Heun": FlowMatching}),
    "oscillation": (network, {"Euler": partial(OscillationMatching, solver="euler"), "Heun": OscillationMatching}),
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
