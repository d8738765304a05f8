"""The samplers of other packages, at their best documented settings, by their names in the grid."""

from collections.abc import Callable

from samplers_outcome import Sampler
from samplers_targets import Problem


def sampler(name: str, problem: Problem) -> Sampler:
    """A rival by its name."""
    if name.startswith("pdmp_jax_"):
        from samplers_pdmp_jax import process

        return process(name.removeprefix("pdmp_jax_"), problem)
    from samplers_ensembles import emcee_stretch, meads
    from samplers_mclmc import adjusted_mclmc, mclmc, mclmc_low_rank
    from samplers_nuts import blackjax_nuts, numpyro_nuts

    rivals: dict[str, Callable[[Problem], Sampler]] = {
        "blackjax_nuts": lambda problem: blackjax_nuts(problem, dense=False),
        "blackjax_nuts_dense": lambda problem: blackjax_nuts(problem, dense=True),
        "blackjax_mclmc": mclmc,
        "blackjax_mclmc_low_rank": mclmc_low_rank,
        "blackjax_adjusted_mclmc": adjusted_mclmc,
        "blackjax_meads": meads,
        "numpyro_nuts": numpyro_nuts,
        "emcee": emcee_stretch,
    }
    return rivals[name](problem)
