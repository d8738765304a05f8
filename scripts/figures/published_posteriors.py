"""Posteriors of papers, sampled again: python scripts/figures/published_posteriors.py [ROW ...].

Each row of `ROWS` is warmed up and sampled; its numbers go to docs/benchmarks/published_posteriors/ROW.json and its
marginals to ROW.png beside it. The page docs/benchmarks/published_posteriors.md is then written from all JSON there.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
import numpy as np

import cosmoflow as cf
from cosmoflow import datasets, likelihoods
from cosmoflow.likelihoods import AbstractLikelihood

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks" / "published_posteriors"
NUM_CHAINS = 4
NUM_DRAWS = 10_000
W0_WA = cf.UniformPolygon.from_box((-3.0, -3.0), (1.0, 2.0), sum_below=0.0)
GEOMETRY = {"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0)}
PHYSICAL = {
    "Omega_m": cf.Uniform(0.01, 0.99),
    "h": cf.Uniform(0.2, 1.0),
    "omega_b": cf.Uniform(0.005, 0.1),
    "m_nu": cf.targets.Delta(0.06),
}
BOUNDS = {"w0": (-3.0, 1.0), "wa": (-3.0, 2.0)}


class PhysicalBaryons(AbstractLikelihood):
    """A likelihood of Omega_b as one of omega_b = Omega_b h^2, in which DESI's prior is flat."""

    likelihood: AbstractLikelihood
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, likelihood: AbstractLikelihood):
        self.likelihood = likelihood
        self.required = tuple("omega_b" if name == "Omega_b" else name for name in likelihood.required)
        self.optional = likelihood.optional

    def log_likelihood(self, parameters: dict[str, jax.Array]) -> jax.Array:
        """The likelihood's own."""
        return self.likelihood.log_likelihood(parameters | {"Omega_b": parameters["omega_b"] / parameters["h"] ** 2})


@dataclass(frozen=True)
class Published:
    """A published marginal: mean, lower and upper 68 % errors; or an upper 68 % limit, with no errors."""

    value: float
    lower: float = 0.0
    upper: float = 0.0

    def __str__(self) -> str:
        if not self.upper:
            return f"< {self.value:g}"
        errors = f"± {self.upper:g}" if self.lower == self.upper else f"+{self.upper:g} −{self.lower:g}"
        return f"{self.value:g} {errors}"


@dataclass(frozen=True)
class Row:
    """One posterior.

    Attributes:
        title: What it is.
        source: Where it was published.
        prior: Of the parameters.
        likelihood: Builds the likelihood.
        published: Marginals by parameter.
        reference: Means found by others with the same compressed data, by parameter.
    """

    title: str
    source: str
    prior: Mapping
    likelihood: Callable[[], AbstractLikelihood]
    published: Mapping[str, Published]
    reference: Mapping[str, float] = field(default_factory=dict)


def with_cmb(**members: AbstractLikelihood) -> AbstractLikelihood:
    """DESI DR2 and the compressed CMB, joined with others."""
    desi = likelihoods.BAO(datasets.desi_dr2_bao(), sound_horizon="computed", radiation=True)
    cmb = likelihoods.CompressedCMB(datasets.desi_compressed_cmb())
    return PhysicalBaryons(likelihoods.JointLikelihood({"desi_dr2": desi, "cmb": cmb, **members}))


DESI = "arXiv:2503.14738"
ROWS = {
    "desi_dr2_lcdm": Row(
        "DESI DR2, flat ΛCDM",
        DESI,
        GEOMETRY,
        lambda: likelihoods.BAO(datasets.desi_dr2_bao()),
        {"Omega_m": Published(0.2975, 0.0086, 0.0086), "h_r_d": Published(101.54, 0.73, 0.73)},
    ),
    "desi_dr2_w0wacdm": Row(
        "DESI DR2, w0waCDM",
        DESI,
        {**GEOMETRY, ("w0", "wa"): W0_WA},
        lambda: likelihoods.BAO(datasets.desi_dr2_bao()),
        {"w0": Published(-0.48, 0.17, 0.35), "wa": Published(-1.34)},
    ),
    "desi_dr2_cmb_w0wacdm": Row(
        "DESI DR2 + (θ*, ω_b, ω_bc), w0waCDM",
        DESI,
        {**PHYSICAL, ("w0", "wa"): W0_WA},
        with_cmb,
        {"w0": Published(-0.43, 0.22, 0.22), "wa": Published(-1.72, 0.64, 0.64)},
    ),
    "desi_dr2_cmb_union3_w0wacdm": Row(
        "DESI DR2 + CMB + Union3, w0waCDM",
        f"{DESI}, with the full CMB",
        {**PHYSICAL, ("w0", "wa"): W0_WA},
        lambda: with_cmb(union3=likelihoods.Supernovae(datasets.union3(), radiation=True)),
        {"w0": Published(-0.667, 0.088, 0.088), "wa": Published(-1.09, 0.27, 0.31)},
        {"w0": -0.675},
    ),
    "desi_dr2_cmb_pantheon_plus_w0wacdm": Row(
        "DESI DR2 + CMB + Pantheon+, w0waCDM",
        f"{DESI}, with the full CMB",
        {**PHYSICAL, ("w0", "wa"): W0_WA},
        lambda: with_cmb(pantheon_plus=likelihoods.Supernovae(datasets.pantheon_plus(), radiation=True)),
        {"w0": Published(-0.838, 0.055, 0.055), "wa": Published(-0.62, 0.19, 0.22)},
        {"w0": -0.848},
    ),
    "chronometers_lcdm": Row(
        "Cosmic chronometers, flat ΛCDM",
        "arXiv:2003.07362, as read off by others",
        {"Omega_m": cf.Uniform(0.05, 0.8), "h": cf.Uniform(0.45, 0.95)},
        lambda: likelihoods.Chronometers(datasets.cosmic_chronometers()),
        {"h": Published(0.665, 0.054, 0.054)},
        {"h": 0.659},
    ),
    "union3_lcdm": Row(
        "Union3, flat ΛCDM",
        "arXiv:2311.12098",
        {"Omega_m": cf.Uniform(0.01, 0.99)},
        lambda: likelihoods.Supernovae(datasets.union3()),
        {"Omega_m": Published(0.356, 0.026, 0.028)},
    ),
    "pantheon_plus_lcdm": Row(
        "Pantheon+, flat ΛCDM",
        "arXiv:2202.04077",
        {"Omega_m": cf.Uniform(0.01, 0.99)},
        lambda: likelihoods.Supernovae(datasets.pantheon_plus()),
        {"Omega_m": Published(0.334, 0.018, 0.018)},
    ),
    "des_dovekie_lcdm": Row(
        "DES-SN5YR Dovekie, flat ΛCDM",
        "arXiv:2511.07517",
        {"Omega_m": cf.Uniform(0.01, 0.99)},
        lambda: likelihoods.Supernovae(datasets.des_dovekie()),
        {"Omega_m": Published(0.330, 0.015, 0.015)},
    ),
}


def draw(row: Row, seed: int) -> cf.Chain:
    """Warm up and sample."""
    key_warmup, key_run = jr.split(jr.key(seed))
    posterior = cf.Posterior(cf.Prior(row.prior), row.likelihood())
    target, sampler, start = cf.warmup(posterior, num_chains=NUM_CHAINS, key=key_warmup)
    chain = cf.sample(target, sampler, num_draws=NUM_DRAWS, num_chains=NUM_CHAINS, position=start, key=key_run)
    chain.attributes["sampler"] = type(sampler).__name__
    return chain


def marginal(chain: cf.Chain, name: str) -> dict[str, float | list[float]]:
    """Mean, standard deviation and GetDist's 68 % interval, which papers quote; open ends are those of the prior."""
    samples: Any = chain.to_getdist([name])
    samples.setRanges({name: BOUNDS.get(name, (None, None))})
    samples.updateBaseStatistics()
    limits = samples.getMargeStats().parWithName(name).limits[0]
    draws = chain.posterior[name]
    return {
        "mean": float(draws.mean()),
        "sd": float(draws.std()),
        "interval": [float(limits.lower), float(limits.upper)],
        "upper_68": float(np.quantile(draws, 0.68)),
    }


def measure(name: str, seed: int) -> None:
    """Sample one row; write its numbers and its figure."""
    row = ROWS[name]
    start = time.perf_counter()
    chain = draw(row, seed)
    varied = [name for name, draws in chain.posterior.items() if np.ptp(draws) > 0]
    summary = cf.summarize(chain, varied)
    record = {
        "title": row.title,
        "source": row.source,
        "sampler": chain.attributes["sampler"],
        "num_chains": NUM_CHAINS,
        "num_draws": NUM_DRAWS,
        "seed": seed,
        "smallest_ess": round(summary.ess),
        "largest_rhat": max(r.convergence.rhat for r in summary.parameters),
        "seconds": round(time.perf_counter() - start, 1),
        "version": version("cosmoflow"),
        "parameters": {name: marginal(chain, name) for name in varied},
        "published": {k: [p.value, p.lower, p.upper] for k, p in row.published.items()},
        "reference": dict(row.reference),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    truth = {name: published.value for name, published in row.published.items() if published.upper}
    cf.corner(chain, varied, truth=truth).savefig(FOLDER / f"{name}.png", dpi=110, bbox_inches="tight")
    print(f"{name}: {record['sampler']}, ESS {record['smallest_ess']}, {record['seconds']} s", flush=True)


HEAD = """# Published posteriors, sampled again

Warm-up and samplers of this package on data whose posteriors papers have published;
`python scripts/figures/published_posteriors.py` does it all again. Priors are the papers': Ω_m in [0.01, 0.99],
h r_d in [10, 1000] Mpc or h in [0.2, 1] and ω_b in [0.005, 0.1], and (w0, wa) uniform by area on w0 in [-3, 1],
wa in [-3, 2], w0 + wa < 0. Errors are 68 % intervals by GetDist around the mean. A difference is that of the means
over the published error; of a limit, that of the 68 % limits over the standard deviation found. With the CMB, r_d is
computed, one neutrino has 0.06 eV, and only (θ*, ω_b, ω_bc) of the CMB is used; where the paper used all of it,
"others" is what the same compressed data gave elsewhere.

| data, model | parameter | published | others | found | difference [σ] | width found / published | ESS |
|---|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The table of all rows that were measured, and their figures."""
    lines, figures = [], []
    for name in ROWS:
        path = FOLDER / f"{name}.json"
        if not path.exists():
            continue
        record = json.loads(path.read_text())
        for parameter, (value, lower, upper) in record["published"].items():
            found = record["parameters"][parameter]
            mean, (low, high) = found["mean"], found["interval"]
            if upper:
                text = f"{mean:.4g} +{high - mean:.2g} −{mean - low:.2g}"
                difference = (mean - value) / (upper if mean > value else lower)
                width = f"{(high - low) / (lower + upper):.2f}"
            else:
                text, width = f"< {high:.4g}", "—"
                difference = (high - value) / found["sd"]
            others = record["reference"].get(parameter, "—")
            lines.append(
                f"| {record['title']} ({record['source']}) | {parameter} | {Published(value, lower, upper)} | {others} "
                f"| {text} | {difference:+.2f} | {width} | {record['smallest_ess']} |\n"
            )
        figures.append(
            f"\n## {record['title']}\n\n"
            f"{record['sampler']}, {record['num_chains']} chains of {record['num_draws']} draws after warm-up, "
            f"R-hat at most {record['largest_rhat']:.4f}. Dashed lines: published means.\n\n"
            f"![Marginals of {record['title']}](published_posteriors/{name}.png)\n"
        )
    return HEAD + "".join(lines) + "".join(figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sample published posteriors again.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all by default")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.rows if name not in ROWS]
    if unknown:
        parser.error(f"There is no row {unknown[0]!r}; the rows are {', '.join(ROWS)}.")
    jax.config.update("jax_enable_x64", True)
    for name in arguments.rows or ROWS:
        measure(name, arguments.seed)
    (FOLDER.parent / "published_posteriors.md").write_text(page())
