"""The processes that share a run: who they are, when all have come to a point, and whether one was lost.

JAX finds the processes of a queue or of MPI and brings them together. It would also abort all of them when one dies, in
the middle of a commit; so it is left once they know each other, and a line from the first process to each other one
carries heartbeats and meetings. Nothing else is exchanged while chains are drawn.
"""

import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from typing import Any, NamedTuple

from ._results import RESUMABLE, CosmoflowError, RunError, Status

HEARTBEAT = 2.0
"""Seconds between two signs of life."""

SILENCE = 12.0
"""Seconds after which a silent process counts as lost."""

GRACE = 12.0
"""Seconds in which a process that lost another finishes its chunk and commits it, before it ends at once: the queue
will soon end it too. Where the other one stopped by itself there is no hurry."""

WAIT = 300.0
"""Seconds in which the processes of a run have to come."""

_KEY = "cosmoflow"


class Team:
    """This process among those of a run.

    Args:
        index: Of this process, from zero.
        count: Processes of the run.
        lines: To the others: from the first process to each, from each other to the first.
    """

    def __init__(self, index: int, count: int, lines: dict[int, Connection]):
        self.index, self.count = index, count
        self._lines = lines
        self._inbox: dict[int, list[Any]] = {other: [] for other in lines}
        self._changed, self._sending = threading.Condition(), threading.Lock()
        self._lost: str | None = None
        self._failed = self._over = False
        for other in lines:
            threading.Thread(target=self._listen, args=(other,), name="team", daemon=True).start()
        if lines:
            threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    @staticmethod
    def alone() -> "Team":
        """A run in one process."""
        return Team(0, 1, {})

    @staticmethod
    def join(
        address: str | None = None, count: int | None = None, index: int | None = None, *, wait: float = WAIT
    ) -> "Team":
        """Meet the other processes; JAX must not have been used before.

        Where they do not come in time the process ends, with a sentence and a code that says so; JAX would abort it.

        Args:
            address: Host and port on which the first process is met; as the queue or MPI says where it is None.
            count: Processes; likewise.
            index: Of this one; likewise.
            wait: How long for the others [s].

        Raises:
            CosmoflowError: There is nothing to find out who takes part.
        """
        import jax
        from jax._src.distributed import global_state as met  # where JAX keeps who met, and what they told each other

        late = threading.Timer(wait, _end_alone, (wait,))
        late.start()
        given = {"coordinator_address": address, "num_processes": count, "process_id": index}
        try:
            jax.distributed.initialize(**given, initialization_timeout=round(wait) + 60)
            lines = _lines(met, address.rsplit(":", 1)[0] if address else socket.gethostname())
            jax.distributed.shutdown()
        except (ValueError, RuntimeError, TypeError) as error:
            raise CosmoflowError(
                f"The processes of the run could not meet ({str(error).splitlines()[0].rstrip('.')}); start them with "
                "srun or mpirun, or name --coordinator, --num-processes and --process-id."
            ) from error
        finally:
            late.cancel()
        return Team(met.process_id, met.num_processes, lines)

    @property
    def lost(self) -> str | None:
        """What became of the process that was lost, if one was."""
        return self._lost

    @property
    def failed(self) -> bool:
        """Whether it failed in a way that resuming does not mend."""
        return self._failed

    def meet(self, told: Any = None, *, last: bool = False) -> list[Any]:
        """Wait until all processes are here; what each of them told, in their order.

        Args:
            told: Anything that can be pickled.
            last: Whether this is the last meeting, after which nobody is missed.

        Raises:
            RunError: One of them was lost, or stopped, before it came.
        """
        if self.count == 1:
            return [told]
        if self.index:
            self._send(0, told)
            return self._receive(0)
        everything = [told, *(self._receive(other) for other in range(1, self.count))]
        self._over = last
        for other in self._lines:
            self._send(other, _Answer(everything, last))
        return everything

    def leave(self, *, failed: bool = False) -> None:
        """Leave the others, who stop as well unless all have met for the last time.

        Args:
            failed: Whether this process failed in a way that resuming does not mend.
        """
        self._over = True
        reason = f"Process {self.index} of {self.count} {'failed' if failed else 'stopped early'}"
        for other in self._lines:
            self._send(other, _Farewell(reason, by_itself=True, failed=failed))
        for line in self._lines.values():
            with suppress(OSError):
                line.close()

    def _send(self, other: int, told: Any) -> None:
        with self._sending, suppress(OSError):  # that the line is cut is for the listener to find out
            self._lines[other].send(told)

    def _receive(self, other: int) -> Any:
        with self._changed:
            self._changed.wait_for(lambda: self._inbox[other] or self._lost)
            if not self._inbox[other]:
                raise RunError(Status.LOST, self._lost or "")
            return self._inbox[other].pop(0)

    def _listen(self, other: int) -> None:
        line, name = self._lines[other], f"Process {other} of {self.count}"
        try:
            while line.poll(SILENCE):
                told = line.recv()
                if isinstance(told, _Farewell):
                    return self._miss(told)
                if not isinstance(told, _Beat):
                    self._take(other, told)
            self._miss(_Farewell(f"{name} gave no sign of life for {SILENCE:.0f} s"))
        except (OSError, EOFError):
            self._miss(_Farewell(f"{name} was lost"))

    def _take(self, other: int, told: Any) -> None:
        with self._changed:
            if isinstance(told, _Answer):
                self._over, told = told.last, told.everything
            self._inbox[other].append(told)
            self._changed.notify_all()

    def _miss(self, farewell: "_Farewell") -> None:
        """Say once that a process is missing, to the others as well, and give this one some time to commit."""
        with self._changed:
            if self._lost or self._over:
                return
            self._lost, self._failed = farewell.reason, farewell.failed
            self._changed.notify_all()
        outlook = "" if farewell.failed else ", so that --resume goes on"
        os.write(2, f"\ncosmoflow: {farewell.reason}; finishing the chunk and committing it{outlook}.\n".encode())
        for other in self._lines:
            self._send(other, farewell)
        if not farewell.by_itself:
            threading.Thread(target=_end_after_grace, name="grace", daemon=True).start()

    def _beat(self) -> None:
        while not (self._over or self._lost):
            for other in self._lines:
                self._send(other, _Beat())
            time.sleep(HEARTBEAT)


def _lines(met: Any, host: str) -> dict[int, Connection]:
    """The line from the first process to each other one, or the one from another to the first, who is on `host`."""
    if met.process_id:
        host, port, key = met.client.blocking_key_value_get(_KEY, 1000 * round(WAIT)).split()
        line = Client((host, int(port)), authkey=bytes.fromhex(key))
        line.send(met.process_id)
        return {0: line}
    key = secrets.token_bytes(32)
    with Listener(("", 0), backlog=met.num_processes, authkey=key) as listener:
        met.client.key_value_set(_KEY, f"{host} {listener.address[1]} {key.hex()}")
        lines = {}
        while len(lines) < met.num_processes - 1:
            line = listener.accept()
            lines[line.recv()] = line
    return lines


class _Beat:
    """A sign of life."""


class _Answer(NamedTuple):
    """What all processes told in a meeting, and whether it was the last."""

    everything: list[Any]
    last: bool


class _Farewell(NamedTuple):
    """Why the processes part: the last word of one, or of another on one that was lost."""

    reason: str
    by_itself: bool = False
    failed: bool = False


def _end_alone(wait: float) -> None:
    """Say that the others did not come, and end: JAX, which waits for them, would abort."""
    os.write(2, f"cosmoflow: Not all processes of the run came within {wait:.0f} s; start them together.\n".encode())
    os._exit(RESUMABLE)


def _end_after_grace() -> None:
    time.sleep(GRACE)
    os.write(2, b"cosmoflow: the chunk takes too long; what was committed is safe, and --resume goes on.\n")
    os._exit(RESUMABLE)
