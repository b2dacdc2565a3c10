"""The container that a call runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ethereal.cloud.links import Patience
from ethereal.dispatch.dispatcher import CPU
from ethereal.dispatch.messages import ChunkDone, ChunkOrder
from ethereal.render.renderer import OpenRenderer


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What there is to render with. `name` is the GPU that was paid for, or `cpu`.

    `fan_out` has chunks drawn by other containers of the kind and gives what became of each, in any order.
    """

    name: str
    open_renderer: OpenRenderer
    fan_out: Callable[[Sequence[ChunkOrder]], Iterator[ChunkDone]]
    scratch: Path
    encoders: int
    patience: Patience = field(default_factory=Patience)

    @property
    def has_gpu(self) -> bool:
        return self.name != CPU
