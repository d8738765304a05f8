"""The emulator of the microwave background: a small one made here, and the shipped one where it is installed."""

import importlib
import pickle
from importlib.util import find_spec

import equinox as eqx
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from cosmoflow.cosmology import CosmoPowerCMB

POINT = {"Omega_m": 0.31, "Omega_b": 0.0487, "h": 0.678, "n_s": 0.966, "logA": 3.045, "tau": 0.0543}
POINT = {name: jnp.asarray(value) for name, value in POINT.items()}
NAMES = ["omega_b", "omega_cdm", "h", "tau_reio", "n_s", "ln10^{10}A_s"]
INPUTS = np.array([0.0487 * 0.678**2, (0.31 - 0.0487) * 0.678**2, 0.678, 0.0543, 0.966, 3.045])
ELL = 30


def write(folder, names=NAMES):
    """A package with networks of the layout of cosmopower-jax; returns the spectra at `INPUTS`, layer by layer."""
    rng = np.random.default_rng(0)
    (folder / "trained_models").mkdir(parents=True)
    (folder / "pca_utils").mkdir()
    (folder / "__init__.py").touch()
    expected = {}
    for spectrum, outputs in (("tt", ELL - 2), ("te", 5), ("ee", ELL - 2)):
        sizes = [6, 8, 8, outputs]
        layers = [(rng.normal(size=(n, m)) / m, 0.1 * rng.normal(size=n)) for m, n in zip(sizes, sizes[1:])]  # noqa: B905, RUF007
        gates = [(rng.normal(size=n), rng.normal(size=n)) for n in sizes[1:-1]]
        x_mean, x_std, y_mean, y_std = (
            INPUTS + 0.1,
            rng.uniform(1, 2, 6),
            rng.normal(size=outputs) - 11,
            np.ones(outputs),
        )
        y_std[:] = 0.1
        content = [
            layers,
            gates,
            x_mean,
            x_std,
            y_mean,
            y_std,
            6,
            names,
            outputs,
            np.arange(outputs),
            sizes[1:-1],
            3,
            sizes,
        ]
        (folder / "trained_models" / f"cmb_{spectrum}.pkl").write_bytes(pickle.dumps(content, protocol=4))
        x = (INPUTS - x_mean) / x_std
        for (weight, bias), (beta, gamma) in zip(layers[:-1], gates, strict=True):
            x = weight @ x + bias
            x *= gamma + (1 - gamma) / (1 + np.exp(-beta * x))
        y = (layers[-1][0] @ x + layers[-1][1][-1]) * y_std + y_mean
        if spectrum == "te":
            matrices = {"pca_transform_matrix": rng.normal(size=(5, ELL - 2)) / 1e10}
            matrices |= {f"training_{kind}": rng.uniform(1, 2, ELL - 2) for kind in ("mean", "std")}
            for name, matrix in matrices.items():
                np.save(folder / "pca_utils" / f"cmb_te_{name}.npy", matrix)
            y = (y @ matrices["pca_transform_matrix"]) * matrices["training_std"] + matrices["training_mean"]
        expected[spectrum.upper()] = np.concatenate([np.zeros(2), y if spectrum == "te" else 10**y]) * 2.7255e6**2
    return expected


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return tmp_path / "cosmopower_jax"


def double(tree):
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float64), tree)


def test_networks(package):
    expected, emulator = write(package), CosmoPowerCMB()
    assert emulator.required == ("Omega_m", "Omega_b", "h", "n_s", "logA", "tau")
    for emulated in (eqx.filter_jit(emulator)(POINT), double(emulator)(POINT)):
        assert set(emulated) == {"TT", "TE", "EE"}
        for name, values in emulated.items():
            assert values.dtype == jnp.float64
            np.testing.assert_allclose(values, expected[name], rtol=1e-5, err_msg=name)


def test_amplitude_by_either_name(package):
    write(package)
    by_value = {name: value for name, value in POINT.items() if name != "logA"} | {
        "A_s": 1e-10 * jnp.exp(POINT["logA"])
    }
    theirs, ours = CosmoPowerCMB("A_s")(by_value), CosmoPowerCMB()(POINT)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), theirs, ours)


@pytest.mark.parametrize(
    ("name", "value"), [("tau", 0.005), ("h", 1.1), ("n_s", 0.6), ("Omega_b", 0.2), ("Omega_m", 0.04)]
)
def test_outside_of_the_training_set_is_nan(package, name, value):
    write(package)
    spectra = eqx.filter_jit(CosmoPowerCMB())(POINT | {name: jnp.asarray(value)})
    assert all(np.all(np.isnan(power[2:])) for power in spectra.values())


def test_mistakes_are_named(package, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    write(package)
    with pytest.raises(ValueError, match="'sigma8'"):
        CosmoPowerCMB("sigma8")
    with pytest.raises(ValueError, match="'tau'"):
        CosmoPowerCMB()({name: value for name, value in POINT.items() if name != "tau"})
    (package / "trained_models" / "cmb_te.pkl").write_bytes(pickle.dumps(print))
    with pytest.raises(ValueError, match=r"asks for builtins\.print, which is no array"):
        CosmoPowerCMB()


def test_other_networks_are_refused(package):
    write(package, names=[*NAMES[:-1], "sigma8"])
    with pytest.raises(ValueError, match=r"cmb_tt\.pkl is one of .*sigma8, not of"):
        CosmoPowerCMB()


def test_package_without_networks_is_named(package):
    write(package)
    (package / "trained_models" / "cmb_ee.pkl").unlink()
    with pytest.raises(ImportError, match=r"has no .*cmb_ee\.pkl"):
        CosmoPowerCMB()


def test_missing_package_is_explained(monkeypatch):
    monkeypatch.setattr("cosmoflow.cosmology._cosmopower.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install cosmopower-jax"):
        CosmoPowerCMB()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("cosmopower_jax") is None, reason="cosmopower-jax is not installed")
def test_shipped_networks_follow_camb():
    """Massless neutrinos, N_eff = 3.046, ell to 1500; the polarisation where it does not cross zero."""
    camb = pytest.importorskip("camb")
    emulated = CosmoPowerCMB()(POINT)
    assert emulated["TT"].shape == (2509,)
    parameters = camb.set_params(
        ombh2=INPUTS[0], omch2=INPUTS[1], H0=67.8, mnu=0, num_massive_neutrinos=0, nnu=3.046, ns=0.966, tau=0.0543,
        As=1e-10 * np.exp(3.045), lmax=2508, lens_potential_accuracy=1,
    )  # fmt: skip
    power = camb.get_results(parameters).get_lensed_scalar_cls(CMB_unit="muK", raw_cl=True)
    ell = np.arange(30, 1500)
    for name, column, tolerance in (("TT", 0, 0.005), ("EE", 1, 0.02)):
        np.testing.assert_allclose(emulated[name][ell], power[ell, column], rtol=tolerance, err_msg=name)
    envelope = np.sqrt(power[ell, 0] * power[ell, 1])
    np.testing.assert_allclose(emulated["TE"][ell] / envelope, power[ell, 3] / envelope, atol=0.005)


def test_float32(package):
    write(package)
    emulator = eqx.tree_at(lambda e: (e.low, e.high), CosmoPowerCMB(), replace_fn=lambda x: x.astype(jnp.float32))
    single = emulator({name: value.astype(jnp.float32) for name, value in POINT.items()})
    for name, power in CosmoPowerCMB()(POINT).items():
        assert single[name].dtype == jnp.float32
        np.testing.assert_allclose(single[name], power, rtol=1e-5)
