"""Parts of a song, and the same song with another end, through the farm: no more is drawn than is new."""

from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.client import ApiClient
from ethereal.embedded import RunningStack

ROOT = Path(__file__).parents[2]
RATE, GOP = 48_000, 48
SMALL = {"outputFormat": "draft-360p", "fps": 24, "quality": "draft", "chunks": 2}


def tones(*pitches: int) -> NDArray[np.float64]:
    """A second of each pitch, struck at its start."""
    time = np.arange(RATE) / RATE
    return np.concatenate([np.sin(2 * np.pi * pitch * time) * np.exp(-time) for pitch in pitches])


def write(path: Path, sound: NDArray[np.float64]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound * 20_000).astype("<i2").tobytes())
    return path


def render(client: ApiClient, song: Path, **request: object) -> dict[str, Any]:
    """The finished job, with its chunks."""
    job_id = str(client.render(client.upload(song), song.name, **{**SMALL, **request})["jobId"])
    *_, job = client.follow(job_id)
    assert job["status"] == "complete", job
    return {**job, "chunks": client.call("GET", f"/api/jobs/{job_id}/chunks")["chunks"]}


def forget(stack: RunningStack) -> None:
    """Remove all that renders left for later ones."""
    for folder in ("plans", "reuse"):
        shutil.rmtree(stack.options.data_dir / "objects" / folder)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pitches = (110, 220, 330, 440, 550, 660, 770, 880)
    return write(tmp_path_factory.mktemp("song") / "song.wav", tones(*pitches))


@pytest.fixture(scope="module")
def whole(client: ApiClient, song: Path) -> dict[str, Any]:
    return render(client, song)


def test_another_end_draws_the_end_and_gives_the_video_of_a_fresh_render(
    client: ApiClient, stack: RunningStack, whole: dict[str, Any], tmp_path: Path
) -> None:
    retold = write(tmp_path / "retold.wav", tones(110, 220, 330, 440, 550, 660, 770, 120))

    again = render(client, retold)
    assert [chunk["copied"] for chunk in whole["chunks"]] == [0, 0]
    assert [chunk["copied"] for chunk in again["chunks"]] == [2 * GOP, GOP]
    assert [chunk["reused"] for chunk in again["chunks"]] == [True, False]

    forget(stack)
    fresh = render(client, retold)
    assert [chunk["copied"] for chunk in fresh["chunks"]] == [0, 0]
    assert again["result"]["sha256"] == fresh["result"]["sha256"] != whole["result"]["sha256"]


def test_a_range_is_that_part_of_the_sound_and_no_longer(
    client: ApiClient, song: Path, tmp_path: Path
) -> None:
    job = render(client, song, range={"start": 2.5, "end": 5.25}, chunks=1)
    client.download(job["downloadUrl"], tmp_path / "video.mp4")

    assert (job["result"]["frames"], job["result"]["durationSeconds"]) == (66, 2.75)
    assert_is_part(tmp_path / "video.mp4", 66)


def test_the_command_renders_the_same_part(song: Path, tmp_path: Path) -> None:
    size = ("--format", "draft-360p", "--fps", "24", "--quality", "draft")
    argv = [sys.executable, "-m", "ethereal.cli", "render", song, "-o", tmp_path / "video.mp4"]
    subprocess.run([*argv, *size, "--range", "2.5:5.25"], cwd=ROOT, check=True)

    assert_is_part(tmp_path / "video.mp4", 66)


def assert_is_part(video: Path, frames: int) -> None:
    """From the middle of the third pitch to the first quarter of the sixth."""
    with av.open(str(video)) as container:
        assert container.streams.video[0].frames == frames
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(heard) / RATE == pytest.approx(2.75, abs=0.03)
    for second, pitch in ((0.1, 330), (0.6, 440), (1.6, 550), (2.55, 660)):
        part = heard[round(second * RATE) :][: RATE // 8] * np.hanning(RATE // 8)
        assert abs(8 * int(np.abs(np.fft.rfft(part)).argmax()) - pitch) <= 8, f"at {second} s"
