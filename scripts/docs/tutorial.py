"""Run a tutorial, a Python file in percent format, and write it as a page with what it printed and drew.

    python scripts/docs/tutorial.py docs/tutorials/NAME.py FOLDER

makes `NAME.md` and `NAME/figure-1.png`, ... in the folder. As in a notebook, a cell shows what it prints and the value
of its last line; a figure is shown as a picture.

A tutorial whose first cell names `cosmoflow data fetch NAME` needs this set. Where it is not there, nothing is run, and
the page says so.
"""

import ast
import contextlib
import io
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARKER = re.compile(r"^# %%(.*)\n", re.MULTILINE)
FETCH = re.compile(r"`cosmoflow data fetch ([a-z0-9_ ]+)`")


@dataclass
class Cell:
    """A piece of a tutorial: text, or code with what it shows; figures are numbered through the tutorial."""

    source: str
    is_text: bool
    printed: str = ""
    figures: list[Any] = field(default_factory=list)


def cells(source: str) -> list[Cell]:
    """The cells of a file in percent format: `# %%` begins code, `# %% [markdown]` text in comments.

    Raises:
        ValueError: There is something before the first cell.
    """
    before, *pieces = MARKER.split(source)
    if before.strip():
        raise ValueError(f"A tutorial begins with '# %%', but this one with {before.strip().splitlines()[0]!r}.")
    found = []
    for heading, body in zip(pieces[::2], pieces[1::2], strict=True):
        is_text = heading.strip() == "[markdown]"
        lines = [line.removeprefix("#").removeprefix(" ") for line in body.strip().splitlines()] if is_text else [body]
        found.append(Cell("\n".join(lines).strip(), is_text))
    return found


def missing(source: str) -> list[str]:
    """The data sets that a tutorial needs and that are not there."""
    from cosmoflow.datasets import catalogue

    needed = FETCH.findall(cells(source)[0].source)
    return [name for name in " ".join(needed).split() if catalogue()[name].missing]


def run(cell: Cell, names: dict[str, Any], file: str) -> None:
    """Execute a cell of code among the names of those before."""
    from matplotlib.figure import Figure

    tree = ast.parse(cell.source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, file, "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), file, "eval"), names)
            if isinstance(value, Figure):
                cell.figures.append(value)
            elif value is not None:
                print(repr(value))
    cell.printed = printed.getvalue().rstrip()


def page(tutorial: Path, folder: Path) -> None:
    """Run a tutorial in an empty folder and write its page."""
    source, start = tutorial.read_text(encoding="utf-8"), time.monotonic()
    content, absent, names = cells(source), missing(source), {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
        for cell in content:
            if not cell.is_text and not absent:
                run(cell, names, tutorial.name)
    seconds = time.monotonic() - start
    figures = folder / tutorial.stem
    figures.mkdir(parents=True, exist_ok=True)
    parts, title, number = [], tutorial.stem, 0
    for cell in content:
        if cell.is_text:
            title = [title, *re.findall(r"^#+ (.*)$", cell.source, re.MULTILINE)][-1]
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        if cell.printed:
            parts.append(f"```text\n{cell.printed}\n```")
        for figure in cell.figures:
            number += 1
            figure.savefig(figures / f"figure-{number}.png", dpi=150, bbox_inches="tight")
            parts.append(f"![{title}]({tutorial.stem}/figure-{number}.png)")
    link = f"[{tutorial.name}]({tutorial.name})"
    if absent:
        fetch = f"`cosmoflow data fetch {' '.join(absent)}`"
        parts.append(f"*{link} was not run for this page, because the data were not there; {fetch} brings them.*")
    else:
        parts.append(
            f"*Everything above was computed by {link} in {seconds:.0f} s, on {os.cpu_count()} cores, compilation "
            "included.*"
        )
    (folder / f"{tutorial.stem}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    page(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
