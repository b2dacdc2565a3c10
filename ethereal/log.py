"""The log: one event a line, with the ids of what the process was working on when it said so.

Who takes up a request, a job or a step binds its ids: the lines of its thread bear them until it is done, and
the processes it starts meanwhile. What a process says before `set_up` goes where Python sends it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import IO, Literal

Form = Literal["text", "json"]

#: Whose lines are told from the chosen level on; those of libraries from WARNING on.
_OURS = ("ethereal", "tasks", "web")
_NONE: Mapping[str, str] = MappingProxyType({})
_bound: ContextVar[Mapping[str, str]] = ContextVar("bound", default=_NONE)


def bound() -> Mapping[str, str]:
    """The ids that lines of this thread bear now, by name."""
    return _bound.get()


@contextmanager
def bind(**ids: object) -> Iterator[None]:
    """Have the lines of the block bear these ids too, where they are not empty."""
    token = _bound.set({**bound(), **{name: str(value) for name, value in ids.items() if value}})
    try:
        yield
    finally:
        _bound.reset(token)


def rebind(**ids: object) -> None:
    """Have the lines of this thread bear these ids and no others, until something else is bound."""
    _bound.set({name: str(value) for name, value in ids.items() if value})


def set_up(form: Form, level: str, *, to: IO[str] | None = None) -> None:
    """Send what this process says to `to` (None: stderr). Safe to repeat."""
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(formatter(form))
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)


def formatter(form: Form) -> logging.Formatter:
    return JsonLines() if form == "json" else TextLines()


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = _facts(record) | {"message": record.getMessage()} | dict(bound())
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    """For people: the ids stand behind the message."""

    def format(self, record: logging.LogRecord) -> str:
        facts = _facts(record)
        ids = "".join(f" {name}={value}" for name, value in bound().items())
        line = f"{facts['time']} {facts['level']} {facts['logger']}: {record.getMessage()}{ids}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _facts(record: logging.LogRecord) -> dict[str, object]:
    when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {"time": when, "level": record.levelname, "logger": record.name, "process": record.process}
