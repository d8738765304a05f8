"""Every likelihood keeps the promises of its kind; those that are wrong on purpose do not."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from likelihoods.conformance import assert_conforms

from cosmoflow import datasets
from cosmoflow.likelihoods import (
    BAO,
    AbstractLikelihood,
    Chronometers,
    CompressedCMB,
    FunctionLikelihood,
    GaussianConstraint,
    GaussianMixture,
    GrowthRate,
    JointLikelihood,
    Supernovae,
)

POINT = {"Omega_m": 0.31, "h": 0.69, "h_r_d": 101.0, "Omega_b": 0.049, "sigma8": 0.8, "w0": -0.9, "wa": -0.3}
LIKELIHOODS = {
    "bao": lambda: BAO(datasets.desi_dr2_bao()),
    "supernovae": lambda: Supernovae(datasets.union3()),
    "chronometers": lambda: Chronometers(datasets.cosmic_chronometers()),
    "compressed_cmb": lambda: CompressedCMB(datasets.desi_compressed_cmb()),
    "constraint": lambda: GaussianConstraint(*datasets.h0_shoes2022()),
    "growth": lambda: GrowthRate(datasets.fsigma8_gold2018()),
    "mixture": lambda: GaussianMixture(("h", "w0"), [0.3, 0.7], [[-5.0, 0.0], [5.0, 0.0]], 1.0),
    "function": lambda: FunctionLikelihood(lambda h, w0=-1.0: -(h**2) - w0**2),
    "joint": lambda: JointLikelihood({"bao": BAO(datasets.desi_dr2_bao()), "sn": Supernovae(datasets.union3())}),
}


SLOW = ("growth", "compressed_cmb", "joint")  # to compile


@pytest.mark.soon(2)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in LIKELIHOODS]
)
def test_it_conforms(name):
    assert_conforms(LIKELIHOODS[name](), POINT)


class Wrong(AbstractLikelihood):
    """(h - 0.7)^2, and one thing that is wrong."""

    fault: str = eqx.field(static=True)
    centre: jax.Array = eqx.field(default_factory=lambda: jnp.asarray(0.7))
    required: tuple[str, ...] = ("h",)
    optional: tuple[str, ...] = ()

    def log_likelihood(self, parameters):
        h = parameters.get("h", jnp.asarray(0.7)) if self.fault == "required" else parameters["h"]
        if self.fault == "gradient":
            h = h + 0.1 * jax.lax.stop_gradient(h)
        if self.fault == "others":
            h = h + 0.1 * len(parameters)
        if self.fault == "shape":
            h = h[None]
        centre = float(self.centre) if self.fault == "constant" else self.centre
        value = -((h - centre) ** 2)
        return value / 0.0 if self.fault == "finite" else value


@pytest.mark.parametrize("fault", ["required", "gradient", "others", "shape", "constant", "finite"])
def test_and_faults_are_found(fault):
    assert_conforms(Wrong("none"), {"h": 0.6})
    with pytest.raises((AssertionError, TypeError, pytest.fail.Exception)):
        assert_conforms(Wrong(fault), {"h": 0.6})
