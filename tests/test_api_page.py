"""docs/api.md has every public class and function, and nothing else."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ROOMS = re.findall(
    r"^from \. import (\w+)", (ROOT / "cosmoflow" / "__init__.pyi").read_text(encoding="utf-8"), re.MULTILINE
)


def resolved(path):
    """What a dotted path of the page means."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        return importlib.import_module(path)


@pytest.fixture(scope="module")
def shown():
    """All objects of the page; a module stands for what it defines."""
    found = [resolved(path) for path in re.findall(r"^::: (\S+)$", SOURCE, re.MULTILINE)]
    inside = [
        value
        for module in filter(inspect.ismodule, found)
        for value in vars(module).values()
        if getattr(value, "__module__", None) == module.__name__
    ]
    return [*found, *inside]


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_every_public_name_is_shown(room, shown):
    module = importlib.import_module(f"cosmoflow.{room}".rstrip("."))
    public = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    named = [name for name, value in public.items() if inspect.isclass(value) or inspect.isfunction(value)]
    assert named, room
    assert [name for name in named if not any(public[name] is value for value in shown)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_documented(room):
    """With all methods of its own."""
    module = importlib.import_module(f"cosmoflow.{room}")
    silent = []
    for name, value in vars(module).items():
        if name.startswith("_") or not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        own = vars(value).items() if inspect.isclass(value) else ()
        methods = {k: v for k, v in own if not k.startswith("_") and (inspect.isroutine(v) or isinstance(v, property))}
        silent += [f"{name}.{key}" for key, member in {"": value, **methods}.items() if not inspect.getdoc(member)]
    assert silent == []


def test_each_entry_has_its_heading():
    """Two entries without a line between them are one paragraph of text."""
    entries = re.findall(r"^::: \S+\n    options:\n      heading_level: 3$", SOURCE, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^:::", SOURCE, re.MULTILINE))
    names = re.findall(r"^::: (\S+)$", SOURCE, re.MULTILINE)
    assert sorted(names) == sorted(set(names))
