"""Fetching from a server in this process: parts, damage, refusals; and the catalogue."""

import os
import re
from importlib.resources import files

import pytest
from datasets.remote import CONTENT, dataset, serving

from cosmoflow.datasets import DataError, FetchError, _catalogue, catalogue, data_path, fetch, find


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path / "fetched"))
    with serving() as server:
        yield server


def test_fetched_once_and_repaired(server, tmp_path):
    remote = dataset(server.address, "one.dat", "two.dat")
    assert remote.missing == remote.files and remote.size == 600_000
    seen = []
    files = fetch(remote, progress=lambda file, size: seen.append((file.name, size)))
    assert files == [tmp_path / "fetched" / "remote" / name for name in ("one.dat", "two.dat")]
    assert all(path.read_bytes() == CONTENT for path in files) and not remote.damaged
    assert [path for path, _ in server.asked] == ["/data/a%20b%2Bc/one.dat", "/data/a%20b%2Bc/two.dat"]
    assert seen[-1] == ("two.dat", 300_000)
    assert fetch(remote) == [] and len(server.asked) == 2
    files[0].write_bytes(CONTENT[:-1] + b"!")
    assert fetch(remote) == files[:1] and not remote.damaged
    assert sorted(path.name for path in remote.folder.iterdir()) == ["one.dat", "two.dat"]


@pytest.mark.parametrize("ranges", [True, False])
def test_goes_on_after_a_cut_connection(server, ranges):
    remote = dataset(server.address)
    server.cut, server.ranges = 200_001, ranges
    with pytest.raises(
        FetchError, match=r"broke after 200001 of 300000 bytes; fetch again, which goes on from there\."
    ):
        fetch(remote)
    part = remote.folder / "one.dat.part"
    assert part.read_bytes() == CONTENT[:200_001] and remote.missing
    server.cut = None
    (path,) = fetch(remote)
    assert server.asked[1][1] == "bytes=200001-"
    assert path.read_bytes() == CONTENT and not part.exists()


def test_a_whole_part_needs_no_server(server):
    remote = dataset(server.address)
    remote.folder.mkdir(parents=True)
    (remote.folder / "one.dat.part").write_bytes(CONTENT)
    assert len(fetch(remote)) == 1 and server.asked == []


def test_a_part_that_is_too_long_is_replaced(server):
    remote = dataset(server.address)
    remote.folder.mkdir(parents=True)
    (remote.folder / "one.dat.part").write_bytes(CONTENT + b"!")
    (path,) = fetch(remote)
    assert path.read_bytes() == CONTENT


def test_another_content(server):
    remote = dataset(server.address, sha256="0" * 64)
    with pytest.raises(FetchError, match=r"is another file: its checksum is [0-9a-f]{64}, not 0{64}; it was discarded"):
        fetch(remote)
    assert list(remote.folder.iterdir()) == []


def test_another_size(server):
    server.content = b"<html>Please log in</html>"
    remote = dataset(server.address)
    with pytest.raises(FetchError, match=r"is another file: it has 26 bytes, not 300000"):
        fetch(remote)
    assert not remote.folder.exists()


def test_not_found(server):
    remote = dataset(server.address, "missing.dat")
    with pytest.raises(
        FetchError, match=r"missing.dat cannot be had \(404 Not Found\); try later or a newer cosmoflow"
    ):
        fetch(remote)
    assert not remote.folder.exists()


def test_no_network(server):
    remote = dataset("http://127.0.0.1:9/data")
    with pytest.raises(
        FetchError, match=r"There is no connection to http://127.0.0.1:9/.* \(Connection refused\); fetch"
    ):
        fetch(remote)
    assert not remote.folder.exists()


def test_a_full_disk(server):
    remote = dataset(server.address)
    remote.folder.mkdir(parents=True)
    (remote.folder / "one.dat.part").symlink_to("/dev/full")
    with pytest.raises(
        FetchError, match=r"one.dat.part cannot be written \(No space left on device\); free some space"
    ):
        fetch(remote)


def test_a_folder_that_cannot_be(server, tmp_path):
    (tmp_path / "fetched").write_text("a file")
    with pytest.raises(FetchError, match=r"cannot be written \(.*\); name a folder of your own in COSMOFLOW_DATA"):
        fetch(dataset(server.address))


def test_the_catalogue_says_what_the_folders_say():
    known = catalogue()
    bao = known["desi_dr2_bao"]
    assert bao.shipped and bao.title == "DESI DR2 baryon acoustic oscillations" and bao.source == "arXiv:2503.14738"
    assert {file.name for file in bao.files} == {"measurements.csv", "covariance.csv"}
    assert all(not known[name].missing and not known[name].damaged for name in known if known[name].shipped)


@pytest.mark.parametrize("remote", _catalogue.FETCHED, ids=lambda remote: remote.name)
def test_addresses_are_pinned(remote):
    for file in remote.files:
        assert re.fullmatch(
            r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}/[\w./%-]+", remote.url(file)
        )
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256) and file.size > 0


OFFICIAL = {
    "des_dovekie": ("sn/des-sn5yr/DES-SN5YR_HD.csv", "sn/des-sn5yr/DES-SN5YR_STAT+SYS.npz"),
    "pantheon_plus": (
        "sn/pantheon-plus-sh0es/Pantheon+SH0ES.dat",
        "sn/pantheon-plus-sh0es/Pantheon+SH0ES_STAT+SYS.cov",
    ),
    "planck2018_lite": tuple(
        f"cmb/plik_lite/{name}.dat" for name in ("blmax", "blmin", "bweight", "c_matrix_plik_v22", "cl_cmb_plik_v22")
    ),
}


@pytest.mark.parametrize("name", OFFICIAL)
def test_checksums_are_those_of_cosmofits_copies(name):
    pytest.importorskip("cosmofit")
    remote = find(name)
    for file, path in zip(remote.files, OFFICIAL[name], strict=True):
        content = files("cosmofit").joinpath("data", path)
        assert _catalogue.sha256(content) == file.sha256 and content.stat().st_size == file.size


def test_what_is_in_the_users_folder_is_sound():
    if not os.environ.get("COSMOFLOW_DATA"):
        pytest.skip("COSMOFLOW_DATA names no folder of fetched sets")
    assert not [(remote.name, remote.damaged) for remote in _catalogue.FETCHED if remote.damaged]


def test_where_sets_are(monkeypatch, tmp_path):
    monkeypatch.delenv("COSMOFLOW_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert find("pantheon_plus").folder == tmp_path / "cosmoflow" / "pantheon_plus"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find("pantheon_plus").folder == tmp_path / ".local" / "share" / "cosmoflow" / "pantheon_plus"
    monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path / "mine"))
    with pytest.raises(
        DataError,
        match=r"pantheon_plus is not here; fetch it with `cosmoflow data fetch pantheon_plus` or name its folder\.",
    ):
        data_path("pantheon_plus")
    (tmp_path / "mine" / "pantheon_plus").mkdir(parents=True)
    (tmp_path / "mine" / "pantheon_plus" / "Pantheon+SH0ES.dat").touch()
    assert data_path("pantheon_plus") == tmp_path / "mine" / "pantheon_plus"
    assert data_path("union3").name == "union3"
    with pytest.raises(DataError, match=r"There is no data set 'pantheon'; the nearest known is 'pantheon_plus'\."):
        data_path("pantheon")
