"""The page holds what it should, and asks for nothing from elsewhere."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from report.runs import CONFIGURATION, made

from cosmoflow._results import Status
from cosmoflow.chains import Chain
from cosmoflow.report import Subject, page

pytest.importorskip("getdist")

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Elements of a page: where they are, what they refer to, and the text of each section and table."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.images, self.names = [], [], [], [], set()
        self.sections, self.cells, self.style, self.unclosed = {}, [], "", False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.names.add(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        self.images += [given] if tag == "img" else []
        assert not given.keys() & {"srcset", "onload", "data", "background"} and "url" not in given.get("style", "")
        if tag not in VOID:
            self.open.append((tag, given.get("id")))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        tags = [tag for tag, _ in self.open]
        if "style" in tags:
            self.style += data
        if "td" in tags or ("th" in tags and "tbody" in tags):
            self.cells.append(data)
        for tag, name in self.open:
            if tag == "section":
                self.sections[name] = self.sections.get(name, "") + data


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    chain, other = made(), made(seed=1)
    path = tmp_path_factory.mktemp("run") / "run.h5"
    chain.save(path)
    text = page(Subject(path, chain, {"again": other}))
    return chain, text, Reader(text)


def test_nothing_is_asked_from_elsewhere(run):
    _, text, read = run
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in read.images)
    assert all(image["alt"] for image in read.images) and len(read.images) > 10
    assert all(
        link.startswith(("#", "https://arxiv.org/", "https://doi.org/", "https://github.com/")) for link in read.links
    )
    assert not read.names & {"script", "link", "iframe", "object", "embed", "video", "form", "base"}
    assert not re.search(r"url\(|@import|@font-face", read.style)
    assert len(text) < 3_000_000


def test_every_element_is_closed_and_every_address_is_there(run):
    _, text, read = run
    assert read.open == [] and len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    assert text.startswith("<!DOCTYPE html>\n<html") and 'name="viewport"' in text
    assert "@media print" in read.style and "@media (max-width" in read.style


def test_sections(run):
    _, _, read = run
    assert list(read.sections) == [
        "parameters",
        "marginals",
        "data",
        "evidence",
        "comparison",
        "convergence",
        "sampler",
        "configuration",
        "provenance",
        "citations",
    ]
    assert "-20.1000 ± 0.0100" in read.sections["evidence"]
    assert "0123abc" in read.sections["provenance"] and "numpy 2.0" in read.sections["provenance"]
    assert "bound violations" in read.sections["sampler"] and "zig_zag" in read.sections["sampler"]
    assert read.sections["configuration"].strip().endswith(CONFIGURATION.strip())
    assert "@article{Bierkens2019," in read.sections["citations"]


def test_numbers_are_those_of_the_chain(run):
    chain, text, read = run
    assert "Not converged." not in text
    draws = chain.posterior["Omega_m"]
    assert f"{draws.mean():.5f}"[:6] in " ".join(read.cells)
    (chi2,) = re.findall(r"Rubin202322(\d+\.\d\d)", read.sections["data"], re.DOTALL)
    assert 20 < float(chi2) < 40  # 21 differences of magnitudes
    assert "w0" not in read.cells  # it does not vary
    assert "all35" in read.sections["data"].replace("\n", "")


def test_a_chain_of_another_program(saved):
    rng = np.random.default_rng(0)
    notes = "<script>alert('x')</script> & more"
    chain = Chain({"a<b": rng.normal(size=(2, 200))}, {}, {"imported_from": "emcee", "import_notes": notes})
    path = saved(Chain({"a": chain.posterior["a<b"]}, {}, chain.attributes))
    read = Reader(page(Subject(path, chain, {})))
    assert {"parameters", "marginals", "convergence", "provenance"} <= read.sections.keys()
    assert not {"evidence", "comparison", "field"} & read.sections.keys()
    assert notes in read.sections["provenance"] and "script" not in read.names
    assert "no configuration" in read.sections["data"]


@pytest.mark.slow
def test_data_that_are_not_there(saved):
    text = CONFIGURATION.replace(
        "[likelihood.union3]", "[likelihood.mine]\nobservable = 'distance_modulus'\nvalues = 'gone.txt'"
    )
    chain = made(configuration=text)
    read = Reader(page(Subject(saved(chain), chain, {})))
    assert "chi² is not known" in read.sections["data"] and "no file gone.txt" in read.sections["data"]


def test_others_that_share_nothing(saved):
    chain = made()
    other = Chain({"x": np.random.default_rng(0).normal(size=(2, 100))})
    read = Reader(page(Subject(saved(chain), chain, {"other": other})))
    assert "other shares no parameter with this run." in read.sections["comparison"]


def test_what_speaks_against_another_run(saved):
    chain, other = made(), made(seed=1)
    other.posterior["Omega_m"][0] += 0.05
    rough = replace(other, status=Status.DIVERGENCES)
    found = Reader(page(Subject(saved(chain), chain, {"sound": made(seed=2), "rough": rough}))).sections["comparison"]
    assert f"rough: {Status.DIVERGENCES.value} Not converged: Omega_m." in found and "sound:" not in found


def test_chains_that_do_not_agree(saved):
    chain = made()
    chain.posterior["Omega_m"][0] += 0.05
    text = page(Subject(saved(chain), chain, {}, ["Omega_m"]))
    read = Reader(text)
    assert "Not all have R-hat below 1.01" in read.sections["convergence"]
    assert "Not converged." in text.partition("<main>")[0]
    traced = [image["alt"].split()[0] for image in read.images if "of each draw" in image["alt"]]
    assert "Omega_m" in traced and "h_r_d" not in traced
    with pytest.raises(ValueError, match="no parameter 'h'"):
        page(Subject(saved(chain, "b.h5"), chain, {}, ["h"]))
