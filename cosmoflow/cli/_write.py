"""Text files that commands leave."""

from pathlib import Path

from .._results import CosmoflowError


def write_text(path: Path, text: str) -> None:
    """Write a text file.

    Raises:
        CosmoflowError: It cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CosmoflowError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
