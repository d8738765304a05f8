"""A field over the devices of several processes: value and gradient, what is refused, runs that are stopped and resumed.

slabs_program.py FOLDER INDEX COUNT ADDRESS NUM_DRAWS draws FOLDER/whole-INDEX.h5 at once and FOLDER/parts-INDEX.h5 up to
NUM_DRAWS, where the last process asks to stop. It writes FOLDER/INDEX.json: what it found.
"""

import itertools
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import install_import_hook

install_import_hook("cosmoflow", "beartype.beartype")
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_cpu_collectives_implementation", "gloo")
sys.path.insert(0, str(Path(__file__).parents[1] / "fields"))

from slab_program import MODELS, SHAPE, SIZE, largest_difference, largest_moved  # noqa: E402

import cosmoflow as cf  # noqa: E402
from cosmoflow._blocks import Blocks  # noqa: E402
from cosmoflow._chunk import Chunks, standard_starts  # noqa: E402
from cosmoflow._shards import own  # noqa: E402
from cosmoflow.fields import Grid, SlabGrid, grid_over_processes  # noqa: E402
from cosmoflow.likelihoods import FieldLevel, GaussianNoise  # noqa: E402
from cosmoflow.samplers import KineticLangevin  # noqa: E402
from cosmoflow.targets import Padded, Posterior, Prior, WhiteNoise  # noqa: E402

NUM_CHAINS, NUM_DRAWS = 2, 24


def mine(array, count, axis):
    """The part of an array that this process should have."""
    return np.split(np.asarray(array), count, axis)[jax.process_index()]


def likelihoods(slabs, count):
    """Value and gradient over all devices beside those on one, of each model."""
    noise, found = jr.normal(jr.key(0), SHAPE), {}
    value_and_grad = jax.jit(jax.value_and_grad(lambda point, likelihood: likelihood.log_likelihood(point)))
    for name, model in MODELS.items():

        def of(grid, model=model):
            point = {"white_noise": grid.place(noise), "Omega_m": jnp.asarray(0.3), "sigma8": jnp.asarray(0.8)}
            likelihood = FieldLevel(model(grid), GaussianNoise(1.0), np.zeros(SHAPE))
            program = value_and_grad.lower(point, likelihood).compile()
            return program, program(point, likelihood)

        (program, (value, gradient)), (_, (expected, slopes)) = of(slabs), of(Grid(SHAPE, SIZE))
        slopes["white_noise"] = mine(slopes["white_noise"], count, 0)
        got = {parameter: own(array) for parameter, array in gradient.items()}
        found[name] = {
            "difference": largest_difference((expected, slopes), (own(value), got)),
            "largest_moved": largest_moved(program),
        }
    return found


def target_on(grid, multiple):
    """The posterior of a log-normal field and its parameters, what is kept of its draws, and starts."""
    prior = {"Omega_m": cf.Uniform(0.1, 0.5), "sigma8": cf.Uniform(0.5, 1.0), "white_noise": WhiteNoise(SHAPE)}
    likelihood = FieldLevel(MODELS["log_normal"](grid), GaussianNoise(1.0), np.zeros(SHAPE))
    record = cf.Record(
        {"white_noise": cf.Keep(every=3, mean=True, dtype="float32")}, likelihood.derived, likelihood.averaged
    )
    return Padded(Posterior(Prior(prior), likelihood), multiple), record


def run(target, record, path, *, num_draws=NUM_DRAWS, stop=lambda: False):
    with cf.ChainStore(path, mode="resume") as store:
        return cf.sample(
            target, KineticLangevin(0.02), num_draws=num_draws, num_chains=NUM_CHAINS, key=jr.key(3), record=record,
            store=store, chunk=4, commit_seconds=0.0, stop=stop,
        )  # fmt: skip


def largest_moved_by_a_chunk(target, record):
    """Elements of what a chunk of draws gathers or sums over devices."""
    chunks = Chunks(target, record, Blocks.arranged(NUM_CHAINS, NUM_CHAINS, target), 4)
    positions = standard_starts(jr.key(1), NUM_CHAINS, target.dim, grid_over_processes(target))
    states = chunks.start(KineticLangevin(), positions, jr.key(3))
    return largest_moved(chunks.lowered(KineticLangevin(), states).compile().compiled)


def refused(slabs):
    """What is said of stages that go over one process alone, and of a vector that cannot be shared evenly."""
    target, _ = target_on(slabs, 771)
    flow = cf.fixed_kinetic_flow(2, num_maps=1, width=4, key=jr.key(0))
    attempts = (
        lambda: cf.warmup(target, KineticLangevin(), num_chains=1, key=jr.key(0)),
        lambda: cf.fit(flow, cf.ReverseKL(target), num_steps=1, key=jr.key(0)),
        lambda: cf.sample(target, KineticLangevin(), num_draws=1, num_chains=1, key=jr.key(0)),
    )
    for attempt in attempts:
        try:
            attempt()
        except ValueError as error:
            yield str(error)


def main():
    folder, index, count, address, num_draws = sys.argv[1:]
    count = int(count)
    if count > 1:
        jax.distributed.initialize(address, count, int(index))
    slabs = SlabGrid(SHAPE, SIZE, halo=4)
    found = {"likelihoods": likelihoods(slabs, count), "devices": jax.device_count(), "refused": []}
    if count > 1:
        found["refused"] = list(refused(slabs))
    target, record = target_on(slabs, 4)
    found["largest_moved_by_a_chunk"] = largest_moved_by_a_chunk(target, record)
    run(target, record, f"{folder}/whole-{index}.h5")
    asked = itertools.count()
    last = int(index) == count - 1
    chain = run(
        target, record, f"{folder}/parts-{index}.h5",
        stop=lambda: last and 4 * next(asked) >= int(num_draws),
    )  # fmt: skip
    found["status"], found["num_draws"] = chain.status.name, chain.num_draws
    Path(folder, f"{index}.json").write_text(json.dumps(found))


main()
