"""The schema for editors says yes where `load` does, and no to what one mistypes."""

import copy
import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from cosmoflow.config import PROBES, json_schema, starter

CONFIGS = sorted((Path(__file__).parents[2] / "scripts" / "configs").glob("*.toml"))


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(json.dumps(json_schema(), allow_nan=False))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_worked_configurations(validator, path):
    validator.validate(tomllib.loads(path.read_text()))


@pytest.mark.parametrize("name", PROBES)
def test_starters(validator, name):
    validator.validate(tomllib.loads(starter([name], "a.toml")))


GOOD = tomllib.loads("""
[likelihood.desi_dr2_bao]
tracers = ["LRG1"]
[likelihood.mine]
observable = "hubble_rate"
values = "mine.txt"
[likelihood.ladder]
python = "ladder:log_likelihood"
options = { mean = 73.04, sd = [1.04] }
[prior]
Omega_m = { distribution = "uniform", low = 0, high = 1.0 }
h = { distribution = "truncated_normal", mean = 0.7, sd = 0.1, low = 0.4 }
"w0, wa" = { distribution = "uniform_polygon", vertices = [[-3, -3], [1, -3], [-3, 1]] }
[sampler]
kind = "tempering"
[sampler.inner]
kind = "ghmc"
[record]
h = { keep = false }
[run]
num_draws = 100
""")

MISTAKES = {
    "unknown table": (("runn",), {}),
    "unknown key": (("run", "num_draw"), 3),
    "unknown set without a file": (("likelihood", "desi_dr3_bao"), {}),
    "unknown option": (("likelihood", "desi_dr2_bao", "soundhorizon"), "free"),
    "unknown value": (("likelihood", "desi_dr2_bao", "sound_horizon"), "fre"),
    "unknown observable": (("likelihood", "mine", "observable"), "hubble"),
    "unknown distribution": (("prior", "h", "distribution"), "gauss"),
    "unknown sampler": (("sampler", "kind"), "zigzag"),
    "no number": (("prior", "Omega_m", "low"), "0"),
    "out of range": (("run", "num_chains"), 0),
    "no data": (("likelihood",), {}),
}


def test_a_configuration_of_many_parts(validator):
    validator.validate(GOOD)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(validator, mistake):
    (*path, last), value = MISTAKES[mistake]
    table = copy.deepcopy(GOOD)
    there = table
    for key in path:
        there = there[key]
    there[last] = value
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(table)
