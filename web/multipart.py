"""Reading a form as it arrives: small fields at once, the file as a stream that is never whole in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from flask import Request
from werkzeug.exceptions import ClientDisconnected, UnsupportedMediaType
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from ethereal.errors import InvalidInputError, TooLargeError

_BLOCK = 64 << 10
_FIELD_BYTES = 64 << 10
_PARTS = 40


class FormReader:
    """Reads one multipart body from its start. `fields` holds what has come in so far."""

    def __init__(self, request: Request) -> None:
        boundary = request.mimetype_params.get("boundary", "")
        if request.mimetype != "multipart/form-data" or not boundary:
            raise UnsupportedMediaType("send multipart/form-data")
        self.fields: dict[str, str] = {}
        self._stream = request.stream
        self._decoder = MultipartDecoder(boundary.encode(), _BLOCK + _FIELD_BYTES, max_parts=_PARTS)

    def until_file(self) -> FilePart | None:
        """Read on to the next file that somebody chose; None at the end of the form."""
        while not isinstance(event := self._next(), Epilogue):
            if isinstance(event, Field):
                self._keep(event.name, self._value(event.name))
            elif isinstance(event, File) and event.filename:
                return FilePart(event.name, event.filename, self.blocks())
            elif isinstance(event, File):  # a browser sends an empty part when no file was chosen
                _drain(self.blocks())
        return None

    def blocks(self) -> Iterator[bytes]:
        """The bytes of the part that has begun."""
        while isinstance(event := self._next(), Data):
            if event.data:
                yield event.data
            if not event.more_data:
                return

    def _value(self, name: str) -> str:
        value = bytearray()
        for block in self.blocks():
            value += block
            if len(value) > _FIELD_BYTES:
                raise TooLargeError(f"the field {name} is too long", {name: ["is too long"]})
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise InvalidInputError("a field is not UTF-8", {name: ["must be UTF-8 text"]}) from error

    def _keep(self, name: str, value: str) -> None:
        if name in self.fields:
            raise InvalidInputError(f"{name} was given twice", {name: ["was given twice"]})
        self.fields[name] = value

    def _next(self) -> Event:
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                self._decoder.receive_data(self._stream.read(_BLOCK) or None)
        except (ClientDisconnected, ValueError) as error:
            raise InvalidInputError("the form was cut off", {"file": ["was cut off on its way"]}) from error
        return event


class FilePart(io.RawIOBase):
    """The file of a form, readable once, while it arrives."""

    def __init__(self, name: str, filename: str, blocks: Iterator[bytes]) -> None:
        self.name = name
        self.filename = filename
        self._blocks = blocks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._rest = self._rest or next(self._blocks, b"")
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def as_stream(self) -> BinaryIO:
        return self  # type: ignore[return-value]  # a readable stream in all but name


def _drain(blocks: Iterator[bytes]) -> None:
    for _ in blocks:
        pass
