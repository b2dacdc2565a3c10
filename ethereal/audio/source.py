"""Fetches what lies at an address a user gave: the only file that may open one.

A name is looked up once; every address it stands for must be public, and that very address is connected to:
a name that changes its meaning between two look-ups gains nothing. Every redirect is a new address.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias, cast

from ethereal.audio.addresses import (
    PUBLIC_HTTPS,
    Address,
    AddressRule,
    follow,
    read_address,
    read_host,
    spelt_address,
    unsafe,
)
from ethereal.audio.answers import REDIRECTS, ensure_sound, file_name, too_many_redirects
from ethereal.audio.networks import IPAddress
from ethereal.audio.pace import FetchLimits, Pace, PacedSocket, too_large
from ethereal.beat import Beat, no_beat
from ethereal.errors import InvalidInputError, UnavailableError
from ethereal.whole import whole_file

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Gives every IP address that a name stands for."""

MOST_REDIRECTS = 5
MOST_TRIED = 4  # of the addresses behind one name
_BLOCK = 1 << 16


@dataclass(frozen=True)
class FetchedSource:
    """A file that was fetched, and what its source says about it; `filename` is for people to read only."""

    path: Path
    filename: str
    content_type: str
    size: int
    sha256: str
    final_url: str


def resolve_name(host: str, port: int) -> list[str]:
    """Ask the system. Raise InvalidInputError for a name that is none, UnavailableError if nobody answers."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
            raise InvalidInputError(f"There is no {host}.", {"url": ["no such name"]}) from error
        raise UnavailableError(f"The name {host} cannot be looked up now.") from error
    return [str(where[0]) for *_, where in found]


def fetch_url(
    url: str,
    target: Path,
    *,
    limits: FetchLimits,
    rule: AddressRule = PUBLIC_HTTPS,
    resolver: Resolver = resolve_name,
    tls: ssl.SSLContext | None = None,
    beat: Beat = no_beat,
) -> FetchedSource:
    """Fetch the file at `url` to `target`, which appears whole or not at all.

    Raise UnsafeAddressError, TooLargeError, UnreadableAudioError for a web page, InvalidInputError when the
    file is not there, TimeLimitError, and UnavailableError for what another try may heal.
    """
    pace = Pace(limits, beat)
    address = read_address(url, rule)
    for _ in range(MOST_REDIRECTS + 1):
        with _ask(address, rule, resolver, pace, tls) as answer:
            location = answer.getheader("Location") if answer.status in REDIRECTS else None
            if location is None:
                return _keep(answer, address, target, limits, pace)
        address = follow(address, location, rule)
    raise too_many_redirects(MOST_REDIRECTS)


def open_connection(
    host: str, port: int, *, rule: AddressRule, resolver: Resolver, seconds: float
) -> socket.socket:
    """Connect to what `host` stands for now. Raise UnsafeAddressError if any of it is not public."""
    last: OSError | None = None
    found = _look_up(host, port, rule, resolver)[:MOST_TRIED]
    for address in found:
        try:
            return socket.create_connection((str(address), port), timeout=seconds / len(found))
        except OSError as error:
            last = error
    raise UnavailableError(f"{host} does not answer.") from last


def _look_up(host: str, port: int, rule: AddressRule, resolver: Resolver) -> list[IPAddress]:
    host = read_host(host)
    spelt = spelt_address(host)
    found = [spelt] if spelt else [ip_address(text) for text in resolver(host, port)]
    for address in found:
        rule.ensure_allowed(address)
    if not found:
        raise unsafe("its name stands for nothing")
    return found


@contextmanager
def _ask(
    address: Address, rule: AddressRule, resolver: Resolver, pace: Pace, tls: ssl.SSLContext | None
) -> Iterator[http.client.HTTPResponse]:
    """Send a GET and give the answer, its body still to be read."""
    seconds = pace.seconds_to_connect()
    plain = open_connection(address.host, address.port, rule=rule, resolver=resolver, seconds=seconds)
    with _secured(plain, address, tls) as connection:
        paced = PacedSocket(connection, pace)
        paced.send(_request(address))
        with http.client.HTTPResponse(cast(socket.socket, paced), method="GET") as answer:
            try:
                answer.begin()
                yield answer
            except http.client.HTTPException as error:
                raise UnavailableError(f"{address.host} does not answer as a web server does.") from error


def _secured(plain: socket.socket, address: Address, tls: ssl.SSLContext | None) -> socket.socket:
    if address.scheme == "http":
        return plain
    try:
        return (tls or ssl.create_default_context()).wrap_socket(plain, server_hostname=address.host)
    except ssl.SSLCertVerificationError as error:
        message = f"{address.host} does not prove who it is: {error.verify_message}."
        raise InvalidInputError(message, {"url": ["no valid certificate"]}) from error
    except OSError as error:
        raise UnavailableError(f"{address.host} does not answer securely.") from error


def _request(address: Address) -> bytes:
    lines = (
        f"GET {address.target} HTTP/1.1",
        f"Host: {address.authority}",
        "User-Agent: ethereal",
        "Accept: audio/*, video/*, application/octet-stream, */*;q=0.1",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _keep(
    answer: http.client.HTTPResponse, address: Address, target: Path, limits: FetchLimits, pace: Pace
) -> FetchedSource:
    """Write the body of the answer at `target` once it is known to be all there."""
    content_type = ensure_sound(answer)
    expected = answer.length  # None when the server does not tell it before
    if expected is not None:
        if expected > limits.max_bytes:
            raise too_large(limits.max_bytes)
        pace.expected = expected
    digest, size = hashlib.sha256(), 0
    with whole_file(target) as unfinished, unfinished.open("wb") as file:
        while block := answer.read1(_BLOCK):
            size += len(block)
            if size > limits.max_bytes:
                raise too_large(limits.max_bytes)
            digest.update(block)
            file.write(block)
        if expected is not None and size != expected:
            raise UnavailableError(f"The file broke off after {size} of {expected} bytes.")
    name = file_name(answer, address)
    return FetchedSource(target, name, content_type, size, digest.hexdigest(), str(address))
