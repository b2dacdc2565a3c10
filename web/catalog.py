"""What can be chosen: templates, formats, frame rates and qualities, with the words people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import gcd
from pathlib import Path

from ethereal.render.containers import CONTAINERS
from ethereal.render.formats import FORMATS, FRAME_RATES, QUALITIES, OutputFormat, Projection
from ethereal.scenes.templates import load_templates

_PICTURES = Path(__file__).parent / "static" / "templates"
#: Side of the square that a format's small picture is drawn in.
_PICTURE_SIDE = 40

FPS = tuple(int(rate) for rate in FRAME_RATES if rate.denominator == 1)

_FORMAT_WORDS = {
    "draft-360p": ("Draft", "A quick look, drawn in moments."),
    "draft-720p": ("Small", "A small file to send around."),
    "flat-1080p-landscape": ("Landscape", "For YouTube, Vimeo and screens."),
    "flat-1080p-portrait": ("Portrait", "For Reels, Shorts and TikTok."),
    "flat-1080p-square": ("Square", "For feeds and covers."),
    "flat-4k-landscape": ("Landscape 4K", "For large screens. Takes about four times as long."),
    "flat-4k-portrait": ("Portrait 4K", "For tall screens. Takes about four times as long."),
    "360-mono-4k": ("360°", "All around, for YouTube and headsets. Takes about four times as long."),
    "360-mono-6k": ("360° 6K", "All around, finer. Takes about ten times as long."),
    "360-mono-8k": ("360° 8K", "All around, as fine as YouTube shows. For a farm."),
    "360-stereo-4k": ("360° 3D", "All around and in depth, for headsets. Takes about eight times as long."),
    "360-stereo-8k": ("360° 3D 8K", "All around and in depth, as fine as it gets. For a farm."),
}
#: The order people look for them in.
_ORDER = (
    "flat-1080p-landscape",
    "flat-1080p-portrait",
    "flat-1080p-square",
    "flat-4k-landscape",
    "flat-4k-portrait",
    "360-mono-4k",
    "360-stereo-4k",
    "360-mono-6k",
    "360-mono-8k",
    "360-stereo-8k",
    "draft-720p",
    "draft-360p",
)
QUALITY_WORDS = {
    "draft": ("Draft", "fast, to judge the look"),
    "standard": ("Standard", "right for most places"),
    "high": ("High", "slower, larger file"),
}
#: Each container's name and what it is for.
CONTAINER_WORDS = {
    "mp4": ("MP4", "H.264, or HEVC from 4K on: plays everywhere"),
    "webm": ("WebM", "VP9 and Opus, for web pages"),
    "mov": ("ProRes", "MOV with ProRes 4444 and uncompressed sound, for editing; large"),
    "png-sequence": ("PNG", "a zip of every frame and a WAV file, for compositing; very large"),
}


@dataclass(frozen=True)
class FormatCard:
    """A format as people choose it; `box` is its shape: x, y, width, height in a small square."""

    id: str
    name: str
    hint: str
    width: int
    height: int
    projection: Projection
    box: tuple[int, int, int, int]

    @property
    def ratio(self) -> str:
        shared = gcd(self.width, self.height)
        return f"{self.width // shared}:{self.height // shared}"


@dataclass(frozen=True)
class TemplateCard:
    """A template as people choose it; `picture` is a file of the static folder, if there is one."""

    id: str
    name: str
    description: str
    scene: str
    parameters: dict[str, float | str | bool]
    picture: str | None


@cache
def format_cards() -> Sequence[FormatCard]:
    """The formats, in the order people look for them."""
    places = {name: place for place, name in enumerate(_ORDER)}
    return [
        _format_card(FORMATS[name])
        for name in sorted(FORMATS, key=lambda name: places.get(name, len(places)))
    ]


def format_card(name: str) -> FormatCard | None:
    return next((card for card in format_cards() if card.id == name), None)


@cache
def template_cards() -> Sequence[TemplateCard]:
    return [
        TemplateCard(
            template.id,
            template.name,
            template.description,
            template.scene,
            dict(template.parameters),
            _picture_of(template.id),
        )
        for template in load_templates().values()
    ]


def template_card(template_id: str) -> TemplateCard | None:
    return next((card for card in template_cards() if card.id == template_id), None)


def quality_names() -> Sequence[tuple[str, str, str]]:
    """Each quality's id, its name, and what it means."""
    return [(name, *QUALITY_WORDS.get(name, (name.capitalize(), ""))) for name in QUALITIES]


def container_names() -> Sequence[tuple[str, str, str]]:
    """Each container's id, its name, and what it is for."""
    return [(name, *CONTAINER_WORDS[name]) for name in CONTAINERS]


def _format_card(found: OutputFormat) -> FormatCard:
    name, hint = _FORMAT_WORDS.get(found.name, (found.name, ""))
    scale = (_PICTURE_SIDE - 8) / max(found.width, found.height)
    width, height = round(found.width * scale), round(found.height * scale)
    box = ((_PICTURE_SIDE - width) // 2, (_PICTURE_SIDE - height) // 2, width, height)
    return FormatCard(found.name, name, hint, found.width, found.height, found.projection, box)


def _picture_of(template_id: str) -> str | None:
    return f"templates/{template_id}.jpg" if (_PICTURES / f"{template_id}.jpg").is_file() else None
