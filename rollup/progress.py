"""Progress bars on stderr, so that stdout holds the report alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[str, float, float], None]
"""Called with (what, done, in all)."""


class Bars:
    """One bar a step. Use as a context manager around all steps.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        console = Console(stderr=True, quiet=quiet)
        self._progress = Progress(
            TextColumn("{task.description:<44}"), BarColumn(24), TimeElapsedColumn(), console=console
        )

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextmanager
    def step(self, what: str) -> Iterator[Advance]:
        """Show a step while the block runs; the function it gives moves the bar and may add words."""
        task = self._progress.add_task(what, total=None)

        def advance(words: str, done: float, total: float) -> None:
            description = f"{what}: {words}" if words else what
            self._progress.update(task, description=description[:44], completed=done, total=total)

        yield advance
        self._progress.update(task, description=what, completed=1, total=1)
        self._progress.stop_task(task)
