"""The canary of a plan: tells renderers and encoders apart by what they make, not by what they say they are.

A plan holds the sha256 of its canary frames as its own renderer drew them, and of those frames encoded.
A worker draws and encodes the canary first, so a driver that silently fell back to another is caught.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ethereal.errors import EncoderMismatchError, RendererMismatchError, RenderError, SceneFailedError
from ethereal.render.encode import EncoderSettings, Pixels, encode_gop
from ethereal.render.encoder_settings import libraries
from ethereal.render.plan_record import Canary, Plan
from ethereal.render.renderer import Renderer

_CANARY_FRAMES = 4


@dataclass(frozen=True)
class ProvenRenderer:
    """A renderer that has drawn the canary of the plan `plan_hash` as the plan has it."""

    renderer: Renderer
    plan_hash: str

    @property
    def gl_renderer(self) -> str:
        return self.renderer.gl_renderer

    @property
    def browser_version(self) -> str:
        return self.renderer.browser_version

    def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
        return self.renderer.draw(frames)


def check_libraries(plan: Plan) -> None:
    """Raise EncoderMismatchError unless this process encodes with the libraries of the plan."""
    ours = libraries()
    other = [
        f"{name} {version} here {ours.get(name)}"
        for name, version in plan.libraries.items()
        if ours.get(name) != version
    ]
    if other:
        raise EncoderMismatchError(f"the plan was made with other libraries: {'; '.join(other)}")


def prove(renderer: Renderer, plan: Plan) -> ProvenRenderer:
    """Let `renderer` draw the canary of `plan`, once; raise RendererMismatchError or EncoderMismatchError."""
    if isinstance(renderer, ProvenRenderer) and renderer.plan_hash == plan.plan_hash:
        return renderer
    seen, _ = draw_canary(renderer, plan.canary.frames, plan.encoder)
    if seen.pixels != plan.canary.pixels:
        here, there = renderer.gl_renderer, plan.made_with.gl_renderer
        raise RendererMismatchError(f"{here} draws other pixels than {there}, which the plan was made with")
    if seen.packets != plan.canary.packets:
        raise EncoderMismatchError("the same libraries encode the same pixels to other bytes here")
    return ProvenRenderer(renderer, plan.plan_hash)


def canary_frames(frame_count: int) -> tuple[int, ...]:
    """Choose frames spread over the video, none at its ends, which are often black."""
    middles = {(2 * part + 1) * frame_count // (2 * _CANARY_FRAMES) for part in range(_CANARY_FRAMES)}
    return tuple(sorted(middles))


def draw_canary(renderer: Renderer, frames: Sequence[int], settings: EncoderSettings) -> tuple[Canary, float]:
    """Draw and encode `frames`; return what came out and the seconds it took per frame.

    Raise SceneFailedError when a frame drawn twice is not the same, which no seed or clock may bring about.
    """
    first = _pictures(renderer, frames[:1], settings)  # compiles the shaders, outside the time taken
    started = time.monotonic()
    pictures = _pictures(renderer, frames, settings)
    gop = encode_gop(pictures, settings)
    seconds = (time.monotonic() - started) / len(frames)
    if not np.array_equal(first[0], pictures[0]):
        raise SceneFailedError(f"frame {frames[0]} drawn twice came out as two pictures")
    packets = hashlib.sha256(gop.header)
    for packet in gop.packets:
        packets.update(packet.data + packet.alpha)
    pixels = tuple(hashlib.sha256(picture.data).hexdigest() for picture in pictures)
    return Canary(tuple(frames), pixels, packets.hexdigest()), seconds


def _pictures(renderer: Renderer, frames: Sequence[int], settings: EncoderSettings) -> list[Pixels]:
    shape = (settings.height, settings.width, 4)
    pictures = [np.frombuffer(bytes(view), np.uint8) for view in renderer.draw(frames)]
    if [picture.size for picture in pictures] != [int(np.prod(shape))] * len(frames):
        raise RenderError("the renderer gave frames of another size or number than asked")
    return [picture.reshape(shape) for picture in pictures]
