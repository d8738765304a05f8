"""Files that are wholly there or not there at all, and the lock that keeps writers apart."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from .._results import StoreError

_HINTS = {
    errno.ENOSPC: "the disk is full; free some space and resume the run",
    errno.EDQUOT: "the disk quota is used up; free some space and resume the run",
    errno.ENOENT: "the folder is missing; create it first",
    errno.EACCES: "permission is denied; choose a folder you may write to",
    errno.EPERM: "permission is denied; choose a folder you may write to",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another path",
}


@contextmanager
def storage_errors(action: str, path: Path) -> Iterator[None]:
    """Turn what the operating system and HDF5 raise into one sentence with a hint."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        reason = _HINTS.get(number or 0, f"{type(error).__name__}: {str(error).strip()}")
        raise StoreError(f"Could not {action} {path}: {reason}.") from error


def temporary_beside(path: Path) -> Path:
    """A name of a file being written, never read by anyone."""
    return path.with_name(f"{path.name}.{uuid4().hex}.tmp")


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(temporary: Path, path: Path) -> None:
    """Give a finished temporary file its name, for good."""
    os.replace(temporary, path)
    sync(path.parent)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that a crash at any instant leaves either as it was or as it shall be."""
    temporary = temporary_beside(path)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        publish(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


class RunLock:
    """An exclusive lock on a folder of segments, freed by the kernel however its holder ends."""

    def __init__(self, path: Path):
        self._path = path
        while True:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(self._descriptor).st_ino == path.stat().st_ino:
                    return
            except BlockingIOError as error:
                os.close(self._descriptor)
                raise StoreError(
                    f"Another process is writing to {path.parent}; wait until it ends or choose another file."
                ) from error
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(self._descriptor)
                raise
            os.close(self._descriptor)

    def release(self, *, remove: bool) -> None:
        """Let the next writer in; remove the lock's file first where the folder is to go."""
        if remove:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
