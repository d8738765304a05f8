"""Central differences, which are exact for quadratic functions."""

import numpy as np
import pytest

from cosmoflow.adapters._differences import gradient, hessian

MATRIX = np.array([[-2.0, 0.5, 0.0], [0.5, -1.0, 0.3], [0.0, 0.3, -4.0]])
SLOPE = np.array([1.0, 2.0, 3.0])
X = np.array([0.3, -0.2, 0.9])
STEPS = np.array([0.1, 0.01, 0.2])
EVERYWHERE = np.full(3, -np.inf), np.full(3, np.inf)
BOX = np.array([-1.0, -0.2, -1.0]), np.array([1.0, 1.0, 1.0])


def quadratic(x):
    return 0.5 * x @ MATRIX @ x + SLOPE @ x


def counted(function):
    calls = []

    def call(x):
        calls.append(x.copy())
        return function(x)

    return call, calls


def test_a_quadratic_function():
    call, calls = counted(quadratic)
    np.testing.assert_allclose(gradient(call, X, STEPS, *EVERYWHERE), MATRIX @ X + SLOPE, rtol=1e-11)
    assert len(calls) == 2 * 3
    np.testing.assert_allclose(hessian(call, X, STEPS, *EVERYWHERE), MATRIX, atol=1e-9)
    assert len(calls) == 2 * 3 + 2 * 3**2 + 1


@pytest.mark.parametrize("derivative", [gradient, hessian])
def test_no_call_leaves_the_box(derivative):
    call, calls = counted(quadratic)
    derivative(call, X, STEPS, *BOX)
    assert np.all((calls >= BOX[0] - 1e-15) & (calls <= BOX[1] + 1e-15))


def test_derivatives_at_the_edge_of_the_box():
    at_edge = gradient(quadratic, X, STEPS, *BOX)
    np.testing.assert_allclose(at_edge, MATRIX @ X + SLOPE + np.diag(MATRIX) * [0, 0.005, -0.05], rtol=1e-11)
    np.testing.assert_allclose(hessian(quadratic, X, STEPS, *BOX), MATRIX, atol=1e-9)


def test_a_wall_inside_the_box():
    def walled(x):
        return -np.inf if x[0] > 0.35 else quadratic(x)

    slopes = gradient(walled, X, STEPS, *EVERYWHERE)
    np.testing.assert_allclose(slopes, MATRIX @ X + SLOPE + np.diag(MATRIX) * [-0.05, 0, 0], rtol=1e-11)
    np.testing.assert_array_equal(gradient(walled, np.ones(3), STEPS, *EVERYWHERE), 0)
