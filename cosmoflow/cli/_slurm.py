"""Job scripts for SLURM."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ._exit import RESUMABLE

LEAD = 300
"""Seconds before the end of a job at which the run is asked to stop."""

_TIME = re.compile(
    r"(?:(?P<days>\d+)-(?P<d_hours>\d+)(?::(?P<d_minutes>\d+))?(?::(?P<d_seconds>\d+))?"
    r"|(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+)"
    r"|(?P<only_minutes>\d+)(?::(?P<m_seconds>\d+))?)"
)
_UNITS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def read_time(text: str) -> int:
    """Seconds, from a time as SLURM writes it: `30`, `30:00`, `4:00:00`, `1-12`, `1-12:30`, `1-12:30:00`.

    Raises:
        ValueError: It is no such time, or is zero.
    """
    if (match := _TIME.fullmatch(text.strip())) is None:
        raise ValueError(f"{text!r} is no time of SLURM; write hours:minutes:seconds, such as 4:00:00")
    parts = {name.split("_")[-1]: int(value) for name, value in match.groupdict().items() if value is not None}
    if (seconds := sum(_UNITS[unit] * value for unit, value in parts.items())) == 0:
        raise ValueError(f"{text!r} is no time at all; write hours:minutes:seconds, such as 4:00:00")
    return seconds


@dataclass(frozen=True)
class Job:
    """What is asked of SLURM for one command.

    Attributes:
        name: Of the job, and of its log.
        command: What is run, in the folder.
        folder: Where.
        seconds: What the job may take [s].
        lead: How long before that the run is asked to stop [s].
        requeues: How often it is put back into the queue where its command is not done in that time.
        nodes: Computers.
        tasks: Processes on each of them; the command is started by `srun` where there are several in all.
        cpus: Cores for each process.
        gpus: On each node.
        memory: On each node, as SLURM writes it.
        partition, account: As the cluster calls them.
        options: More options of sbatch.
        setup: Shell commands before the first, such as `module load cuda`.
    """

    name: str
    command: Sequence[str]
    folder: Path
    seconds: int
    lead: int = LEAD
    requeues: int = 20
    nodes: int = 1
    tasks: int = 1
    cpus: int | None = None
    gpus: int | None = None
    memory: str | None = None
    partition: str | None = None
    account: str | None = None
    options: Sequence[str] = ()
    setup: Sequence[str] = ()

    @property
    def log(self) -> str:
        """Where its output goes; %j stands for its number."""
        return f"{self.name}-%j.log"

    def script(self) -> str:
        """What sbatch reads.

        The shell hands SIGUSR1, of which SLURM sends one before the end, and SIGTERM on to the command, and waits until
        that has committed what it did. A run that is not done goes back into the queue, but not one that was cancelled.
        """
        directives = "\n".join(f"#SBATCH {option}" for option in self._options())
        setup = "".join(f"{line}\n" for line in self.setup)
        return _SCRIPT.format(
            directives=directives,
            setup=setup and f"{setup}\n",
            command=shlex.join([*self._launcher(), *self.command]),
            resumable=RESUMABLE,
            requeues=self.requeues,
        )

    def _options(self) -> list[str]:
        minutes, seconds = divmod(self.seconds, 60)
        asked = {
            "job-name": self.name,
            "chdir": str(self.folder),
            "output": self.log,
            "open-mode": "append",
            "time": f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}",
            "signal": f"B:USR1@{self.lead}",
            "nodes": self.nodes,
            "ntasks-per-node": self.tasks,
            "cpus-per-task": self.cpus,
            "gpus-per-node": self.gpus,
            "mem": self.memory,
            "partition": self.partition,
            "account": self.account,
        }
        given = [f"--{name}={shlex.quote(str(value))}" for name, value in asked.items() if value is not None]
        return [*given, "--requeue", *self.options]

    def _launcher(self) -> list[str]:
        if self.nodes * self.tasks == 1:
            return []
        return ["srun", *([] if self.cpus is None else [f"--cpus-per-task={self.cpus}"])]


_SCRIPT = """\
#!/bin/bash
{directives}

{setup}trap 'kill -USR1 $run 2> /dev/null' USR1
trap 'cancelled=yes; kill -TERM $run 2> /dev/null' TERM

{command} &
run=$!
while kill -0 $run 2> /dev/null; do wait $run; done    # a signal ends a wait
wait $run; code=$?

if [ $code -eq {resumable} ] && [ -z "$cancelled" ]; then
    if [ "${{SLURM_RESTART_COUNT:-0}}" -lt {requeues} ]; then
        scontrol requeue "$SLURM_JOB_ID"
    else
        echo "The job came back {requeues} times and is not done; submit it again to go on." >&2
    fi
fi
exit $code
"""
