"""Tutorials are pages made by running them: what a cell shows, what fails, and that the site has them all."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.py"))
SOURCE = """\
# %% [markdown]
# # A title
#
# Some text.

# %%
from matplotlib.figure import Figure

x = 20
print("printed")
2 * x + 2

# %% [markdown]
# ## A picture

# %%
open("left.txt", "w").close()
figure = Figure(figsize=(1, 1))
figure
"""


@pytest.fixture(scope="module")
def tutorial():
    spec = importlib.util.spec_from_file_location("tutorial", ROOT / "scripts" / "docs" / "tutorial.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(folder, source):
    path = folder / "first.py"
    path.write_text(source, encoding="utf-8")
    return path


def test_a_page_has_text_code_and_what_it_shows(tutorial, tmp_path):
    pytest.importorskip("matplotlib")
    tutorial.page(written(tmp_path, SOURCE), tmp_path / "made")
    page = (tmp_path / "made" / "first.md").read_text(encoding="utf-8")
    assert page.startswith("# A title\n\nSome text.\n\n```python\nfrom matplotlib")
    assert "2 * x + 2\n```\n\n```text\nprinted\n42\n```\n\n## A picture" in page
    assert "![A picture](first/figure-1.png)" in page
    assert (tmp_path / "made" / "first" / "figure-1.png").read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.rglob("left.txt"))


def test_a_tutorial_that_fails_makes_no_page(tutorial, tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(ZeroDivisionError):
        tutorial.page(written(tmp_path, "# %%\n1 / 0\n"), tmp_path / "made")
    assert not (tmp_path / "made").exists()
    with pytest.raises(ValueError, match="begins with '# %%', but this one with 'import this'"):
        tutorial.page(written(tmp_path, "import this\n# %%\n1\n"), tmp_path / "made")


def test_without_its_data_a_tutorial_is_not_run_and_says_so(tutorial, tmp_path, monkeypatch):
    monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path / "data"))
    source = "# %% [markdown]\n# # Shear\n# Needs `cosmoflow data fetch des_y1_3x2pt`.\n\n# %%\n1 / 0\n"
    assert tutorial.missing(source) == ["des_y1_3x2pt"] and tutorial.missing(SOURCE) == []
    tutorial.page(written(tmp_path, source), tmp_path / "made")
    page = (tmp_path / "made" / "first.md").read_text(encoding="utf-8")
    assert "```python\n1 / 0\n```\n\n*[first.py](first.py) was not run" in page and "```text" not in page
    (tmp_path / "data" / "des_y1_3x2pt").mkdir(parents=True)
    (tmp_path / "data" / "des_y1_3x2pt" / "des_y1_3x2pt_sacc.hdf5").touch()
    assert tutorial.missing(source) == []
    with pytest.raises(ZeroDivisionError):
        tutorial.page(written(tmp_path, source), tmp_path / "made")


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_every_tutorial_is_on_the_site(tutorial, path):
    cells = tutorial.cells(path.read_text(encoding="utf-8"))
    assert cells[0].is_text and cells[0].source.startswith("# ")
    for cell in cells:
        if not cell.is_text:
            compile(cell.source, path.name, "exec")
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.search(rf"^ +- .+: tutorials/{path.stem}\.md$", nav, re.MULTILINE)
