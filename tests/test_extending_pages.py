"""What the pages of docs/extending write is complete, runs, and passes the tests that they name."""

import importlib
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

PAGES = Path(__file__).parents[1] / "docs" / "extending"


def names_of(page):
    """What the examples of a page define, run one after the other."""
    names = {"__name__": page}
    source = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    with jax.numpy_dtype_promotion("standard"):
        for code in re.findall(r"^```python\n(.*?)^```", source, re.DOTALL | re.MULTILINE):
            exec(compile(code, f"{page}.md", "exec"), names)
    return names


@pytest.fixture
def registered():
    """A module of tests; what is added to its registry during a test is removed after it."""
    before = []

    def load(module, registry):
        module = importlib.import_module(module)
        entries = getattr(module, registry)
        before.append((entries, dict(entries)))
        return module

    yield load
    for entries, old in before:
        entries.clear()
        entries.update(old)


@pytest.mark.slow
def test_likelihood():
    likelihood = names_of("likelihood")["likelihood"]
    assert likelihood.chi2({"Omega_m": jnp.asarray(0.3)}) < 10


@pytest.mark.slow
def test_sampler(registered):
    registered("samplers.conformance.samplers", "SAMPLERS")
    draws = names_of("sampler")["chain"].posterior["x"]
    np.testing.assert_allclose(draws.mean(axis=(0, 1)), [1.0, -2.0], atol=0.3)
    invariance = importlib.import_module("samplers.conformance.test_invariance")
    for test in (
        invariance.test_exact_draws_stay_exact,
        invariance.test_a_wrong_gradient,
        invariance.test_a_chain_depends_on_nothing_but_its_state,
        invariance.test_one_compilation,
        invariance.test_single_precision_stays_single,
        importlib.import_module("samplers.conformance.test_costs").test_costs,
    ):
        test("random_walk")


@pytest.mark.slow
def test_potential(registered):
    potentials = registered("dynamics.test_potentials", "POTENTIALS")
    first, last = names_of("potential")["history"].validation[[0, -1]]
    assert last < first
    potentials.test_it_starts_close_to_a_harmonic_well_and_everything_is_trained("ridges")
    potentials.test_its_map_is_undone_and_keeps_volume("ridges")


@pytest.mark.slow
def test_generative(registered):
    flows = registered("generative.test_probability_flows", "MODELS")
    losses = registered("generative.test_losses", "CASES")
    names_of("generative")
    flows.test_exact_density("eased")
    flows.test_transport_is_the_affine_map("eased")
    losses.test_the_exact_network_is_where_the_loss_is_flat("eased")
