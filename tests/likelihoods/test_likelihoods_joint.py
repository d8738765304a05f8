import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.datasets import desi_dr2_bao, union3
from cosmoflow.likelihoods import BAO, JointLikelihood, Supernovae

BAO_DR2, UNION3 = "DESI DR2", "Union3"
POINT = {name: jnp.asarray(value) for name, value in {"Omega_m": 0.3, "h_r_d": 101.0, "w0": -0.8, "wa": -0.5}.items()}


@pytest.fixture(scope="module")
def joint():
    return JointLikelihood({BAO_DR2: BAO(desi_dr2_bao()), UNION3: Supernovae(union3())})


def test_sums_its_members(joint):
    parts = BAO(desi_dr2_bao()).log_likelihood(POINT) + Supernovae(union3()).log_likelihood(POINT)
    np.testing.assert_allclose(joint.log_likelihood(POINT), parts, rtol=1e-15)


def test_chi2_by_name(joint):
    chi2 = joint.chi2(POINT)
    assert list(chi2) == [BAO_DR2, UNION3]
    np.testing.assert_allclose(chi2[UNION3], Supernovae(union3()).chi2(POINT), rtol=1e-15)


def test_observed_data_by_name(joint):
    observed = joint.observed_data()
    assert list(observed) == [BAO_DR2, UNION3]
    np.testing.assert_array_equal(observed[BAO_DR2], BAO(desi_dr2_bao()).data)


def test_names(joint):
    assert joint.required == ("Omega_m", "h_r_d")
    assert joint.optional == ("Omega_k", "w0", "wa")
    mixed = JointLikelihood({"a": BAO(desi_dr2_bao(), radiation=True), "b": Supernovae(union3())})
    assert mixed.required == ("Omega_m", "h_r_d", "h")
    assert not set(mixed.required) & set(mixed.optional)
    with pytest.raises(ValueError, match="at least one"):
        JointLikelihood({})


def test_members_ignore_names_of_the_others():
    point = POINT | {"h": jnp.asarray(0.7), "m_nu": jnp.asarray(0.06)}
    mixed = JointLikelihood({"a": BAO(desi_dr2_bao(), radiation=True), "b": Supernovae(union3())})
    np.testing.assert_allclose(mixed.chi2(point)["b"], Supernovae(union3()).chi2(POINT), rtol=1e-15)


@pytest.mark.slow
def test_jit_vmap_and_order(joint):
    batch = jax.tree.map(lambda leaf: leaf + 0.01 * jnp.arange(3.0), POINT)
    values = jax.jit(jax.vmap(joint.log_likelihood))(batch)
    reverse = JointLikelihood(dict(reversed(list(zip(joint.names, joint.members, strict=True)))))
    np.testing.assert_allclose(values, jax.vmap(reverse.log_likelihood)(batch), rtol=1e-11)
    np.testing.assert_allclose(values[0], joint.log_likelihood(POINT), rtol=1e-12)
