"""One device and several give the same numbers: a program with as many devices as XLA is told to feign.

It prints one JSON object. `largest_moved` counts the elements of the largest array that any collective operation gives
to each device.
"""

import json
import math
import re
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from jaxtyping import install_import_hook

install_import_hook("cosmoflow", "beartype.beartype")
jax.config.update("jax_enable_x64", True)

import cosmoflow as cf  # noqa: E402
from cosmoflow.fields import (  # noqa: E402
    ConfigurationLatents,
    GaussianField,
    Grid,
    LagrangianField,
    LogNormalField,
    SlabGrid,
    TabulatedPower,
)
from cosmoflow.fields._power import AbstractPower  # noqa: E402
from cosmoflow.likelihoods import FieldLevel, GaussianNoise  # noqa: E402
from cosmoflow.targets import Posterior, Prior, WhiteNoise  # noqa: E402

SHAPE, SIZE = (16, 8, 6), (160.0, 80.0, 60.0)


class SimplePower(AbstractPower):
    """A power spectrum of two parameters that is soon compiled."""

    required: tuple[str, ...] = eqx.field(default=("Omega_m", "sigma8"), static=True, init=False)
    optional: tuple[str, ...] = eqx.field(default=(), static=True, init=False)

    def __call__(self, grid, parameters):
        k = jnp.asarray(grid.shells[1:])
        return jnp.pad(1e3 * parameters["sigma8"] ** 2 * k / (k + parameters["Omega_m"] / 10) ** 2, (1, 0))


MODELS = {
    "gaussian": lambda grid: GaussianField(grid, SimplePower(), ConfigurationLatents()),
    "log_normal": lambda grid: LogNormalField(grid, SimplePower(), 1.0, ConfigurationLatents()),
    "lagrangian": lambda grid: LagrangianField(grid, power=SimplePower(), latents=ConfigurationLatents()),
}


def largest_difference(one, other):
    """Over all leaves, relative to the largest number of each."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return max(float(np.max(np.abs(np.asarray(a) - np.asarray(b))) / np.max(np.abs(a))) for a, b in pairs)


def largest_moved(program):
    """Elements of the largest result of an operation that gathers or sums over devices."""
    sizes = [0]
    for result in re.findall(r"= (.*?) (?:all-gather|all-reduce|collective-broadcast)(?:-start)?\(", program.as_text()):
        sizes += [math.prod(map(int, filter(None, dims.split(",")))) for dims in re.findall(r"\[([\d,]*)\]", result)]
    return max(sizes)


def likelihoods(name, count):
    """Value and gradient on one device and on several."""
    noise = jr.normal(jr.key(0), SHAPE)
    plain, slabs = Grid(SHAPE, SIZE), SlabGrid(SHAPE, SIZE, jax.devices()[:count], halo=4)
    value_and_grad = jax.jit(jax.value_and_grad(lambda point, likelihood: likelihood.log_likelihood(point)))

    def of(grid, white_noise):
        point = {"white_noise": white_noise, "Omega_m": jnp.asarray(0.3), "sigma8": jnp.asarray(0.8)}
        likelihood = FieldLevel(MODELS[name](grid), GaussianNoise(1.0), np.zeros(SHAPE))
        program = value_and_grad.lower(point, likelihood).compile()
        return program, program(point, likelihood)

    _, expected = of(plain, noise)
    program, got = of(slabs, slabs.place(noise))
    wrong, _ = of(plain, slabs.place(noise))
    field = got[1]["white_noise"]
    return {
        "difference": largest_difference(expected, got),
        "stays": field.sharding.is_equivalent_to(slabs.sharding, field.ndim),
        "largest_moved": largest_moved(program),
        "largest_moved_by_the_wrong_grid": largest_moved(wrong),
    }


def particles(count):
    """Painting and reading on one device and on several, at the edges of what a halo covers too."""
    halo = SHAPE[0] // count
    key_displacement, key_weights, key_field = jr.split(jr.key(1), 3)
    moved = jr.normal(key_displacement, (2, 3, *SHAPE))
    for cell, value in ((0, -1e-20), (4, -float(halo)), (7, halo - 1e-9), (15, halo - 1e-9)):
        moved = moved.at[:, 0, cell, 0, 0].set(value)
    weights, field = jr.normal(key_weights, SHAPE), jr.normal(key_field, SHAPE)

    def of(grid):
        def functions(displacement, weights, field):
            return grid.paint(displacement, weights) + grid.paint(displacement) ** 2, grid.read(field, displacement)

        def both(displacement):
            values, pull = jax.vjp(functions, displacement, weights, field)
            return values, pull(values)

        return jax.jit(jax.vmap(both))

    slabs = of(SlabGrid(SHAPE, SIZE, jax.devices()[:count]))
    too_far = slabs(moved.at[0, 0, 0, 0, 0].set(float(halo)))[0][0]
    return {
        "difference": largest_difference(of(Grid(SHAPE, SIZE))(moved), slabs(moved)),
        "not_finite": [int(jnp.sum(~jnp.isfinite(chain))) for chain in too_far],
    }


def chains():
    """A run with its field over two devices, and one with its chains over them, beside the same on one device."""
    position = jr.normal(jr.key(2), (2, math.prod(SHAPE)))
    power = TabulatedPower(np.array([0.01, 1.0]), np.array([1e4, 100.0]))

    def of(grid, position):
        model = GaussianField(grid, power, ConfigurationLatents())
        posterior = Posterior(
            Prior({"white_noise": WhiteNoise(SHAPE)}), FieldLevel(model, GaussianNoise(1.0), np.zeros(SHAPE))
        )
        run = cf.sample(
            posterior, cf.samplers.MCLMC(0.3), num_draws=6, num_chains=2, key=jr.key(3), position=position, chunk=3
        )
        return run.posterior["white_noise"]

    plain, slabs = Grid(SHAPE, SIZE), SlabGrid(SHAPE, SIZE, jax.devices()[:2])
    over_chains = jax.make_mesh((2,), ("chains",), axis_types=(AxisType.Auto,), devices=jax.devices()[:2])
    expected = of(plain, position)
    cells = of(slabs, jax.device_put(position, NamedSharding(slabs.mesh, PartitionSpec(None, "slabs"))))
    split = of(plain, jax.device_put(position, NamedSharding(over_chains, PartitionSpec("chains"))))
    return {
        "cells": largest_difference(expected, cells),
        "chains": largest_difference(expected, split),
        "moved": largest_difference(expected[:, 0], expected[:, -1]),
    }


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(json.dumps(globals()[name](*(int(a) if a.isdigit() else a for a in arguments))))
