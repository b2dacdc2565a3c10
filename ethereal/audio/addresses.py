"""Reads the addresses that users give, and tells which may be opened. Pure: nothing is looked up here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import idna

from ethereal.audio.networks import IPAddress, IPNetwork, is_public
from ethereal.errors import InvalidInputError, UnsafeAddressError

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_ADDRESS = 4096
LONGEST_HOST = 253
#: Names that mean this machine or its network, with all names below them.
LOCAL_NAMES = (
    "localhost",
    "localdomain",
    "local",
    "internal",  # metadata.google.internal among them
    "intranet",
    "lan",
    "home.arpa",
    "metadata.goog",
    "metadata.azure.com",
    "instance-data.ec2.amazonaws.com",
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_NEVER_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")


@dataclass(frozen=True)
class AddressRule:
    """What may be opened. `allowed_networks` may be reached although they are not public: tests name one."""

    allow_http: bool = False
    ports: frozenset[int] = frozenset({80, 443})
    allowed_networks: tuple[IPNetwork, ...] = ()

    def ensure_allowed(self, address: IPAddress) -> None:
        """Raise UnsafeAddressError unless `address` is public or expressly allowed."""
        if not is_public(address) and not any(address in network for network in self.allowed_networks):
            raise unsafe("it leads into a private network")


PUBLIC_HTTPS = AddressRule()
#: For tests: plain HTTP, any port, and this machine.
LOCAL_TOO = AddressRule(
    True, frozenset(range(1, 1 << 16)), (ip_network("127.0.0.0/8"), ip_network("::1/128"))
)


@dataclass(frozen=True)
class Address:
    """An address that was read by the rule: `host` is ASCII, `target` is the path with the query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as they stand in the address and in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def read_address(text: str, rule: AddressRule = PUBLIC_HTTPS) -> Address:
    """Take an address from outside. Raise InvalidInputError if it is none, UnsafeAddressError if not allowed.

    A name that passes may still lead into a private network: `source.py` looks at what it stands for.
    """
    if len(text) > LONGEST_ADDRESS or _NEVER_IN_AN_ADDRESS.search(text):
        raise not_an_address()
    parts = _split(text)
    scheme = parts.scheme
    if scheme not in DEFAULT_PORTS or (scheme == "http" and not rule.allow_http):
        raise unsafe("it must begin with https://")
    if "@" in parts.netloc:
        raise unsafe("it must not carry a user name")
    port = _port(parts) or DEFAULT_PORTS[scheme]
    if port not in rule.ports:
        raise unsafe(f"port {port} is not open to it")
    host = read_host(parts.hostname or "")
    if spelt := spelt_address(host):
        rule.ensure_allowed(spelt)
    return Address(scheme, host, port, _target(parts))


def follow(address: Address, location: str, rule: AddressRule) -> Address:
    """Read the address that a redirect at `address` leads to."""
    return read_address(urljoin(str(address), location), rule)


def read_host(text: str) -> str:
    """Return a host in ASCII, an IP address in its usual form. Raise as `read_address` does."""
    if ":" in text:
        return str(_read_ipv6(text))
    host = _ascii(text.lower()).removesuffix(".")
    labels = host.split(".")
    if len(host) > LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise not_an_address()
    if _NUMBER.fullmatch(labels[-1]):  # other programs would take it for an IP address in some form
        return str(_read_ipv4(host))
    if len(labels) == 1 or any(host == name or host.endswith("." + name) for name in LOCAL_NAMES):
        raise unsafe("it names a machine of this network")
    return host


def spelt_address(host: str) -> IPAddress | None:
    """The IP address that `host` spells, None if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def unsafe(reason: str) -> UnsafeAddressError:
    return UnsafeAddressError(f"This address is not opened: {reason}.", {"url": [reason]})


def not_an_address() -> InvalidInputError:
    return InvalidInputError("This is not a web address.", {"url": ["not a web address"]})


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:
        raise not_an_address() from error


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError as error:
        raise not_an_address() from error


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return f"{path}?{query}" if query else path


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode()
    except idna.IDNAError as error:
        raise not_an_address() from error


def _read_ipv4(host: str) -> IPv4Address:
    try:
        return IPv4Address(host)
    except AddressValueError as error:
        raise unsafe("it hides an IP address") from error


def _read_ipv6(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text)
    except AddressValueError as error:
        raise not_an_address() from error
    if address.scope_id is not None:
        raise unsafe("it names a link of this machine")
    return address
