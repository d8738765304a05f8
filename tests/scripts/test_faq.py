"""The page of errors is that of the sources, and every error says what to do."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "faq.py"


@pytest.fixture(scope="module")
def faq():
    spec = importlib.util.spec_from_file_location("faq", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(faq):
    assert faq.PAGE.read_text(encoding="utf-8") == faq.page(), "run scripts/faq.py"


def test_every_error_says_what_to_do(faq):
    sentences = faq.sentences()
    assert len(sentences) > 150 and {s.kind for s in sentences} >= {"ConfigError", "DataError", "StoreError", "refusal"}
    passed_on = ("{error}", "{reason}")  # which have hints of their own
    without = [
        s for s in sentences if not s.hint and " needs " not in f" {s.problem}" and not s.problem.endswith(passed_on)
    ]
    assert without == []


def test_a_sentence_is_read_as_it_is_said(faq):
    found = {sentence.problem: sentence.hint for sentence in faq.sentences()}
    assert found["{path} already holds a run"] == "go on with --resume, or replace it with --force"
    assert (
        found["has {key} = {context}, which is not known"] == "the nearest known is {close}, or choose one of {names}"
    )
