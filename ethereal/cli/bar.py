"""The progress bar of the commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Bar:
    """A bar in percent with the stage before it and the guess at the end."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=100.0, eta="")

    def show(self, stage: str, percent: float, eta_seconds: float | None = None) -> None:
        eta = "" if eta_seconds is None else f"about {eta_seconds:.0f} s left"
        self._progress.update(self._task, description=stage, completed=percent, eta=eta)


@contextmanager
def open_bar(console: Console) -> Iterator[Bar]:
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=36),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[eta]}", style="dim"),
    )
    with Progress(*columns, console=console) as progress:
        yield Bar(progress)


def size_of(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
