"""Taylor surrogates: Gaussian data whose model is expanded around one point."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from .._types import Key, Parameters, Scalar, Vector
from ..likelihoods import AbstractGaussianLikelihood, AbstractLikelihood, JointLikelihood
from ..targets import Posterior
from ._best_fit import inside
from ._residual import flat, gaussian_members
from ._whitening import laplace_whitening


class TaylorSurrogate(AbstractGaussianLikelihood):
    """The data of another likelihood with a model that is a polynomial in its parameters.

        m(theta) = m + J t + t^T H t / 2,    t = theta - point

    In chi^2 the polynomial's coefficients, whitened, are rotated so that only as many residuals are left as there are
    coefficients: it costs the square of their number, whatever the length of the data vector. Made by
    `taylor_surrogate`.

    Attributes:
        point: Where the model is expanded, by the names that are expanded in.
        coefficients: Of 1, t_i and, in second order, t_i t_j with i <= j.
        root: R of the QR decomposition of the whitened coefficients, those of 1 less the data.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    point: Parameters
    coefficients: Float[Array, "data term"]
    root: Float[Array, "row term"]
    order: int = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """The polynomial."""
        return self.coefficients @ self._terms(parameters)

    def chi2(self, parameters: Parameters) -> Scalar:
        """Squared Mahalanobis distance of the data from the polynomial."""
        residual = self.root @ self._terms(parameters)
        return residual @ residual

    def _terms(self, parameters: Parameters) -> Float[Array, " term"]:
        return terms(flat(parameters, self.required) - flat(self.point, self.required), self.order)


class SurrogateError(NamedTuple):
    """What a surrogate makes wrong over its own posterior.

    Attributes:
        differences: log L of the surrogate less that of the exact likelihood, at draws of Laplace's approximation.
    """

    differences: Float[np.ndarray, " draw"]

    @property
    def mean(self) -> float:
        """Mean of |Delta log L|."""
        return float(np.mean(np.abs(self.differences)))

    @property
    def sd(self) -> float:
        """Standard deviation of Delta log L: what shifts a posterior, where an offset does not matter."""
        return float(np.std(self.differences))

    @property
    def largest(self) -> float:
        """Largest |Delta log L|."""
        return float(np.max(np.abs(self.differences)))


def taylor_surrogate(
    likelihood: AbstractLikelihood, point: Mapping, *, order: int = 1, names: Sequence[str] | None = None
) -> AbstractLikelihood:
    """A likelihood whose data vectors are expanded around a point, which costs no theory.

    The second derivatives are taken pair by pair of parameters, by forward mode twice, in the memory of one model. Far
    from the point an expansion of second order may fit the data once more: let its chains start near the point, in the
    coordinates of `laplace_whitening` with the point as start.

    Args:
        likelihood: Gaussian, or several of them together.
        point: Where, by name; a best fit.
        order: Of the expansion, 1 or 2.
        names: The parameters in which to expand; all of the point's that the likelihood uses if None. The others keep
            the point's values, so name here all that will vary.

    Returns:
        A `TaylorSurrogate`, or a `JointLikelihood` of them by the same names.

    Raises:
        ValueError: A likelihood is not Gaussian, the order is another, the point lacks a required parameter, or the
            model is not finite or has no finite derivatives there.
    """
    if order not in (1, 2):
        raise ValueError(f"`order` is {order}, but the expansion is of order 1 or 2.")
    values = {name: jnp.asarray(value, float) for name, value in point.items()}
    members = {
        name: _expanded(name, member, values, order, names) for name, member in gaussian_members(likelihood).items()
    }
    return JointLikelihood(members) if isinstance(likelihood, JointLikelihood) else next(iter(members.values()))


def surrogate_error(
    posterior: Posterior, surrogate: AbstractLikelihood, *, key: Key, num_draws: int = 100
) -> SurrogateError:
    """How wrong a surrogate is where it matters: at draws of the Laplace approximation to its own posterior.

    A standard deviation well below one says that the surrogate's posterior is nearly the exact one, and that delayed
    acceptance will accept most of what it proposes.

    Args:
        posterior: The exact one.
        surrogate: Of its likelihood.
        key: Random key of the draws.
        num_draws: Each costs one evaluation of the exact likelihood.
    """
    members = gaussian_members(surrogate).values()
    point = {n: value for m in members if isinstance(m, TaylorSurrogate) for n, value in m.point.items()}
    approximation = laplace_whitening(
        Posterior(posterior.prior, surrogate), jnp.asarray(inside(posterior, point), float)
    )
    z = jr.normal(key, (num_draws, posterior.dim), approximation.location.dtype)
    return SurrogateError(np.asarray(_differences(posterior, surrogate, jax.vmap(approximation.transform)(z))))


@eqx.filter_jit
def _differences(posterior: Posterior, surrogate: AbstractLikelihood, z: Float[Array, "draw dim"]) -> Array:
    def difference(z):
        parameters = posterior.constrain(z)
        return surrogate.log_likelihood(parameters) - posterior.likelihood.log_likelihood(parameters)

    return jax.lax.map(difference, z)


def terms(t: Vector, order: int) -> Float[Array, " term"]:
    """1, t_i and, in second order, t_i t_j with i <= j."""
    products = [t[i] * t[i:] for i in range(t.size)] if order == 2 else []
    return jnp.concatenate([jnp.ones(1, t.dtype), t, *products])


def _expanded(
    name: str,
    member: AbstractGaussianLikelihood,
    point: Parameters,
    order: int,
    names: Sequence[str] | None,
) -> TaylorSurrogate:
    known = (*member.required, *member.optional)
    varying = tuple(n for n in known if n in point and (names is None or n in names))
    missing = [n for n in member.required if n not in point]
    if missing or not varying:
        what = f"the parameter {missing[0]!r} of" if missing else "a parameter to expand in for"
        raise ValueError(f"The point lacks {what} the likelihood {name!r}; it has {', '.join(point)}.")
    coefficients = _coefficients(member, {n: point[n] for n in known if n in point}, varying, order)
    if not jnp.all(jnp.isfinite(coefficients)):
        raise ValueError(
            f"The model of the likelihood {name!r} or one of its derivatives is not finite at the point; choose "
            "one inside the prior, where no parameter is singular."
        )
    whitened = solve_triangular(member.cholesky, coefficients.at[:, 0].add(-member.data), lower=True)
    return TaylorSurrogate(
        data=member.data,
        cholesky=member.cholesky,
        point={n: point[n] for n in varying},
        coefficients=coefficients,
        root=jnp.linalg.qr(whitened, mode="r"),
        order=order,
        required=varying,
        optional=tuple(n for n in known if n not in varying),
    )


@eqx.filter_jit
def _coefficients(
    member: AbstractGaussianLikelihood, point: Parameters, varying: tuple[str, ...], order: int
) -> Float[Array, "data term"]:
    centre = flat(point, varying)
    stops = np.cumsum([point[name].size for name in varying])

    def model(t: Vector) -> Float[Array, " data"]:
        pieces = jnp.split(centre + t, stops[:-1])
        return member.predict(point | {n: p.reshape(point[n].shape) for n, p in zip(varying, pieces, strict=True)})

    origin, axes = jnp.zeros_like(centre), jnp.eye(centre.size, dtype=centre.dtype)

    def slope(t: Vector, direction: Vector) -> Float[Array, " data"]:
        return jax.jvp(model, (t,), (direction,))[1]

    def curvature(pair: tuple[Array, Array]) -> Float[Array, " data"]:
        i, j = pair
        second = jax.jvp(lambda t: slope(t, axes[i]), (origin,), (axes[j],))[1]
        return second * jnp.where(i == j, 0.5, 1.0).astype(second.dtype)

    rows = [model(origin)[None], jax.lax.map(lambda axis: slope(origin, axis), axes)]
    if order == 2:
        first, second = np.triu_indices(centre.size)
        rows.append(jax.lax.map(curvature, (jnp.asarray(first), jnp.asarray(second))))
    return jnp.concatenate(rows).T
