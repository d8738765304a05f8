"""What is said of the evidence, and read back from a chain."""

import pytest

from cosmoflow.diagnostics import FlowEvidence


@pytest.mark.parametrize(("k", "warned"), [(-0.1, False), (0.69, False), (0.71, True), (float("inf"), True)])
def test_a_heavy_tail_is_warned_of_in_one_sentence(k, warned):
    first, *rest = str(FlowEvidence(-3.0, 0.01, 0.8, k)).splitlines()
    assert first == f"log evidence -3.0000 +- 0.0100, importance ESS fraction 0.800, Pareto k {k:.2f}"
    assert len(rest) == warned
    assert not rest or (rest[0].startswith("A Pareto k above 0.7 says") and rest[0].endswith("."))


def test_it_is_read_back_from_a_chain():
    found = FlowEvidence(-3.0, 0.01, 0.8, 0.3)
    attributes = {name: repr(value) for name, value in found._asdict().items()}
    assert FlowEvidence.from_attributes(attributes) == found
    assert FlowEvidence.from_attributes({"seed": "0"}) is None


def test_a_chain_that_does_not_know_its_tail():
    attributes = {"log_evidence": "-3.0", "log_evidence_error": "0.01", "importance_ess_fraction": "0.8"}
    assert str(FlowEvidence.from_attributes(attributes)).endswith("Pareto k nan")
