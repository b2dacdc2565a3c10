"""Tools: child processes that are waited for, with a wall-clock limit and a beat."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, cast

from ethereal.beat import Beat, no_beat
from ethereal.errors import ChildFailedError, TimeLimitError
from ethereal.process.guarded import start_guarded

BEAT_SECONDS = 0.1
MAX_OUTPUT_BYTES = 16 << 20
MAX_ERROR_BYTES = 64 << 10
_ERROR_LINES = 5  # in the message of a ChildFailedError
_BLOCK = 1 << 16


@dataclass(frozen=True)
class ToolResult:
    stdout: bytes
    stderr_tail: str  #: the last MAX_ERROR_BYTES of it
    returncode: int


def run_tool(
    argv: Sequence[str],
    *,
    timeout: timedelta,
    beat: Beat = no_beat,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    accept: Collection[int] = (0,),
    on_line: Callable[[str], None] | None = None,
) -> ToolResult:
    """Run a command to its end; no process of it is left, whether this returns, raises or is killed.

    `beat` is called every 0.1 s with the part of `timeout` that is gone, `on_line` with every whole line of
    stdout as it comes; both may raise. `env` is the whole environment (None: this process's own). Raises
    TimeLimitError after `timeout`, and ChildFailedError, with the last lines of its stderr, when the command
    exits with a code not in `accept` or prints over MAX_OUTPUT_BYTES.
    """
    limit, started = timeout.total_seconds(), time.monotonic()
    pipe = subprocess.PIPE
    with start_guarded(argv, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe) as child:
        with _Talk(child.popen, stdin) as talk:
            lines = _Lines(talk.output, on_line)
            while talk.listen():
                lines.tell_new()
                if len(talk.output) > MAX_OUTPUT_BYTES:
                    raise ChildFailedError(f"{_name(argv)} printed more than {MAX_OUTPUT_BYTES} bytes")
                gone = (time.monotonic() - started) / limit
                if gone >= 1:
                    raise TimeLimitError(f"{_name(argv)} ran longer than {limit:g} s")
                beat(gone)
            lines.tell_new()
        code = child.popen.wait()
    result = ToolResult(bytes(talk.output), talk.errors.decode(errors="replace"), code)
    if code not in accept:
        raise ChildFailedError(_failure(argv, result))
    return result


class _Lines:
    """Tells the whole lines of a text that grows, each once."""

    def __init__(self, text: bytearray, on_line: Callable[[str], None] | None) -> None:
        self._text, self._on_line, self._told = text, on_line, 0

    def tell_new(self) -> None:
        while self._on_line and (end := self._text.find(b"\n", self._told)) >= 0:
            line = bytes(self._text[self._told : end])
            self._told = end + 1
            self._on_line(line.decode(errors="replace"))


class _Talk:
    """Feeds a child's stdin and collects what it says, never waiting longer than a beat."""

    def __init__(self, popen: subprocess.Popen[bytes], stdin: bytes) -> None:
        self.output = bytearray()
        self.errors = bytearray()
        self._popen = popen
        self._unsent = memoryview(stdin)
        self._pipes = [cast(IO[bytes], pipe) for pipe in (popen.stdin, popen.stdout, popen.stderr)]
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> _Talk:
        stdin, stdout, stderr = self._pipes
        os.set_blocking(stdin.fileno(), False)
        self._selector.register(stdin, selectors.EVENT_WRITE, self._send)
        self._selector.register(stdout, selectors.EVENT_READ, self._collect_output)
        self._selector.register(stderr, selectors.EVENT_READ, self._collect_errors)
        return self

    def __exit__(self, *exception: object) -> None:
        self._selector.close()
        for pipe in self._pipes:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def listen(self) -> bool:
        """Move what can be moved within a beat; False once the child has ended and all it said is here."""
        ended = self._popen.poll() is not None  # asked before, not after: it may speak and end in between
        ready = self._selector.select(0 if ended else BEAT_SECONDS)
        for key, _ in ready:
            if not key.data(key.fd):
                self._close(cast(IO[bytes], key.fileobj))
        return bool(self._selector.get_map()) and (bool(ready) or not ended)

    def _close(self, pipe: IO[bytes]) -> None:
        self._selector.unregister(pipe)
        pipe.close()

    def _send(self, descriptor: int) -> bool:
        try:
            self._unsent = self._unsent[os.write(descriptor, self._unsent[:_BLOCK]) :]
        except BrokenPipeError:
            return False
        return len(self._unsent) > 0

    def _collect_output(self, descriptor: int) -> bool:
        block = os.read(descriptor, _BLOCK)
        self.output += block
        return bool(block)

    def _collect_errors(self, descriptor: int) -> bool:
        block = os.read(descriptor, _BLOCK)
        self.errors += block
        del self.errors[:-MAX_ERROR_BYTES]
        return bool(block)


def _name(argv: Sequence[str]) -> str:
    return Path(argv[0]).name


def _failure(argv: Sequence[str], result: ToolResult) -> str:
    last = [line for line in result.stderr_tail.splitlines() if line.strip()][-_ERROR_LINES:]
    return f"{_name(argv)} ended with code {result.returncode}: {' / '.join(last) or 'it said nothing'}"
