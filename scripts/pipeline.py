"""A pipeline that samples a posterior within a loop of its own: DESI DR2 BAO, flat LCDM.

python scripts/pipeline.py --folder results

A worker thread draws; the main thread looks at the growing chain, stops it when it has seen enough, and resumes it
later for more. All of it happens twice in one process. The library prints nothing, handles no signal and never exits:
that is the pipeline's business.
"""

import argparse
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import jax
import jax.random as jr

import cosmoflow as cf

NUM_CHAINS = 4


def draw(path: Path, seed: int, num_draws: int, stop: Callable[[], bool]) -> cf.Chain:
    """Warm up and sample, or go on where an earlier call was stopped."""
    posterior = cf.Posterior(
        cf.Prior({"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0)}),
        cf.likelihoods.BAO(cf.datasets.desi_dr2_bao()),
    )
    key_warmup, key_run = jr.split(jr.key(seed))
    with cf.ChainStore(path, mode="resume") as store:
        target, sampler, start = cf.warmup(
            posterior, "auto", num_chains=NUM_CHAINS, key=key_warmup, store=store, stop=stop
        )
        return cf.sample(
            target,
            sampler,
            num_draws=num_draws,
            num_chains=NUM_CHAINS,
            position=start,
            key=key_run,
            store=store,
            chunk=100,
            commit_seconds=0.5,
            stop=stop,
        )


def relative_error(path: Path) -> float:
    """The Monte Carlo error of the mean of Omega_m in standard deviations, from what is committed so far."""
    try:
        (row,) = cf.summarize(cf.Chain.from_file(path), ["Omega_m"]).parameters
    except cf.CosmoflowError:  # nothing has been committed yet
        return float("inf")
    return row.convergence.mcse_mean / row.sd


def draw_until(path: Path, seed: int, *, error: float, max_draws: int, interval: float) -> cf.Chain:
    """Draw in a worker thread until the pipeline's own criterion holds."""
    enough = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        drawing = pool.submit(draw, path, seed, max_draws, enough.is_set)
        try:
            while not wait([drawing], timeout=interval).done:
                if relative_error(path) < error:
                    enough.set()
        finally:
            enough.set()
        return drawing.result()


def main(arguments: list[str] | None = None) -> list[str]:
    """Two runs, each stopped by the pipeline and extended afterwards; what there is to say of them."""
    parser = argparse.ArgumentParser(description="Sample a posterior within a loop of one's own.")
    parser.add_argument("--folder", type=Path, default=Path(), help="where the chains go")
    parser.add_argument("--error", type=float, default=0.01, help="wanted error of the mean [standard deviations]")
    parser.add_argument("--max-draws", type=int, default=1_000_000, help="draws per chain at most")
    parser.add_argument("--more", type=int, default=1000, help="draws per chain to add afterwards")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two looks")
    options = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", True)
    options.folder.mkdir(parents=True, exist_ok=True)

    report = []
    for seed in (0, 1):
        path = options.folder / f"run{seed}.h5"
        stopped = draw_until(path, seed, error=options.error, max_draws=options.max_draws, interval=options.interval)
        chain = draw(path, seed, stopped.num_draws + options.more, lambda: False)
        report.append(
            f"{path.name}: {stopped.status.name} after {stopped.num_draws} draws, extended to {chain.num_draws}"
        )
        report.append(str(cf.summarize(chain)))
    return report


if __name__ == "__main__":
    print(*main(), sep="\n")
