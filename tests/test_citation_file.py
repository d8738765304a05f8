"""CITATION.cff says of the package what the package says of itself."""

import tomllib
from pathlib import Path

import yaml

import cosmoflow
from cosmoflow.report import bibliography

ROOT = Path(__file__).parents[1]


def test_it_agrees_with_the_package():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["version"] == project["version"] == cosmoflow.__version__
    assert cited["license"] == project["license"] and cited["keywords"] == project["keywords"]
    assert cited["authors"] == project["authors"]
    assert {"cff-version", "message", "title", "type"} <= cited.keys()
    assert cited["title"] == bibliography()["cosmoflow"].fields["title"]


def test_its_references_are_those_of_reports():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    titles = {reference.fields["title"] for reference in bibliography().values()}
    for reference in cited["references"]:
        assert {"type", "title", "authors", "year"} <= reference.keys()
        assert reference["title"] in titles
