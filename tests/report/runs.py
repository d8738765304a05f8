"""Runs to report on, made without sampling."""

import json

import numpy as np

from cosmoflow.chains import Chain

CONFIGURATION = """
[likelihood.desi_dr2_bao]
sound_horizon = "free"
radiation = false
[likelihood.union3]
absolute_magnitude = "marginalized"
radiation = false
[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "uniform", low = 10.0, high = 1000.0 }
w0 = { distribution = "delta", value = -1.0 }
[flow]
kinetic = "fixed"
[sampler]
kind = "zig_zag"
[run]
output = "run.h5"
"""


def made(seed=0, configuration=CONFIGURATION, num_draws=400, **attributes):
    """A chain as a run of the zig-zag process leaves it."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(2, 4, num_draws))
    posterior = {
        "Omega_m": 0.30 + 0.01 * z[0],
        "h_r_d": 101.5 - 0.6 * z[0] + 0.3 * z[1],
        "w0": np.full_like(z[0], -1.0),
    }
    count = np.ones(z.shape[1:], int)
    stats = {
        "lp": -0.5 * (z**2).sum(axis=0),
        "squared_norm": (z**2).sum(axis=0),
        "num_gradients": 9 * count,
        "num_densities": count,
        "num_events": 2 * count,
        "num_violations": (rng.random(count.shape) < 0.002).astype(int),
    }
    given = {"configuration": configuration, "configuration_file": "run.toml", "seed": "1", "commit": "0123abc"}
    given |= {"libraries": json.dumps({"numpy": "2.0"}), "log_evidence": "-20.1", "log_evidence_error": "0.01"}
    given |= {"importance_ess_fraction": "0.8", "importance_pareto_k": "0.3", "warmup_gradients": "1000"}
    return Chain(posterior, stats, {name: text for name, text in (given | attributes).items() if text is not None})
