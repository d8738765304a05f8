"""Chain files damaged in random ways, and files forged by someone who can make a seal.

Run as a program, `mutations.py FOLDER FIRST COUNT`, in a process of its own with bounded memory and time. A damaged run is
refused in a sentence or read as it was; a forged one is refused or read, but never anything outside of it.
"""

import os
import random
import resource
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import runs

from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, ChainStore, _seal
from cosmoflow.chains._files import drafted

SECRET = b"a secret outside of the run " * 1000
SECONDS = 20
MEMORY = 2**32


def build(folder: Path) -> None:
    """A finished run and an unfinished one, and a file that neither may be made to show."""
    (folder / "secret").write_bytes(SECRET)
    for name, finished in (("whole.h5", True), ("pieces.h5", False)):
        with ChainStore(folder / name) as store:
            store.annotate({"labels": '{"Omega_m": "x"}'})
            store.save_stage("warmup", {"a": np.eye(3)})
            store.save_group("observed_data", {"data": np.arange(5.0)})
            for size in (20, 5, 30):
                runs.append(store, size)
            if finished:
                store.finish()


def flip(data: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.choice([1, 1, 2, 8])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def cut(data: bytearray, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def swap(data: bytearray, chance: random.Random) -> bytes:
    length = chance.randrange(1, min(512, len(data) // 2))
    i, j = (chance.randrange(len(data) - length) for _ in range(2))
    data[i : i + length], data[j : j + length] = data[j : j + length], data[i : i + length]
    return data


def overwrite(data: bytearray, chance: random.Random) -> bytes:
    i = chance.randrange(len(data) - 8)
    data[i : i + 8] = chance.choice([b"\xff" * 8, bytes(8), b"\xff\xff\xff\x7f\0\0\0\0", chance.randbytes(8)])
    return data


def insert(data: bytearray, chance: random.Random) -> bytes:
    i = chance.randrange(len(data) + 1)
    return data[:i] + chance.randbytes(chance.randrange(1, 64)) + data[i:]


DAMAGES = [flip, cut, swap, overwrite, insert]


def exchange(file: h5py.File, chance: random.Random) -> None:
    names: list[str] = []
    file.visit(names.append)
    one, other = chance.sample(names, 2)
    if not (one.startswith(f"{other}/") or other.startswith(f"{one}/")):
        file.move(one, "aside")
        file.move(other, one)
        file.move("aside", other)


def link(file: h5py.File, chance: random.Random) -> None:
    file[victim(file, chance)] = chance.choice(
        [h5py.SoftLink("/posterior"), h5py.ExternalLink("other.h5", "/x"), h5py.SoftLink("/nowhere"), file["posterior"]]
    )


def outside(file: h5py.File, chance: random.Random) -> None:
    secret = str(Path(file.filename).with_name("secret"))
    file.create_dataset(victim(file, chance), (3, 55), external=[(secret, 0, 3 * 55 * 8)], dtype="f8")


def virtual(file: h5py.File, chance: random.Random) -> None:
    layout = h5py.VirtualLayout(shape=(3, 55), dtype="f8")
    layout[:] = h5py.VirtualSource(chance.choice(["other.h5", "."]), "/posterior/Omega_m", shape=(3, 55))
    file.create_virtual_dataset(victim(file, chance), layout)


def huge(file: h5py.File, chance: random.Random) -> None:
    compression = chance.choice([None, "gzip"])
    shape = chance.choice([(3, 55, 10**10), (10**6, 10**9), (3, 10**12)])
    chunks = tuple(min(size, 64) for size in shape)
    file.create_dataset(victim(file, chance), shape, dtype="f8", chunks=chunks, compression=compression)


def retype(file: h5py.File, chance: random.Random) -> None:
    name = victim(file, chance)
    file[name] = chance.choice([["a", "b"], np.zeros((3, 55), ">f4"), np.zeros((3, 55), complex), h5py.Empty("f8"), 3])


def repaint(file: h5py.File, chance: random.Random) -> None:
    owner = chance.choice([file, file["posterior"], file["posterior/Omega_m"]])
    name = chance.choice([*owner.attrs, "dtype"])
    owner.attrs[name] = chance.choice(["bool", "[1]", 7, np.zeros(100), b"\xff\xfe"])


FORGERIES = [exchange, link, outside, virtual, huge, retype, repaint]


def victim(file: h5py.File, chance: random.Random) -> str:
    """A name whose object makes room, or a new one."""
    names: list[str] = ["posterior/new"]
    file.visit(names.append)
    name = chance.choice(names)
    if name in file:
        del file[name]
    return name


def forge(path: Path, chance: random.Random) -> None:
    with h5py.File(path, "r+") as file:
        for _ in range(chance.choice([1, 1, 2])):
            try:
                chance.choice(FORGERIES)(file, chance)
            except (KeyError, ValueError, TypeError, OSError, RuntimeError):
                continue  # the file has no room for this one
    data = path.read_bytes()
    with drafted(path) as draft:
        draft.write(data)
        _seal.seal(draft)


def same(chain: Chain, whole: Chain) -> bool:
    runs.assert_holds(chain, 55)
    return chain.attributes == whole.attributes and chain.observed_data["data"].tolist() == [0, 1, 2, 3, 4]


def read(path: Path) -> Chain | None:
    try:
        chain = Chain.from_file(path)
    except StoreError as error:
        assert str(error).endswith(".") and "\n" not in str(error), error
        return None
    arrays = {**chain.posterior, **chain.sample_stats, **chain.observed_data}
    assert not any(SECRET[:24] in array.tobytes() for array in arrays.values()), "a secret was read"
    return chain


def main(folder: Path, first: int, count: int) -> Counter:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    build(folder)
    whole = {name: Chain.from_file(folder / name) for name in ("whole.h5", "pieces.h5")}
    outcomes: Counter = Counter()
    place = folder / "place"
    for number in range(first, first + count):
        signal.alarm(SECONDS)
        chance = random.Random(number)
        name = chance.choice(sorted(whole))
        place.mkdir()
        os.link(folder / "secret", place / "secret")
        if name == "whole.h5":
            shutil.copy(folder / name, place / name)
        else:
            shutil.copytree(folder / f"{name}.segments", place / f"{name}.segments")
        path = chance.choice(
            sorted(path for path in place.rglob("*") if path.suffix in (".h5", ".json") and path.is_file())
        )
        forged = path.suffix == ".h5" and chance.random() < 0.2
        if forged:
            forge(path, chance)
        else:
            path.write_bytes(chance.choice(DAMAGES)(bytearray(path.read_bytes()), chance))
        chain = read(place / name)
        if chain is None:
            outcomes["refused"] += 1
        elif forged:
            outcomes["forged and read"] += 1
        else:
            assert same(chain, whole[name]), f"mutation {number} was read as other numbers"
            outcomes["read as it was"] += 1
        shutil.rmtree(place)
    return outcomes


if __name__ == "__main__":
    print(dict(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
