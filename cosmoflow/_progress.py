"""A progress bar on the host, between compiled chunks."""

from collections.abc import Iterator
from contextlib import contextmanager


class _Bar:
    def __init__(self, progress=None, task=None):
        self._progress = progress
        self._task = task

    def advance(self, count: int, note: str = "") -> None:
        """Move on by `count` and show a note."""
        if self._progress is not None:
            self._progress.update(self._task, advance=count, note=note)


@contextmanager
def progress_bar(label: str, total: int, *, done: int = 0, visible: bool) -> Iterator[_Bar]:
    """A bar from `done` to `total`; an invisible one prints nothing and imports nothing."""
    if not visible:
        yield _Bar()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns) as progress:
        yield _Bar(progress, progress.add_task(label, total=total, completed=done, note=""))
