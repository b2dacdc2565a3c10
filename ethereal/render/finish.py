"""How the video of each container is joined, and how it is looked at before anyone is given it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ethereal.beat import Beat
from ethereal.render.coded_pictures import Placed
from ethereal.render.join_muxed import join_mp4, join_webm
from ethereal.render.join_zip import join_zip
from ethereal.render.plan_record import Plan
from ethereal.render.video_check import wrong_in_mp4, wrong_in_webm
from ethereal.render.zip_check import wrong_in_zip

Join: TypeAlias = Callable[[Plan, Path, Sequence[Placed], Path, Beat], None]
FindWrong: TypeAlias = Callable[[Path, Plan], Iterator[str]]


@dataclass(frozen=True)
class Finish:
    """`join` gets the plan, its directory, its chunks, where the video goes, and the beat.

    `find_wrong` yields all that is wrong with the video, for people.
    """

    join: Join
    find_wrong: FindWrong


FINISHES: Mapping[str, Finish] = {
    "mp4": Finish(join_mp4, wrong_in_mp4),
    "mov": Finish(join_mp4, wrong_in_mp4),
    "webm": Finish(join_webm, wrong_in_webm),
    "png-sequence": Finish(join_zip, wrong_in_zip),
}
