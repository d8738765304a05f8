"""The DES Y1 posterior by this package, by BlackJAX's NUTS and by Cobaya's Metropolis, on the same likelihood.

python scripts/benchmarks/des_y1.py [METHOD ...] takes half an hour on one core and writes docs/benchmarks/des_y1.json
and .md. The data are read from the folder that the environment variable COSMOFLOW_DATA names.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cells import ONE_CORE, ROOT, circumstances, paragraphs, table

if __name__ == "__main__":
    os.environ.update(ONE_CORE)

import blackjax
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from arviz_stats.base import array_stats

import cosmoflow as cf
from cosmoflow.config import build_posterior, build_record, load
from cosmoflow.fitting import fisher, maximum_posterior

CONFIG = load(ROOT / "scripts" / "configs" / "des_y1_3x2pt.toml")
PATH = ROOT / "docs" / "benchmarks" / "des_y1.json"
PACKAGES = ("cosmoflow", "jax", "blackjax", "cobaya", "numpy")
REPORTED = ("S8", "Omega_m", "sigma8", "A_IA")
Found = tuple[dict[str, np.ndarray], dict[str, float]]

TEXT = (
    "25 parameters and 457 numbers, `scripts/configs/des_y1_3x2pt.toml`, whose posterior all three sample in double "
    "precision, each in a process on one core. cosmoflow: automatic warm-up, four chains of 5000 draws. BlackJAX: NUTS "
    "after window adaptation with a diagonal metric, 1000 draws of warm-up and 1000 of sampling, in the "
    "standard-normal coordinates of the priors. Cobaya: `mcmc`, one chain, started at the maximum of the posterior "
    "with the covariance of the Fisher matrix as its proposal, which it goes on learning, 20 000 accepted points, the "
    "first fifth left out.",
    "Evaluations are gradients, for Cobaya densities, of which three count as one gradient: those of sampling, and in "
    "brackets of warm-up. ESS per 1000 is that of S8 and the smallest of all parameters over sampling alone; per CPU "
    "second over everything, compilation and warm-up too. ESS is bulk effective size.",
)


def by_cosmoflow(posterior: cf.Posterior) -> Found:
    """The automatic warm-up and what it chooses."""
    key_warmup, key_run = jr.split(jr.key(0))
    record = build_record(CONFIG, posterior)
    with TemporaryDirectory() as folder, cf.ChainStore(Path(folder) / "run.h5", mode="create") as store:
        target, sampler, start = cf.warmup(posterior, num_chains=4, key=key_warmup, store=store)
        settings = {"num_draws": 5000, "num_chains": 4, "position": start, "key": key_run, "record": record}
        chain = cf.sample(target, sampler, store=store, throw=False, **settings)
        cost = cf.summarize(chain).cost
        return dict(chain.posterior), {"evaluations": cost.sampling, "warmup_evaluations": cost.warmup}


def by_blackjax(posterior: cf.Posterior) -> Found:
    """NUTS at its usual settings."""
    key_warmup, key_run = jr.split(jr.key(0))

    def log_density(z: jax.Array) -> jax.Array:
        return posterior.log_density(z)

    adaptation = blackjax.window_adaptation(blackjax.nuts, log_density)
    (state, parameters), info = jax.block_until_ready(
        jax.jit(lambda key: adaptation.run(key, jnp.zeros(posterior.dim), 1000))(key_warmup)
    )
    kernel = blackjax.nuts(log_density, **parameters)

    def step(state: Any, key: jax.Array) -> Any:
        state, info = kernel.step(key, state)
        return state, (state.position, info.num_integration_steps)

    _, (positions, steps) = jax.jit(lambda s: jax.lax.scan(step, s, jr.split(key_run, 1000)))(state)
    draws = jax.lax.map(lambda z: posterior.constrain(z), positions, batch_size=64)
    return with_derived(posterior, draws), {
        "evaluations": float(jnp.sum(steps)),
        "warmup_evaluations": float(jnp.sum(info.info.num_integration_steps)),
    }


def by_cobaya(posterior: cf.Posterior) -> Found:
    """Metropolis with a learned proposal, given the covariance of the Fisher matrix; A_s in units of 1e-9."""
    from cobaya import run

    best = maximum_posterior(posterior).parameters
    matrix = fisher(posterior, best)
    unit = {name: 1e-9 if name == "A_s" else 1.0 for name in matrix.names}
    likelihood = jax.jit(lambda parameters: posterior.likelihood.log_likelihood(parameters))
    calls = []

    def log_likelihood(**values: float) -> float:
        calls.append(None)
        return float(likelihood({name: jnp.asarray(value * unit[name]) for name, value in values.items()}))

    def parameter(name: str) -> dict[str, Any]:
        given = CONFIG.prior[name].model_dump()
        if given["distribution"] == "uniform":
            prior = {"min": given["low"] / unit[name], "max": given["high"] / unit[name]}
        else:
            prior = {"dist": "norm", "loc": given["mean"], "scale": given["sd"]}
        return {"prior": prior, "ref": float(best[name]) / unit[name]}

    scale = np.array([unit[name] for name in matrix.names])
    metropolis = {
        "covmat": np.asarray(matrix.covariance) / np.outer(scale, scale),
        "covmat_params": list(matrix.names),
        "max_samples": 20_000,
        "Rminus1_stop": 1e-9,
        "seed": 0,
    }
    _, sampler = run(
        {
            "likelihood": {"des_y1": {"external": log_likelihood, "input_params": list(matrix.names)}},
            "params": {name: parameter(name) for name in matrix.names},
            "sampler": {"mcmc": metropolis},
            "debug": 40,
        }
    )
    sample = sampler.products()["sample"]
    weights = np.asarray(sample["weight"], int)
    draws = {name: np.repeat(np.asarray(sample[name]) * unit[name], weights) for name in matrix.names}
    draws = {name: jnp.asarray(values[len(values) // 5 :]) for name, values in draws.items()}
    return with_derived(posterior, draws), {
        "evaluations": 0.8 * len(calls),
        "warmup_evaluations": 0.2 * len(calls),
    }


def with_derived(posterior: cf.Posterior, draws: dict[str, jax.Array]) -> dict[str, np.ndarray]:
    """Draws of one chain, with what the likelihood derives from them."""
    derived = jax.lax.map(lambda p: posterior.likelihood.derived(p), draws, batch_size=64)
    return {name: np.asarray(values)[None] for name, values in {**draws, **derived}.items()}


METHODS: dict[str, Callable[[cf.Posterior], Found]] = {
    "cosmoflow": by_cosmoflow,
    "blackjax": by_blackjax,
    "cobaya": by_cobaya,
}


def measure(method: str) -> dict[str, Any]:
    """One method, in this process."""
    posterior = build_posterior(CONFIG)
    spent, began = time.process_time(), time.perf_counter()
    draws, costs = METHODS[method](posterior)
    ess = {name: float(array_stats.ess(values, method="bulk")) for name, values in draws.items()}
    return {
        "method": method,
        "cpu_seconds": time.process_time() - spent,
        "seconds": time.perf_counter() - began,
        **costs,
        "draws": int(np.prod(next(iter(draws.values())).shape)),
        "ess": ess,
        "mean": {name: float(values.mean()) for name, values in draws.items()},
        "sd": {name: float(values.std()) for name, values in draws.items()},
    }


def row(record: dict[str, Any]) -> list[str]:
    """Of the table."""
    share = 3 if record["method"] == "cobaya" else 1
    least = min(record["ess"], key=record["ess"].get)
    cost = record["evaluations"] / share
    return [
        record["method"],
        f"{record['evaluations']:.0f} ({record['warmup_evaluations']:.0f})",
        f"{record['ess']['S8']:.0f}",
        f"{record['ess'][least]:.0f} ({least})",
        f"{1000 * record['ess']['S8'] / cost:.1f}",
        f"{1000 * record['ess'][least] / cost:.2f}",
        f"{record['cpu_seconds']:.0f}",
        f"{record['ess']['S8'] / record['cpu_seconds']:.2f}",
        f"{record['ess'][least] / record['cpu_seconds']:.2f}",
    ]


def page(given: dict[str, Any]) -> str:
    """The tables of what was measured."""
    versions = ", ".join(f"{name} {number}" for name, number in given["versions"].items())
    lines = ["# The DES Y1 posterior", ""]
    lines += paragraphs([f"{given['date']}, {given['machine']}; {versions}; commit {given['commit'][:10]}.", *TEXT])
    head = ["method", "evaluations", "ESS of S8", "smallest ESS", "ESS of S8 per 1000 gradients", "smallest per 1000"]
    head += ["CPU [s]", "ESS of S8 per CPU s", "smallest per CPU s"]
    lines += ["", *table(head, map(row, given["methods"])), ""]
    lines += table(
        ["method", *REPORTED],
        ([r["method"], *(f"{r['mean'][n]:.4f} ± {r['sd'][n]:.4f}" for n in REPORTED)] for r in given["methods"]),
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure in processes of their own, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD", help=f"of {', '.join(METHODS)}; all by default")
    parser.add_argument("--here", action="store_true", help="measure one method in this process, print its record")
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    if given.here:
        print(json.dumps(measure(given.methods[0])))
        return
    old = json.loads(PATH.read_text())["methods"] if PATH.exists() else []
    records = {record["method"]: record for record in old}
    core = str(min(os.sched_getaffinity(0)))
    for method in given.methods or METHODS:
        command = ["taskset", "--cpu-list", core, sys.executable, __file__, method, "--here"]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        records[method] = json.loads(output.splitlines()[-1])
        print(row(records[method]), flush=True)
    ordered = [records[method] for method in METHODS if method in records]
    found = circumstances(PACKAGES) | {"methods": ordered}
    PATH.write_text(json.dumps(found, indent=1) + "\n")
    PATH.with_suffix(".md").write_text(page(found))


if __name__ == "__main__":
    main()
