"""The seal: the last line of each file, a digest of all bytes before it.

HDF5 does not read what lies behind its own end, so a sealed file opens everywhere. It is checked before HDF5 sees the
file: what libhdf5 makes of damaged bytes is a wrong number now and then, or a loop without end.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from .._results import StoreError
from ._files import Draft, drafted

_MARK = b"\ncosmoflow sha256 "
_LENGTH = len(_MARK) + 64 + 1
_BLOCK = 2**20
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def sealed_hdf5(
    path: Path, *, folder: Path | None = None, verify: Callable[[Path], None] = lambda path: None
) -> Iterator[h5py.File]:
    """A new HDF5 file, which appears at `path`, sealed, when the block ends.

    Args:
        path: Where the file shall be.
        folder: Where it is written, as for `drafted`.
        verify: Called with the path of the draft once HDF5 is done with it; raises where it is not as it should be.
    """
    with drafted(path, folder=folder) as draft:
        try:
            with h5py.File(draft, "w", track_order=True) as file:
                yield file
        finally:
            draft.check()  # before whatever HDF5 made of it
        verify(draft.path)
        seal(draft)


def seal(draft: Draft) -> None:
    """Put the seal behind what was written."""
    size = draft.seek(0, os.SEEK_END)
    draft.seek(0)
    draft.check()
    sha, block = hashlib.sha256(), bytearray(_BLOCK)
    while length := draft.readinto(block):
        sha.update(memoryview(block)[:length])
    draft.seek(size)
    draft.write(_MARK + sha.hexdigest().encode() + b"\n")


def check_seal(path: Path) -> None:
    """Refuse a file whose bytes are not those that were sealed.

    Raises:
        StoreError: The file is no HDF5 file, has no seal, or was changed since.
    """
    with open(path, "rb") as file:
        left = file.seek(0, os.SEEK_END) - _LENGTH
        file.seek(max(left, 0))
        last = file.read()
        file.seek(0)
        if file.read(len(HDF5_SIGNATURE)) != HDF5_SIGNATURE:
            raise StoreError(f"{path} is not an HDF5 file, or is damaged; check the path or restore it from a copy.")
        if not last.startswith(_MARK):
            raise StoreError(
                f"{path} is not a chain file of cosmoflow, or something wrote to it afterwards; use 'cosmoflow import' "
                "for a file of another program, or 'cosmoflow check --repair' for one of ours."
            )
        file.seek(0)
        sha = hashlib.sha256()
        while left > 0:
            block = file.read(min(_BLOCK, left))
            sha.update(block)
            left -= len(block) or left
    if last != _MARK + sha.hexdigest().encode() + b"\n":
        raise StoreError(
            f"{path} is damaged: its bytes are not those that were written; restore it from a copy, or save what is "
            "sound with 'cosmoflow check --repair'."
        )
