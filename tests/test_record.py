"""What is kept of each draw does not depend on chunks or interruptions, and is what was asked for."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import cosmoflow as cf
from cosmoflow._record import Moments, Window
from cosmoflow.chains._repair import repair
from cosmoflow.samplers import GHMC, ZigZag
from cosmoflow.targets import AbstractTarget

NUM_DRAWS = 47


class Field(AbstractTarget):
    """A smooth Gaussian field on a line of points, and its amplitude."""

    scale: jnp.ndarray = eqx.field(default_factory=lambda: 1 / (1 + 0.2 * jnp.arange(6.0)))

    @property
    def dim(self):
        return self.scale.size

    def log_density(self, x):
        return -0.5 * jnp.sum((x / self.scale) ** 2)

    def constrain(self, x):
        return {"field": x, "amplitude": jnp.sqrt(jnp.mean(x**2)), "first": x[0]}


def spectrum(parameters):
    return {"power": jnp.abs(jnp.fft.rfft(parameters["field"])) ** 2, "sign": parameters["first"] > 0}


RECORD = cf.Record(
    {
        "field": cf.Keep(every=5, dtype="float32"),
        "power": cf.Keep(every=10, mean=True),
        "amplitude": None,
        "sign": cf.Keep(every=5),
    },
    spectrum,
    averaged=lambda parameters: {"field": parameters["field"], "log_amplitude": jnp.log(parameters["amplitude"])},
)
RUN = {"num_draws": NUM_DRAWS, "num_chains": 2, "key": jr.key(3)}
GROUPS = ("posterior", "posterior_every_5", "posterior_every_10")


def groups(path):
    return [*(cf.Chain.from_file(path, group=group).posterior for group in GROUPS), cf.Chain.from_file(path).moments]


def assert_same(ours, others):
    for one, other in zip(ours, others, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert one[name].dtype == other[name].dtype
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.fixture(
    scope="module", params=[GHMC(), pytest.param(ZigZag(), marks=pytest.mark.slow)], ids=["ghmc", "zig_zag"]
)
def run(request, tmp_path_factory):
    """A whole run with the record, and all there was to keep."""
    path = tmp_path_factory.mktemp("record") / "run.h5"
    everything = cf.sample(Field(), request.param, record=cf.Record(derived=spectrum), **RUN)
    with cf.ChainStore(path) as store:
        cf.sample(Field(), request.param, record=RECORD, store=store, chunk=NUM_DRAWS, **RUN)
    return request.param, path, everything


def test_it_keeps_what_was_asked_for(run):
    _, path, everything = run
    posterior, fifths, tenths, moments = groups(path)
    assert (list(posterior), sorted(fifths), list(tenths)) == (["first"], ["field", "sign"], ["power"])
    np.testing.assert_array_equal(posterior["first"], everything.posterior["first"])
    np.testing.assert_array_equal(fifths["field"], everything.posterior["field"][:, 4::5].astype(np.float32))
    np.testing.assert_array_equal(fifths["sign"], everything.posterior["sign"][:, 4::5])
    means = everything.posterior["power"][:, :40].reshape(2, 4, 10, -1).mean(axis=2)
    np.testing.assert_allclose(tenths["power"], means, rtol=1e-13)
    assert cf.Chain.from_file(path).sample_stats["lp"].shape == (2, NUM_DRAWS)
    draws = {"field": everything.posterior["field"], "log_amplitude": np.log(everything.posterior["amplitude"])}
    assert list(moments) == [f"{name}_{kind}" for name in draws for kind in ("mean", "sd")]
    for name, values in draws.items():
        np.testing.assert_allclose(moments[f"{name}_mean"], values.mean(axis=1), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(moments[f"{name}_sd"], values.std(axis=1, ddof=1), rtol=1e-10)


def test_moments_in_single_precision():
    """Their errors are those of the numbers themselves, where sums of squares would lose all digits."""
    draws = (1000 + jr.normal(jr.key(1), (2, 4000, 3))).astype(jnp.float32)
    window = Window(
        jnp.zeros((), jnp.int32), {}, {"x": Moments(jnp.zeros_like(draws[:, 0]), jnp.zeros_like(draws[:, 0]))}
    )

    def add(window, value):
        number = window.num_draws + 1
        return Window(number, {}, {"x": window.moments["x"].after(value, number)}), None

    window, _ = jax.lax.scan(add, window, jnp.moveaxis(draws, 1, 0))
    found, exact = window.posterior_moments(), np.asarray(draws, float)
    np.testing.assert_allclose(found["x_mean"], exact.mean(axis=1), rtol=3e-6)
    np.testing.assert_allclose(found["x_sd"], exact.std(axis=1, ddof=1), rtol=1e-3)


@pytest.mark.slow
def test_moments_without_a_store_and_in_other_files(tmp_path):
    chain = cf.sample(Field(), GHMC(), record=cf.Record(averaged=lambda p: {"field": p["field"]}), **RUN)
    np.testing.assert_allclose(chain.moments["field_mean"], chain.posterior["field"].mean(axis=1))
    chain.save(tmp_path / "saved.h5")
    assert_same([cf.Chain.from_file(tmp_path / "saved.h5").moments], [chain.moments])
    repair(tmp_path / "saved.h5", tmp_path / "sound.h5")
    assert_same([cf.Chain.from_file(tmp_path / "sound.h5").moments], [chain.moments])
    assert chain.to_datatree()["posterior_moments"]["field_sd"].dims == ("chain", "field_sd_dim_0")


@pytest.mark.soon(1)
@pytest.mark.parametrize("chunk", [1, 30])
def test_chunks_do_not_change_it(run, tmp_path, chunk):
    sampler, path, _ = run
    with cf.ChainStore(tmp_path / "run.h5") as store:
        cf.sample(Field(), sampler, record=RECORD, store=store, chunk=chunk, commit_seconds=0.0, **RUN)
    assert_same(groups(tmp_path / "run.h5"), groups(path))


def test_interruptions_do_not_change_it(run, tmp_path):
    sampler, path, _ = run
    answers = iter([False, True, False, False, True] + [False] * 20)
    for _ in range(3):
        with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
            cf.sample(
                Field(), sampler, record=RECORD, store=store, chunk=8, commit_seconds=0.0,
                stop=lambda: next(answers), **RUN,
            )  # fmt: skip
    assert cf.Chain.from_file(tmp_path / "run.h5").status is cf.Status.SUCCESSFUL
    assert_same(groups(tmp_path / "run.h5"), groups(path))


def test_another_record_is_another_run(run, tmp_path):
    sampler, _, _ = run
    with cf.ChainStore(tmp_path / "run.h5") as store:
        cf.sample(Field(), sampler, store=store, **RUN)
        with pytest.raises(cf.CosmoflowError, match="record"):
            cf.sample(Field(), sampler, store=store, record=RECORD, **RUN)


def test_commits_by_size(tmp_path):
    with cf.ChainStore(tmp_path / "run.h5") as store:
        answers = iter([False] * 4 + [True])
        cf.sample(
            Field(), GHMC(), store=store, chunk=5, commit_bytes=1, commit_seconds=1e9, stop=lambda: next(answers), **RUN
        )
        assert len(list(tmp_path.rglob("seg-*"))) == 4


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (cf.Record({"fields": None}), "'fields', but the target has only amplitude, field"),
        (cf.Record(derived=lambda p: {"first": p["first"]}), "'first', which is a parameter"),
        (cf.Record({"sign": cf.Keep(every=2, mean=True)}, spectrum), "mean of 'sign', which holds bool"),
        (cf.Record(averaged=spectrum), "mean of 'sign', which holds bool"),
        (RECORD, "only a store can hold them"),
    ],
)
def test_records_that_do_not_fit(record, complaint, tmp_path):
    with cf.ChainStore(tmp_path / "run.h5") as store, pytest.raises(ValueError, match=complaint):
        cf.sample(Field(), GHMC(), record=record, store=None if record is RECORD else store, **RUN)


@pytest.mark.parametrize("options", [{"every": 0}, {"dtype": "int8"}])
def test_keeping_that_makes_no_sense(options):
    with pytest.raises(ValueError, match="Keep's"):
        cf.Keep(**options)


@pytest.mark.slow
def test_the_warmup_is_kept(tmp_path):
    with cf.ChainStore(tmp_path / "run.h5") as store:
        target, sampler, start = cf.warmup(
            Field(), GHMC(), max_gradients=2000, num_chains=2, key=jr.key(0), store=store
        )
        cf.sample(target, sampler, store=store, position=start, **RUN)
    warm = cf.Chain.from_file(tmp_path / "run.h5", group="warmup_posterior")
    assert warm.posterior["field"].shape == (2, warm.num_draws, 6)
    assert warm.sample_stats["acceptance_rate"].shape == (2, warm.num_draws) and warm.num_draws > 50
