"""`cosmoflow data`, with a server in this process."""

import dataclasses
import re
import shutil

import pytest
from datasets.remote import CONTENT, dataset, serving

from cosmoflow.datasets import _catalogue, _location


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path / "fetched"))
    with serving() as server:
        yield server


@pytest.fixture
def remote(server, monkeypatch):
    """A set of one file on the server, in place of those of the catalogue."""
    remote = dataset(server.address)
    monkeypatch.setattr(_catalogue, "FETCHED", (remote,))
    return remote


def test_from_the_list_to_a_verified_set(cosmoflow, remote):
    def state():
        return next(line for line in cosmoflow("data", "list").out.splitlines() if line.startswith("remote "))

    assert (
        state().split("  ")[1:] and "to be fetched" in state() and "0.3 MB" in state() and "A set for tests" in state()
    )
    assert "remote" not in cosmoflow("data", "verify").out
    fetched = cosmoflow("data", "fetch", "remote")
    assert fetched.code == 0 and fetched.err == ""
    assert fetched.out == f"remote: 1 of 1 files fetched, complete in {remote.folder}\nPlease cite nowhere\n"
    assert "present" in state()
    assert "0 of 1 files fetched" in cosmoflow("data", "fetch", "remote").out
    assert "remote: sound" in cosmoflow("data", "verify").out


def test_the_list(cosmoflow, remote):
    listed = cosmoflow("data", "list")
    assert listed.code == 0
    assert (
        re.search(r"^desi_dr2_bao +shipped", listed.out, re.MULTILINE)
        and "DESI DR2 baryon acoustic oscillations" in listed.out
    )
    assert str(remote.folder.parent) in listed.out.splitlines()[-1]


def test_failures_are_one_sentence(cosmoflow, remote, server, monkeypatch):
    server.cut = 1000
    broken = cosmoflow("data", "fetch", "remote")
    assert broken.code == 1 and broken.is_one_sentence(remote.url(remote.files[0]), "broke after 1000 of 300000 bytes")
    assert "to be fetched" in cosmoflow("data", "list").out
    server.cut, server.content = None, CONTENT[::-1]
    other = cosmoflow("data", "fetch", "remote")
    assert other.code == 1 and other.is_one_sentence("its checksum is", "discarded")
    nowhere = dataclasses.replace(remote, address="http://127.0.0.1:9")
    monkeypatch.setattr(_catalogue, "FETCHED", (nowhere,))
    offline = cosmoflow("data", "fetch", "remote")
    assert offline.code == 1 and offline.is_one_sentence("There is no connection to http://127.0.0.1:9")


def test_names(cosmoflow, remote, server):
    for command in ("fetch", "verify"):
        unknown = cosmoflow("data", command, "remote", "union4")
        assert unknown.code == 2 and unknown.is_one_sentence("'union4'", "'union3'") and server.asked == []
    assert "union3 is shipped with cosmoflow, in " in cosmoflow("data", "fetch", "union3").out


def test_damage_is_named(cosmoflow, remote, monkeypatch):
    folder = shutil.copytree(_location.data_folder(), remote.folder.parent / "shipped")
    monkeypatch.setattr(_catalogue, "data_folder", lambda: folder)
    (folder / "union3" / "covariance.csv").write_text("0")
    (folder / "desi_dr2_bao" / "covariance.csv").unlink()
    damaged = cosmoflow("data", "verify", "union3", "desi_dr2_bao", "remote")
    assert damaged.code == 1
    assert damaged.out.splitlines() == [
        "union3: covariance.csv differs from its checksum; install cosmoflow again",
        "desi_dr2_bao: covariance.csv is missing; install cosmoflow again",
        "remote: one.dat is missing; cosmoflow data fetch remote",
    ]
