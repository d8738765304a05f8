"""Compiled programs kept between runs: where, and how much of them."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LIMIT = 2 * 2**30
"""Bytes of programs that are kept; those that were not used for longest go first."""


class Held(NamedTuple):
    """The files of a cache and their bytes."""

    files: int
    size: int


def own_folder() -> Path | None:
    """Where programs are kept if nothing else is said, or None where that cannot be written to."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cosmoflow"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def held(folder: Path) -> Held:
    """What a cache holds."""
    files = _files(folder)
    return Held(len(files), sum(size for _, size, _ in files))


def trim(folder: Path, limit: int = LIMIT) -> None:
    """Remove the programs that were read longest ago, until the rest is within a limit [bytes].

    Another process that wanted one of them compiles it anew.
    """
    files = _files(folder)
    excess = sum(size for _, size, _ in files) - limit
    for _, size, path in sorted(files):
        if excess <= 0:
            return
        with suppress(OSError):
            path.unlink(missing_ok=True)
            excess -= size


def _files(folder: Path) -> list[tuple[float, int, Path]]:
    """When each was last used [s since 1970], its bytes, and its path."""
    found = []
    for root, _, names in os.walk(folder):
        for path in (Path(root, name) for name in names):
            with suppress(OSError):
                facts = path.stat()
                found.append((max(facts.st_atime, facts.st_mtime), facts.st_size, path))
    return found
