"""The tables of `[likelihood]`: known sets and data of the user's own."""

import inspect
import json
import re
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow import datasets, likelihoods
from cosmoflow.config import ConfigError, build_likelihood, build_posterior, identity, load, resolved_toml
from cosmoflow.config._likelihoods import LIKELIHOODS, BAOTable, SupernovaeTable
from cosmoflow.datasets import DataError

PRIOR = """
[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "uniform", low = 10.0, high = 1000.0 }
"""
DISTANCES = '[likelihood.mine]\nobservable = "DM_over_rd"\nvalues = "mine.txt"\n'
POINT = {"Omega_m": jnp.asarray(0.3), "h_r_d": jnp.asarray(100.0)}

MODULE = """
import jax.numpy as jnp
import numpy as np
from cosmoflow.likelihoods import AbstractLikelihood

class Ruler(AbstractLikelihood):
    required: tuple[str, ...] = ("h_r_d",)
    optional: tuple[str, ...] = ()
    mean: float = 100.0

    def log_likelihood(self, parameters):
        return -0.5 * (parameters["h_r_d"] - self.mean) ** 2

def log_likelihood(Omega_m, h_r_d, sd=1.0):
    return -0.5 * ((Omega_m - 0.3) ** 2 + (h_r_d - 100.0) ** 2) / sd**2

def make(mean=99.0, names=("h_r_d",)):
    return Ruler(names, (), mean)

def make_function(mean=98.0):
    return lambda h_r_d: -0.5 * (h_r_d - mean) ** 2

def number():
    return 3.0

def numeric(h_r_d):
    return np.exp(np.asarray(h_r_d))

def vector(h_r_d):
    return jnp.stack([h_r_d, h_r_d])

def broken(h_r_d):
    return missing + h_r_d

constant = 3.0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """With `mine.txt`, and a module whose name no other test has."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "mine.txt").write_text("0.5 13.5 0.2\n0.9 20.1 0.3\n")
    (tmp_path / "mine_cov.txt").write_text("0.04 0.01\n0.01 0.09\n")
    (tmp_path / f"module_{tmp_path.name}.py").write_text(MODULE)
    return tmp_path


def parse(folder, likelihood, prior=PRIOR):
    path = folder / "run.toml"
    path.write_text(likelihood + prior)
    return load(path)


def python(folder, function, options=""):
    return f'[likelihood.ruler]\npython = "module_{folder.name}:{function}"\n{options}'


@pytest.mark.parametrize(
    ("table", "constructor"), [(BAOTable, likelihoods.BAO), (SupernovaeTable, likelihoods.Supernovae)]
)
def test_defaults_are_those_of_the_constructors(table, constructor):
    parameters = inspect.signature(constructor).parameters
    assert all(field.default == parameters[name].default for name, field in table.model_fields.items())


def test_known_sets_come_first_in_their_order(folder):
    config = parse(folder, DISTANCES + "[likelihood.union3]\n[likelihood.desi_dr2_bao]\n")
    assert list(config.likelihood) == ["desi_dr2_bao", "union3", "mine"]
    assert list(LIKELIHOODS)[:2] == ["desi_dr2_bao", "union3"]


def test_the_identity_names_only_what_is_there(folder):
    known = identity(parse(folder, "[likelihood.desi_dr2_bao]\n"))
    assert known["configuration"]["likelihood"] == {"desi_dr2_bao": {"sound_horizon": "free", "radiation": False}}
    assert "code" not in known


@pytest.mark.parametrize("observable", datasets.QUANTITIES)
def test_own_distances(folder, observable):
    text = DISTANCES.replace("DM_over_rd", observable) + 'sound_horizon = "free"\n'
    (member,) = build_likelihood(parse(folder, text)).members
    assert isinstance(member, likelihoods.BAO) and member.quantity == (observable,) * 2
    np.testing.assert_array_equal(member.data, [13.5, 20.1])
    np.testing.assert_allclose(np.diagonal(member.cholesky), [0.2, 0.3])
    assert member.required == ("Omega_m", "h_r_d")


def test_own_mixed_distances_with_a_covariance(folder):
    (folder / "mine.txt").write_text("0.5 DM_over_rd 13.5\n0.5 DH_over_rd 22.0\n")
    text = DISTANCES.replace("DM_over_rd", "bao") + 'covariance = "mine_cov.txt"\nsound_horizon = "given"\n'
    (member,) = build_likelihood(parse(folder, text)).members
    assert member.quantity == ("DM_over_rd", "DH_over_rd") and member.required == ("Omega_m", "h", "r_d")
    np.testing.assert_allclose(member.cholesky @ member.cholesky.T, [[0.04, 0.01], [0.01, 0.09]])


def test_own_supernovae(folder):
    (member,) = build_likelihood(parse(folder, DISTANCES.replace("DM_over_rd", "distance_modulus"))).members
    assert isinstance(member, likelihoods.Supernovae)
    (folder / "mine.txt").write_text("0.5 42.1 0.2\n")
    with pytest.raises(ConfigError, match=r"likelihood.mine: one distance modulus says nothing"):
        build_likelihood(parse(folder, DISTANCES.replace("DM_over_rd", "distance_modulus")))


def test_a_published_set_as_ones_own_has_the_same_likelihood(folder):
    data = datasets.desi_dr2_bao()
    rows = zip(data.redshift.tolist(), data.quantity, data.value.tolist(), strict=True)
    (folder / "mine.txt").write_text("\n".join(" ".join(map(str, row)) for row in rows))
    np.savetxt(folder / "mine_cov.txt", data.covariance, fmt="%.17e")
    own = build_likelihood(parse(folder, DISTANCES.replace("DM_over_rd", "bao") + 'covariance = "mine_cov.txt"\n'))
    published = likelihoods.BAO(data)
    np.testing.assert_array_equal(own.log_likelihood(POINT), published.log_likelihood(POINT))


def test_bad_files_are_named(folder):
    config = parse(folder, DISTANCES)
    (folder / "mine.txt").write_text("0.5 13.5 0.2\n0.9 nan 0.3\n")
    with pytest.raises(DataError, match=f"^{folder}/mine.txt, line 2, holds NaN"):
        build_likelihood(config)


MISTAKES = {
    "near a known name": (
        "[likelihood.union]\n",
        "likelihood.union is not a known key; the nearest known is 'union3'.",
    ),
    "an unknown name": (
        "[likelihood.mine]\n",
        "likelihood.mine is not a known key; the known keys are desi_dr2_bao, union3, ",
    ),
    "no table": ("[likelihood]\nmine = 3\n", "likelihood.mine is not a known key; "),
    "a number for a table": ("[likelihood]\nunion3 = 3\n", "likelihood.union3 must be a table, but is 3; write it as"),
    "not tables": ("likelihood = 3\n", "likelihood must be a table, but is 3; write it as"),
    "no observable": (
        '[likelihood.mine]\nvalues = "a"\n',
        "likelihood.mine.observable is missing; choose one of bao, D",
    ),
    "near an observable": (
        DISTANCES.replace("DM_over_rd", "DM_over_rs"),
        "likelihood.mine.observable is 'DM_over_rs', which is not known; the nearest known is 'DM_over_rd'.",
    ),
    "no values": (
        '[likelihood.mine]\nobservable = "DM_over_rd"\n',
        "likelihood.mine.values is missing; add it.",
    ),
    "an option of another": (
        DISTANCES.replace("DM_over_rd", "distance_modulus") + 'sound_horizon = "free"\n',
        "likelihood.mine.sound_horizon is not a known key; the known keys are radiation, observable, values, covariance.",
    ),
    "a wrong option": (
        DISTANCES + "radiation = 1\n",
        "likelihood.mine.radiation must be a valid boolean, but is 1; change the value.",
    ),
    "a name with a slash": (DISTANCES.replace("mine]", '"a/b"]'), "likelihood.a/b is not a name; use letters"),
    "own keys of a known set": (
        '[likelihood.union3]\nvalues = "a"\n',
        "likelihood.union3.values is not a known key; the known keys are radiation.",
    ),
    "no module": ('[likelihood.f]\npython = "f.py"\n', "likelihood.f.python must match pattern"),
    "not TOML's own types": (
        '[likelihood.f]\npython = "f:f"\noptions = { day = 2020-01-01 }\n',
        "likelihood.f.options.day",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(tmp_path, name):
    text, sentence = MISTAKES[name]
    with pytest.raises(ConfigError) as caught:
        parse(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'run.toml'}: {sentence}") and "\n" not in message, message


@pytest.mark.parametrize(
    ("function", "options", "required", "value"),
    [
        ("log_likelihood", "", ("Omega_m", "h_r_d"), -0.5),
        ("log_likelihood", "options = { sd = 2.0 }", ("Omega_m", "h_r_d"), -0.125),
        ("make", "", ("h_r_d",), -2.0),
        ("make", "options = { mean = 98 }", ("h_r_d",), -4.5),
        ("Ruler", "", ("h_r_d",), -0.5),
        ("make_function", "[likelihood.ruler.options]\nmean = 97.0", ("h_r_d",), -8.0),
    ],
)
def test_python(folder, function, options, required, value):
    config = parse(folder, python(folder, function, options))
    likelihood = build_likelihood(config)
    assert likelihood.required == required
    np.testing.assert_allclose(likelihood.log_likelihood(POINT | {"h_r_d": jnp.asarray(101.0)}), value, rtol=1e-12)
    assert json.dumps(identity(config))
    text = resolved_toml(config)
    again = parse(folder, text, "")
    assert again.model_dump() == config.model_dump() and resolved_toml(again) == text


def test_python_in_a_package_beside_the_configuration(folder):
    package = folder / f"package_{folder.name}"
    package.mkdir()
    (package / "inner.py").write_text("from .other import mean\ndef f(h_r_d):\n    return -((h_r_d - mean) ** 2)\n")
    (package / "other.py").write_text("mean = 99.0\n")
    likelihood = build_likelihood(parse(folder, f'[likelihood.f]\npython = "{package.name}.inner:f"\n'))
    assert likelihood.log_likelihood(POINT) == -1.0


@pytest.mark.parametrize(
    ("function", "options", "sentence"),
    [
        ("nothing", "", "the module module_NAME has no function 'nothing'; check the name."),
        ("constant", "", "the module module_NAME has no function 'constant'; check the name."),
        (
            "number",
            "",
            "module_NAME:number cannot be used (TypeError: 3.0, which it returns, is neither a likelihood nor",
        ),
        (
            "make",
            "options = { means = 3 }",
            "module_NAME:make cannot be used (TypeError: make() got an unexpected keyword",
        ),
        ("numeric", "", "module_NAME:numeric has no gradient (TracerArrayConversionError: "),
        ("vector", "", "module_NAME:vector has no gradient ("),
        ("broken", "", "module_NAME:broken has no gradient (NameError: name 'missing' is not defined); let it return"),
    ],
)
def test_python_mistakes(folder, function, options, sentence):
    with pytest.raises(ConfigError) as caught:
        build_likelihood(parse(folder, python(folder, function, options)))
    expected = f"{folder / 'run.toml'}: likelihood.ruler: {sentence.replace('NAME', folder.name)}"
    message = str(caught.value)
    assert message.startswith(expected) and message.endswith(".") and "\n" not in message, message


def test_modules_that_cannot_be_had(folder):
    with pytest.raises(ConfigError, match=r"there is no module 'nowhere', which nowhere:f needs; put it into"):
        build_likelihood(parse(folder, '[likelihood.f]\npython = "nowhere:f"\n'))
    (folder / "syntax.py").write_text("def f(:\n")
    with pytest.raises(ConfigError, match=r"the module syntax cannot be imported \(SyntaxError: "):
        build_likelihood(parse(folder, '[likelihood.f]\npython = "syntax:f"\n'))
    (folder / "json.py").write_text("def f(h_r_d): return h_r_d\n")
    with pytest.raises(ConfigError, match=r"the module json is another one \(.*\); rename the one in"):
        build_likelihood(parse(folder, '[likelihood.f]\npython = "json:f"\n'))


def test_a_parameter_of_ones_own_must_have_a_prior(folder):
    config = parse(folder, python(folder, "log_likelihood"), PRIOR.replace("h_r_d", "h"))
    with pytest.raises(ConfigError, match=r"prior.h_r_d is missing, but likelihood.ruler needs it"):
        build_posterior(config)


def test_the_identity_is_the_content_of_files_not_their_place(folder):
    first = identity(parse(folder, DISTANCES))
    (folder / "moved.txt").write_bytes((folder / "mine.txt").read_bytes())
    assert identity(parse(folder, DISTANCES.replace("mine.txt", "moved.txt"))) == first
    (folder / "moved.txt").write_text("0.5 13.5 0.2\n0.9 20.2 0.3\n")
    assert identity(parse(folder, DISTANCES.replace("mine.txt", "moved.txt"))) != first


def test_the_identity_sees_changed_code(folder):
    config = parse(folder, python(folder, "log_likelihood"))
    first = identity(config)
    path = folder / f"module_{folder.name}.py"
    path.write_text(re.sub("0.3", "0.4", path.read_text()))
    assert identity(config)["code"] != first["code"]
