"""Our likelihoods from elsewhere: plain numbers, Cobaya, CosmoSIS."""

import inspect
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from cobaya import run
from cobaya.model import get_model

import cosmoflow as cf
from cosmoflow.adapters import from_cobaya, from_numpyro, plain, to_cobaya, to_cosmosis

BAO = cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())
POINT = {"Omega_m": 0.31, "h_r_d": 101.0, "w0": -0.95}
EXACT = float(BAO.log_likelihood({name: jnp.asarray(value) for name, value in POINT.items()}))


def test_floats_in_and_out():
    function = plain(BAO)
    value = function(**POINT)
    assert type(value) is float
    np.testing.assert_allclose(value, EXACT, rtol=1e-12)
    assert function(Omega_m=np.float32(0.5), h_r_d=101) == function(Omega_m=0.5, h_r_d=101.0)
    assert str(inspect.signature(function)) == "(Omega_m, h_r_d, Omega_k=None, w0=None, wa=None)"
    assert (function.required, function.optional) == (BAO.required, BAO.optional)


def test_names_are_checked():
    with pytest.raises(ValueError, match="BAO needs 'h_r_d'"):
        plain(BAO)(Omega_m=0.3)
    with pytest.raises(ValueError, match="BAO has no parameter 'w', 'H0'; those it has are 'Omega_m', 'h_r_d'"):
        plain(BAO)(**POINT, w=-1.0, H0=70.0)


COBAYA = {
    "likelihood": {"bao": to_cobaya(BAO)},
    "params": {
        "Omega_m": {"prior": {"min": 0.2, "max": 0.4}, "ref": 0.3, "proposal": 0.01},
        "h_r_d": {"prior": {"min": 95, "max": 105}, "ref": 101, "proposal": 1},
        "w": {"prior": {"min": -2, "max": 0}, "ref": -1, "proposal": 0.1, "drop": True},
        "w0": {"value": "lambda w: w", "derived": False},
    },
    "debug": 30,
}


def test_cobaya_computes_the_same_number():
    point = [POINT["Omega_m"], POINT["h_r_d"], POINT["w0"]]
    np.testing.assert_allclose(get_model(COBAYA).loglike(point, return_derived=False), EXACT, rtol=1e-12)


def test_cobaya_samples_it(tmp_path):
    mcmc = {"max_samples": 20, "burn_in": 0, "learn_proposal": False, "seed": 1}
    _, sampler = run(COBAYA | {"sampler": {"mcmc": mcmc}, "output": str(tmp_path / "chain")})
    draws = sampler.samples()
    assert len(draws) == 20
    first = {name: draws["w" if name == "w0" else name][0] for name in POINT}
    np.testing.assert_allclose(-0.5 * draws["chi2__bao"][0], plain(BAO)(**first), rtol=1e-6)


class Block:
    """Holds values by section and name, both without regard to capitals, as the data block of CosmoSIS does."""

    def __init__(self, values):
        self.values = {}
        for key, value in values.items():
            self[key] = value

    def __setitem__(self, key, value):
        section, name = key
        self.values[section.lower(), name.lower()] = value

    def __getitem__(self, key):
        section, name = key
        return self.values[section.lower(), name.lower()]

    def __contains__(self, key):
        section, name = key
        return (section.lower(), name.lower()) in self.values


def execute(likelihood, parameters, options=(), **keywords):
    setup, execute = to_cosmosis(likelihood, **keywords)
    config = setup(Block({("module_options", name): value for name, value in options}))
    section = keywords.get("section", "cosmological_parameters")
    block = Block({(section, name): value for name, value in parameters.items()})
    assert execute(block, config) == 0
    return block


def test_cosmosis():
    parameters = {"omega_m": 0.31, "h_r_d": 101.0, "w": -0.95, "tau": 0.06}
    np.testing.assert_allclose(execute(BAO, parameters)["likelihoods", "bao_like"], EXACT, rtol=1e-12)
    block = execute(BAO, parameters, [("like_name", "desi")], section="late_universe")
    np.testing.assert_allclose(block["likelihoods", "desi_like"], EXACT, rtol=1e-12)
    assert ("likelihoods", "bao_like") not in block


def test_names_of_cosmosis():
    likelihood = cf.likelihoods.BAO(cf.datasets.desi_dr2_bao(), sound_horizon="given", radiation=True)
    ours = {"Omega_m": 0.31, "h": 0.68, "r_d": 147.0, "m_nu": 0.06, "N_eff": 3.1, "T_cmb": 2.7, "w0": -0.9, "wa": 0.1}
    theirs = {"OMEGA_M": 0.31, "h0": 0.68, "r_d": 147, "mnu": 0.06, "nnu": 3.1, "tcmb": 2.7, "w": -0.9, "wa": 0.1}
    block = execute(likelihood, theirs)
    np.testing.assert_allclose(block["likelihoods", "bao_like"], plain(likelihood)(**ours), rtol=1e-12)


class Capitals(cf.likelihoods.AbstractLikelihood):
    required: tuple[str, ...] = ("h", "H")
    optional: tuple[str, ...] = ()

    def log_likelihood(self, parameters):
        return parameters["h"] - parameters["H"]


def test_what_cosmosis_cannot_tell_apart():
    with pytest.raises(ValueError, match="more than one 'h'"):
        to_cosmosis(Capitals())
    with pytest.raises(ValueError, match="'cosmological_parameters' lacks 'h_r_d'"):
        execute(BAO, {"omega_m": 0.3})


@pytest.mark.parametrize(
    ("package", "call"), [("numpyro", lambda: from_numpyro(lambda: None)), ("cobaya", lambda: from_cobaya({}))]
)
def test_a_missing_package_is_named(package, call, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"install cosmoflow with the extra '{package}'"):
        call()
