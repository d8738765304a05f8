"""The page docs/report.md: its example runs, and it names all sections and figures there are."""

import re
from inspect import isfunction
from pathlib import Path

import cosmoflow as cf
from cosmoflow.report._page import SECTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")


def test_the_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    exec(code, {})
    assert (tmp_path / "paths.pdf").stat().st_size > 3000


def test_what_is_listed():
    assert re.findall(r"^\| ([A-Z][\w ]+?) \|", PAGE, re.MULTILINE) == [title for title, _ in SECTIONS.values()]
    named = set(re.findall(r"`(\w+)\(", PAGE))
    figures = {name for name, made in vars(cf.plotting).items() if isfunction(made)}
    assert named == figures - {"field_maps", "field_power", "field_coherence", "field_modes"}
