"""YouTube: ids by rule, and a stand-in for yt-dlp, run as a real child, held to the limits and the rule."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethereal.audio import youtube
from ethereal.audio.addresses import AddressRule
from ethereal.audio.pace import FetchLimits
from ethereal.audio.proxy import open_guarded_proxy
from ethereal.audio.source import FetchedSource, Resolver
from ethereal.audio.youtube import fetch_youtube, read_video_id
from ethereal.errors import (
    EtherealError,
    InvalidInputError,
    LeaseLostError,
    NotBuiltError,
    TimeLimitError,
    TooLargeError,
    UnavailableError,
    UnsafeAddressError,
)
from tests.played_web import LOOPBACK, answering, played_web

ID = "aB3_-xyz789"
SONG = b"RIFF" + bytes(5_000)
LIMITS = FetchLimits(max_bytes=1_000_000, timeout=timedelta(seconds=20))
HALF_AN_HOUR = Fraction(1800)

# Speaks as yt-dlp does with the options it is given; its own first arguments are the acts to play.
STAND_IN = """
import re, socket, sys, time
acts, options = sys.argv[1:sys.argv.index("--ignore-config")], sys.argv[sys.argv.index("--ignore-config"):]
assert options[-2:] == ["--", "https://www.youtube.com/watch?v=aB3_-xyz789"], options
proxy = next(option for option in options if option.startswith("--proxy=http://")).rpartition("/")[2]
def say(line): print(line, flush=True)
for act in acts:
    verb, _, rest = act.partition(":")
    if verb == "facts": say("ETHEREAL-FACTS " + rest)
    if verb == "progress": say("ETHEREAL-PROGRESS " + rest)
    if verb == "file": open(rest, "wb").write(b"RIFF" + bytes(5000))
    if verb == "sleep": time.sleep(float(rest))
    if verb == "fail": sys.exit("ERROR: " + rest)
    if verb == "reach":
        host, _, port = proxy.partition(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(f"CONNECT {rest} HTTP/1.1\\r\\nHost: {rest}\\r\\n\\r\\n".encode())
            head = line.recv(200).decode()
            if " 200 " not in head:
                sys.exit("ERROR: Unable to connect to proxy: Tunnel connection failed: " + head)
            line.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
            while line.recv(65536): pass
"""
FACTS = 'facts:{"title": "My / Song", "duration": 61, "live_status": "not_live"}'
ENOUGH = [FACTS, f"file:{ID}.m4a"]


def play(folder: Path, *acts: str, **options: object) -> FetchedSource:
    script = folder.parent / f"{folder.name}.py"
    script.write_text(STAND_IN)
    arguments = {"limits": LIMITS, "max_duration": HALF_AN_HOUR} | options
    return fetch_youtube(ID, folder, yt_dlp_argv=[sys.executable, str(script), *acts], **arguments)  # type: ignore[arg-type]


def failure(folder: Path, *acts: str, **options: object) -> EtherealError:
    with pytest.raises(EtherealError) as error:
        play(folder, *acts, **options)
    assert list(folder.iterdir()) == []
    return error.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/watch?v={ID}",
        f"https://youtube.com/watch?v={ID}&t=42s",
        f"https://m.youtube.com/watch?app=desktop&v={ID}#here",
        f"https://music.youtube.com/watch?v={ID}",
        f"https://www.youtube.com/watch?list=PL123&v={ID}&index=2",
        f"https://youtu.be/{ID}",
        f"https://youtu.be/{ID}?si=abc",
        f"https://www.youtube.com/shorts/{ID}",
        f"https://www.youtube.com/live/{ID}?feature=share",
        f"https://www.youtube.com/embed/{ID}/",
        f"  https://WWW.YouTube.com/watch?v={ID}\n",
    ],
)
def test_the_id_of_a_video_is_read(url: str) -> None:
    assert read_video_id(url) == ID


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/playlist?list=PL123",
        "https://www.youtube.com/watch?list=PL123",
        "https://www.youtube.com/@somebody",
        "https://www.youtube.com/embed/videoseries?list=PL123",
        f"https://www.youtube.com/watch?v={ID}x",
        "https://www.youtube.com/watch?v=short",
        f"https://youtu.be/{ID}/more",
        f"https://www.youtube.com.evil.example/watch?v={ID}",
        f"https://evil.example/watch?v={ID}",
        f"https://evil.example/https://youtu.be/{ID}",
        f"http://www.youtube.com/watch?v={ID}",
        f"https://www.youtube.com:8443/watch?v={ID}",
        f"https://user@www.youtube.com/watch?v={ID}",
        f"https://www.youtube.com/redirect?q=https://youtu.be/{ID}",
        "https://www.youtube.com/watch?v=--exec=touch",
        "",
    ],
)
def test_all_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        read_video_id(url)

    assert "url" in refusal.value.details


@settings(max_examples=40, deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_-]{11}", fullmatch=True))
def test_every_id_survives_every_form_of_address(video_id: str) -> None:
    for form in (
        "https://youtu.be/{}",
        "https://www.youtube.com/watch?v={}",
        "https://m.youtube.com/shorts/{}",
    ):
        assert read_video_id(form.format(video_id)) == video_id


def test_the_sound_arrives_with_its_title(folder: Path) -> None:
    fetched = play(folder, *ENOUGH)

    assert fetched == FetchedSource(
        path=folder / f"{ID}.m4a",
        filename="My - Song.m4a",
        content_type="audio/mp4",
        size=5004,
        sha256=hashlib.sha256(b"RIFF" + bytes(5000)).hexdigest(),
        final_url=f"https://www.youtube.com/watch?v={ID}",
    )
    assert list(folder.iterdir()) == [fetched.path]


def test_the_beat_follows_the_download(folder: Path) -> None:
    told: list[float] = []
    acts = [f"progress:{done} {total} NA" for done, total in ((250_000, "NA"), (250_000, 1_000_000))]

    play(
        folder,
        FACTS,
        *acts,
        "sleep:0.3",
        "progress:NA NA NA",
        "progress:900000 NA 1000000",
        "sleep:0.3",
        *ENOUGH,
        beat=told.append,
    )

    assert {0.25, 0.9} <= set(told)
    assert told == sorted(told)


def test_a_video_that_is_too_long_is_ended_before_its_download(folder: Path) -> None:
    started = time.monotonic()

    error = failure(folder, 'facts:{"title": "x", "duration": 1801}', "sleep:60", *ENOUGH)

    assert isinstance(error, TooLargeError)
    assert str(error) == "The video is 30:01.0 long; the limit is 30:00.0."
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("live_status", ["is_live", "is_upcoming", "post_live"])
def test_a_live_video_is_refused(live_status: str, folder: Path) -> None:
    error = failure(folder, f'facts:{{"title": "x", "live_status": "{live_status}"}}', "sleep:60")

    assert type(error) is InvalidInputError


@pytest.mark.parametrize("words", ["1000001 NA NA", "5 1000001 NA", "5 NA 1000001.5"])
def test_a_download_that_grows_too_large_is_ended(words: str, folder: Path) -> None:
    error = failure(folder, FACTS, f"file:{ID}.m4a", f"progress:{words}", "sleep:60")

    assert isinstance(error, TooLargeError)


def test_no_file_at_all_means_that_it_was_too_large(folder: Path) -> None:
    assert isinstance(failure(folder, FACTS), TooLargeError)


def test_a_download_that_hangs_is_ended_with_its_child(folder: Path) -> None:
    limits = FetchLimits(max_bytes=1_000_000, timeout=timedelta(seconds=1))

    assert isinstance(failure(folder, "sleep:300.25", limits=limits), TimeLimitError)
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if "sleep:300.25" in (process.info["cmdline"] or [])
    ]


def test_whoever_watches_may_stop_the_download(folder: Path) -> None:
    def stop(_: float) -> None:
        raise LeaseLostError("cancelled")

    assert isinstance(failure(folder, "sleep:60", beat=stop), LeaseLostError)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("[youtube] aB3: Video unavailable. This video is private", InvalidInputError),
        ("[youtube] aB3: Sign in to confirm you're not a bot", UnavailableError),
        ("unable to download video data: HTTP Error 503: Service Unavailable", UnavailableError),
        ("unable to download video data: HTTP Error 404: Not Found", InvalidInputError),
    ],
)
def test_what_yt_dlp_says_last_tells_whose_fault_it_is(
    words: str, kind: type[EtherealError], folder: Path
) -> None:
    error = failure(folder, FACTS, f"fail:{words}")

    assert type(error) is kind
    assert isinstance(error, UnavailableError) or words in str(error)


def test_without_yt_dlp_it_is_said_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(youtube.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(NotBuiltError, match="pip install"):
        fetch_youtube(ID, folder, limits=LIMITS, max_duration=HALF_AN_HOUR)


def test_the_child_reaches_what_the_rule_allows_and_nothing_else(folder: Path) -> None:
    with played_web({"/": answering(SONG)}) as web:
        fetched = play(folder, f"reach:music.example:{web.port}", *ENOUGH, rule=web.rule, resolver=here)

        assert fetched.size == 5004
        assert len(web.asked) == 1
        for authority in (
            f"localhost:{web.port}",
            f"[::1]:{web.port}",
            f"10.0.0.1:{web.port}",
            "127.0.0.1:22",
        ):
            fetched.path.unlink(missing_ok=True)
            error = failure(folder, f"reach:{authority}", rule=web.rule, resolver=here)
            assert isinstance(error, UnsafeAddressError)
        assert len(web.asked) == 1


def test_the_child_may_not_carry_home_more_than_the_limit(folder: Path) -> None:
    with played_web({"/": answering(bytes(50_000_000))}) as web:
        error = failure(folder, f"reach:127.0.0.1:{web.port}", "fail:Connection broken", rule=web.rule)

    assert isinstance(error, TooLargeError)


def test_the_installed_yt_dlp_opens_no_door_but_ours(folder: Path) -> None:
    asked: list[tuple[str, int]] = []

    def inward(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["10.0.0.1"]

    real = [sys.executable, "-P", "-m", "yt_dlp", "--extractor-retries=0"]
    with pytest.raises(UnsafeAddressError):
        fetch_youtube(ID, folder, limits=LIMITS, max_duration=HALF_AN_HOUR, resolver=inward, yt_dlp_argv=real)

    assert set(asked) == {("www.youtube.com", 443)}
    assert list(folder.iterdir()) == []


def test_yt_dlp_finds_the_javascript_runtime_of_the_wheel(tmp_path: Path) -> None:
    tools = Path(sys.executable).parent
    spoken = subprocess.run(
        [sys.executable, "-P", "-m", "yt_dlp", "--ignore-config", "--no-plugin-dirs", "--verbose"],
        env={"PATH": f"{tools}{os.pathsep}{os.defpath}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"JS runtimes: deno-{importlib.metadata.version('deno')}" in spoken.stderr
    assert f"yt_dlp_ejs-{importlib.metadata.version('yt-dlp-ejs')}" in spoken.stderr


def test_youtube_out_of_reach_is_unavailable(folder: Path) -> None:
    with played_web({}) as web:
        pass
    error = failure(folder, f"reach:www.youtube.com:{web.port}", rule=web.rule, resolver=here)

    assert isinstance(error, UnavailableError)


def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def spoken(words: bytes, rule: AddressRule, resolver: Resolver = here) -> bytes:
    """What the proxy answers."""
    with open_guarded_proxy(rule, resolver, max_bytes=1000) as proxy:
        place = proxy.url.removeprefix("http://").split(":")
        with socket.create_connection((place[0], int(place[1]))) as line:
            line.sendall(words)
            line.shutdown(socket.SHUT_WR)
            return line.recv(1000)


@pytest.mark.parametrize(
    "words",
    [
        b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
        b"CONNECT user@127.0.0.1:443 HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n",
        b"CONNECT\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"x" * 100_000,
        b"",
    ],
)
def test_the_proxy_refuses_whatever_is_no_tunnel_to_a_public_address(words: bytes) -> None:
    assert spoken(words, AddressRule()).startswith(b"HTTP/1.1 403 ")


def test_a_tunnel_does_not_outlive_the_door() -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        rule = AddressRule(ports=frozenset({port}), allowed_networks=(LOOPBACK,))
        with open_guarded_proxy(rule, here, max_bytes=1000) as proxy:
            inside = socket.create_connection(("127.0.0.1", proxy.server_address[1]))
            inside.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
            far_end, _ = outside.accept()
            assert inside.recv(100).startswith(b"HTTP/1.1 200 ")
        with inside, far_end:
            inside.settimeout(2)
            far_end.settimeout(2)
            assert inside.recv(10) == far_end.recv(10) == b""
