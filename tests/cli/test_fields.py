"""A field from the command line: one command leaves chain, tables and figures; bad input is one sentence."""

import subprocess
import sys

import h5py
import jax
import numpy as np
import pytest

from cosmoflow.chains import Chain

FIELD = """
[likelihood.sky]
field = "sky.h5"
model = { kind = "log_normal", power = { kind = "table", values = "power.txt" } }
noise = { kind = "gaussian", sd = 0.3 }
[prior]
[sampler]
kind = "mclmc"
[warmup]
max_gradients = 200
[run]
num_chains = 2
num_draws = 60
precision = "float32"
"""
COSMOLOGY = """[prior]
Omega_m = { distribution = "delta", value = 0.3 }
sigma8 = { distribution = "truncated_normal", mean = 0.8, sd = 0.2, low = 0.0 }"""
FIGURES = ("maps", "power", "coherence", "modes")


@pytest.fixture(autouse=True)
def double_precision_again():
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.fixture
def sky(folder):
    """A working folder with `sky.toml` and its data."""
    rng = np.random.default_rng(0)
    with h5py.File(folder / "sky.h5", "w") as file:
        file.attrs["box_size"] = 800.0
        file["data"] = rng.standard_normal((8, 8)).astype(np.float32)
        file["truth"] = rng.standard_normal((8, 8))
        file["truth"].attrs.update({"Omega_m": 0.3, "sigma8": 0.8})
    np.savetxt(folder / "power.txt", [[1e-3, 1e4], [1.0, 1e3]])
    (folder / "sky.toml").write_text(FIELD)
    return folder


@pytest.mark.slow
def test_with_cosmology(sky, cosmoflow):
    text = FIELD.replace('kind = "table", values = "power.txt"', 'kind = "matter"').replace("[prior]", COSMOLOGY)
    text = text.replace("log_normal", "gaussian")
    (sky / "sky.toml").write_text(text)
    ended = cosmoflow("sample", "sky.toml", "--output", "run.h5")
    assert ended.code == 0, ended
    chain = Chain.from_file("run.h5")
    assert chain.posterior["sigma8"].dtype == np.float32
    assert "sigma8" in (sky / "run.txt").read_text() and "Omega_m" not in (sky / "run.txt").read_text()
    assert all((sky / f"run{suffix}.png").exists() for suffix in ("", *(f"_{name}" for name in FIGURES)))
    (sky / "sky.toml").write_text(text.replace("num_draws = 60", "num_draws = 70"))
    assert cosmoflow("sample", "sky.toml", "--output", "run.h5", "--resume").code == 0
    assert Chain.from_file("run.h5").num_draws == 70


@pytest.mark.slow
def test_one_command(sky, cosmoflow):
    ended = cosmoflow("sample", "sky.toml", "--output", "run.h5")
    assert ended.code == 0, ended
    chain = Chain.from_file("run.h5")
    assert chain.posterior["power"].dtype == np.float32 and "white_noise" not in chain.posterior
    latents = Chain.from_file("run.h5", group="posterior_every_10").posterior["white_noise"]
    assert latents.shape == (2, 6, 8, 8) and latents.dtype == np.float32
    assert chain.moments["predicted_mean"].shape == (2, 8, 8)
    table = (sky / "run.txt").read_text()
    assert "bins of |k|" in table and "modes[" not in table and "power[" not in table
    assert all((sky / f"run_{name}.png").stat().st_size > 5000 for name in FIGURES)
    drawn = cosmoflow("plot", "run.h5", "--output", "again.pdf")
    assert drawn.code == 0 and drawn.out.count("\n") == 4 and "The maps are in again_maps.pdf" in drawn.out
    assert all((sky / f"again{suffix}.pdf").exists() for suffix in (f"_{name}" for name in FIGURES))
    told = cosmoflow("summarize", "run.h5")
    assert told.code == 0 and told.out.count("bins of |k|") == 1 and table.split("\n")[2] in told.out
    (sky / "sky.toml").write_text(FIELD.replace("float32", "float64"))
    refused = cosmoflow("sample", "sky.toml", "--output", "run.h5", "--resume")
    assert refused.code == 2, refused
    assert refused.is_one_sentence("other settings", 'precision was "float32", is "float64"'), refused


SLABS = """latents = "configuration"
slabs = true
[prior]"""


@pytest.mark.slow
def test_a_field_in_slabs_goes_on_with_other_devices(sky):
    """The draws are those of one device up to rounding, and a store goes on with another number of devices."""
    rng = np.random.default_rng(0)
    with h5py.File(sky / "sky.h5", "w") as file:
        file.attrs["box_size"] = 160.0
        file["data"] = rng.standard_normal((8, 8, 8)).astype(np.float32)
    text = FIELD.replace("[prior]", SLABS).replace("mclmc", "kinetic_langevin").replace("float32", "float64")

    def sample(output, devices, num_draws, *options):
        (sky / "sky.toml").write_text(text.replace("num_draws = 60", f"num_draws = {num_draws}"))
        command = [sys.executable, "-m", "cosmoflow", "sample", "sky.toml", "--output", output]
        subprocess.run([*command, "--devices", str(devices), "--quiet", *options], check=True)
        return Chain.from_file(output).posterior["power"]

    one = sample("one.h5", 1, 20)
    sample("two.h5", 2, 10)
    both = sample("two.h5", 1, 20, "--resume")
    assert np.all(np.ptp(one, axis=1) > 1e-3 * np.mean(one, axis=1))
    np.testing.assert_allclose(both, one, rtol=1e-6)


MISTAKES = {
    "empty mask": ({"mask": np.zeros((8, 8))}, ("sky.h5", "mask", "is empty", "write 1 where")),
    "not finite": ({"data": np.full((8, 8), np.nan)}, ("sky.h5", "64 cells", "not finite", "(0, 0)", "mask them")),
    "other shape": ({"mask": np.ones((4, 4))}, ("sky.h5", "mask", "(4, 4)", "(8, 8)")),
    "no data": ({"data": None}, ("sky.h5", "no dataset 'data'")),
    "too large": ({"data": (50_000,) * 3}, ("sky.toml", "likelihood.sky", "needs about", "GB of memory", "available")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_bad_data(sky, cosmoflow, name):
    datasets, words = MISTAKES[name]
    with h5py.File(sky / "sky.h5", "a") as file:
        for dataset, value in datasets.items():
            if dataset in file:
                del file[dataset]
            if isinstance(value, tuple):
                file.create_dataset(dataset, value, "f4", chunks=(64, 64, 64))
            elif value is not None:
                file[dataset] = value
    before = sorted(sky.iterdir())
    outcome = cosmoflow("sample", "sky.toml")
    assert outcome.code == 2 and outcome.is_one_sentence(*words), outcome
    assert outcome.out == "" and sorted(sky.iterdir()) == before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("sky.h5", "skies.h5", ("skies.h5", "is missing")),
        (
            "[sampler]",
            'white_noise = { distribution = "delta", value = 0.0 }\n[sampler]',
            ("prior.white_noise", "remove"),
        ),
        ("[run]", "[record]\npowder = {}\n[run]", ("record.powder", "is no parameter")),
        ('"float32"', '"float16"', ("run.precision", "'float16'")),
    ],
)
def test_bad_configurations(sky, cosmoflow, old, new, words):
    (sky / "sky.toml").write_text(FIELD.replace(old, new))
    before = sorted(sky.iterdir())
    outcome = cosmoflow("sample", "sky.toml")
    assert outcome.code == 2 and outcome.is_one_sentence(*words), outcome
    assert outcome.out == "" and sorted(sky.iterdir()) == before
