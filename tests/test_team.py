"""Processes that share a run: they meet, and none is lost without a word."""

import threading
import time
from multiprocessing import Pipe

import pytest

from cosmoflow import _team
from cosmoflow._results import RunError, Status
from cosmoflow._team import Team


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(_team, "HEARTBEAT", 0.02)
    monkeypatch.setattr(_team, "SILENCE", 0.3)
    monkeypatch.setattr(_team, "_end_after_grace", lambda: None)


@pytest.fixture
def three():
    pairs = [Pipe() for _ in range(2)]
    first = Team(0, 3, {1: pairs[0][0], 2: pairs[1][0]})
    return [first, Team(1, 3, {0: pairs[0][1]}), Team(2, 3, {0: pairs[1][1]})], pairs


def together(teams, **settings):
    answers = {}

    def meet(team):
        answers[team.index] = team.meet(f"from {team.index}", **settings)

    threads = [threading.Thread(target=meet, args=(team,)) for team in teams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    return answers


def wait(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_alone():
    team = Team.alone()
    assert team.meet(3) == [3] and team.lost is None
    team.leave()


def test_all_hear_what_each_told(three):
    teams, _ = three
    time.sleep(0.5)  # longer than a silence that would count as a loss
    for _ in range(2):
        answers = together(teams)
        assert [answers[index] for index in range(3)] == [["from 0", "from 1", "from 2"]] * 3
    together(teams, last=True)
    for team in teams:
        team.leave()
    time.sleep(0.1)
    assert [team.lost for team in teams] == [None] * 3


def test_a_process_that_dies_is_missed_by_all(three, capfd):
    teams, pairs = three
    pairs[0][1].close()
    wait(lambda: teams[0].lost and teams[2].lost)
    assert teams[0].lost == teams[2].lost == "Process 1 of 3 was lost"
    with pytest.raises(RunError, match="Process 1 of 3 was lost") as raised:
        teams[2].meet()
    assert raised.value.status is Status.LOST and Status.LOST.resumable
    assert "Process 1 of 3 was lost; finishing the chunk" in capfd.readouterr().err


def test_a_silent_process_is_missed():
    here, there = Pipe()
    team = Team(0, 2, {1: here})
    wait(lambda: team.lost)
    assert "no sign of life" in str(team.lost)
    there.close()


def test_who_leaves_before_the_last_meeting_takes_the_others_along(three):
    teams, _ = three
    teams[1].leave()
    wait(lambda: teams[0].lost and teams[2].lost)
    assert teams[0].lost == "Process 1 of 3 stopped early"
    assert not (teams[0].failed or teams[2].failed)


def test_who_fails_for_good_says_so_to_all(three, capfd):
    teams, _ = three
    teams[1].leave(failed=True)
    wait(lambda: teams[0].lost and teams[2].lost)
    assert teams[2].lost == "Process 1 of 3 failed" and teams[0].failed and teams[2].failed
    assert "--resume" not in capfd.readouterr().err


@pytest.mark.parametrize("lost", [True, False])
def test_a_loss_alone_ends_the_others_before_their_chunk(three, monkeypatch, lost):
    teams, pairs = three
    ended = threading.Event()
    monkeypatch.setattr(_team, "_end_after_grace", ended.set)
    pairs[0][1].close() if lost else teams[1].leave()
    wait(lambda: teams[0].lost and teams[2].lost)
    time.sleep(0.1)
    assert ended.is_set() is lost
