"""What runs on a GPU, lowered for one on a machine that need not have one."""

import re
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from samplers.conformance.samplers import SAMPLERS

from cosmoflow._chunk import init_states, run_chunk
from cosmoflow._record import Keep, Record
from cosmoflow.fields import ConfigurationLatents, Grid, LagrangianField
from cosmoflow.flows import fixed_kinetic_flow
from cosmoflow.likelihoods import FieldLevel, GaussianNoise
from cosmoflow.samplers import KineticLangevin
from cosmoflow.targets import CorrelatedGaussian
from cosmoflow.training import ReverseKL, default_optimizer
from cosmoflow.training._fit import _train_chunk, _Training

MAKERS = {name: entry.make for name, entry in SAMPLERS.items()} | {"kinetic_langevin": KineticLangevin}
SOON = ("langevin", "zig_zag", "hybrid_splitting", "kinetic_langevin")
"""Those that are lowered in every run of the tests."""

every_sampler = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SOON else pytest.mark.slow) for name in MAKERS]
)


def for_cuda(function, *arguments, given=()):
    """The module of a function of some arguments, of which those in these places are given away."""
    dynamic, static = eqx.partition(arguments, eqx.is_array)

    def of_arrays(*dynamic):
        return eqx.filter(function(*eqx.combine(dynamic, static)), eqx.is_array)

    exported = jax.export.export(jax.jit(of_arrays, donate_argnums=given), platforms=["cuda"])(*dynamic)
    assert exported.platforms == ("cuda",)
    return exported.mlir_module()


def aliased(module):
    """How many arguments are given back as results."""
    return len(re.findall(r"tf\.aliasing_output", module))


def leaves(tree):
    return len(jax.tree.leaves(eqx.filter(tree, eqx.is_array)))


def assert_stays_on_the_device(module):
    assert "stablehlo" in module
    program = re.sub(r"loc\(.*", "", module)  # the names of what called it
    for word in ("callback", "infeed", "outfeed", "stablehlo.send", "stablehlo.recv"):
        assert word not in program


@pytest.mark.slow
def test_a_callback_a_double_and_what_is_not_given_are_seen():
    """A call of the host cannot even be lowered for a device that is not there."""

    def calls(x):
        jax.debug.callback(lambda value: None, x)
        return 2 * x

    with pytest.raises(ValueError, match="cuda"):
        for_cuda(calls, jnp.ones(3))
    module = for_cuda(lambda x: 2 * x, jnp.ones(3), given=(0,))
    assert "f64" in module and aliased(module) == 1
    assert aliased(for_cuda(lambda x: 2 * x, jnp.ones(3))) == 0
    assert_stays_on_the_device(module)
    with pytest.raises(AssertionError):
        assert_stays_on_the_device(module + "callback")


@pytest.mark.soon(1)
@every_sampler
def test_a_chunk_of_draws(name):
    """In single precision, with thinned and averaged parameters; the state is given away and comes back."""
    with jax.enable_x64(False):
        target, sampler = CorrelatedGaussian(jnp.zeros(2), jnp.eye(2)), MAKERS[name]()
        record, positions = Record({"x": Keep(every=2, mean=True)}), jnp.zeros((3, 2))
        state = eqx.filter_eval_shape(
            init_states.__wrapped__, target, sampler, positions, jr.split(jr.key(0), 3), record
        )
        state = jax.tree.map(zeros, state)
        chunk = partial(run_chunk.__wrapped__, capacity=5)
        module = for_cuda(chunk, (target, sampler, record, jnp.asarray(5)), state, given=(1,))
    assert_stays_on_the_device(module)
    assert "f64" not in module
    assert aliased(module) == leaves(state)


def zeros(leaf):
    """An array in the place of a shape."""
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jnp.broadcast_to(jr.key(0), leaf.shape)
    return jnp.zeros(leaf.shape, leaf.dtype)


def test_a_chunk_of_training():
    """A flow in single precision; its parameters and those of the optimiser are given away and come back."""
    with jax.enable_x64(False):
        flow = fixed_kinetic_flow(2, key=jr.key(0), num_maps=1, width=8, depth=1)
        loss = ReverseKL(CorrelatedGaussian(jnp.zeros(2), jnp.eye(2)), 4)
        parameters, static = eqx.partition(flow, eqx.is_inexact_array)
        optimizer = default_optimizer(100)
        training = _Training(parameters, optimizer.init(parameters), parameters, jnp.asarray(jnp.inf))
        chunk = partial(_train_chunk.__wrapped__, num_steps=5, batch_size=4, num_validation=2)
        with jax.numpy_dtype_promotion("standard"):  # optax raises floats to integer powers
            fixed = (static, loss, None, optimizer, jr.key(1), jnp.asarray(0))
            module = for_cuda(chunk, fixed, training, given=(1,))
    assert_stays_on_the_device(module)
    assert "f64" not in module
    assert aliased(module) == leaves(training)


def test_the_gradient_of_a_field():
    """64^3 cells of perturbation theory with bias in redshift space, in single precision."""
    with jax.enable_x64(False):
        grid = Grid((64, 64, 64), 320.0)
        model = LagrangianField(grid, redshift=1.0, line_of_sight=2, latents=ConfigurationLatents())
        likelihood = FieldLevel(model, GaussianNoise(1.0), np.zeros(grid.shape))
        cosmology = {name: jnp.asarray(value) for name, value in (("Omega_m", 0.3), ("sigma8", 0.8), ("b1", 1.0))}

        def gradient(likelihood, white_noise, cosmology):
            return jax.value_and_grad(lambda x: likelihood.log_likelihood({"white_noise": x} | cosmology))(white_noise)

        module = for_cuda(gradient, likelihood, jnp.zeros(grid.shape), cosmology, given=(1,))
    assert_stays_on_the_device(module)
    assert "tensor<64x64x64xf32>" in module and "fft" in module and "f64" not in module
    assert aliased(module) == 1
