"""`<run>.status.json`: how a run stands, for whoever looks at it from outside."""

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def status_path(run: Path) -> Path:
    """`bao.status.json` for `bao.h5`."""
    return run.with_suffix(".status.json")


def write_status(run: Path, record: dict[str, Any]) -> None:
    """Replace the status of a run by one rename; a disk that is full or gone is none of the run's business.

    Args:
        run: The run's final file.
        record: Numbers and texts by name; numbers that are not finite become null.
    """
    path = status_path(run)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        try:
            temporary.write_text(json.dumps({name: _strict(value) for name, value in record.items()}, indent=1) + "\n")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def read_status(run: Path) -> dict[str, Any] | None:
    """The status of a run, or None where there is none that can be read."""
    try:
        record = json.loads(status_path(run).read_text())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _strict(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
