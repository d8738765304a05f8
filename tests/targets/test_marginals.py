import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from cosmoflow.targets import Delta, LogNormal, Normal, TruncatedNormal, Uniform

MARGINALS = {
    "uniform": (lambda: Uniform(-1, 2), scipy.stats.uniform(-1, 3)),
    "normal": (lambda: Normal(0.3, 2), scipy.stats.norm(0.3, 2)),
    "log_normal": (lambda: LogNormal(-1, 0.5), scipy.stats.lognorm(0.5, scale=np.exp(-1))),
    "truncated": (lambda: TruncatedNormal(0.5, 2, -3, 1), scipy.stats.truncnorm(-1.75, 0.25, 0.5, 2)),
    "truncated_symmetric": (lambda: TruncatedNormal(0, 1, -2, 2), scipy.stats.truncnorm(-2, 2)),
    "truncated_below": (lambda: TruncatedNormal(1, 2, 0, np.inf), scipy.stats.truncnorm(-0.5, np.inf, 1, 2)),
    "truncated_above": (lambda: TruncatedNormal(1, 2, -np.inf, 0), scipy.stats.truncnorm(-np.inf, -0.5, 1, 2)),
    "truncated_in_right_tail": (lambda: TruncatedNormal(0, 1, 9, 10), scipy.stats.truncnorm(9, 10)),
    "truncated_in_left_tail": (lambda: TruncatedNormal(0, 1, -20, -19), scipy.stats.truncnorm(-20, -19)),
}
EPSILON = float(np.finfo(np.float64).eps)
TAILS = jnp.concatenate([jnp.linspace(-30, 30, 601), jnp.array([-1e-9, 1e-9])]).sort()

each_marginal = pytest.mark.parametrize("make, law", MARGINALS.values(), ids=MARGINALS.keys())


@each_marginal
def test_quantiles_are_those_of_scipy(make, law):
    z = np.linspace(-5, 5, 101)
    quantiles = np.where(z < 0, law.ppf(scipy.stats.norm.cdf(z)), law.isf(scipy.stats.norm.sf(z)))
    np.testing.assert_allclose(jax.vmap(make().forward)(jnp.asarray(z)), quantiles, rtol=1e-9, atol=1e-9)


@pytest.mark.soon(3)
@each_marginal
def test_inverse_undoes_forward_to_the_rounding_of_x(make, law):
    marginal = make()
    z = jnp.linspace(-5, 5, 1001)
    x, slope = jax.jit(jax.vmap(jax.value_and_grad(marginal.forward)))(z)
    assert jnp.all(jnp.abs(marginal.inverse(x) - z) < 1e-10 + 4 * EPSILON * (1 + jnp.abs(x)) / slope)


def test_inverse_undoes_forward_of_a_uniform_to_ten_digits():
    for marginal in (Uniform(-1, 1), Uniform(0.01, 0.99), Uniform(-5, 0), Uniform(0, 5)):
        z = jnp.linspace(-5, 5, 1001)
        assert jnp.max(jnp.abs(marginal.inverse(marginal.forward(z)) - z)) < 1e-10


@pytest.mark.soon(3)
@each_marginal
def test_forward_is_monotone_with_finite_derivatives_far_into_the_tails(make, law):
    marginal = make()
    x = marginal.forward(TAILS)
    slope = jax.jit(jax.vmap(jax.grad(marginal.forward)))(TAILS)
    curvature = jax.jit(jax.vmap(jax.grad(jax.grad(marginal.forward))))(TAILS)
    assert jnp.all(jnp.isfinite(x)) and jnp.all(jnp.diff(x) >= -2 * EPSILON * jnp.abs(x[1:]))
    assert jnp.all(jnp.isfinite(slope)) and jnp.all(slope >= 0)
    assert jnp.all(slope[jnp.abs(TAILS) < 3] > 0)
    assert jnp.all(jnp.isfinite(curvature))
    low, high = map(float, law.support())
    assert jnp.all((x >= low) & (x <= high))


@pytest.mark.soon(3)
@each_marginal
def test_derivative_is_the_ratio_of_densities(make, law):
    z = jnp.linspace(-4, 4, 81)
    marginal = make()
    slope = jax.jit(jax.vmap(jax.grad(marginal.forward)))(z)
    np.testing.assert_allclose(slope, np.exp(scipy.stats.norm.logpdf(z) - law.logpdf(marginal.forward(z))), rtol=1e-6)


@pytest.mark.soon(2)
@pytest.mark.parametrize("name", [name for name in MARGINALS if name != "truncated_in_left_tail"])
def test_single_precision_stays_single_and_finite(name):
    """The left-out one has a mass below the smallest single-precision number."""
    marginal = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), MARGINALS[name][0]())
    z = TAILS.astype(jnp.float32)
    x, slope = jax.jit(jax.vmap(jax.value_and_grad(marginal.forward)))(z)
    assert x.dtype == slope.dtype == jnp.float32
    assert jnp.all(jnp.isfinite(x)) and jnp.all(jnp.isfinite(slope))


@pytest.mark.parametrize(
    "marginal, outside",
    [(Uniform, (-0.1, 1.1)), (lambda a, b: TruncatedNormal(0.0, 1.0, a, b), (-0.1, 1.1))],
)
def test_inverse_is_not_finite_outside_the_support(marginal, outside):
    assert not jnp.any(jnp.isfinite(marginal(0.0, 1.0).inverse(jnp.array(outside))))


def test_arrays_make_vector_valued_parameters():
    marginal = Normal(jnp.zeros(3), 2)
    assert marginal.shape == (3,)
    np.testing.assert_allclose(marginal.forward(jnp.arange(3.0)), [0, 2, 4])


def test_delta_consumes_no_coordinate():
    delta = Delta(0.7)
    assert delta.shape == (0,)
    assert delta.forward(jnp.zeros(0)) == 0.7
    assert delta.inverse(jnp.array(0.7)).shape == (0,)


def test_new_values_do_not_recompile():
    traces = []

    @jax.jit
    def forward(marginal, z):
        traces.append(1)
        return marginal.forward(z)

    for high in (1.0, 2, np.float32(3), jnp.array(4.0)):
        forward(Uniform(0, high), jnp.array(0.0))
    assert len(traces) == 1


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: Uniform(2, 1), "low is 2.0 and high is 1.0"),
        (lambda: Uniform(0, np.inf), "finite low < high"),
        (lambda: Normal(0, 0), "sd > 0, but sd is 0.0"),
        (lambda: LogNormal(0, -1), "sigma > 0, but sigma is -1.0"),
        (lambda: TruncatedNormal(0, -1, 0, 1), "sd is -1.0"),
        (lambda: TruncatedNormal(0, 1, 1, 0), "low is 1.0 and high is 0.0"),
        (lambda: TruncatedNormal(0, 1, 50, 51), "no mass left between low = 50.0 and high = 51.0"),
    ],
)
def test_errors_name_the_values(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
