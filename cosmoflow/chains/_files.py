"""The one place that writes to the disk: files that are wholly there or not there at all, and the lock.

A new file is written under a temporary name, synced, renamed, and its folder synced. Whatever changes the disk goes
through `os` as this module sees it.
"""

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
    errno.EIO: "the disk reports an error; check it, and resume the run from a copy on another disk",
    errno.EACCES: "permission is denied; choose a folder you may write to",
    errno.EPERM: "permission is denied; choose a folder you may write to",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EISDIR: "this is a folder; name the file of a chain",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def storage_errors(action: str, path: Path) -> Iterator[None]:
    """Turn what the operating system and HDF5 raise into one sentence with a hint."""
    try:
        yield
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, MemoryError) as error:
        reason = f"{type(error).__name__}: {str(error).strip()}"
        if isinstance(error, FileNotFoundError) and error.filename is not None:
            missing = Path(os.fsdecode(error.filename))
            there = missing.parent.exists()
            reason = f"{missing.name} is missing; check the path" if there else "the folder is missing; create it first"
        elif isinstance(error, OSError):
            reason = _HINTS.get(error.errno or 0, reason)
        raise StoreError(f"Could not {action} {path}: {reason}.") from error


class Draft:
    """A file on its way to its name, written to by HDF5 as to any Python file.

    The first error is kept for `check`; what is written after it is dropped, so that HDF5 can close its side in order.
    """

    def __init__(self, path: Path):
        self.path = path
        self.error: OSError | None = None
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self._position = self._size = 0

    def write(self, data) -> int:
        """Write at the present position."""
        view = memoryview(data).cast("B")
        length = len(view)
        try:
            while self.error is None and view:
                written = os.pwrite(self._descriptor, view, self._position)
                self._position += written
                view = view[written:]
        except OSError as error:
            self.error = error
        self._position += len(view)
        self._size = max(self._size, self._position)
        return length

    def read(self, length: int) -> bytes:
        """Read from the present position; h5py knows a file by this method."""
        data = os.pread(self._descriptor, length, self._position)
        self._position += len(data)
        return data

    def readinto(self, buffer) -> int:
        """Fill a buffer from the present position."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the present position."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        """The present position."""
        return self._position

    def truncate(self, size: int) -> int:
        """Set the length of the file."""
        try:
            if self.error is None:
                os.ftruncate(self._descriptor, size)
        except OSError as error:
            self.error = error
        self._size = size
        return size

    def flush(self) -> None:
        """Nothing waits in memory."""

    def check(self) -> None:
        """Raise the first error, if there was one."""
        if self.error is not None:
            raise self.error

    def sync(self) -> None:
        """Wait until all of it is on the disk."""
        self.check()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


@contextmanager
def drafted(path: Path, *, folder: Path | None = None) -> Iterator[Draft]:
    """A draft that appears at `path` when the block ends, and nowhere if it fails.

    Args:
        path: Where the file shall be; what is there is replaced.
        folder: Where it is written, on the same file system; beside `path` where none is given.
    """
    draft = Draft(temporary_beside((folder or path.parent) / path.name))
    try:
        try:
            yield draft
            draft.sync()
        finally:
            draft.close()
        publish(draft.path, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft.path)
        raise


def temporary_beside(path: Path) -> Path:
    """A name of a file being written, never read by anyone."""
    return path.with_name(f"{path.name}.{uuid4().hex}.tmp")


def publish(temporary: Path, path: Path) -> None:
    """Give a finished temporary file its name, for good."""
    os.replace(temporary, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """A folder that is there for good."""
    with suppress(FileExistsError):
        os.mkdir(path)
        sync(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)


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

    def release(self, *, with_folder: bool) -> None:
        """Let the next writer in, and first take the folder away where it is empty but for the lock."""
        if with_folder:
            remove(self._path)
            with suppress(OSError):
                os.rmdir(self._path.parent)
        os.close(self._descriptor)
