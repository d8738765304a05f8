"""Signals that ask a run to stop."""

import os
import signal
from contextlib import suppress
from threading import Thread
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
_SHOW_CURSOR = b"\x1b[?25h"


class StopOnSignal:
    """A `stop` for the library: True once a signal has come; a second signal ends the process at once.

    Python runs signal handlers only between two of its own instructions, so none while a compiled chunk runs. The
    interpreter's signal handler proper also writes to a pipe, which a thread reads: it answers at any time.
    """

    def __init__(self):
        self._received = False

    def __call__(self) -> bool:
        return self._received

    def __enter__(self) -> "StopOnSignal":
        self._pipe, write = os.pipe()
        os.set_blocking(write, False)
        self._write = write
        self._previous_descriptor = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self._previous = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        self._thread = Thread(target=self._watch, name="signals", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_descriptor)
        os.close(self._write)
        self._thread.join()
        os.close(self._pipe)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._received = True

    def _watch(self) -> None:
        warned = False
        while byte := os.read(self._pipe, 1):
            number = byte[0]
            if number not in _SIGNALS:
                continue
            if warned:
                if os.isatty(2):
                    _say(_SHOW_CURSOR)
                os._exit(128 + number)
            warned = self._received = True
            name = signal.Signals(number).name
            sentence = f"{name} came; finishing the chunk and committing it (a second signal stops at once)."
            _say(f"\ncosmoflow: {sentence}\n".encode())


def _say(text: bytes) -> None:
    with suppress(OSError):  # a terminal that is gone must not keep the second signal from working
        os.write(2, text)
