"""`[likelihood.NAME] field = "FILE"`: what is built, and every mistake in one sentence."""

import re

import equinox as eqx
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow._record import Keep
from cosmoflow.config import ConfigError, build_posterior, build_record, identity, load, resolved_toml
from cosmoflow.datasets import DataError
from cosmoflow.fields import FourierLatents, Grid, LinearMatterPower, LogNormalField, SlabGrid
from cosmoflow.likelihoods import FieldLevel, GaussianNoise, NegativeBinomialNoise, PoissonNoise
from cosmoflow.targets import wiener_coordinates

SHAPE = (4, 4, 6)
TRUTH = {"Omega_m": 0.3, "sigma8": 0.8}
TEXT = """
[likelihood.galaxies]
field = "box.h5"
model = { kind = "log_normal", power = { kind = "matter", redshift = 0.5 } }
noise = { kind = "gaussian", sd = 0.5 }
[prior]
Omega_m = { distribution = "truncated_normal", mean = 0.3111, sd = 0.5, low = 0.05, high = 1.0 }
sigma8 = { distribution = "truncated_normal", mean = 0.8102, sd = 0.5, low = 0.0 }
[sampler]
kind = "mclmc"
"""
MODEL, NOISE = re.findall(r"(?:model|noise) = (.*)", TEXT)
TABLE = '{ kind = "table", values = "power.txt" }'
TABULATED = re.sub(r"(Omega_m|sigma8) = .*\n", "", TEXT).replace('{ kind = "matter", redshift = 0.5 }', TABLE)


@pytest.fixture
def parse(tmp_path):
    """A configuration beside a file of counts in a box."""
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "box.h5", "w") as file:
        file.attrs["box_size"] = (200.0, 200.0, 300.0)
        file["data"] = rng.poisson(3.0, SHAPE).astype(np.float32)
        file["truth"] = rng.standard_normal(SHAPE)
        file["truth"].attrs.update(TRUTH)
    wavenumber = np.geomspace(0.001, 10.0, 20)
    np.savetxt(tmp_path / "power.txt", np.c_[wavenumber, 100 / wavenumber])
    np.savetxt(tmp_path / "sources.txt", [[0.0, 0.0], [0.5, 1.0], [1.0, 0.5]])

    def write(text=TEXT, name="run.toml"):
        (tmp_path / name).write_text(text)
        return load(tmp_path / name)

    return write


def add(tmp_path, **datasets):
    with h5py.File(tmp_path / "box.h5", "a") as file:
        for name, value in datasets.items():
            if name in file:
                del file[name]
            file[name] = value


@pytest.mark.slow
def test_the_likelihood_is_that_of_the_constructors(parse):
    posterior = build_posterior(parse())
    (member,) = posterior.likelihood.members
    assert isinstance(member, FieldLevel) and posterior.dim == 98
    assert posterior.prior.names == ("Omega_m", "sigma8", "white_noise")
    grid = Grid(SHAPE, (200.0, 200.0, 300.0))
    own = FieldLevel(LogNormalField(grid, LinearMatterPower(0.5)), GaussianNoise(0.5), member.data)
    parameters = posterior.constrain(jnp.linspace(-1, 1, 98))
    found, expected = eqx.filter_jit(lambda *both: [one.log_likelihood(parameters) for one in both])(member, own)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert wiener_coordinates(posterior) is not None


@pytest.mark.parametrize("latents", ["fourier", "configuration"])
def test_the_truth_is_white_noise_in_cells_whatever_the_latents(parse, tmp_path, latents):
    text = TABULATED.replace("[prior]", f'latents = "{latents}"\n[prior]')
    (member,) = build_posterior(parse(text)).likelihood.members
    with h5py.File(tmp_path / "box.h5") as file:
        modes = member.model.grid.modes(jnp.asarray(file["truth"][()]))
    assert member.truth.keys() == {*TRUTH, "white_noise"}
    there = member.model.latents.modes(member.model.grid, member.truth["white_noise"])
    np.testing.assert_allclose(there, modes, atol=1e-12)
    np.testing.assert_allclose(eqx.filter_jit(member.derived)(member.truth)["coherence"], 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("model", "required"),
    [
        (f'{{ kind = "gaussian", power = {TABLE} }}', ()),
        (f'{{ kind = "log_normal", shift = 2.0, power = {TABLE} }}', ()),
        ('{ kind = "lagrangian", redshift = 1.0, order = 1, line_of_sight = 2 }', ("Omega_m", "sigma8")),
        ('{ kind = "particle_mesh", redshift = 1.0, steps = 3 }', ("Omega_m", "sigma8")),
        ('{ kind = "gaussian", power = { kind = "convergence", sources = "sources.txt" } }', ("Omega_m", "sigma8")),
    ],
)
def test_models(parse, model, required):
    text = TEXT.replace(MODEL, model)
    text = text if required else re.sub(r"(Omega_m|sigma8) = .*\n", "", text)
    (member,) = build_posterior(parse(text)).likelihood.members
    assert member.model.required == required and isinstance(member.model.latents, FourierLatents)


def test_noise(parse, tmp_path):
    mask = np.ones(SHAPE, bool)
    mask[0] = False
    add(tmp_path, mask=mask, mean_count=np.where(mask, 3.0, 0.0), noise_sd=0.4)

    def noise(table):
        return build_posterior(parse(TEXT.replace(NOISE, table))).likelihood.members[0].noise

    assert noise('{ kind = "gaussian" }').sd == 0.4
    counts = noise('{ kind = "poisson" }')
    assert isinstance(counts, PoissonNoise) and np.all(counts.mean_count == np.where(mask, 3.0, 1.0))
    assert noise('{ kind = "poisson", mean_count = 2.0 }').mean_count == 2
    counts = noise('{ kind = "negative_binomial", concentration = 7.0 }')
    assert isinstance(counts, NegativeBinomialNoise) and counts.concentration == 7
    shapes = noise('{ kind = "shape", shape_noise = 0.3, galaxies_per_arcmin2 = 20.0 }')
    expected = GaussianNoise.of_shapes(0.3, 20.0, Grid(SHAPE, (200.0, 200.0, 300.0)).cell_volume)
    np.testing.assert_allclose(shapes.sd, expected.sd)


def test_one_box_size_and_a_mask_of_their_own(parse, tmp_path):
    np.save(tmp_path / "mask.npy", np.indices(SHAPE)[0] > 0)
    (member,) = build_posterior(
        parse(TEXT.replace("[prior]", 'box_size = 9\nmask = "mask.npy"\n[prior]'))
    ).likelihood.members
    assert member.model.grid.box_size == (9.0, 9.0, 9.0) and member.mask.sum() == 72


def test_slabs_lie_over_the_devices_and_change_neither_the_likelihood_nor_the_identity_of_a_run(parse):
    cells = TABULATED.replace("[prior]", 'latents = "configuration"\n[prior]')
    plain, slabs = parse(cells), parse(cells.replace("[prior]", "slabs = true\nhalo = 2\n[prior]"), "slabs.toml")
    (one,), (other,) = (build_posterior(config).likelihood.members for config in (plain, slabs))
    grid = other.model.grid
    assert isinstance(grid, SlabGrid) and grid.halo == 2 and grid.mesh.size == jax.local_device_count()
    np.testing.assert_allclose(other.truth["white_noise"], one.truth["white_noise"], atol=1e-12)
    found, expected = (eqx.filter_jit(type(field).log_likelihood)(field, field.truth) for field in (other, one))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert identity(slabs)["configuration"] == identity(plain)["configuration"]


def test_what_is_kept(parse):
    def kept(text=""):
        config = parse(TABULATED + text)
        return build_record(config, build_posterior(config))

    record = kept()
    assert dict(record.variables) == {"white_noise": Keep(every=10, dtype="float32")}
    names = jax.eval_shape(record.derived, {"white_noise": jnp.zeros(SHAPE)}).keys()
    assert {"power", "coherence"} <= names and record.averaged is not None
    record = kept('[record]\nwhite_noise = { every = 2, dtype = "float64" }\npower = { every = 4 }\n')
    assert dict(record.variables) == {"white_noise": Keep(2, dtype="float64"), "power": Keep(4)}
    assert dict(kept("[record]\nwhite_noise = { keep = false }\n").variables) == {"white_noise": None}
    with pytest.raises(ConfigError, match=r"record.powder is no parameter; the run has white_noise, "):
        kept("[record]\npowder = { every = 4 }\n")


def test_draws_per_call_are_bounded(parse):
    run = parse().run
    assert run.draws_per_call(98) == 250
    assert run.draws_per_call(64**3) == 2**28 // (4 * 64**3 * 8) == 32
    single = parse(TEXT + '[run]\nprecision = "float32"\nchunk = 100\n').run
    assert single.draws_per_call(64**3) == 64 and single.draws_per_call(32**3) == 100
    assert run.draws_per_call(10**9) == 2


def test_identity(parse, tmp_path):
    config = parse()
    known = identity(config)
    again = parse(resolved_toml(config), "again.toml")
    assert again.model_dump() | {"run": None} == config.model_dump() | {"run": None}
    (tmp_path / "box.h5").rename(tmp_path / "moved.h5")
    assert identity(parse(TEXT.replace("box.h5", "moved.h5"))) == known
    single = identity(parse(TEXT.replace("box.h5", "moved.h5") + '[run]\nprecision = "float32"\n'))
    assert single["configuration"] == known["configuration"]
    beside = parse(TEXT.replace("box.h5", "moved.h5").replace("[prior]", 'precision = "single"\n[prior]'))
    field = build_posterior(beside).likelihood.members[0]
    assert {field.data.dtype, field.noise.sd.dtype} == {jnp.dtype("float32")}
    assert parse(resolved_toml(beside), "again.toml").likelihood == beside.likelihood
    other = identity(beside)
    assert other["precision"] == known["precision"]
    assert other["configuration"] != known["configuration"] and other["data"] != known["data"]
    (tmp_path / "moved.h5").rename(tmp_path / "box.h5")
    add(tmp_path, data=np.zeros(SHAPE))
    assert identity(parse())["data"] != known["data"]


MISTAKES = {
    "unknown model": (
        '"log_normal"',
        '"log_norma"',
        "galaxies.model has kind = 'log_norma', which is not known; the nearest",
    ),
    "unknown option": (
        "power = {",
        "powers = {",
        "galaxies.model.powers is not a known key; the nearest known is 'power'",
    ),
    "unknown power": ('"matter"', '"mater"', "galaxies.model.power has kind = 'mater', which is not known"),
    "no noise": (f"noise = {NOISE}", "", "galaxies.noise is missing; add it"),
    "no noise level": (
        NOISE,
        '{ kind = "gaussian" }',
        "noise.sd is missing, and the file of the field has no dataset 'noise_sd'",
    ),
    "no counts": (NOISE, '{ kind = "poisson" }', "noise.mean_count is missing, and the file of the field has no"),
    "shift": ("power = {", "shift = -1.0, power = {", "galaxies.model.shift"),
    "a prior of the white noise": (
        "[prior]",
        '[prior]\nwhite_noise = { distribution = "normal", mean = 0.0, sd = 1.0 }',
        "prior.white_noise is that of the field itself, N(0, 1) in every cell; remove it.",
    ),
    "two fields": (
        "[prior]",
        f'[likelihood.sky]\nfield = "sky.h5"\nmodel = {MODEL}\nnoise = {NOISE}\n[prior]',
        "likelihood.sky is a field beside galaxies, but a run infers one; keep one of them.",
    ),
    "no such parameter": ("sigma8 =", "sigma_8 =", "prior.sigma8 is missing, but likelihood.galaxies needs it"),
    "slabs of modes": (
        "[prior]",
        "slabs = true\n[prior]",
        'galaxies.latents must be "configuration" for a field in slabs',
    ),
    "a halo of nothing": ("[prior]", "halo = 2\n[prior]", "galaxies.halo is that of slabs; add slabs = true"),
    "a thick halo": (
        "[prior]",
        'latents = "configuration"\nslabs = true\nhalo = 99\n[prior]',
        "The halo has 99 cells, but must have at least one and at most the 4 of a slab",
    ),
    "lengths": ("[prior]", "box_size = [1, 2]\n[prior]", "needs as many lengths, but box_size is (1.0, 2.0)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(parse, name):
    old, new, sentence = MISTAKES[name]
    assert old in TEXT
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        build_posterior(parse(TEXT.replace(old, new)))


@pytest.mark.parametrize(
    ("datasets", "sentence"),
    [
        ({"data": np.full(SHAPE, np.inf)}, "has 96 cells that are not finite, the first (0, 0, 0); mask them"),
        ({"mask": np.zeros(SHAPE, bool)}, "is empty: it leaves no cell of the field"),
    ],
)
def test_data_that_are_none(parse, tmp_path, datasets, sentence):
    add(tmp_path, **datasets)
    with pytest.raises(DataError, match=re.escape(sentence)):
        build_posterior(parse())


def test_counts_are_counts(parse, tmp_path):
    add(tmp_path, data=np.full(SHAPE, 0.5), mean_count=1.0)
    with pytest.raises(ConfigError, match=r"galaxies: The noise is that of counts, but the data are not whole"):
        build_posterior(parse(TEXT.replace(NOISE, '{ kind = "poisson" }')))


def test_a_box_without_lengths(parse, tmp_path):
    np.save(tmp_path / "box.npy", np.zeros(SHAPE))
    with pytest.raises(
        ConfigError, match=r"galaxies: box_size is missing, and .*box.npy has no such attribute; add it"
    ):
        build_posterior(parse(TEXT.replace("box.h5", "box.npy")))


def test_a_field_larger_than_the_memory_is_not_read(parse, tmp_path):
    with h5py.File(tmp_path / "box.h5", "w") as file:
        file.create_dataset("data", (20_000,) * 3, "f4", chunks=(64, 64, 64))
    with pytest.raises(ConfigError, match=r"galaxies: The run needs about \S+ GB of memory, but \S+ GB are available"):
        build_posterior(parse())
