"""Writes docs/faq.md from the sentences in the sources: what each error says, and what to do.

python scripts/faq.py
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cosmoflow._results import Status

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "faq.md"
KINDS = {
    "Configurations": ("ConfigError", "refusal"),
    "Data": ("DataError", "FetchError"),
    "Chains": ("StoreError",),
    "Commands and flows": ("CosmoflowError",),
}
HEAD = """\
# What errors mean

An error is one sentence: what is wrong and where, a semicolon, and what to do. Names in braces stand for what is named
in yours. This page is made from the sources by `scripts/faq.py`.

## How a run ends

The status is in the table of a run and in its file; the command ends with code 0 where the run is complete, 75 where it
can be resumed, and 1 otherwise.
"""


class Sentence(NamedTuple):
    """Of one error: its kind, and what is wrong and what to do, which may be empty."""

    kind: str
    problem: str
    hint: str


def sentences() -> list[Sentence]:
    """All sentences of errors that a user can act on, in the order of the sources."""
    found = []
    for path in sorted((ROOT / "cosmoflow").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                found += [Sentence(kind, *_parted(text)) for kind, text in _texts(function)]
    return list(dict.fromkeys(found))


def _texts(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Kind and template of each error that a function makes, and of the problems that a validation names."""
    kinds = {name for names in KINDS.values() for name in names}
    assigned = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
            yield from ((node.func.id, text) for a in node.args for text in _templates(a, assigned))
        if isinstance(node, ast.Return) and function.name == "_problem":
            yield from (("refusal", text) for text in _templates(node.value, assigned))


def _templates(node: ast.expr | None, assigned: dict[str, ast.expr]) -> list[str]:
    """The strings that an expression may be, what is put into them in braces; none that only pass another error on."""
    match node:
        case ast.Constant(value=str(text)):
            found = [text]
        case ast.JoinedStr(values=parts):
            found = ["".join(_piece(part, assigned) for part in parts)]
        case ast.IfExp(body=first, orelse=second):
            found = [*_templates(first, assigned), *_templates(second, assigned)]
        case ast.Name(id=name) if name in assigned:
            found = _templates(assigned[name], {})
        case _:
            found = []
    return [text for text in found if len(re.sub(r"\S*\{.*?\}\S*", "", text).split()) > 1]


def _piece(part: ast.expr, assigned: dict[str, ast.expr]) -> str:
    """A piece of a string: itself, what it may be, or the last name in it, such as {path}."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    value = part.value if isinstance(part, ast.FormattedValue) else part
    if isinstance(value, ast.Name) and (texts := _templates(assigned.get(value.id), {})):
        return ", or ".join(texts)
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "len":
        return "{number}"
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith(".join"):
        return "{names}"
    nodes = [node for node in ast.walk(value) if isinstance(node, ast.Name | ast.Attribute)]
    names = [node.attr if isinstance(node, ast.Attribute) else node.id for node in nodes]
    return f"{{{names[0]}}}" if names else "{...}"


def _parted(text: str) -> tuple[str, str]:
    problem, _, hint = text.rstrip(".").rpartition("; ")
    return (problem, hint) if problem else (hint, "")


def page() -> str:
    """The page."""
    lines = [HEAD]
    lines += ["| status | what it says | what to do |", "|---|---|---|"]
    for status in Status:
        lines.append(_row(f"`{status.name}`", *_parted(status.value)))
    every = sentences()
    for title, kinds in KINDS.items():
        rows = [sentence for sentence in every if sentence.kind in kinds]
        if rows:
            lines += ["", f"## {title}", "", "| what it says | what to do |", "|---|---|"]
            lines += [_row(sentence.problem, sentence.hint) for sentence in rows]
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    escaped = (re.sub(r"([|*_<>])", r"\\\1", cell) if "`" not in cell else cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
