"""Look at a finished video as a player would, before anyone is given it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from ethereal.audio.resample import CANONICAL_RATE
from ethereal.errors import RenderError
from ethereal.render.audio_track import AAC_FRAME
from ethereal.render.boxes import read_boxes
from ethereal.render.container import open_video
from ethereal.render.encode import BT709, LIMITED
from ethereal.render.plan_record import Plan

_FASTSTART = [b"ftyp", b"moov", b"mdat"]
_SOUND_SLACK = Fraction(AAC_FRAME, CANONICAL_RATE)


def check_video(path: Path, plan: Plan, comment: str) -> None:
    """Raise RenderError, naming all that is wrong, unless the file at `path` is the whole video of `plan`."""
    order = [box.kind for box in read_boxes(path) if box.kind in _FASTSTART]
    wrong = [] if order == _FASTSTART else [f"its parts are in the order {order}"]
    with open_video(path) as (container, video):
        wrong += [*_wrong_picture(video, plan), *_wrong_sound(container, plan)]
        if container.metadata.get("comment") != comment:
            wrong.append("it does not name its plan")
    if wrong:
        raise RenderError(f"the finished video is wrong: {'; '.join(wrong)}")


def _wrong_picture(video: VideoStream, plan: Plan) -> Iterator[str]:
    context = video.codec_context
    if video.frames != plan.frame_count:
        yield f"it has {video.frames} frames, not {plan.frame_count}"
    if (video.start_time, _length(video)) != (0, plan.duration):
        yield f"its picture lasts {_length(video)} s, not {plan.duration}"
    if (context.width, context.height) != (plan.composition.width, plan.composition.height):
        yield f"it is {context.width}x{context.height}"
    if {context.color_primaries, context.color_trc, context.colorspace} != {BT709}:
        yield "it is not tagged as BT.709"
    if context.color_range != LIMITED:
        yield "it is not tagged as limited range"
    keys = [place for place, entry in enumerate(video.index_entries) if entry.is_keyframe]
    if keys != [gop.start for gop in plan.gops]:
        yield "its key frames are off the grid"


def _wrong_sound(container: InputContainer, plan: Plan) -> Iterator[str]:
    sounds = container.streams.audio
    if len(sounds) != plan.has_audio:
        yield f"it has {len(sounds)} sound tracks"
    for sound in sounds:
        if abs(_length(sound) - plan.duration) > _SOUND_SLACK:
            yield f"its sound lasts {float(_length(sound))} s, not {float(plan.duration)}"


def _length(stream: Stream) -> Fraction:
    return (stream.duration or 0) * (stream.time_base or Fraction(0))
