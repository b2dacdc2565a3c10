"""What goes wrong while a real browser draws is a typed error, and nothing of the browser is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ethereal.errors import BrowserCrashedError, MissingPlanArtifactError, RenderError, SceneFailedError
from ethereal.render.capture import open_chromium_renderer, profile
from tests.cards import write_card, write_scene
from tests.waiting import until

ROOT = Path(__file__).parents[2]


def draw_some(directory: Path, count: int = 3, patience: float = 20.0) -> int:
    with open_chromium_renderer(directory, patience=patience) as opened:
        return sum(1 for _ in opened.draw(range(count)))


def own_profiles() -> list[Path]:
    return profiles_of(os.getpid())


def profiles_of(process_id: int) -> list[Path]:
    return list(profile.SHARED_MEMORY.glob(f".ethereal-profile-{process_id}.*"))


def browsers_on(path: Path) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(str(path) in part for part in process.info["cmdline"] or ())
    ]


def browser_of(path: Path) -> psutil.Process:
    return psutil.Process(max(browsers_on(path)))  # the smaller one may be a shell script around it


# scenes that fail


@pytest.mark.parametrize(
    ("create", "draw", "message"),
    [
        ("throw new Error('no wick');", "", "no wick"),
        ("", "if (frame === 2) throw new Error('blown out');", "blown out"),
        ("", "Promise.reject(new Error('dropped'));", "dropped"),
        ("", "setTimeout(() => { throw new Error('too late'); });", "too late"),
        ("this is no script", "", "SyntaxError|Unexpected"),
        ("gl.useProgram(gl.createProgram());", "", "WebGL error"),
        ("", "gl.drawArrays(gl.TRIANGLES, 0, 3);", "WebGL error"),
        ("", "gl.getExtension('WEBGL_lose_context').loseContext();", "context was lost"),
        ("", "Math.random();", "may not call random"),
        ("", "Date.now();", "may not call now"),
        ("fetch('https://example.com/');", "", "example.com"),
        ("fetch('/composition/nothing.json');", "", "nothing.json"),
        ("fetch('/features.f32/../../etc/passwd');", "", "etc/passwd"),
        ("new WebSocket('ws://127.0.0.1:9/');", "", "127.0.0.1"),
        ("import('https://example.com/scene.js');", "", "example.com"),
    ],
)
def test_a_scene_that_fails_is_a_typed_error_with_its_words(
    tmp_path: Path, create: str, draw: str, message: str
) -> None:
    with pytest.raises(SceneFailedError, match=message):
        draw_some(write_scene(tmp_path, create=create, draw=draw), count=200)
    assert own_profiles() == []


def test_a_shader_that_does_not_compile_is_quoted(tmp_path: Path) -> None:
    directory = write_card(tmp_path)
    script = directory / "composition" / "testcard" / "scene.js"
    script.write_text(script.read_text().replace("uniform vec2 size;", "uniform vec7 size;", 1))

    with pytest.raises(SceneFailedError, match="shader: ERROR"):
        draw_some(directory)


def test_a_scene_that_hangs_is_given_up(tmp_path: Path) -> None:
    directory = write_scene(tmp_path, draw="while (frame === 2) {}")

    with pytest.raises(SceneFailedError, match="drew nothing for 5"):
        draw_some(directory, count=10, patience=5.0)
    assert own_profiles() == []


def test_a_scene_that_hangs_while_opening_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(SceneFailedError, match="did not open within 3"):
        draw_some(write_scene(tmp_path, create="for (;;) {}"), patience=3.0)
    assert own_profiles() == []


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        ("gl.clearColor(0, 0, 0, 1); gl.clear(gl.COLOR_BUFFER_BIT);", "blank frames"),
        ("gl.clearColor(1, 0, 0, 1); gl.clear(gl.COLOR_BUFFER_BIT);", "equal frames"),
    ],
)
def test_a_scene_that_stops_drawing_is_no_video(tmp_path: Path, draw: str, message: str) -> None:
    with pytest.raises(SceneFailedError, match=message):
        draw_some(write_scene(tmp_path, draw=draw), count=80)


def test_a_parameter_that_the_scene_lacks_is_refused(tmp_path: Path) -> None:
    path = write_card(tmp_path) / "composition.json"
    path.write_text(path.read_text().replace('"parameters": {}', '"parameters": {"wick": 1}'))

    with pytest.raises(SceneFailedError, match="no parameter wick"):
        draw_some(tmp_path)


def test_a_missing_part_of_the_composition_is_named(tmp_path: Path) -> None:
    (write_card(tmp_path) / "features.f32").unlink()

    with pytest.raises(MissingPlanArtifactError, match=r"features\.f32"):
        draw_some(tmp_path)


# ends, good and bad


def draw_until(directory: Path, meddle: signal.Signals) -> None:
    with open_chromium_renderer(directory) as opened:
        for index, _ in enumerate(opened.draw(range(5000))):
            if index == 3:
                browser_of(own_profiles()[0]).send_signal(meddle)


def test_a_browser_that_dies_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(BrowserCrashedError):
        draw_until(write_card(tmp_path), signal.SIGKILL)
    assert own_profiles() == []


@pytest.mark.parametrize(
    ("kind", "error"), [("renderer", BrowserCrashedError), ("gpu-process", SceneFailedError)]
)
def test_a_process_of_the_browser_that_dies_is_a_typed_error(
    tmp_path: Path, kind: str, error: type[RenderError]
) -> None:
    directory = write_card(tmp_path)

    def run() -> None:
        with open_chromium_renderer(directory) as opened:
            for index, _ in enumerate(opened.draw(range(20_000))):
                if index == 3:
                    kill_child(browser_of(own_profiles()[0]), kind)

    with pytest.raises(error):
        run()
    assert own_profiles() == []


def kill_child(browser: psutil.Process, kind: str) -> None:
    for child in browser.children(recursive=True):
        if f"--type={kind}" in child.cmdline():
            child.kill()


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RuntimeError])
def test_whatever_ends_the_run_takes_browser_profile_and_mapping_with_it(
    tmp_path: Path, error: type[BaseException]
) -> None:
    left: list[Path] = []

    def run() -> None:
        with open_chromium_renderer(write_card(tmp_path)) as opened:
            for _ in opened.draw(range(10)):
                left.extend(own_profiles())
                assert "File System" in Path("/proc/self/maps").read_text()
                raise error

    with pytest.raises(error):
        run()
    assert len(left) == 1
    assert not left[0].exists()
    assert browsers_on(left[0]) == []
    assert "File System" not in Path("/proc/self/maps").read_text()


class TimeLimit(Exception):  # noqa: N818 - stands for Celery's soft time limit, raised by a signal
    pass


@pytest.mark.parametrize("seconds", [0.05, 0.3, 0.6, 1.2])
def test_a_time_limit_that_strikes_at_any_moment_leaves_nothing(tmp_path: Path, seconds: float) -> None:
    def strike(signal_number: int, frame: object) -> None:
        raise TimeLimit

    before = psutil.Process().children(recursive=True)
    earlier = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(TimeLimit):
            draw_some(write_card(tmp_path), count=1_000_000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)

    assert own_profiles() == []
    assert psutil.Process().children(recursive=True) == before


DRAW_FOREVER = """
import sys
from pathlib import Path
from ethereal.render.capture import open_chromium_renderer
with open_chromium_renderer(Path(sys.argv[1])) as renderer:
    for frame in renderer.draw(range(10_000_000)):
        print("drawn", flush=True)
"""


def test_a_killed_process_leaves_no_browser_and_its_profile_is_swept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DRAW_FOREVER, str(write_card(tmp_path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "drawn\n"
        (left,) = profiles_of(process.pid)
        running = browsers_on(left)
        process.kill()
    assert running

    until(lambda: not browsers_on(left))
    draw_some(tmp_path)  # which sweeps it, unless another process that draws here has done so
    assert not left.exists()
