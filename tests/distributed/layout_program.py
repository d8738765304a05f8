"""Digests of every sampler's draws, on as many devices as XLA is told to feign, in one process of several.

layout_program.py FOLDER INDEX COUNT ADDRESS writes FOLDER/INDEX.json: those of each of the process's chains, the number
of its devices, the losses of a training on them, and the digest of what a warm-up of all processes found.
"""

import hashlib
import json
import sys
from pathlib import Path

import jax
import jax.random as jr
import numpy as np

jax.config.update("jax_enable_x64", True)
sys.path.insert(0, str(Path(__file__).parents[1]))

from samplers.conformance.samplers import SAMPLERS  # noqa: E402

import cosmoflow as cf  # noqa: E402
from cosmoflow._team import Team  # noqa: E402
from cosmoflow.chains import digest  # noqa: E402
from cosmoflow.samplers import KineticLangevin  # noqa: E402
from cosmoflow.targets import AbstractTarget  # noqa: E402
from cosmoflow.training import ReverseKL  # noqa: E402

NUM_CHAINS, BLOCK, NUM_DRAWS = 8, 2, 16


class Curved(AbstractTarget):
    """A density with matrix products and functions that XLA may fuse in more than one way."""

    design: jax.Array
    dim: int = 3

    def log_density(self, x):
        residual = jax.numpy.sin(self.design @ x) - 0.3
        return -0.5 * residual @ residual - 0.5 * x @ x

    def constrain(self, x):
        return {"x": x}


def digests(target, make, chains):
    chain = cf.sample(
        target, make(), num_draws=NUM_DRAWS, num_chains=NUM_CHAINS, block=BLOCK, chains=chains, key=jr.key(5),
        chunk=10, throw=False,
    )  # fmt: skip
    draws = np.ascontiguousarray(chain.posterior["x"])
    return [hashlib.sha256(one.tobytes()).hexdigest()[:16] for one in draws]


def main():
    folder, index, count, address = sys.argv[1:]
    team = Team.join(address, int(count), int(index)) if int(count) > 1 else Team.alone()
    target = Curved(jr.normal(jr.key(3), (20, 3)))
    share = NUM_CHAINS // team.count
    chains = range(team.index * share, (team.index + 1) * share)
    makers = {name: entry.make for name, entry in SAMPLERS.items()} | {"kinetic_langevin": KineticLangevin}
    found = {name: digests(target, make, chains) for name, make in makers.items()}
    flow = cf.fixed_kinetic_flow(3, num_steps=2, num_maps=1, width=8, depth=1, key=jr.key(1))
    _, history = cf.fit(flow, ReverseKL(target, 64), num_steps=60, chunk=30, key=jr.key(2))
    warmed = [
        cf.warmup(target, make(), num_chains=NUM_CHAINS, block=BLOCK, key=jr.key(4), max_gradients=4000, team=team)
        for make in (cf.samplers.ZigZag, cf.samplers.NUTS, cf.samplers.MCLMC)
    ]
    outcome = {"digests": found, "devices": len(jax.local_devices()), "losses": history.losses.tolist()}
    outcome["warmed"] = [digest((target.bijection, sampler, positions)) for target, sampler, positions in warmed]
    Path(folder, f"{index}.json").write_text(json.dumps(outcome))
    team.meet(last=True)
    team.leave()


main()
