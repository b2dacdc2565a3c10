"""The canary of a plan: tells renderers and encoders apart by what they make, not by what they say they are.

A plan holds the sha256 of its canary frames as its own renderer drew them, and of their middles encoded.
A worker draws and encodes the canary first, so a driver that silently fell back to another is caught.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ethereal.errors import EncoderMismatchError, RendererMismatchError, RenderError, SceneFailedError
from ethereal.render.encode import EncoderSettings, encode_gop
from ethereal.render.encoder_probe import ensure_encoder
from ethereal.render.encoder_settings import libraries
from ethereal.render.pixels import Pixels, pixels_of
from ethereal.render.plan_record import Canary, Plan
from ethereal.render.renderer import Renderer

_CANARY_FRAMES = 4
_MOST_ENCODED = 640  # pixels in either direction


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
    """Draw `frames` and encode the middle of each; return what came out and the seconds a frame takes.

    Raise EncoderMissingError, or SceneFailedError when a frame drawn twice is not the same, which no seed or
    clock may bring about.
    """
    ensure_encoder(settings)
    middle = _middle_of(settings)
    looks = (_look(view, settings, middle) for view in renderer.draw([frames[0], *frames]))
    first = next(looks, None)  # compiles the shaders, outside the time taken
    started = time.monotonic()
    drawn = list(looks)
    if len(drawn) != len(frames):
        raise RenderError(f"the renderer gave {len(drawn)} frames, not {len(frames)}")
    drawing = time.monotonic() - started
    gop = encode_gop([picture for _, picture in drawn], middle)
    encoding = (time.monotonic() - started - drawing) * _area(settings) / _area(middle)
    pixels = tuple(sha256 for sha256, _ in drawn)
    if first is None or first[0] != pixels[0]:
        raise SceneFailedError(f"frame {frames[0]} drawn twice came out as two pictures")
    packets = hashlib.sha256(gop.header)
    for packet in gop.packets:
        packets.update(packet.data + packet.alpha)
    return Canary(tuple(frames), pixels, packets.hexdigest()), (drawing + encoding) / len(frames)


def _middle_of(settings: EncoderSettings) -> EncoderSettings:
    """The same encoder for smaller pictures: whole ones of 4K would take half a gigabyte and seconds."""
    width, height = (min(side, _MOST_ENCODED) for side in (settings.width, settings.height))
    return replace(settings, width=width, height=height)


def _area(settings: EncoderSettings) -> int:
    return settings.width * settings.height


def _look(view: memoryview, settings: EncoderSettings, middle: EncoderSettings) -> tuple[str, Pixels]:
    """Return the sha256 and the middle of a frame."""
    if view.nbytes != 4 * _area(settings):
        raise RenderError(f"the renderer gave a frame of {view.nbytes} bytes, not {4 * _area(settings)}")
    picture = pixels_of(view, settings.width, settings.height)
    top, left = (settings.height - middle.height) // 2, (settings.width - middle.width) // 2
    part = picture[top : top + middle.height, left : left + middle.width].copy()
    return hashlib.sha256(view).hexdigest(), part
