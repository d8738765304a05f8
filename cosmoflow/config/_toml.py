"""A configuration written out with all its defaults."""

import json
import re
from typing import Any

from ._schema import Config

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def resolved_toml(config: Config) -> str:
    """The configuration as TOML, every default spelled out; reading it back gives the same configuration."""
    tables = config.model_dump(exclude_none=True)
    return "\n".join(
        f"[{name}]\n" + "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            return repr(value)
