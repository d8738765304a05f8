"""References: each is whole, each is used, and data and samplers cite what their documentation cites."""

import inspect
import re
from pathlib import Path

import pytest
from report.runs import made

from cosmoflow import samplers
from cosmoflow.config._build_sampler import _CONSTRUCTORS
from cosmoflow.config._likelihoods import LIKELIHOODS
from cosmoflow.report import Subject, bibliography, relied_on
from cosmoflow.report._citations import DATA, FLOWS, LIBRARIES, SAMPLERS, TRANSPORT, _theory
from cosmoflow.report._subject import CHOICES
from cosmoflow.warmup._auto import _CANDIDATES

ROOT = Path(__file__).parents[2]
KNOWN = bibliography()
THEORY = [
    {"transfer": "emu_pk", "nonlinear": True},
    {"transfer": "eisenstein_hu", "nonlinear": True},
    {"emulator": "cosmopower"},
    {"sound_horizon": "computed"},
    {"field": "a.h5"},
]


def eprints(keys):
    return {KNOWN[key].fields["eprint"] for key in keys if "eprint" in KNOWN[key].fields}


def test_entries_are_whole():
    text = (ROOT / "cosmoflow" / "report" / "references.bib").read_text(encoding="utf-8")
    assert len(KNOWN) == len(re.findall(r"^@", text, re.MULTILINE))
    for key, entry in KNOWN.items():
        assert {"author", "title"} <= entry.fields.keys(), key
        assert entry.bibtex.count("{") == entry.bibtex.count("}"), key
        assert not set("{}\\$") & set(entry.text), entry.text
        if "eprint" in entry.fields:
            assert re.fullmatch(r"\d{4}\.\d{4,5}|astro-ph/\d{7}", entry.fields["eprint"]), key
    assert len(eprints(KNOWN)) == sum("eprint" in entry.fields for entry in KNOWN.values())


def test_every_entry_is_used_and_every_key_is_known():
    used = {"cosmoflow", "flowjax", "optax", *LIBRARIES, *TRANSPORT}
    for table in (DATA, SAMPLERS, FLOWS):
        used |= {key for keys in table.values() for key in keys}
    used |= {key for table in THEORY for key in _theory(table)}
    assert used == set(KNOWN)


def test_every_set_sampler_and_choice_is_cited():
    assert DATA.keys() == LIKELIHOODS.keys() - {"gaussian_mixture"}
    assert SAMPLERS.keys() == _CONSTRUCTORS.keys() | {"global_and_local"}
    assert set(CHOICES) == set(_CANDIDATES)


@pytest.mark.parametrize("name", [name for name in DATA if (ROOT / "data" / name).is_dir()])
def test_shipped_sets_cite_what_their_readme_cites(name):
    readme = (ROOT / "data" / name / "README.md").read_text(encoding="utf-8")
    citation = readme.partition("**Citation.**")[2].partition("\n\n")[0]
    assert set(re.findall(r"arXiv:(\d{4}\.\d{4,5})", citation)) == eprints(DATA[name])


@pytest.mark.parametrize("kind", sorted(SAMPLERS.keys() - {"mixture", "tempering", "global_and_local"}))
def test_samplers_cite_what_their_docstring_cites(kind):
    names = {name.lower(): name for name in dir(samplers)}
    documentation = inspect.getdoc(getattr(samplers, names[kind.replace("_", "")]))
    assert set(re.findall(r"arXiv:(\d{4}\.\d{4,5})", documentation)) == eprints(SAMPLERS[kind])


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (
            "Wu2020",
            "Wu & Robert 2020, Coordinate sampler: a non-reversible Gibbs-like MCMC sampler, Stat. Comput. 30 721",
        ),
        (
            "Rubin2023",
            "Rubin et al. 2023, Union Through UNITY: Cosmology with 2,000 SNe Using a Unified Bayesian Framework",
        ),
        ("flowjax", "Ward, FlowJAX: Distributions and Normalizing Flows in JAX"),
    ],
)
def test_references_as_text(key, text):
    assert KNOWN[key].text == text


def test_accents():
    assert KNOWN["Michel2020"].text.startswith("Michel, Durmus & Sénécal 2020")
    assert KNOWN["BouchardCote2018"].text.startswith("Bouchard-Côté, Vollmer & Doucet")
    assert "Aubourg" in KNOWN["Aubourg2015"].text and KNOWN["Schoeneberg2024"].text.startswith("Schöneberg 2024")


def test_what_a_run_relied_on(tmp_path):
    def keys(**changes):
        found = relied_on(Subject(tmp_path / "run.h5", made(**changes), {}))
        return {purpose: set(keys) for purpose, keys in found.items()}

    found = keys()
    assert found["Data"] == {"DESI2025DR2II", "DESI2025DR2I", "Rubin2023"} and found["Sampler"] == {"Bierkens2019"}
    assert "Souveton2024" in found["Flow"] and "Theory" not in found
    bare = keys(configuration=None)
    assert bare.keys() == {"Software", "Libraries and diagnostics"}
    chosen = made()
    text = chosen.attributes["configuration"].replace("zig_zag", "auto").replace('[flow]\nkinetic = "fixed"', "")
    steps = '[{"step": "langevin", "sampler": "Langevin", "efficiency": 0.1, "gradients": 1},'
    steps += ' {"step": "hybrid_splitting", "sampler": "HybridSplitting", "efficiency": 0.2, "gradients": 1}]'
    found = keys(configuration=text, warmup=steps)
    assert found["Sampler"] == set(SAMPLERS["hybrid_splitting"]) and "Flow" not in found
