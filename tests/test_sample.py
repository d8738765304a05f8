"""The driver: what a chain may and may not depend on."""

import threading

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import cosmoflow as cf
from cosmoflow._chunk import init_states, run_chunk
from cosmoflow._record import Keep, Record
from cosmoflow._results import RunError, StartError, Status
from cosmoflow.likelihoods import AbstractLikelihood, JointLikelihood
from cosmoflow.samplers import GHMC, NUTS, ZigZag
from cosmoflow.targets import AbstractTarget, Skewed

TARGET = Skewed(jnp.array([1.0, 3.0]))
SAMPLERS = [ZigZag(), GHMC(), NUTS()]
RUN = {"num_draws": 130, "num_chains": 3, "key": jr.key(5)}


def assert_same(a, b):
    for x, y in ((a.posterior, b.posterior), (a.sample_stats, b.sample_stats)):
        assert x.keys() == y.keys()
        for name in x:
            np.testing.assert_array_equal(x[name], y[name], err_msg=name)


FLOW = cf.fixed_kinetic_flow(2, num_steps=2, num_maps=1, width=8, depth=1, key=jr.key(1))


@pytest.mark.soon(1)
@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("target", [TARGET, pytest.param(cf.neural_transport(TARGET, FLOW), marks=pytest.mark.slow)])
def test_chunks_do_not_change_a_chain(sampler, target):
    assert_same(cf.sample(target, sampler, chunk=130, **RUN), cf.sample(target, sampler, chunk=37, **RUN))


@pytest.mark.parametrize("name", ["num_draws", "num_chains", "chunk"])
def test_counts_are_positive(name):
    with pytest.raises(ValueError, match=name):
        cf.sample(TARGET, GHMC(), **({"chunk": 10} | RUN | {name: 0}))


@pytest.mark.soon(1)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_resumed_run_equals_an_uninterrupted_one(sampler, tmp_path):
    whole = cf.sample(TARGET, sampler, chunk=20, **RUN)
    answers = iter([False, False, True, False, False, True] + [False] * 20)
    statuses = []
    for _ in range(3):
        with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
            chain = cf.sample(
                TARGET, sampler, store=store, chunk=20, commit_seconds=0.0, stop=lambda: next(answers), **RUN
            )
            statuses.append(chain.status)
    assert statuses == [Status.STOPPED, Status.STOPPED, Status.SUCCESSFUL]
    assert_same(chain, whole)
    assert_same(cf.Chain.from_file(tmp_path / "run.h5"), whole)


def test_another_run_in_the_same_store_is_refused(tmp_path):
    with cf.ChainStore(tmp_path / "run.h5") as store:
        cf.sample(TARGET, GHMC(), store=store, **RUN)
    with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store, pytest.raises(cf.CosmoflowError, match="sampler"):
        cf.sample(TARGET, GHMC(num_steps=5), store=store, **RUN)


def test_a_run_stopped_before_its_first_draw(tmp_path):
    with cf.ChainStore(tmp_path / "run.h5") as store, pytest.raises(RunError) as error:
        cf.sample(TARGET, GHMC(), store=store, stop=lambda: True, **RUN)
    assert error.value.status is Status.STOPPED


def test_the_status_of_a_finished_run_survives_its_reopening(tmp_path):
    """Half of the trajectories diverge; reading the run again must not make it a success."""
    target, sampler = Skewed(jnp.array([1.0, 1.0])), GHMC(step_size=9.0)
    statuses = []
    for _ in range(2):
        with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
            statuses.append(cf.sample(target, sampler, store=store, throw=False, **RUN).status)
    assert statuses == [Status.DIVERGENCES, Status.DIVERGENCES]


@pytest.mark.slow
def test_worker_thread_and_twice():
    chains = []

    def work():
        chains.append(cf.sample(TARGET, ZigZag(), **RUN))

    thread = threading.Thread(target=work)
    thread.start()
    work()
    thread.join()
    assert_same(*chains)


def test_costs_are_counted():
    chain = cf.sample(TARGET, GHMC(num_steps=7), **RUN)
    assert np.all(chain.sample_stats["num_gradients"] == 7)
    zig_zag = cf.sample(TARGET, ZigZag(), **RUN)
    assert np.all(zig_zag.sample_stats["num_gradients"] % 4 == 0)
    assert np.all(zig_zag.sample_stats["num_gradients"] > 0)


def test_lp_is_the_log_density_of_the_draws():
    chain = cf.sample(TARGET, ZigZag(), **RUN)
    np.testing.assert_allclose(chain.sample_stats["lp"], jax.vmap(jax.vmap(TARGET.log_density))(chain.posterior["x"]))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_compiled_chunks_hold_no_callback(sampler):
    record = Record({"x": Keep(every=2, mean=True)})
    state = init_states(TARGET, sampler, jnp.zeros((2, 2)), jr.split(jr.key(0), 2), record)
    lowered = run_chunk.lower((TARGET, sampler, record, jnp.asarray(3)), state, capacity=5)
    assert "callback" not in lowered.as_text()


def test_wrong_shape_of_positions():
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        cf.sample(TARGET, GHMC(), position=jnp.zeros((2, 2)), **RUN)


class Line(AbstractLikelihood):
    """A Gaussian likelihood of `slope` that is NaN above one."""

    required: tuple[str, ...] = ("slope",)
    optional: tuple[str, ...] = ()

    def log_likelihood(self, parameters):
        return -0.5 * jnp.log(1 - parameters["slope"]) ** 2


class Level(AbstractLikelihood):
    required: tuple[str, ...] = ("level",)
    optional: tuple[str, ...] = ()

    def log_likelihood(self, parameters):
        return -0.5 * parameters["level"] ** 2


def test_a_nan_start_names_parameter_and_likelihood():
    prior = cf.Prior({"level": cf.Normal(0.0, 1.0), "slope": cf.Uniform(0.0, 1.5)})
    posterior = cf.Posterior(prior, JointLikelihood({"line": Line(), "level": Level()}))
    with pytest.raises(StartError, match=r"nan.*likelihood line.*slope = 1\.2") as error:
        cf.sample(posterior, GHMC(), position=jnp.array([[0.1, 0.9]] * 3), **RUN)
    assert "level =" not in str(error.value)


class Cliff(AbstractTarget):
    """N(0, I) that is NaN where the first coordinate is positive, apart from the start."""

    dim: int = 2

    def log_density(self, x):
        return jnp.where(x[0] > 0.01, jnp.nan, -0.5 * (x @ x))

    def constrain(self, x):
        return {"x": x}


@pytest.mark.slow
def test_a_hopeless_run_does_not_grow(tmp_path):
    lengths = []
    for _ in range(2):
        with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store, pytest.raises(RunError):
            cf.sample(Cliff(), GHMC(), position=jnp.zeros((3, 2)), store=store, chunk=20, **RUN)
        lengths.append(cf.Chain.from_file(tmp_path / "run.h5").num_draws)
    assert lengths[0] == lengths[1] < RUN["num_draws"]


def test_a_chain_without_a_state_does_not_go_on(tmp_path):
    cf.sample(TARGET, GHMC(), **RUN).save(tmp_path / "run.h5")
    before = (tmp_path / "run.h5").read_bytes()
    with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store, pytest.raises(cf.CosmoflowError, match="no state"):
        cf.sample(TARGET, GHMC(), store=store, **RUN)
    assert (tmp_path / "run.h5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]
