"""Signals that ask a run to stop."""

import os
import signal
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class StopOnSignal:
    """A `stop` for the library: True once a signal has come; a second signal ends the process at once."""

    def __init__(self):
        self._received = False

    def __call__(self) -> bool:
        return self._received

    def __enter__(self) -> "StopOnSignal":
        self._previous = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._received:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._received = True
        name = signal.Signals(number).name
        os.write(2, f"\ncosmoflow: {name} came; finishing and committing (once more stops at once).\n".encode())
