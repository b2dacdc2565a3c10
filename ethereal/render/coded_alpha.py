"""The alpha of a VP9 picture is a coded picture of its own, which its packet carries as Matroska has it."""

from __future__ import annotations

from typing import Any, Literal

import av
from av.packet import PacketSideData, packet_sidedata_type_from_literal

_KIND: Literal["matroska_block_additional"] = "matroska_block_additional"
_ID = (1).to_bytes(8, "big")  # which of the additions to a block is its alpha


def alpha_of(packet: av.Packet[Any]) -> bytes:
    """Return the coded alpha that `packet` carries; b"" when it has none."""
    if not packet.has_sidedata(_KIND):
        return b""
    return bytes(packet.get_sidedata(_KIND)).removeprefix(_ID)


def attach_alpha(packet: av.Packet[Any], alpha: bytes) -> None:
    """Let `packet` carry `alpha` into a file."""
    kind = packet_sidedata_type_from_literal(_KIND)
    carried = PacketSideData(kind, len(_ID) + len(alpha))  # type: ignore[call-arg]
    carried.update(_ID + alpha)
    packet.set_sidedata(carried, move=True)
