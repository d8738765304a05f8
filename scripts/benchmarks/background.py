"""What one evaluation of each likelihood of the expansion costs, inside one compiled loop on one core.

python scripts/benchmarks/background.py takes two minutes and writes docs/benchmarks/background.json and .md. Large data
sets are read from the folder that the environment variable COSMOFLOW_DATA names.
"""

import json
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from cells import ONE_CORE, ROOT, circumstances, paragraphs, table

os.environ.update(ONE_CORE)

import equinox as eqx
import jax
import jax.numpy as jnp

from cosmoflow import datasets
from cosmoflow._types import Parameters
from cosmoflow.datasets import DataError
from cosmoflow.likelihoods import BAO, AbstractLikelihood, Supernovae

PATH = ROOT / "docs" / "benchmarks" / "background.json"
PACKAGES = ("cosmoflow", "jax", "equinox", "numpy")
REPETITIONS = 7
SECONDS = 0.3
"""Of one repetition."""

POINT = {
    "Omega_m": 0.31,
    "Omega_b": 0.049,
    "Omega_k": 0.01,
    "h": 0.68,
    "h_r_d": 100.0,
    "r_d": 147.0,
    "w0": -0.9,
    "wa": -0.1,
    "M": -19.4,
    "T_cmb": 2.7255,
    "N_eff": 3.044,
    "m_nu": 0.06,
}
"""Where likelihoods are evaluated: each takes those parameters that it names, optional ones included."""

LIKELIHOODS: dict[str, Callable[[], AbstractLikelihood]] = {
    "DESI DR2 BAO": lambda: BAO(datasets.desi_dr2_bao()),
    "DESI DR2 BAO, r_d computed, radiation": lambda: BAO(
        datasets.desi_dr2_bao(), sound_horizon="computed", radiation=True
    ),
    "Union3": lambda: Supernovae(datasets.union3()),
    "Union3, radiation": lambda: Supernovae(datasets.union3(), radiation=True),
    "Pantheon+": lambda: Supernovae(datasets.pantheon_plus()),
    "Pantheon+, M free": lambda: Supernovae(datasets.pantheon_plus(), absolute_magnitude="free"),
    "Pantheon+, radiation": lambda: Supernovae(datasets.pantheon_plus(), radiation=True),
    "Pantheon+, a node at each supernova": lambda: Supernovae(datasets.pantheon_plus(), num_nodes=None),
    "DES-Dovekie": lambda: Supernovae(datasets.des_dovekie()),
    "DES-Dovekie, a node at each supernova": lambda: Supernovae(datasets.des_dovekie(), num_nodes=None),
}

TEXT = (
    "Each likelihood is evaluated in double precision with all parameters that it knows, required and optional, inside "
    "one compiled loop over points that differ by parts in a thousand, so that no turn can take over what another "
    f"computed. The CPU time of a turn on one core is the median of {REPETITIONS} runs of the loop, with its range. "
    "The gradient is with respect to all parameters.",
    "Supernovae are fitted through moduli at 48 redshifts, which changes chi^2 by less than 1e-7; the rows with a node "
    "at each supernova are the check, a product with the matrix of all supernovae. A data set whose files are not "
    "there is absent.",
)


def value(likelihood: AbstractLikelihood, point: Parameters) -> jax.Array:
    """The log-likelihood."""
    return likelihood.log_likelihood(point)


def value_and_gradient(likelihood: AbstractLikelihood, point: Parameters) -> Any:
    """The log-likelihood and its gradient with respect to all parameters."""
    return jax.value_and_grad(likelihood.log_likelihood)(point)


def seconds_of_turn(
    function: Callable[[AbstractLikelihood, Parameters], Any], likelihood: AbstractLikelihood, point: Parameters
) -> list[float]:
    """CPU time of one turn of a compiled loop, in each of the repetitions."""

    @eqx.filter_jit
    def loop(likelihood: AbstractLikelihood, turns: jax.Array, point: Parameters) -> Any:
        def turn(i: jax.Array, total: Any) -> Any:
            change = 1 + 1e-3 * jnp.sin(i.astype(float))
            moved = {name: change * value for name, value in point.items()}
            return jax.tree.map(jnp.add, total, function(likelihood, moved))

        return jax.lax.fori_loop(0, turns, turn, jax.tree.map(jnp.zeros_like, function(likelihood, point)))

    def seconds(turns: int) -> float:
        start = time.process_time()
        jax.block_until_ready(loop(likelihood, jnp.asarray(turns), point))
        return time.process_time() - start

    seconds(1)
    turns = max(1, int(100 * SECONDS / seconds(100)))
    return [seconds(turns) / turns for _ in range(REPETITIONS)]


def measure() -> list[dict[str, Any]]:
    """Every likelihood whose data are there; of the others, why they are not."""
    found = []
    for name, construct in LIKELIHOODS.items():
        try:
            likelihood = construct()
        except DataError as error:
            found.append({"likelihood": name, "absent": str(error)})
            continue
        point = {key: jnp.asarray(POINT[key]) for key in (*likelihood.required, *likelihood.optional)}
        row = {
            "likelihood": name,
            "data": sum(data.size for data in likelihood.observed_data().values()),
            "parameters": list(point),
            "log_likelihood": float(value(likelihood, point)),
            "value": seconds_of_turn(value, likelihood, point),
            "value_and_gradient": seconds_of_turn(value_and_gradient, likelihood, point),
        }
        print(name, *(f"{1e6 * median(row[what]):.1f} us" for what in ("value", "value_and_gradient")), flush=True)
        found.append(row)
    return found


def cells(row: dict[str, Any]) -> list[str]:
    """Of one line of the table."""
    if "absent" in row:
        return [row["likelihood"], "", "", "absent", "absent"]
    times = [[1e6 * seconds for seconds in row[what]] for what in ("value", "value_and_gradient")]
    spans = [f"{median(t):.3g} ({min(t):.3g}, {max(t):.3g})" for t in times]
    return [row["likelihood"], str(row["data"]), str(len(row["parameters"])), *spans]


def main() -> None:
    """Measure and write."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    jax.config.update("jax_enable_x64", True)
    given = circumstances(PACKAGES)
    found = measure()
    PATH.write_text(json.dumps(given | {"likelihoods": found}, indent=1) + "\n")
    versions = ", ".join(f"{name} {number}" for name, number in given["versions"].items())
    lines = ["# Likelihoods of the expansion", ""]
    lines += paragraphs([f"{given['date']}, {given['machine']}; {versions}; commit {given['commit'][:10]}.", *TEXT])
    lines += [
        "",
        *table(["likelihood", "data", "parameters", "value [us]", "value and gradient [us]"], map(cells, found)),
    ]
    PATH.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
