"""What a web server's answer means: is it a file, what is it called, may asking again help."""

from __future__ import annotations

import re
from http.client import HTTPResponse
from urllib.parse import unquote

from ethereal.audio.addresses import Address
from ethereal.errors import InvalidInputError, UnavailableError, UnreadableAudioError

OK = 200
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Refusals that are about this moment, not about this address.
FOR_NOW = frozenset({408, 425, 429})
LONGEST_NAME = 200
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f-\x9f"\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]')


def ensure_sound(answer: HTTPResponse) -> str:
    """Return the content type of a file. Raise a typed error for any other answer."""
    _ensure_ok(answer.status)
    if answer.getheader("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise InvalidInputError("The server packs the file in a way that was not asked for.")
    content_type = answer.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in _PAGES:
        message = "This address leads to a web page, not to a sound or video file."
        raise UnreadableAudioError(message, {"url": [message]})
    return content_type or "application/octet-stream"


def file_name(answer: HTTPResponse, address: Address) -> str:
    """The file's name as its server tells it, else the last part of the address."""
    told = answer.msg.get_filename() if "Content-Disposition" in answer.msg else None
    return harmless_name(told or unquote(address.target.partition("?")[0]))


def harmless_name(text: str) -> str:
    """Make text from outside a file name: no folders, no control characters, not too long."""
    name = _NOT_IN_A_NAME.sub("", text.replace("\\", "/").rpartition("/")[2]).strip(" .")
    stem, dot, extension = name.rpartition(".")
    if dot and len(extension) <= 8:
        return f"{stem[: LONGEST_NAME - 9]}.{extension}"
    return name[:LONGEST_NAME] or "audio"


def too_many_redirects(most: int) -> InvalidInputError:
    return InvalidInputError(
        f"This address redirects more than {most} times.", {"url": ["too many redirects"]}
    )


def _ensure_ok(status: int) -> None:
    if status == OK:
        return
    if status >= 500 or status in FOR_NOW:
        raise UnavailableError(f"The server cannot give the file now (HTTP {status}).")
    raise InvalidInputError(
        f"There is no file to be had at this address (HTTP {status}).", {"url": [f"HTTP {status}"]}
    )
