import json
import math

import numpy as np
import pytest

from cosmoflow._results import Status
from cosmoflow.chains import Chain
from cosmoflow.diagnostics import cost, rounded, summarize


def make(**changes) -> Chain:
    rng = np.random.default_rng(0)
    shape = (4, 2000)
    sample_stats = {
        "lp": rng.normal(size=shape) - 10,
        "squared_norm": rng.chisquare(3, size=shape),
        "energy": rng.normal(size=shape),
        "num_gradients": np.full(shape, 5),
        "num_densities": np.full(shape, 3),
        "diverging": rng.uniform(size=shape) < 0.01,
        "num_violations": np.zeros(shape, int),
        "non_finite": np.zeros(shape, int),
    }
    posterior = {"Omega_m": 0.3 + 0.01 * rng.normal(size=shape), "w": rng.normal(size=(*shape, 2))}
    return Chain(
        posterior | changes.pop("posterior", {}),
        sample_stats,
        {"sampling_seconds": 4.0, "warmup_gradients": "1000"},
        Status.SUCCESSFUL,
    )


def test_cost():
    chain = make()
    spent = cost(chain)
    assert (spent.gradients, spent.densities, spent.directional_derivatives) == (40_000, 24_000, 0)
    assert spent.sampling == 48_000
    assert spent.total == 49_000
    assert spent.seconds == 4.0
    more = Chain(chain.posterior, {"num_directional_derivatives": np.full((4, 2000), 2)})
    assert cost(more).sampling == 8000
    assert math.isnan(cost(more).seconds)


def test_what_is_not_known_of_the_cost_is_not_said():
    chain = make()
    assert "Cost 48,000 gradients of sampling, 1,000 of warm-up\n" in f"{summarize(chain)}\n"
    alone = summarize(Chain(chain.posterior, chain.sample_stats))
    assert f"{alone.cost}" == "48,000 gradients of sampling"
    assert math.isnan(alone.ess_per_1000_gradients_in_all)


def test_rows():
    summary = summarize(make())
    assert [row.name for row in summary.parameters] == ["Omega_m", "w[0]", "w[1]"]
    assert [row.name for row in summary.statistics] == ["lp", "squared_norm", "energy"]
    row = summary.parameters[0]
    assert row.mean == pytest.approx(0.3, abs=1e-3)
    assert row.sd == pytest.approx(0.01, rel=0.05)
    assert row.q05 < row.q16 < row.q50 < row.q84 < row.q95
    assert row.converged
    assert summary.not_converged == ()
    assert summary.ess_per_1000_gradients == pytest.approx(summary.ess / 48)
    assert summary.ess_per_1000_gradients_in_all == pytest.approx(summary.ess / 49)
    assert summary.rates == {}
    assert summary.frozen == ()
    assert summary.ess_per_second == pytest.approx(summary.ess / 4)
    assert summary.counts["bound violations"] == 0
    assert summary.counts["divergences"] > 0


def test_rates_of_events():
    shape = (4, 2000)
    counts = {"num_events": 2, "num_refreshments": 1, "num_bounds": 7, "num_candidates": 5, "acceptance_rate": 0.9}
    chain = Chain(make().posterior, {name: np.full(shape, count) for name, count in counts.items()})
    rates = {"events per draw": 2, "refreshments per draw": 1, "bounds per draw": 7, "rejected candidates": 0.6}
    assert summarize(chain).rates == pytest.approx(rates | {"acceptance rate": 0.9})
    assert "7 bounds per draw, 0.6 rejected candidates" in str(summarize(chain))


def test_a_frozen_chain_is_named():
    chain = make()
    for draws in (*chain.posterior.values(), chain.sample_stats["lp"], chain.sample_stats["squared_norm"]):
        draws[2] = draws[2, :1]
    chain.sample_stats["energy"][2] *= 0.01
    summary = summarize(chain)
    assert summary.frozen == (2,)
    assert "HARDLY MOVED: chain 2" in str(summary)


def test_selection():
    assert [row.name for row in summarize(make(), ["w[1]"]).parameters] == ["w[1]"]
    with pytest.raises(ValueError, match="no parameter"):
        summarize(make(), ["h"])


def test_a_constant_parameter_is_named():
    summary = summarize(make(posterior={"h": np.full((4, 2000), 0.7)}))
    assert summary.not_converged == ("h",)
    assert summary.ess == 0
    assert "NOT CONVERGED" in str(summary)


def test_text():
    lines = str(
        summarize(make(posterior={"A_s": 2.1e-9 * (1 + 0.01 * np.random.default_rng(1).normal(size=(4, 2000)))}))
    ).split("\n")
    table = lines[2:10]
    assert len({len(line) for line in table}) == 1
    assert "0.3" in table[2]
    assert next(line for line in table if line.startswith("A_s")).split()[1:3] == ["2.0998e-09", "2.09e-11"]
    assert "per 1000 gradients" in str(lines)
    assert "divergences" in lines[-1]


def test_nothing_is_minus_zero():
    assert rounded(-4e-6, 0.01) == "0.0000" and rounded(-0.0123, 0.01) == "-0.0123"


def test_numbers():
    content = json.loads(json.dumps(summarize(make()).to_dict()))
    assert content["parameters"]["w[0]"]["ess_bulk"] > 1000
    assert list(content["statistics"]) == ["lp", "squared_norm", "energy"]
    assert content["status"] == "SUCCESSFUL"
    assert content["cost"]["sampling"] == 48_000


def test_without_statistics():
    chain = Chain({"x": np.random.default_rng(0).normal(size=(2, 100))})
    summary = summarize(chain)
    assert math.isnan(summary.ess_per_1000_gradients)
    assert "nan" not in str(summary)
