"""Where fetching goes: after every redirect and every name, only to addresses that are public."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from ethereal.audio.addresses import AddressRule
from ethereal.audio.source import FetchedSource, fetch_url, resolve_name
from ethereal.errors import (
    InvalidInputError,
    UnavailableError,
    UnsafeAddressError,
)
from tests.fetching import LIMITS, SONG, fetch
from tests.played_web import answering, played_web, redirecting


def test_redirects_are_followed_to_the_file(tmp_path: Path) -> None:
    plays = {
        "/1": redirecting("/2", "301 Moved"),
        "/3": redirecting("four/song.flac", "308 Moved"),
        "/four/song.flac": answering(SONG),
    }
    with played_web(plays) as web:
        web.plays["/2"] = redirecting(web.url("/3", "files.example"), "307 Moved")
        fetched = fetch(web, tmp_path, "/1", resolver=lambda *_: ["127.0.0.1"])

    assert fetched.final_url == f"http://files.example:{web.port}/four/song.flac"
    assert fetched.filename == "song.flac"


def test_five_redirects_are_followed_and_six_are_not(tmp_path: Path) -> None:
    plays = {f"/{n}": redirecting(f"/{n + 1}") for n in range(6)} | {"/6": answering(SONG)}
    with played_web(plays) as web:
        assert fetch(web, tmp_path, "/1").size == len(SONG)
        with pytest.raises(InvalidInputError, match="more than 5 times"):
            fetch(web, tmp_path, "/0")


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1:{port}/",
        "http://169.254.169.254:{port}/latest/meta-data",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[64:ff9b::7f00:1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://localhost:{port}/",
        "http://private.example:{port}/",
        "http://user@127.0.0.1:{port}/",
        "http://127.0.0.1:22/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
    ],
)
def test_a_redirect_into_a_private_network_is_refused(location: str, tmp_path: Path) -> None:
    with played_web({}) as web:
        web.plays["/song.wav"] = redirecting(location.format(port=web.port))
        with pytest.raises(UnsafeAddressError):
            fetch(web, tmp_path, resolver=lambda *_: ["10.0.0.1"])

    assert len(web.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_from_https_to_http_is_refused_by_default(tmp_path: Path) -> None:
    with pytest.raises(UnsafeAddressError, match="https"):
        fetch_url("http://music.example/a.mp3", tmp_path / "a", limits=LIMITS)


@pytest.mark.parametrize(
    "found",
    [["10.1.2.3"], ["93.184.216.34", "127.0.0.1"], ["::1"], ["fe80::1%eth0"], ["::ffff:10.0.0.1"], []],
)
def test_a_name_is_refused_if_anything_it_stands_for_is_private(found: list[str], tmp_path: Path) -> None:
    with pytest.raises(UnsafeAddressError):
        fetch_url("https://music.example/a.mp3", tmp_path / "a", limits=LIMITS, resolver=lambda *_: found)


def test_a_name_is_looked_up_once_for_each_request(tmp_path: Path) -> None:
    """The first answer is harmless and the second is not: who asked twice would go to the second."""
    answers = [["127.0.0.1"], ["127.9.9.9"]]
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), 2) - 1]

    with played_web({"/song.wav": answering(SONG)}) as web:
        fetched = fetch(web, tmp_path, host="music.example", resolver=rebinding)

    assert fetched.size == len(SONG)
    assert asked == ["music.example"]
    assert f"\r\nHost: music.example:{web.port}\r\n" in web.asked[0]


def test_a_name_that_turns_private_before_the_redirect_is_refused(tmp_path: Path) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    with played_web({"/song.wav": redirecting("/next")}) as web, pytest.raises(UnsafeAddressError):
        fetch(web, tmp_path, host="music.example", resolver=lambda *_: next(answers))


def test_the_next_address_of_a_name_is_tried_when_the_first_is_deaf(tmp_path: Path) -> None:
    with played_web({"/song.wav": answering(SONG)}) as web:
        fetched = fetch(web, tmp_path, host="music.example", resolver=lambda *_: ["127.0.0.2", "127.0.0.1"])

    assert fetched.size == len(SONG)


def test_the_system_is_asked_for_every_address_of_a_name() -> None:
    assert resolve_name("127.0.0.1", 443) == ["127.0.0.1"]


@pytest.fixture
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a fresh certificate for music.example, and a client's that trusts it alone."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate for this test")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    name = ["-subj", "/CN=music.example", "-addext", "subjectAltName=DNS:music.example"]
    form = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run(
        [openssl, *form, "-keyout", key, "-out", certificate, *name], check=True, capture_output=True
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


def test_a_certificate_must_fit_the_name_although_the_address_is_connected_to(
    tmp_path: Path, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, client = tls

    def fetch_from(host: str, trusted: ssl.SSLContext | None) -> FetchedSource:
        return fetch_url(
            web.url("/song.wav", host, "https"),
            tmp_path / "a",
            limits=LIMITS,
            rule=AddressRule(ports=web.rule.ports, allowed_networks=web.rule.allowed_networks),
            resolver=lambda *_: ["127.0.0.1"],
            tls=trusted,
        )

    with played_web({"/song.wav": answering(SONG)}, server) as web:
        assert fetch_from("music.example", client).size == len(SONG)
        for host, trusted in (("other.example", client), ("music.example", None)):
            with pytest.raises(InvalidInputError, match="does not prove who it is"):
                fetch_from(host, trusted)


def test_a_server_without_tls_where_tls_was_asked_for_is_unavailable(tmp_path: Path) -> None:
    with played_web({}) as web, pytest.raises(UnavailableError, match="securely"):
        fetch_url(web.url("/", scheme="https"), tmp_path / "a", limits=LIMITS, rule=web.rule)


def test_no_other_file_of_the_audio_floor_opens_addresses() -> None:
    folder = Path(__file__).parents[2] / "ethereal" / "audio"
    opening = re.compile(
        r"create_connection|getaddrinfo|urlopen|HTTPS?Connection|import (requests|urllib3|aiohttp)"
    )

    openers = {path.name for path in folder.glob("*.py") if opening.search(path.read_text())}

    assert openers == {"source.py"}
