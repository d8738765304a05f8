"""The configuration file of a run: what it may hold, and what is built from it."""

from ._build import build_flow as build_flow
from ._build import build_likelihood as build_likelihood
from ._build import build_posterior as build_posterior
from ._build import build_record as build_record
from ._build import prior_bounds as prior_bounds
from ._build_sampler import build_sampler as build_sampler
from ._errors import ConfigError as ConfigError
from ._identity import identity as identity
from ._json_schema import json_schema as json_schema
from ._load import load as load
from ._load import loads as loads
from ._schema import Config as Config
from ._schema import FlowTable as FlowTable
from ._starter import PROBES as PROBES
from ._starter import starter as starter
from ._toml import resolved_toml as resolved_toml
