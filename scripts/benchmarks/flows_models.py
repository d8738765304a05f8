"""The models of the flow benchmark, of matched numbers of parameters, and what each of them is trained on."""

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import paramax
from flowjax.bijections import Affine, RationalQuadraticSpline
from flowjax.distributions import AbstractDistribution, Normal, Transformed
from flowjax.flows import coupling_flow, masked_autoregressive_flow

from cosmoflow.dynamics import AbstractPotential, AdditivePotential, RadialNetwork, RadialPotential
from cosmoflow.flows import (
    AdditiveGaussianMomentum,
    DenseGaussianMomentum,
    GaussianMomentum,
    HamiltonianFlow,
    PhaseBase,
    SinhTails,
    fixed_kinetic_flow,
    learned_kinetic_flow,
)
from cosmoflow.targets import AbstractTarget
from cosmoflow.training import AbstractLoss, NegativeELBO, ReverseKL

Build = Callable[[int, int, jax.Array], AbstractDistribution]
"""From the dimension, a width and a key."""

NUM_MAPS = {"moons": 10, "rings": 10, "checkerboard": 10}
"""Maps of one leapfrog step each; elsewhere five."""
ADDITIVE = ("many_well",)
"""Targets whose Hamiltonian flows have additive potentials and encoders."""
MAX_WIDTH = 512
OUR_MAX_WIDTH = 128
"""Of Hamiltonian flows: wider ones are slow and hardly better, so that many have fewer numbers than their rivals."""
LEARNING_RATES = (0.003, 0.01)
OUR_LEARNING_RATES = (0.01,)
MAX_DENSE = 32
"""Dimensions up to which the momenta of Hamiltonian flows are correlated."""


def model(name: str, target: str, dim: int, key: jax.Array, *, inverted: bool = False) -> AbstractDistribution:
    """A model with as many parameters as flowjax's spline coupling flow at its default size, as far as widths allow.

    A coupling flow takes its networks as the map from the base or, inverted, as the one to it.
    """
    build = _BUILDS[name] if name not in _OURS else _ours(_OURS[name], target)
    if inverted:
        build = partial(build, invert=True)
    if name == "spline_coupling":
        return build(dim, 50, key)
    wanted = num_parameters(eqx.filter_eval_shape(lambda: spline_coupling(dim, 50, jr.key(0))))
    counts = {
        width: num_parameters(eqx.filter_eval_shape(build, dim, width, key))
        for width in _widths(build, dim, wanted, OUR_MAX_WIDTH if name in _OURS else MAX_WIDTH)
    }
    return build(dim, min(counts, key=lambda width: abs(counts[width] - wanted)), key)


def directions(name: str, *, on_draws: bool) -> tuple[bool, ...]:
    """Whether a model is tried as it is or inverted; on draws coupling flows are tried both ways."""
    return (False, True) if on_draws and name in ("spline_coupling", "real_nvp") else (False,)


def learning_rates(model: AbstractDistribution) -> tuple[float, ...]:
    """The rates at which a model is trained, the best outcome being kept: rivals have two tries."""
    return OUR_LEARNING_RATES if isinstance(model, HamiltonianFlow) else LEARNING_RATES


def _widths(build: Build, dim: int, wanted: int, limit: int) -> range:
    """Multiples of eight about the one that has the wanted number of parameters, which grows with the width.

    Others are slower by up to a half: vector registers hold eight numbers.
    """
    low, high = 8, limit
    while high - low > 1:
        middle = (low + high) // 2
        few = num_parameters(eqx.filter_eval_shape(lambda: build(dim, middle, jr.key(0)))) < wanted
        low, high = (middle, high) if few else (low, middle)
    return range(low - low % 8, min(low + 9, limit + 1), 8)


def num_parameters(model: Any) -> int:
    """Trained numbers of a model."""
    trained = eqx.partition(model, _is_inexact, is_leaf=lambda x: isinstance(x, paramax.NonTrainable))[0]
    return sum(leaf.size for leaf in jax.tree.leaves(trained))


def _is_inexact(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.inexact)


def loss(model: AbstractDistribution, target: AbstractTarget | None) -> AbstractLoss:
    """What a model is trained on: draws, or the density of a target."""
    if isinstance(model, HamiltonianFlow):
        return NegativeELBO() if target is None else ReverseKL(target, path_gradient=True)
    return NegativeLogLikelihood() if target is None else ReverseKLOfDensity(target)


class NegativeLogLikelihood(AbstractLoss):
    """-E_data[log q(x)], for models with a density of their own."""

    def __call__(self, model: AbstractDistribution, batch: Any, *, key: jax.Array) -> jax.Array:
        """The loss of one batch."""
        return -jnp.mean(model.log_prob(batch))


class ReverseKLOfDensity(AbstractLoss):
    """E_q[log q(x) - log pi(x)], with the sticking-the-landing gradient, for models with a density of their own."""

    target: AbstractTarget
    num_samples: int = 256

    def __call__(self, model: AbstractDistribution, batch: Any, *, key: jax.Array) -> jax.Array:
        """The loss, estimated from draws of the model."""
        x = model.sample(key, (self.num_samples,))
        fixed = jax.tree.map(lambda a: jax.lax.stop_gradient(a) if eqx.is_inexact_array(a) else a, model)
        return jnp.mean(fixed.log_prob(x) - jax.vmap(self.target.log_density)(x))


def spline_coupling(dim: int, width: int, key: jax.Array, *, invert: bool = False) -> AbstractDistribution:
    """flowjax's coupling flow of rational quadratic splines on [-4, 4]."""
    spline = RationalQuadraticSpline(knots=8, interval=4)
    return coupling_flow(key, base_dist=_normal(dim), transformer=spline, nn_width=width, invert=invert)


def real_nvp(dim: int, width: int, key: jax.Array, *, invert: bool = False) -> AbstractDistribution:
    """flowjax's affine coupling flow."""
    return coupling_flow(key, base_dist=_normal(dim), nn_width=width, invert=invert)


def masked_autoregressive(dim: int, width: int, key: jax.Array) -> AbstractDistribution:
    """flowjax's masked autoregressive flow of affine layers; inverted where it is trained on draws, by its default."""
    return masked_autoregressive_flow(key, base_dist=_normal(dim), transformer=Affine(), nn_width=width)


def spline_base(dim: int, width: int, key: jax.Array) -> HamiltonianFlow:
    """A Hamiltonian flow of one map that starts from a spline coupling flow of two layers."""
    return _composed(dim, width, key, transformer=RationalQuadraticSpline(knots=8, interval=4), flow_layers=2)


def affine_base(dim: int, width: int, key: jax.Array) -> HamiltonianFlow:
    """A Hamiltonian flow of one map that starts from an affine coupling flow of four layers."""
    return _composed(dim, width, key, flow_layers=4)


def _composed(dim: int, width: int, key: jax.Array, **settings: Any) -> HamiltonianFlow:
    """The quarter turn makes positions of the momenta of the base, which are therefore the ones that a flow draws."""
    keys = jr.split(key, 3)
    law = coupling_flow(keys[0], base_dist=_normal(dim), nn_width=width, invert=False, **settings)
    momentum = DenseGaussianMomentum(dim, width=width, key=keys[1])
    return fixed_kinetic_flow(
        dim, num_steps=1, width=width, base=PhaseBase(_normal(dim), law), momentum=momentum, key=keys[2]
    )


def _normal(dim: int) -> AbstractDistribution:
    return Normal(jnp.zeros(dim), jnp.ones(dim))


def _ours(flow: Callable[..., HamiltonianFlow], target: str) -> Build:
    return lambda dim, width, key: hamiltonian_flow(flow, target, dim, width, NUM_MAPS.get(target, 5), key)


def hamiltonian_flow(
    flow: Callable[..., HamiltonianFlow], target: str, dim: int, width: int, num_maps: int, key: jax.Array
) -> HamiltonianFlow:
    """Of maps of one leapfrog step; potentials and encoder are sums of bells in the plane, elsewhere perceptrons."""
    key_flow, key_encoder = jr.split(key)

    def bells(size: int, key: jax.Array) -> AbstractPotential:
        return RadialPotential(size, num_bells=width, key=key)

    def bell_network(inputs: int, outputs: int, key: jax.Array) -> RadialNetwork:
        return RadialNetwork(inputs, outputs, num_bells=width, key=key)

    def additive(size: int, key: jax.Array) -> AbstractPotential:
        return AdditivePotential(size, width=width, depth=1, key=key)

    if dim == 2:
        momentum = DenseGaussianMomentum(dim, network=bell_network, key=key_encoder)
        shape: dict[str, Any] = {"potential": bells, "momentum": momentum}
    elif target in ADDITIVE:
        momentum = AdditiveGaussianMomentum(dim, width=width, depth=1, key=key_encoder)
        shape = {"potential": additive, "momentum": momentum}
    else:
        base = PhaseBase(_normal(dim), Transformed(_normal(dim), SinhTails(dim)))
        encoder = DenseGaussianMomentum if dim <= MAX_DENSE else GaussianMomentum
        shape = {"base": base, "momentum": encoder(dim, width=width, key=key_encoder)}
    return flow(dim, num_steps=1, num_maps=num_maps, width=width, key=key_flow, **shape)


_OURS: dict[str, Callable[..., HamiltonianFlow]] = {
    "fixed_kinetic": fixed_kinetic_flow,
    "learned_kinetic": learned_kinetic_flow,
}
_BUILDS: dict[str, Build] = {
    "spline_coupling": spline_coupling,
    "real_nvp": real_nvp,
    "masked_autoregressive": masked_autoregressive,
    "spline_base": spline_base,
    "affine_base": affine_base,
}
