"""A plan: everything decided before drawing, as it stands in plan.json and encoder.json."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from ethereal.errors import ChunkIndexError
from ethereal.render.chunks import Chunk, deal_chunks, gops_of
from ethereal.render.composition import Composition, spell_view
from ethereal.render.encode import EncoderSettings
from ethereal.render.encoder_settings import read_settings
from ethereal.render.formats import parse_fps, spell_fps

#: Counts up with every change of what a plan means, in its files or in the code that turns it into a video.
PROTOCOL = 5

Document: TypeAlias = dict[str, Any]
"""Parsed JSON of a file whose bytes a hash vouches for."""


@dataclass(frozen=True)
class Canary:
    """Some frames, the sha256 of each one's pixels, and of the middles of all encoded as one GOP."""

    frames: tuple[int, ...]
    pixels: tuple[str, ...]
    packets: str


@dataclass(frozen=True)
class Provenance:
    """What the planner said it was, for people to read; what workers are held to is the canary."""

    gl_renderer: str
    browser_version: str
    package_version: str


@dataclass(frozen=True)
class Plan:
    """Immutable. `plan_hash` names all that can change a byte of the video; `chunks` are no part of that."""

    plan_hash: str
    composition: Composition
    frame_count: int
    gop_frames: int
    quality: str
    container: str
    has_audio: bool
    encoder: EncoderSettings
    libraries: Mapping[str, str]
    canary: Canary
    made_with: Provenance
    gops: tuple[range, ...]
    chunks: tuple[Chunk, ...]

    @property
    def duration(self) -> Fraction:
        """Length of the picture in seconds."""
        return self.frame_count / self.composition.fps

    @property
    def fingerprint(self) -> str:
        """Names what the planner's renderer draws of this composition: equal fingerprints, equal pixels."""
        return hashlib.sha256("".join(self.canary.pixels).encode()).hexdigest()

    def chunk(self, index: int) -> Chunk:
        """Return the chunk `index`, or raise ChunkIndexError."""
        if not 0 <= index < len(self.chunks):
            raise ChunkIndexError(f"there is no chunk {index}: the plan has 0 to {len(self.chunks) - 1}")
        return self.chunks[index]


def plan_document(plan: Plan, files: list[str]) -> Document:
    """Spell plan.json; `files` are the plan's other files."""
    return {
        "protocol": PROTOCOL,
        "planHash": plan.plan_hash,
        "container": plan.container,
        "quality": plan.quality,
        "composition": _spell_composition(plan.composition),
        "frameCount": plan.frame_count,
        "gopFrames": plan.gop_frames,
        "hasAudio": plan.has_audio,
        "canary": asdict(plan.canary),
        "madeWith": {
            "glRenderer": plan.made_with.gl_renderer,
            "browserVersion": plan.made_with.browser_version,
            "packageVersion": plan.made_with.package_version,
        },
        "files": files,
        "chunkCount": len(plan.chunks),
    }


def read_plan(document: Document, encoder: Document) -> Plan:
    """Read plan.json and encoder.json; raise KeyError, ValueError or TypeError for what is no plan."""
    gops = gops_of(document["frameCount"], document["gopFrames"])
    canary, made_with = document["canary"], document["madeWith"]
    return Plan(
        plan_hash=document["planHash"],
        composition=_read_composition(document["composition"]),
        frame_count=document["frameCount"],
        gop_frames=document["gopFrames"],
        quality=document["quality"],
        container=document["container"],
        has_audio=document["hasAudio"],
        encoder=read_settings(encoder),
        libraries=encoder["libraries"],
        canary=Canary(tuple(canary["frames"]), tuple(canary["pixels"]), canary["packets"]),
        made_with=Provenance(
            made_with["glRenderer"], made_with["browserVersion"], made_with["packageVersion"]
        ),
        gops=gops,
        chunks=deal_chunks(gops, document["chunkCount"]),
    )


def _spell_composition(composition: Composition) -> Document:
    said = {**asdict(composition), "fps": spell_fps(composition.fps)}
    del said["background"], said["projection"]
    return said | spell_view(composition)


def _read_composition(said: Document) -> Composition:
    return Composition(**{**said, "fps": parse_fps(said["fps"])})
