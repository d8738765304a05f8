"""What the command line says of processes, parts and devices that cannot be."""

import pytest
from chains.test_parts import write

from cosmoflow.chains import part_path
from cosmoflow.cli._processes import _stops, shares
from cosmoflow.cli._run import Run
from cosmoflow.config import build_posterior, build_record, load


def run_of(path):
    config = load(path)
    posterior = build_posterior(config)
    return Run(config, posterior, build_record(config, posterior), 0.0, False, lambda: False, 0.0)


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


def test_a_criterion_is_looked_at_where_all_parts_can_be(folder):
    assert list(_stops(run_of("bao.toml"), 250)) == [300] and list(_stops(run_of("bao.toml"), 400)) == [400]
    (folder / "bao.toml").write_text((folder / "bao.toml").read_text() + "until_ess = 100.0\n")
    run = run_of("bao.toml")
    assert list(_stops(run, 0)) == [100, 125, 157, 197, 247, 300]
    assert list(_stops(run, 197)) == [197, 247, 300]
    assert list(_stops(run, 198)) == [247, 300]
    assert list(_stops(run, 350)) == [350]


def test_a_run_that_replaces_another_leaves_no_parts_of_it(folder):
    run = run_of("bao.toml")
    write(part_path(run.config.output, range(0, 1)), [3], range(0, 1))
    with run.store(resume=True, force=False):
        assert part_path(run.config.output, range(0, 1)).exists()
    with run.store(resume=False, force=True):
        assert not (folder / "bao.h5.parts").exists()


def test_draws_that_cannot_be_used_are_no_success(cosmoflow, folder):
    for chains in (range(0, 3), range(3, 6)):
        write(part_path(folder / "run.h5", chains), [12], chains)  # a seventh of these draws diverged
    outcome = cosmoflow("merge", "run.h5")
    assert outcome.code == 1 and outcome.out == "run.h5: 6 chains of 12 draws.\n"
    assert outcome.is_one_sentence("Too many trajectories diverged")


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
