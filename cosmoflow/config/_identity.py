"""What makes a run the run it is."""

import json
from typing import Any

import jax.numpy as jnp

from ..chains import digest
from ._build import build_likelihood
from ._likelihoods import FILES
from ._priors import parameter_names
from ._python import PythonTable, source_digest
from ._schema import Config

_OPERATION = {
    "num_draws", "chunk", "commit_seconds", "commit_bytes", "max_time", "until_ess", "until_rhat", "output", "devices",
}  # fmt: skip
_FILES = ("values", "covariance", "mask", *FILES)
_LAYOUT = ("slabs", "halo")
_LEFT_OUT = {
    "run": _OPERATION | {"block", "precision"},
    "likelihood": {"__all__": dict.fromkeys((*_FILES, *_LAYOUT), True) | {"model": {"power": {"values", "sources"}}}},
}


def identity(config: Config) -> dict[str, Any]:
    """All that determines the draws: the tables, the data and the precision.

    Left out is what may change when a run is resumed: how many draws, until when, how often committed, and where to;
    and where data and fields lie, of which the content counts. The precision stands by itself, and blocks of chains in
    the identity of the sampling.
    """
    tables = config.model_dump(exclude=_LEFT_OUT)
    likelihood = build_likelihood(config)
    data = {name: digest(member) for name, member in zip(likelihood.names, likelihood.members, strict=True)}
    code = {
        name: source_digest(table.python) for name, table in config.likelihood.items() if isinstance(table, PythonTable)
    }
    order = [name for key in config.prior for name in parameter_names(key)]
    return {
        "configuration": json.loads(json.dumps(tables)),
        "data": data,
        **({"code": code} if code else {}),
        "parameters": order,
        "precision": str(jnp.result_type(float)),
    }
