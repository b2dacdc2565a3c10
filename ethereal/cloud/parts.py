"""A large file through links, in equal parts and several at once; what breaks off costs one part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import IO, BinaryIO, cast

from ethereal.beat import Beat, no_beat
from ethereal.cloud.links import Patience, open_link
from ethereal.dispatch.messages import PartLinks
from ethereal.errors import TooLargeError
from ethereal.storage.parts import Part, Section, parts_of, run_parts


def put_in_parts(links: PartLinks, source: Path, *, patience: Patience, beat: Beat = no_beat) -> int:
    """Put the file and return how many parts it has become, for whoever joins them.

    Raise TooLargeError when there are too few links, NotFoundError when nobody waits for the parts any more,
    StorageUnavailableError when the store or a link does not hold.
    """
    parts = parts_of(source.stat().st_size, links.size)
    if len(parts) > len(links.urls):
        room = links.size * len(links.urls)
        raise TooLargeError(f"{source.name} has {source.stat().st_size} bytes: there are links for {room}")
    with source.open("rb") as file:
        run_parts(lambda part, stop: _put(links, file, part, stop, patience), parts, beat=beat)
    return len(parts)


def _put(links: PartLinks, file: BinaryIO, part: Part, stop: Event, patience: Patience) -> None:
    headers = {"Content-Length": str(part.size), "Content-Type": "application/octet-stream"}

    def once() -> None:
        body = cast(IO[bytes], Section(file, part, stop))
        open_link("PUT", links.urls[part.number - 1], patience, body=body, headers=headers).close()

    replace(patience, sleep=stop.wait).keep_trying(once)
