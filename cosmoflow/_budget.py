"""When a run has to end early: on request, or before its time is used up."""

import time
from collections.abc import Callable

from ._results import Status


class Budget:
    """Asked between the chunks of a stage whether it may go on.

    It looks ahead: another chunk is begun only where one as long as the longest so far would end in time. The clock is
    monotonic, so that setting the computer's date changes nothing.

    Args:
        stop: Where it answers True, the stage ends.
        max_time: Seconds from now; None for no limit.
    """

    def __init__(self, stop: Callable[[], bool], max_time: float | None):
        self._stop = stop
        self._max_time = max_time
        self._start = time.monotonic()
        self._asked: float | None = None
        self._longest = 0.0

    def ask(self) -> Status | None:
        """Why the stage has to end now, or None where another chunk may begin."""
        now = time.monotonic()
        if self._asked is not None:
            self._longest = max(self._longest, now - self._asked)
        self._asked = now
        if self._stop():
            return Status.STOPPED
        if self._max_time is not None and now - self._start + self._longest > self._max_time:
            return Status.OUT_OF_TIME
        return None
