"""Reading a configuration file."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ._errors import ConfigError, first_problem
from ._schema import Config


def load(
    path: str | Path, *, output: str | None = None, max_time: float | None = None, devices: int | None = None
) -> Config:
    """Read and check a configuration.

    Args:
        path: A TOML file.
        output: The chain's file, in place of the one the configuration names; by default `<stem of path>.h5` in the
            working folder.
        max_time: The time budget [s], in place of the one the configuration names.
        devices: How many are used, in place of what the configuration says.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or holds what is no configuration; the sentence names file
            and key.
    """
    path = Path(path)
    return loads(_read(path), path, output=output, max_time=max_time, devices=devices)


def loads(
    text: str,
    source: str | Path,
    *,
    output: str | None = None,
    max_time: float | None = None,
    devices: int | None = None,
) -> Config:
    """A configuration from text, such as a chain keeps of it in its attribute `configuration`.

    Args:
        text: TOML.
        source: The file it came from; paths in it are relative to its folder.
        output: As for `load`.
        max_time: As for `load`.
        devices: As for `load`.

    Raises:
        ConfigError: The text is not TOML, or holds what is no configuration.
    """
    source = Path(source)
    table = _parse(text, source)
    run = table.setdefault("run", {})
    if isinstance(run, dict):
        run.setdefault("output", f"{source.stem}.h5")
        given = {"output": output, "max_time": max_time, "devices": devices}
        run |= {name: value for name, value in given.items() if value is not None}
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(source, first_problem(error, table)) from error
    config._source = source
    return config


def _parse(text: str, source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        raise ConfigError(source, f"it is not TOML: {reason[:1].lower()}{reason[1:]}; correct that line") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(path, "there is no such file; check the name and the folder") from error
    except IsADirectoryError as error:
        raise ConfigError(path, "this is a folder; name the TOML file in it") from error
    except OSError as error:
        raise ConfigError(path, f"it cannot be read ({error.strerror}); check its permissions") from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, "it is not a text file; name a TOML file") from error
