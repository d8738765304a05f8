"""What a trained flow knows of the evidence."""

import numpy as np

from .._progress import stage
from .._results import RunError, Status
from .._types import Key
from .._verdict import NON_FINITE_BUDGET
from ..chains import ChainStore
from ..diagnostics import FlowEvidence
from ..flows import HamiltonianFlow, importance_sample
from ..targets import AbstractTarget

_STAGE = "evidence"
NUM_SAMPLES = 10_000
NUM_MOMENTA = 4


def evidence(flow: HamiltonianFlow, target: AbstractTarget, *, key: Key, store: ChainStore) -> FlowEvidence:
    """Importance-sample a target by a flow, or read from the store what came of it; noted in the chain's attributes."""
    saved = store.load_stage(_STAGE)
    if saved is None:
        with stage(_STAGE, visible=False, run=store.path):
            sampled = importance_sample(flow, target, num_samples=NUM_SAMPLES, num_momenta=NUM_MOMENTA, key=key)
            if sampled.num_non_finite > NON_FINITE_BUDGET * NUM_SAMPLES:
                raise RunError(Status.NON_FINITE)
        found = FlowEvidence(
            float(sampled.log_evidence),
            float(sampled.log_evidence_error),
            float(sampled.ess_fraction),
            float(sampled.pareto_k),
        )
        store.save_stage(_STAGE, {name: np.asarray(value) for name, value in found._asdict().items()})
    else:
        arrays, _ = saved
        found = FlowEvidence(*(float(arrays[name]) for name in FlowEvidence._fields))
    store.annotate({name: repr(value) for name, value in found._asdict().items()})
    return found
