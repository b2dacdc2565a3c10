"""Fetching from a web that is slow, endless, lying, broken or hostile: the file whole, or a typed error."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.audio.pace import FetchLimits
from ethereal.audio.source import FetchedSource
from ethereal.errors import (
    EtherealError,
    InvalidInputError,
    LeaseLostError,
    Retry,
    TimeLimitError,
    TooLargeError,
    UnavailableError,
    UnreadableAudioError,
)
from tests.fetching import SONG, fetch
from tests.played_web import Play, answering, played_web, saying

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """Set when the test is over: endless plays end."""
    event = threading.Event()
    yield event
    event.set()


def failure(play: Play, folder: Path, **options: object) -> EtherealError:
    """The error that fetching what is played ends in; nothing may be left in the folder."""
    with played_web({"/song.wav": play}) as web, pytest.raises(EtherealError) as error:
        fetch(web, folder, **options)
    assert list(folder.iterdir()) == []
    return error.value


def test_a_file_is_fetched_whole_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    with played_web({"/a%20song.wav?x=1": answering(SONG)}) as web:
        fetched = fetch(web, tmp_path, "/a%20song.wav?x=1")

    assert fetched.path.read_bytes() == SONG
    assert fetched == FetchedSource(
        path=tmp_path / "song",
        filename="a song.wav",
        content_type="audio/wav",
        size=len(SONG),
        sha256=hashlib.sha256(SONG).hexdigest(),
        final_url=web.url("/a%20song.wav?x=1"),
    )
    assert f"\r\nHost: 127.0.0.1:{web.port}\r\n" in web.asked[0]
    assert "\r\nAccept-Encoding: identity\r\n" in web.asked[0]


def test_a_file_of_untold_length_is_fetched(tmp_path: Path) -> None:
    chunked = CHUNKED + b"".join(
        b"%x\r\n%b\r\n" % (1000, SONG[i : i + 1000]) for i in range(0, 256_000, 1000)
    )
    plays = {
        "/closing": answering(SONG, content_length=""),
        "/chunked": lambda connection: connection.sendall(chunked + b"0\r\n\r\n"),
    }
    with played_web(plays) as web:
        for path in plays:
            assert fetch(web, tmp_path, path).path.read_bytes() == SONG


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="My Song.mp3"', "My Song.mp3"),
        ("attachment; filename*=UTF-8''%C3%BCber.mp3", "über.mp3"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\Music\\\\a.wav"', "a.wav"),
        ("attachment; filename*=nonsense''%ff.mp3", None),
        ('attachment; filename=""', "song.wav"),
        ("attachment; filename=" + "a" * 500 + ".mp3", "a" * 191 + ".mp3"),
    ],
)
def test_the_name_is_the_servers_made_harmless(header: str, name: str | None, tmp_path: Path) -> None:
    with played_web({"/song.wav": answering(SONG, content_disposition=header)}) as web:
        filename = fetch(web, tmp_path).filename

    assert name is None or filename == name
    assert "/" not in filename


def test_whoever_watches_sees_the_fraction_rise_to_one(tmp_path: Path) -> None:
    told: list[float] = []
    with played_web({"/song.wav": answering(SONG)}) as web:
        fetch(web, tmp_path, beat=told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(set(told)) > 2


def test_whoever_watches_may_stop_a_transfer_that_hangs(tmp_path: Path, stop: threading.Event) -> None:
    started = time.monotonic()

    def beat(_: float) -> None:
        if time.monotonic() - started > 0.3:
            raise LeaseLostError("cancelled")

    play = saying(b"HTTP/1.1 200 OK\r\n\r\nRIFF", b"", 0.05, stop)
    assert isinstance(failure(play, tmp_path, beat=beat), LeaseLostError)


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nX-Patience: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED + b"0\r\n", b"X-Trailer: 1\r\n"),
    ],
    ids=["body", "header", "headers", "continues", "chunks", "trailers"],
)
def test_a_trickle_ends(head: bytes, again: bytes, tmp_path: Path, stop: threading.Event) -> None:
    error = failure(saying(head, again, 0.02, stop), tmp_path)

    assert isinstance(error, UnavailableError)


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, stop: threading.Event) -> None:
    error = failure(lambda _: stop.wait(5) and None, tmp_path)

    assert isinstance(error, UnavailableError)
    assert "too slowly" in str(error)


def test_a_transfer_that_is_fast_enough_but_too_long_ends(tmp_path: Path, stop: threading.Event) -> None:
    limits = FetchLimits(max_bytes=10**9, timeout=timedelta(seconds=0.8), window=timedelta(seconds=0.3))
    play = saying(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 40_000, 0.05, stop)

    error = failure(play, tmp_path, limits=limits)

    assert isinstance(error, TimeLimitError)


def test_an_endless_file_ends_at_the_limit(tmp_path: Path, stop: threading.Event) -> None:
    error = failure(saying(b"HTTP/1.1 200 OK\r\n\r\n", SONG, 0, stop), tmp_path)

    assert isinstance(error, TooLargeError)
    assert "0.953674 MiB" in str(error)


def test_endless_headers_end_at_the_limit(tmp_path: Path, stop: threading.Event) -> None:
    play = saying(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0, stop)

    assert isinstance(failure(play, tmp_path), TooLargeError)


def test_a_file_that_says_it_is_too_large_is_not_even_begun(tmp_path: Path, stop: threading.Event) -> None:
    play = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n", b"", 0.05, stop)

    assert isinstance(failure(play, tmp_path), TooLargeError)


@pytest.mark.parametrize("length", [len(SONG) + 1, 900_000])
def test_a_server_that_promises_more_than_it_gives_is_not_believed(length: int, tmp_path: Path) -> None:
    error = failure(answering(SONG, content_length=length), tmp_path)

    assert isinstance(error, UnavailableError)
    assert f"after {len(SONG)} of {length}" in str(error)


def test_of_a_server_that_gives_more_than_it_promised_the_promise_is_taken(tmp_path: Path) -> None:
    with played_web({"/song.wav": answering(SONG, content_length=1000)}) as web:
        assert fetch(web, tmp_path).path.read_bytes() == SONG[:1000]


def test_chunks_that_break_off_are_no_file(tmp_path: Path) -> None:
    for body in (b"5\r\nab", b"5\r\nabcde\r\n", b"zz\r\nab", b"5\r\nabcdefgh\r\n0\r\n\r\n"):
        play = lambda connection, body=body: connection.sendall(CHUNKED + body)  # noqa: E731

        assert isinstance(failure(play, tmp_path), UnavailableError)


def test_a_connection_that_is_reset_is_unavailable(tmp_path: Path) -> None:
    def reset(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nabc")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    assert isinstance(failure(reset, tmp_path), UnavailableError)


@pytest.mark.parametrize(
    "words", [b"", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"\0" * 100_000]
)
def test_what_does_not_speak_http_is_unavailable(words: bytes, tmp_path: Path) -> None:
    error = failure(lambda connection: connection.sendall(words), tmp_path)

    assert isinstance(error, UnavailableError)


@pytest.mark.parametrize("content_type", ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml"])
def test_a_web_page_is_no_sound(content_type: str, tmp_path: Path) -> None:
    error = failure(answering(b"<html>", content_type=content_type), tmp_path)

    assert isinstance(error, UnreadableAudioError)
    assert "web page" in str(error)


def test_what_is_packed_is_refused(tmp_path: Path) -> None:
    assert isinstance(failure(answering(SONG, content_encoding="gzip"), tmp_path), InvalidInputError)


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_server_in_trouble_may_be_asked_again(status: int, tmp_path: Path) -> None:
    error = failure(answering(b"busy", f"{status} Trouble"), tmp_path)

    assert isinstance(error, UnavailableError)
    assert error.retry is Retry.LATER


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410])
def test_a_refusal_is_final(status: int, tmp_path: Path) -> None:
    error = failure(answering(b"", f"{status} No"), tmp_path)

    assert type(error) is InvalidInputError
    assert error.retry is Retry.NEVER


def test_a_server_that_recovers_is_fetched_from_at_the_next_try(tmp_path: Path) -> None:
    with played_web({"/song.wav": answering(b"", "503 Busy")}) as web:
        with pytest.raises(UnavailableError):
            fetch(web, tmp_path)
        web.plays["/song.wav"] = answering(SONG)

        assert fetch(web, tmp_path).size == len(SONG)


def test_a_port_where_nobody_listens_is_unavailable(tmp_path: Path) -> None:
    with played_web({}) as web:
        pass
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1 does not answer"):
        fetch(web, tmp_path)
