"""Addresses from outside: what is read, and what is refused however it is spelt."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethereal.audio.addresses import Address, AddressRule, follow, read_address
from ethereal.audio.networks import is_public
from ethereal.errors import InvalidInputError, UnsafeAddressError

PRIVATE = [
    IPv4Network("0.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("127.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("198.18.0.0/15"),
    IPv4Network("224.0.0.0/4"),
    IPv4Network("240.0.0.0/4"),
]
CARRIERS = {
    "mapped": lambda v4: IPv6Address((0xFFFF << 32) | v4),
    "compatible": IPv6Address,
    "nat64": lambda v4: IPv6Address((0x64FF9B << 96) | v4),
    "local nat64": lambda v4: IPv6Address((0x64FF9B0001 << 80) | v4),
    "6to4": lambda v4: IPv6Address((0x2002 << 112) | (v4 << 80) | 1),
    "teredo server": lambda v4: IPv6Address((0x20010000 << 96) | (v4 << 64)),
    "teredo client": lambda v4: IPv6Address((0x20010000 << 96) | (v4 ^ 0xFFFF_FFFF)),
}


few = settings(max_examples=40, deadline=None)


def private_v4() -> st.SearchStrategy[IPv4Address]:
    return st.sampled_from(PRIVATE).flatmap(lambda network: st.ip_addresses(v=4, network=network))


def refused(url: str, rule: AddressRule | None = None) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as refusal:
        read_address(url, rule or AddressRule())
    assert "url" in refusal.value.details
    return refusal.value


@few
@given(private_v4())
def test_private_addresses_are_refused(address: IPv4Address) -> None:
    assert not is_public(address)
    assert isinstance(refused(f"https://{address}/a.mp3"), UnsafeAddressError)


@pytest.mark.parametrize("carrier", CARRIERS)
@few
@given(address=private_v4())
def test_private_addresses_are_refused_inside_ipv6_too(carrier: str, address: IPv4Address) -> None:
    carried = CARRIERS[carrier](int(address))

    assert not is_public(carried)
    assert isinstance(refused(f"https://[{carried}]/a.mp3"), UnsafeAddressError)
    assert isinstance(refused(f"https://[{carried.exploded}]/a.mp3"), UnsafeAddressError)


@few
@given(private_v4(), st.data())
def test_an_address_in_octal_hex_or_one_number_is_refused(address: IPv4Address, data: st.DataObject) -> None:
    spelt = [
        data.draw(st.sampled_from([f"{byte:#x}", f"0{byte:o}", f"{byte:#X}"])) for byte in address.packed
    ]
    short = f"{address.packed[0]}.{int(address) & 0xFFFFFF}"

    for host in (".".join(spelt), str(int(address)), f"{int(address):#x}", f"0{int(address):o}", short):
        if not host.isdigit() or int(host) > 9:
            refused(f"https://{host}/a.mp3")
            refused(f"https://{host}./a.mp3")


@few
@given(private_v4(), st.sampled_from(["０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]), st.sampled_from("。．｡"))  # noqa: RUF001
def test_an_address_in_other_digits_is_refused(address: IPv4Address, digits: str, dot: str) -> None:
    spelt = str(address).translate(str.maketrans("0123456789.", digits + dot))

    assert isinstance(refused(f"https://{spelt}/"), UnsafeAddressError)


@few
@given(st.ip_addresses(v=4))
def test_what_is_public_is_what_the_registries_call_global(address: IPv4Address) -> None:
    special = [IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24")]

    if not any(address in network for network in special):
        assert is_public(address) == (address.is_global and not address.is_multicast)


@few
@given(st.ip_addresses(v=6, network=ip_network("2000::/3")))
def test_no_ipv6_address_is_public_that_the_registries_reserve(address: IPv6Address) -> None:
    if is_public(address):
        assert address.is_global
        assert address not in IPv6Network("2002::/16")


@pytest.mark.parametrize("text", ["::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "5f00::1"])
def test_ipv6_addresses_that_are_not_public_are_refused(text: str) -> None:
    assert isinstance(refused(f"https://[{text}]/"), UnsafeAddressError)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "metadata",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
        "printer.local",
        "router",
        "nas.home.arpa",
        "metadata.azure.com",
        "ｌocalhost",  # noqa: RUF001
    ],
)
def test_names_of_this_network_are_refused(host: str) -> None:
    assert isinstance(refused(f"https://{host}/a.mp3"), UnsafeAddressError)


@pytest.mark.parametrize(
    "url",
    [
        "http://music.example/a.mp3",
        "ftp://music.example/a.mp3",
        "file:///etc/passwd",
        "//music.example/a.mp3",
        "https://user@music.example/",
        "https://user:secret@music.example/",
        "https://music.example@127.0.0.1/",
        "https://music.example:22/",
        "https://music.example:6379/",
        "https://[fe80::1%25eth0]/",
    ],
)
def test_what_is_no_plain_public_address_is_refused(url: str) -> None:
    assert isinstance(refused(url), UnsafeAddressError)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "music",
        "https://",
        "https:///a.mp3",
        "https://music..example/",
        "https://mu sic.example/",
        "https://music.example/\r\nHost: other",
        "https://music.example\\@127.0.0.1/",
        "https://music.example:99999/",
        "https://music.example:x/",
        "https://[::1/",
        "https://mu%73ic.example/",
        "https://\ud800.example/",
        "https://music.example/\ud800",
        "https://" + "a" * 300 + ".example/",
        "https://music.example/" + "a" * 5000,
    ],
)
def test_what_is_no_address_at_all_is_refused(url: str) -> None:
    refused(url)


@few
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for url in (text, "https://" + text, "https://music.example/" + text):
        try:
            address = read_address(url)
        except InvalidInputError:
            pass
        else:
            assert read_address(str(address)) == address
            assert str(address).isascii()
            assert not set(str(address)) & set(' \r\n\t\\"<>')


def test_a_plain_address_is_read() -> None:
    address = read_address("https://Music.Example:443/a%20b/ü.mp3?token=a+b/c&x=%26#part")

    assert address == Address("https", "music.example", 443, "/a%20b/%C3%BC.mp3?token=a+b/c&x=%26")
    assert address.authority == "music.example"


def test_a_name_in_another_script_is_read_as_its_ascii_form() -> None:
    assert read_address("https://Bücher.example/").host == "xn--bcher-kva.example"
    assert read_address("https://例え。テスト/").host == "xn--r8jz45g.xn--zckzah"


def test_names_of_content_networks_are_read() -> None:
    assert read_address("https://rr3---sn-4g5e6nzz.googlevideo.com/").host.startswith("rr3---sn")
    assert read_address("https://my_bucket.s3.example.com/").host.startswith("my_bucket")


def test_plain_http_and_other_ports_need_a_rule() -> None:
    rule = AddressRule(allow_http=True, ports=frozenset({8080}))

    assert read_address("http://music.example:8080/a", rule).authority == "music.example:8080"


def test_an_allowed_network_opens_nothing_beside_it() -> None:
    rule = AddressRule(allowed_networks=(ip_network("127.0.0.0/8"),))

    assert read_address("https://127.0.0.1/", rule).host == "127.0.0.1"
    assert isinstance(refused("https://10.0.0.1/", rule), UnsafeAddressError)
    assert isinstance(refused("https://[::ffff:127.0.0.1]/", rule), UnsafeAddressError)


def test_a_redirect_is_read_by_the_same_rule() -> None:
    start = read_address("https://music.example/albums/1?x=y")

    assert str(follow(start, "../a.mp3", AddressRule())) == "https://music.example/a.mp3"
    assert str(follow(start, "//cdn.example/a.mp3", AddressRule())) == "https://cdn.example/a.mp3"
    for location in ("http://music.example/", "https://127.0.0.1/", "file:///etc/passwd", "https://[::1]/"):
        with pytest.raises(UnsafeAddressError):
            follow(start, location, AddressRule())
