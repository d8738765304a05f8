"""What the command line says of processes, parts and devices that cannot be."""

import pytest

from cosmoflow.cli._processes import shares
from cosmoflow.config import load


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--part", "3/2"], ["--part is '3/2'", "such as 2/8"]),
        (["--part", "1/2"], ["run.num_chains is 2, in blocks of 2, too few for 2 processes", "run.block"]),
        (["--part", "1/1", "--distributed"], ["--part is for jobs on their own"]),
        (["--coordinator", "localhost:1"], ["belong together"]),
        (["--devices", "9"], ["9 devices, but this process has 1", "--devices"]),
    ],
)
def test_what_cannot_be(cosmoflow, options, words):
    outcome = cosmoflow("sample", "bao.toml", *options)
    assert outcome.code == 2
    assert outcome.is_one_sentence(*words), outcome.err


def test_parts_wait_for_no_stop_criterion(cosmoflow, folder):
    (folder / "bao.toml").write_text((folder / "bao.toml").read_text() + "until_ess = 100.0\n")
    outcome = cosmoflow("sample", "bao.toml", "--part", "1/1")
    assert outcome.code == 2 and outcome.is_one_sentence("until_ess")


def test_parts_of_other_numbers_of_jobs_are_not_mixed(cosmoflow, folder):
    settings = (folder / "bao.toml").read_text().replace("num_chains = 2", "num_chains = 4\nblock = 1")
    (folder / "bao.toml").write_text(settings)
    (folder / "bao.h5.parts" / "chains-00000-00001.h5.segments").mkdir(parents=True)
    outcome = cosmoflow("sample", "bao.toml", "--part", "1/2")
    assert outcome.code == 2 and outcome.is_one_sentence("chains-00000-00001.h5", "--part 1/2 too", "as many jobs")


def test_a_block_divides_the_chains(cosmoflow, folder):
    (folder / "bao.toml").write_text((folder / "bao.toml").read_text() + "block = 3\n")
    outcome = cosmoflow("sample", "bao.toml", "--dry-run")
    assert outcome.code == 2 and outcome.is_one_sentence("bao.toml: run.block is 3, but must divide the 2 chains")


def test_there_is_nothing_to_merge(cosmoflow, folder):
    outcome = cosmoflow("merge", "absent.h5")
    assert outcome.code == 2 and outcome.is_one_sentence("no parts of absent.h5", "--part I/N")


@pytest.mark.parametrize(
    ("count", "edges"), [(1, [0, 10]), (2, [0, 4, 10]), (3, [0, 2, 6, 10]), (5, [0, 2, 4, 6, 8, 10])]
)
def test_processes_share_whole_blocks(folder, count, edges):
    settings = (folder / "bao.toml").read_text().replace("num_chains = 2", "num_chains = 10\nblock = 2")
    (folder / "bao.toml").write_text(settings)
    found = shares(load("bao.toml"), count)
    assert [found[0].start, *(one.stop for one in found)] == edges
