"""Training alone, and a chain drawn from the flow afterwards."""

import jax
import pytest

from cosmoflow.chains import Chain
from cosmoflow.diagnostics import FlowEvidence

FLOW = """
[flow]
num_steps = 2
width = 8
depth = 1
[training]
num_steps = 200
num_samples = 32
"""


@pytest.fixture
def with_flow(folder):
    config = folder / "bao.toml"
    config.write_text(config.read_text() + FLOW)
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to integer powers
        yield


@pytest.mark.slow
def test_fit_then_sample(with_flow, folder, cosmoflow):
    trained = cosmoflow("fit", "bao.toml")
    assert trained.code == 0 and trained.err == "", trained
    assert "log evidence" in trained.out and "importance ESS fraction" in trained.out and "Pareto k " in trained.out
    assert cosmoflow("fit", "bao.toml").is_one_sentence("bao.h5", "--resume", "--force")
    assert cosmoflow("summarize", "bao.h5").is_one_sentence("bao.h5", "no draws")

    watched = cosmoflow("watch", "bao.h5", "--once")
    assert watched.code == 75 and "The flow is trained." in watched.out and "process ended" not in watched.out

    drawn = cosmoflow("sample", "bao.toml", "--resume")
    assert drawn.code == 0 and drawn.err == "", drawn
    evidence = next(line for line in trained.out.splitlines() if line.startswith("log evidence"))
    assert drawn.out.count(evidence) == 2 and evidence in (folder / "bao.txt").read_text()
    chain = Chain.from_file(folder / "bao.h5")
    assert set(chain.posterior) == {"Omega_m", "h_r_d"}
    assert str(FlowEvidence.from_attributes(chain.attributes)).startswith(evidence)

    assert cosmoflow("fit", "bao.toml", "--resume").code == 0
    watched = cosmoflow("watch", "bao.h5", "--once")
    assert watched.code == 0 and "The run is complete." in watched.out, watched
