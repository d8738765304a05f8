"""What a run leaves beside its chain."""

from ..chains import Chain
from ..diagnostics import FlowEvidence, best_draw, is_field, summarize, summarize_fields, varying
from ..likelihoods import JointLikelihood
from ._figures import save_figures
from ._run import Run


def leave(chain: Chain, run: Run) -> None:
    """Print the tables of a chain; write them and the figures beside the chain."""
    lines = [str(summarize(chain, varying(chain)))]
    if is_field(chain):
        lines.append(f"\n{summarize_fields(chain)}")
    lines += best_fit(chain, run)
    if found := FlowEvidence.from_attributes(chain.attributes):
        lines.append(str(found))
    text = "\n".join(lines)
    run.say(text)
    output = run.config.output
    output.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    try:
        save_figures(chain, output.with_suffix(".png"))
    except (ImportError, ValueError) as error:
        run.say(f"No corner plot: {error}")


def best_fit(chain: Chain, run: Run) -> list[str]:
    """chi^2 of each Gaussian likelihood at the draw of highest likelihood, where the chain holds all parameters."""
    likelihood = run.posterior.likelihood
    if not isinstance(likelihood, JointLikelihood) or not set(run.posterior.prior.names) <= chain.posterior.keys():
        return []
    chi2 = best_draw(chain, likelihood).chi2
    each = ", ".join(f"{name} {value:.2f}" for name, value in chi2.items())
    return [f"chi^2 at the best draw {sum(chi2.values()):.2f}: {each}"] if chi2 else []
