"""Files from where they were published, whole or not at all."""

import errno
import os
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ._catalogue import DataFile, DataSet, sha256
from ._location import DataError

_BLOCK = 2**16
_TIMEOUT = 30.0
"""Of one answer of the server [s]."""


class FetchError(DataError):
    """A file could not be fetched."""


def fetch(dataset: DataSet, *, progress: Callable[[DataFile, int], None] = lambda file, size: None) -> list[Path]:
    """Fetch those files of a data set that are missing or differ from their checksum.

    A file grows as `<name>.part`, is compared with its checksum and then renamed. What is there of a part is not
    fetched again.

    Args:
        dataset: One that is not shipped.
        progress: Is called with the file and the size that has arrived [bytes].

    Returns:
        The files that were fetched.

    Raises:
        FetchError: There is no connection, or it broke, or what arrived is another file, or the disk is full.
    """
    fetched = []
    for file in (*dataset.missing, *dataset.damaged):
        path = dataset.folder / file.name
        part = path.with_name(f"{file.name}.part")
        url = dataset.url(file)
        try:
            _complete(part, url, file, progress)
            found = sha256(part)
            if found == file.sha256:
                part.replace(path)
            else:
                part.unlink()
                raise FetchError(
                    f"{url} is another file: its checksum is {found}, not {file.sha256}; it was discarded, so try "
                    "again."
                )
        except OSError as error:
            hint = (
                "free some space and fetch again, which goes on from there"
                if error.errno == errno.ENOSPC
                else "name a folder of your own in COSMOFLOW_DATA"
            )
            raise FetchError(f"{part} cannot be written ({error.strerror}); {hint}.") from error
        fetched.append(path)
    return fetched


def _complete(part: Path, url: str, file: DataFile, progress: Callable[[DataFile, int], None]) -> None:
    """Append to a part what it lacks of its file."""
    start = part.stat().st_size if part.exists() else 0
    if start == file.size:
        return
    with _answer(url, file, start if start < file.size else 0) as answer:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab" if answer.status == 206 else "wb") as out:
            for block in _blocks(answer, url, file, out.tell()):
                out.write(block)
                progress(file, out.tell())
            out.flush()
            os.fsync(out.fileno())


def _answer(url: str, file: DataFile, start: int) -> HTTPResponse:
    """What the server says when it is asked for a file from `start` on; with the status 200 it begins at 0."""
    try:
        answer = urlopen(Request(url, headers={"Range": f"bytes={start}-"} if start else {}), timeout=_TIMEOUT)
    except HTTPError as error:
        raise FetchError(
            f"{url} cannot be had ({error.code} {error.reason}); try later or a newer cosmoflow."
        ) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        reason = getattr(reason, "strerror", None) or reason
        raise FetchError(f"There is no connection to {url} ({reason}); fetch again when there is.") from error
    size = (start if answer.status == 206 else 0) + int(answer.headers.get("Content-Length", 0))
    if size != file.size:
        answer.close()
        raise FetchError(
            f"{url} is another file: it has {size} bytes, not {file.size}; try later or a newer cosmoflow."
        )
    return answer


def _blocks(answer: HTTPResponse, url: str, file: DataFile, position: int) -> Iterator[bytes]:
    """What the server sends, from `position` to the end of the file."""
    reason = ""
    try:
        while block := answer.read(_BLOCK):
            position += len(block)
            yield block
    except (OSError, HTTPException) as error:
        reason = f" ({error})"
    if position < file.size:
        raise FetchError(
            f"The connection to {url} broke after {position} of {file.size} bytes{reason}; fetch again, which goes on "
            "from there."
        )
