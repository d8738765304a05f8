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
from cosmoflow.config._likelihood_tables import (
    BAOTable,
    PlanckLiteTable,
    RadiationTable,
    SupernovaeTable,
    TwoPointTable,
)
from cosmoflow.config._likelihoods import LIKELIHOODS, OVERLAPPING
from cosmoflow.cosmology import CosmoPowerCMB
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
    ("table", "constructors"),
    [
        (BAOTable, [likelihoods.BAO]),
        (SupernovaeTable, [likelihoods.Supernovae]),
        (RadiationTable, [likelihoods.Chronometers]),
        (RadiationTable, [likelihoods.GrowthRate]),
        (PlanckLiteTable, [datasets.planck2018_lite, CosmoPowerCMB]),
        (TwoPointTable, [likelihoods.TwoPoint]),
    ],
)
def test_defaults_are_those_of_the_constructors(table, constructors):
    parameters = {name: p for c in constructors for name, p in inspect.signature(c).parameters.items()}
    fields = {name: field for name, field in table.model_fields.items() if name != "emulator"}
    assert all(field.default == parameters[name].default for name, field in fields.items())


def test_known_sets_come_first_in_their_order(folder):
    config = parse(folder, DISTANCES + "[likelihood.union3]\n[likelihood.desi_dr2_bao]\n")
    assert list(config.likelihood) == ["desi_dr2_bao", "union3", "mine"]
    assert list(LIKELIHOODS)[:2] == ["desi_dr2_bao", "union3"]


def test_the_identity_names_only_what_is_there(folder):
    known = identity(parse(folder, "[likelihood.desi_dr2_bao]\n"))
    assert known["configuration"]["likelihood"] == {
        "desi_dr2_bao": {"sound_horizon": "free", "radiation": False, "tracers": None}
    }
    assert "code" not in known


SHIPPED = {
    "desi_dr1_bao": ("Omega_m", "h_r_d"),
    "desi_dr2_bao": ("Omega_m", "h_r_d"),
    "sdss_dr12_lrg_bao": ("Omega_m", "h_r_d"),
    "sdss_dr16_lrg_bao": ("Omega_m", "h_r_d"),
    "sdss_dr16_qso_bao": ("Omega_m", "h_r_d"),
    "sdss_dr16_lrg_full_shape": ("Omega_m", "h_r_d", "sigma8"),
    "sdss_dr16_qso_full_shape": ("Omega_m", "h_r_d", "sigma8"),
    "union3": ("Omega_m",),
    "cosmic_chronometers": ("Omega_m", "h"),
    "fsigma8_gold2018": ("Omega_m", "sigma8"),
    "desi_compressed_cmb": ("Omega_m", "h", "Omega_b"),
    "planck2018_distance_priors": ("Omega_m", "h", "Omega_b"),
    "bbn_schoeneberg2024": ("Omega_b", "h"),
    "h0_shoes2022": ("h",),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_sets(folder, name):
    config = parse(folder, f"[likelihood.{name}]\n")
    (member,) = build_likelihood(config).members
    assert member.required == SHIPPED[name]
    again = parse(folder, resolved_toml(config), "")
    assert again.model_dump() == config.model_dump()


def test_every_set_of_the_catalogue_has_a_name():
    assert set(datasets.catalogue()) - {"mock_fields"} == set(LIKELIHOODS) - {"gaussian_mixture"}
    assert all(name in LIKELIHOODS for group in OVERLAPPING for name in group)


def test_tracers(folder):
    (member,) = build_likelihood(parse(folder, '[likelihood.desi_dr2_bao]\ntracers = ["LRG1", "LRG2"]\n')).members
    assert member.data.size == 4
    with pytest.raises(ConfigError, match=r"likelihood.desi_dr2_bao: 'LRG9' is no tracer of these data; they have BGS"):
        build_likelihood(parse(folder, '[likelihood.desi_dr2_bao]\ntracers = ["LRG9"]\n'))


def test_absolute_magnitude(folder):
    (member,) = build_likelihood(parse(folder, '[likelihood.union3]\nabsolute_magnitude = "free"\n')).members
    assert member.required == ("Omega_m", "h", "M")


@pytest.mark.parametrize(
    ("observable", "kind"), [("hubble_rate", likelihoods.Chronometers), ("f_sigma8", likelihoods.GrowthRate)]
)
def test_own_rates(folder, observable, kind):
    (member,) = build_likelihood(parse(folder, DISTANCES.replace("DM_over_rd", observable))).members
    assert type(member) is kind
    np.testing.assert_array_equal(member.data, [13.5, 20.1])


@pytest.fixture
def two_point(folder):
    """With `mine.sacc`: shear of one bin at three angles, clustering of another at one."""
    sacc = pytest.importorskip("sacc")
    file = sacc.Sacc()
    redshift = np.linspace(0.01, 1.5, 100)
    for name, quantity, mean in (("src0", "galaxy_shear", 0.7), ("lens0", "galaxy_density", 0.4)):
        density = np.exp(-((redshift - mean) ** 2) / 0.02)
        file.add_tracer("NZ", name, redshift, density / np.trapezoid(density, redshift), quantity=quantity)
    for theta in (10.0, 30.0, 90.0):
        file.add_data_point("galaxy_shear_xi_plus", ("src0", "src0"), 1e-5, theta=theta)
    file.add_data_point("galaxy_density_xi", ("lens0", "lens0"), 1e-2, theta=30.0)
    file.add_covariance(np.diag([1e-12] * 3 + [1e-6]))
    file.save_fits(str(folder / "mine.sacc"))
    return '[likelihood.mine]\nsacc = "mine.sacc"\n'


def test_own_two_point_functions(folder, two_point):
    config = parse(folder, two_point)
    (member,) = build_likelihood(config).members
    assert isinstance(member, likelihoods.TwoPoint) and member.data.size == 4
    assert member.required == ("Omega_m", "Omega_b", "h", "n_s", "A_s", "b_lens0")
    again = parse(folder, resolved_toml(config), "")
    assert again.model_dump() == config.model_dump()
    (folder / "moved.sacc").write_bytes((folder / "mine.sacc").read_bytes())
    assert identity(parse(folder, two_point.replace("mine.sacc", "moved.sacc"))) == identity(config)


def test_options_of_two_point_functions(folder, two_point):
    text = two_point + 'statistics = ["xi_plus"]\namplitude = "sigma8"\nscale_cuts = { xi_plus = [20, 100] }\n'
    config = parse(folder, text)
    (member,) = build_likelihood(config).members
    assert member.data.size == 2 and member.required[-1] == "sigma8"
    again = parse(folder, resolved_toml(config), "")
    assert again.model_dump() == config.model_dump()


def test_the_range_of_an_emulator(folder, two_point):
    pytest.importorskip("emu_pk")
    free = "{ distribution = 'uniform', low = 0.1, high = 0.5 }"
    names = ("Omega_m", "Omega_b", "n_s", "A_s", "b_lens0")
    prior = "[prior]\n" + "".join(f"{name} = {free}\n" for name in names)
    text = two_point + 'transfer = "emu_pk"\n'
    wide = prior + "h = { distribution = 'uniform', low = 0.55, high = 0.91 }\n"
    sentence = (
        "prior.h reaches from 0.55 to 0.91, but the emulator of likelihood.mine is good from 0.55 to 0.85; narrow the"
    )
    with pytest.raises(ConfigError, match=sentence):
        build_posterior(parse(folder, text, wide))
    build_posterior(parse(folder, text, wide.replace("0.91", "0.85")))
    build_posterior(parse(folder, two_point, wide))
    polygon = '"w0, wa" = { distribution = "uniform_polygon", vertices = [[-1, -3], [-0.6, -3], [-0.6, 0]] }\n'
    with pytest.raises(ConfigError, match=r"prior.wa reaches from -3 to 0, but the emulator"):
        build_posterior(parse(folder, text, wide.replace("0.91", "0.85") + polygon))


@pytest.mark.parametrize("observable", datasets.QUANTITIES[:3])
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
    "data twice": (
        "[likelihood.union3]\n[likelihood.pantheon_plus]\n",
        "likelihood.pantheon_plus holds data that union3 holds as well; keep one of them.",
    ),
    "an option of a set without": (
        "[likelihood.h0_shoes2022]\nradiation = true\n",
        "likelihood.h0_shoes2022.radiation is not a known key; the known keys are none.",
    ),
    "an unknown statistic": (
        '[likelihood.des_y1_3x2pt]\nstatistics = ["xi"]\n',
        "likelihood.des_y1_3x2pt.statistics[0] must be 'xi_plus', 'xi_minus', ",
    ),
    "half a scale cut": (
        "[likelihood.des_y1_3x2pt]\nscale_cuts = { w = [3] }\n",
        "likelihood.des_y1_3x2pt.scale_cuts.w[1] is missing; add it.",
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
        "likelihood.mine.sound_horizon is not a known key; the known keys are absolute_magnitude, radiation, observable, values, covariance.",
    ),
    "a wrong option": (
        DISTANCES + "radiation = 1\n",
        "likelihood.mine.radiation must be a valid boolean, but is 1; change the value.",
    ),
    "a name with a slash": (DISTANCES.replace("mine]", '"a/b"]'), "likelihood.a/b is not a name; use letters"),
    "own keys of a known set": (
        '[likelihood.union3]\nvalues = "a"\n',
        "likelihood.union3.values is not a known key; the known keys are absolute_magnitude, radiation.",
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
