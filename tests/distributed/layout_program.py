"""Every sampler's draws on as many devices as XLA is told to feign, as one process of several: DIGESTS.json.

layout_program.py FOLDER INDEX COUNT CASES... writes the digests of each chain's draws of the process's share.
"""

import hashlib
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

jax.config.update("jax_enable_x64", True)

import cosmoflow as cf  # noqa: E402
from cosmoflow import samplers  # noqa: E402
from cosmoflow.targets import AbstractTarget  # noqa: E402

NUM_CHAINS, BLOCK, NUM_DRAWS = 8, 2, 20


class Curved(AbstractTarget):
    """A Gaussian process likelihood of correlated data, whose gradient takes a factorisation and matrix products."""

    design: jax.Array
    dim: int = 4

    def log_density(self, x):
        residual = jnp.sin(self.design @ x) - 0.3
        return -0.5 * residual @ residual - 0.5 * x @ x - 0.1 * jnp.sum(x**4)

    def constrain(self, x):
        return {"x": x}


TARGET = Curved(jr.normal(jr.key(3), (30, 4)))
NAMES = [
    "AdjustedMCLMC", "Boomerang", "BouncyParticle", "BouncyParticleSplitting", "CoordinateSampler",
    "CoordinateSplitting", "DiscreteBouncyParticle", "ForwardEventChain", "ForwardEventChainSplitting", "GHMC",
    "HugAndHop", "HybridSplitting", "Independence", "KineticLangevin", "Langevin", "MALT", "MCLMC", "NUTS", "ZigZag",
    "ZigZagSplitting",
]  # fmt: skip


def sampler_of(name):
    match name:
        case "Mixture":
            return samplers.Mixture([samplers.Independence(), samplers.HybridSplitting()], [0.8, 0.2])
        case "DelayedAcceptance":
            return samplers.DelayedAcceptance(TARGET, samplers.GHMC())
        case "ParallelTempering":
            return samplers.ParallelTempering(samplers.GHMC())
        case _:
            return getattr(samplers, name)()


def main():
    folder, index, count, *names = sys.argv[1:]
    share = NUM_CHAINS // int(count)
    chains = range(int(index) * share, (int(index) + 1) * share)
    found = {}
    for name in names or NAMES:
        chain = cf.sample(
            TARGET, sampler_of(name), num_draws=NUM_DRAWS, num_chains=NUM_CHAINS, block=BLOCK, chains=chains,
            key=jr.key(5), chunk=12, throw=False,
        )  # fmt: skip
        draws = chain.posterior["x"]
        found[name] = [hashlib.sha256(np.ascontiguousarray(draws[i]).tobytes()).hexdigest()[:16] for i in range(share)]
    Path(folder, f"{len(jax.devices())}-{index}-{count}.json").write_text(json.dumps(found))


main()
