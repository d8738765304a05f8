"""What is wrong with a configuration file, in one sentence that names the file and the key."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from .._results import CosmoflowError


class ConfigError(CosmoflowError):
    """A configuration that cannot be used."""

    def __init__(self, source: Path, problem: str):
        super().__init__(f"{source}: {problem.rstrip('.')}.")


def refusal(problem: str, *, key: str = "") -> PydanticCustomError:
    """A validation error about the table being validated, or about one of its keys; `problem` continues its path."""
    return PydanticCustomError("refusal", "{problem}", {"problem": problem, "key": key})


def unknown_key(key: str, known: Iterable[str]) -> PydanticCustomError:
    """A validation error that suggests the nearest known key."""
    close = get_close_matches(key, known, n=1)
    hint = f"the nearest known is {close[0]!r}" if close else f"the known keys are {', '.join(known) or 'none'}"
    return refusal(f"is not a known key; {hint}", key=key)


def refusal_within(error: ValidationError, name: str, table: Any) -> PydanticCustomError:
    """The first problem of a table that was validated by itself, as one of the table that holds it under this name."""
    details = error.errors()[0]
    return refusal(_problem(details), key=".".join(filter(None, (name, _path(details, table)))))


def first_problem(error: ValidationError, table: dict[str, Any]) -> str:
    """The first problem that validation met, with its path in the file."""
    details = error.errors()[0]
    return " ".join((_path(details, table), _problem(details))).strip()


def _path(details: ErrorDetails, table: Any) -> str:
    """Where the problem is: pydantic's location without the tags of its unions, which the file does not hold."""
    path: list[str] = []
    for part in details["loc"]:
        if isinstance(table, dict) and part in table:
            table = table[part]
            path.append(str(part))
        elif isinstance(table, list) and isinstance(part, int):
            table = table[part] if part < len(table) else None
            path.append(f"[{part}]")
        elif details["type"] == "missing" and part == details["loc"][-1]:
            path.append(str(part))
    key = details.get("ctx", {}).get("key", "")
    return ".".join((*path, key) if key else path).replace(".[", "[")


def _problem(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "refusal":
            return context["problem"]
        case "missing":
            return "is missing; add it"
        case "union_tag_not_found":
            return f"needs the key {context['discriminator']}, which says what it is"
        case "union_tag_invalid":
            expected = context["expected_tags"].replace("'", "").split(", ")
            close = get_close_matches(context["tag"], expected, n=1)
            key = context["discriminator"].strip("'")
            hint = f"the nearest known is {close[0]!r}" if close else f"choose one of {', '.join(expected)}"
            return f"has {key} = {context['tag']!r}, which is not known; {hint}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"must be a table, but is {details['input']!r}; write it as {{ key = value, ... }}"
        case _:
            requirement = re.sub(r"^\w+ should", "must", details["msg"])
            return f"{requirement}, but is {details['input']!r}; change the value"
