"""What a run leaves beside its chain."""

import equinox as eqx
import jax
import jax.numpy as jnp

from .._types import Parameters
from ..chains import Chain
from ..config import build_likelihood
from ..diagnostics import is_field, summarize, summarize_fields
from ..likelihoods import JointLikelihood
from ._evidence import Evidence
from ._figures import save_figures
from ._run import Run
from ._varying import varying


def report(chain: Chain, run: Run) -> None:
    """Print the tables of a chain; write them and the figures beside the chain."""
    lines = [str(summarize(chain, varying(chain)))]
    if is_field(chain):
        lines.append(f"\n{summarize_fields(chain)}")
    if set(run.posterior.prior.names) <= chain.posterior.keys():
        lines += best_fit(chain, build_likelihood(run.config))
    if found := Evidence.from_attributes(chain.attributes):
        lines.append(str(found))
    text = "\n".join(lines)
    run.say(text)
    output = run.config.output
    output.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    try:
        save_figures(chain, output.with_suffix(".png"))
    except (ImportError, ValueError) as error:
        run.say(f"No corner plot: {error}")


def best_fit(chain: Chain, likelihood: JointLikelihood) -> list[str]:
    """chi^2 of each Gaussian likelihood at the draw of highest likelihood, if there is one."""
    draws = {name: jnp.asarray(values.reshape(-1, *values.shape[2:])) for name, values in chain.posterior.items()}
    chi2 = {name: float(value) for name, value in _smallest_chi2(likelihood, draws).items()}
    each = ", ".join(f"{name} {value:.2f}" for name, value in chi2.items())
    return [f"chi^2 at the best draw {sum(chi2.values()):.2f}: {each}"] if chi2 else []


@eqx.filter_jit
def _smallest_chi2(likelihood: JointLikelihood, draws: Parameters) -> Parameters:
    log_likelihood = jax.lax.map(likelihood.log_likelihood, draws, batch_size=1024)
    best = jnp.argmax(jnp.where(jnp.isnan(log_likelihood), -jnp.inf, log_likelihood))
    return likelihood.chi2({name: values[best] for name, values in draws.items()})
