"""Keys that come from outside."""

from __future__ import annotations

import pytest

from ethereal.errors import InvalidInputError
from ethereal.storage.keys import extension_of, read_key, read_upload_key


@pytest.mark.parametrize(
    ("name", "extension"),
    [("song.MP3", "mp3"), ("song", "bin"), ("a.b/../c", "bin"), ("x.tar.gz", "gz"), ("evil.p hp", "bin")],
)
def test_only_a_harmless_extension_of_a_name_enters_a_key(name: str, extension: str) -> None:
    assert extension_of(name) == extension


def test_a_client_may_only_name_uploads() -> None:
    key = "uploads/12345678-1234-1234-1234-123456789abc/original.mp3"
    assert read_upload_key(key) == read_key(key) == key
    with pytest.raises(InvalidInputError):
        read_upload_key("renders/x/output.mp4")
