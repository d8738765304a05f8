import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.likelihoods import FunctionLikelihood, JointLikelihood

POINT = {"H0": jnp.asarray(70.0), "Omega_m": jnp.asarray(0.3)}


def hubble(H0, offset=0.0, *, mean=73.0, sd=1.0):
    return -0.5 * ((H0 + offset - mean) / sd) ** 2


def test_arguments_are_parameters():
    likelihood = FunctionLikelihood(hubble, {"sd": 2.0})
    assert likelihood.required == ("H0",) and likelihood.optional == ("offset", "mean")
    np.testing.assert_allclose(likelihood.log_likelihood(POINT), -0.5 * 1.5**2)
    np.testing.assert_allclose(likelihood.log_likelihood(POINT | {"offset": jnp.asarray(1.0)}), -0.5)
    assert JointLikelihood({"h": likelihood}).required == ("H0",)


def test_transformations():
    likelihood = FunctionLikelihood(hubble, {"sd": 2})
    gradient = jax.jit(jax.grad(likelihood.log_likelihood))(POINT)
    np.testing.assert_allclose(gradient["H0"], 0.75)
    step = 1e-5
    up, down = (likelihood.log_likelihood(POINT | {"H0": POINT["H0"] + s}) for s in (step, -step))
    np.testing.assert_allclose(gradient["H0"], (up - down) / (2 * step), rtol=1e-8)
    many = jax.vmap(likelihood.log_likelihood)({"H0": jnp.asarray([70.0, 73.0])})
    np.testing.assert_allclose(many, [-0.5 * 1.5**2, 0])


def test_a_number_that_is_no_array():
    assert FunctionLikelihood(lambda H0: 1).log_likelihood(POINT).dtype == jnp.result_type(float)


@pytest.mark.parametrize(
    ("function", "options", "sentence"),
    [
        (lambda **parameters: 0.0, {}, r"<lambda> takes \*\*parameters, which names no parameter; write out"),
        (hubble, {"sigma": 1.0}, "hubble has no argument 'sigma'; those it has are H0, offset, mean, sd."),
    ],
)
def test_bad_functions(function, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        FunctionLikelihood(function, options)
