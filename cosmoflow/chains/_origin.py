"""When and with what a chain was made."""

from pathlib import Path
from typing import NamedTuple

from ._files import storage_errors
from ._segments import RunPaths, read_manifest


class Origin(NamedTuple):
    """Of a run.

    Attributes:
        run: its name, which no other run has.
        created_at: when it was started, ISO 8601 in UTC.
        versions: of cosmoflow and JAX, when it was started.
    """

    run: str
    created_at: str
    versions: dict[str, str]


def origin(path: str | Path) -> Origin:
    """Where a chain comes from.

    Args:
        path: the final file of the run, whether it exists yet or not.

    Raises:
        StoreError: there is no chain, or its manifest is damaged.
    """
    paths = RunPaths(Path(path))
    with storage_errors("read", paths.final):
        manifest = read_manifest(paths)
    return Origin(manifest.run, manifest.created_at, manifest.versions)
