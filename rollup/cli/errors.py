"""How the command line fails: one clear line, the way out, and no traceback for what a user can mend."""

import json
from collections.abc import Mapping
from typing import Any

import click

INTERRUPTED = 130


class Failure(click.ClickException):
    """What a user sees of an error: one line, or the list it has, and no traceback. `done`: what was done before it."""

    def __init__(self, error: Exception, as_json: bool = False, done: Mapping[str, Any] | None = None) -> None:
        super().__init__(str(error))
        self._error = error
        self._as_json = as_json
        self._done = done or {}

    def show(self, file: Any = None) -> None:
        """Print the error to stderr, and with --json its data as the last line of stdout."""
        click.secho(f"error: {self.message}", file=file, err=True, fg="red")
        if self._as_json:
            click.echo(json.dumps({**self._done, **failure_summary(self._error)}))


def failure_summary(error: BaseException) -> dict[str, Any]:
    """Return an error as plain values: ok, its stable code, and the reason."""
    return {"ok": False, "code": getattr(error, "code", type(error).__name__), "reason": str(error)}
