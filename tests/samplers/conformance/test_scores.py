"""Which samplers take a target that is only a score: those without a test, and none of the others."""

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest
from samplers.conformance.samplers import SAMPLERS

from cosmoflow.samplers import KineticLangevin
from cosmoflow.targets import AbstractScoreTarget, Affine, Pullback


class Swirl(AbstractScoreTarget):
    """A score that is no gradient."""

    dim: int = 2

    def linearised(self, x):
        score = jax.lax.stop_gradient(-x + jnp.stack([-x[1], x[0]]))
        return jnp.dot(score, x - jax.lax.stop_gradient(x))

    def constrain(self, x):
        return {"x": x}


SEEN = {"plain": Swirl(), "pulled back": Pullback(Swirl(), Affine(jnp.ones(2), jnp.eye(2)))}
TAKEN = ("mclmc", "kinetic_langevin")


@pytest.mark.parametrize("how", SEEN)
@pytest.mark.parametrize("name", [*SAMPLERS, "kinetic_langevin"])
def test_scores(name, how):
    sampler = SAMPLERS[name].make() if name in SAMPLERS else KineticLangevin()

    def start():
        return jax.eval_shape(lambda x: sampler.init(SEEN[how], x, key=jr.key(0)), jnp.ones(2))

    if name in TAKEN:
        start()
    else:
        with pytest.raises(ValueError, match="Swirl is only a score and has no density"):
            start()
