"""run_tool against real processes: what it returns, how it fails, and that nothing is left of the child."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from ethereal.errors import ChildFailedError, LeaseLostError, TimeLimitError
from ethereal.process import ToolResult, run_tool
from ethereal.process.tool import MAX_OUTPUT_BYTES

LONG = timedelta(seconds=30)
SHORT = timedelta(seconds=0.5)


@pytest.fixture
def mark() -> str:
    """A word in the command line by which every process of a test is found."""
    return f"mark-{uuid4().hex}"


def living(mark: str) -> list[psutil.Process]:
    return [
        process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or [])
    ]


def shell(script: str, mark: str, **options: object) -> ToolResult:
    return run_tool(["/bin/sh", "-c", script, mark, mark], timeout=LONG, **options)  # type: ignore[arg-type]


def test_a_tool_hears_its_input_and_is_heard(mark: str) -> None:
    result = shell("cat; echo worried >&2", mark, stdin=b"hello " * 100_000)

    assert result == ToolResult(b"hello " * 100_000, "worried\n", 0)


def test_a_tool_that_does_not_read_its_input_ends_well(mark: str) -> None:
    assert shell("exec true", mark, stdin=b"x" * 1_000_000).returncode == 0


def test_whole_lines_are_told_as_they_come(mark: str, tmp_path: Path) -> None:
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        (tmp_path / line).touch()

    script = f"printf 'one\\ntw'; while [ ! -e {tmp_path}/one ]; do sleep 0.05; done; printf 'o\\nthree'"
    result = shell(script, mark, on_line=tell)

    assert told == ["one", "two"]
    assert result.stdout == b"one\ntwo\nthree"


def test_what_is_said_at_the_very_end_is_told_too(mark: str) -> None:
    told: list[str] = []

    shell("seq 20000", mark, on_line=told.append)

    assert told == [str(number) for number in range(1, 20_001)]


class _EndsWhenAskedAfter(subprocess.Popen[bytes]):
    """Whoever asks whether it has ended learns that it just did: the narrowest of races, every time."""

    go: Path

    def poll(self) -> int | None:
        self.go.touch()
        self.wait()
        return super().poll()


def test_what_is_said_between_two_looks_is_not_lost(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_EndsWhenAskedAfter, "go", tmp_path / "go", raising=False)
    monkeypatch.setattr(subprocess, "Popen", _EndsWhenAskedAfter)

    script = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo last words; echo sighs >&2"
    result = shell(script, mark)

    assert result == ToolResult(b"last words\n", "sighs\n", 0)


def test_the_environment_and_directory_are_what_was_given(mark: str, tmp_path: Path) -> None:
    result = run_tool(["/usr/bin/env"], timeout=LONG, env={"ONLY": "this", "LC_ALL": "C.UTF-8"}, cwd=tmp_path)

    assert set(result.stdout.splitlines()) == {b"ONLY=this", b"LC_ALL=C.UTF-8"}
    assert shell("pwd", mark, cwd=tmp_path).stdout == f"{tmp_path}\n".encode()


def test_a_failure_carries_the_last_lines_of_the_tools_own_words(mark: str) -> None:
    with pytest.raises(ChildFailedError, match=r"sh ended with code 3: .*line 9 / no such codec$"):
        shell("for n in 1 2 3 4 5 6 7 8 9; do echo line $n >&2; done; echo no such codec >&2; exit 3", mark)


def test_a_code_that_was_said_to_be_fine_is_no_failure(mark: str) -> None:
    assert shell("exit 3", mark, accept={0, 3}).returncode == 3


def test_a_tool_that_is_not_there_is_named() -> None:
    with pytest.raises(ChildFailedError, match=r"code 127: cannot run no-such-tool: No such file"):
        run_tool(["no-such-tool"], timeout=LONG)


def test_a_tool_killed_by_a_signal_fails_with_the_shells_code_for_it(mark: str) -> None:
    with pytest.raises(ChildFailedError, match="code 137"):
        shell("kill -9 $$", mark)


def test_endless_output_is_cut_off() -> None:
    with pytest.raises(ChildFailedError, match=str(MAX_OUTPUT_BYTES)):
        run_tool(["yes"], timeout=LONG)


def test_the_beat_is_felt_several_times_a_second_and_never_goes_back(mark: str) -> None:
    beats: list[float] = []

    shell("sleep 1", mark, beat=beats.append)

    assert len(beats) >= 6
    assert beats == sorted(beats)
    assert 0 <= beats[0] <= beats[-1] < 1


def test_a_tool_over_its_time_is_ended_with_its_whole_family(mark: str) -> None:
    with pytest.raises(TimeLimitError, match=r"longer than 0\.5 s"):
        run_tool(["sh", "-c", f"{family(mark)} wait", mark, mark], timeout=SHORT)

    assert living(mark) == []


def family(mark: str) -> str:
    """Shell text that starts a child, a grandchild and one that left for a session of its own."""
    sleep = f"sh -c 'sleep 300; :' {mark} {mark}"
    return f'{sleep} & sh -c "{sleep} & sleep 300; :" {mark} {mark} & setsid {sleep} &'


def test_a_line_may_end_the_tool(mark: str) -> None:
    def refuse(line: str) -> None:
        raise LeaseLostError(line)

    with pytest.raises(LeaseLostError, match="ready"):
        shell("echo ready; sleep 60", mark, on_line=refuse)

    assert living(mark) == []


@pytest.mark.parametrize("error", [LeaseLostError, SystemExit, KeyboardInterrupt])
def test_whatever_the_beat_raises_ends_the_tool_and_goes_through(
    mark: str, error: type[BaseException]
) -> None:
    seen: list[int] = []

    def beat(_: float) -> None:
        seen.append(len(living(mark)))
        if seen[-1] >= 5:
            raise error

    with pytest.raises(error):
        shell(f"{family(mark)} wait", mark, beat=beat)

    assert living(mark) == []


def test_what_a_tool_leaves_running_goes_with_it(mark: str) -> None:
    assert shell(f"{family(mark)} exit 0", mark).returncode == 0

    assert living(mark) == []


def test_a_tool_deaf_to_polite_requests_is_killed(mark: str) -> None:
    started = time.monotonic()
    with pytest.raises(TimeLimitError):
        run_tool(
            [sys.executable, "-c", DEAF, mark],
            timeout=timedelta(seconds=1),
        )

    assert living(mark) == []
    assert time.monotonic() - started > 5


DEAF = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; time.sleep(300)"
