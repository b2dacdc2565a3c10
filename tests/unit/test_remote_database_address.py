"""Addresses of remote databases."""

from __future__ import annotations

import pytest

from ethereal.errors import InvalidConfigError
from ethereal.jobs.remote_database import read_address


@pytest.mark.parametrize(
    ("url", "address", "token"),
    [
        ("libsql://jobs-me.turso.io", "https://jobs-me.turso.io", None),
        ("libsql://jobs-me.turso.io?authToken=abc", "https://jobs-me.turso.io", "abc"),
        ("libsql://127.0.0.1:8080?tls=0", "http://127.0.0.1:8080", None),
        ("https://db.example/", "https://db.example", None),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", None),
    ],
)
def test_an_address_leads_to_the_http_interface(url: str, address: str, token: str | None) -> None:
    assert read_address(url) == (address, token)


@pytest.mark.parametrize("url", ["wss://db.example", "postgres://db.example", "libsql://", "jobs.db", ""])
def test_any_other_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidConfigError, match="ETHEREAL_DATABASE_URL"):
        read_address(url)
