"""Pictures turned over, as drivers draw them: the rows are told in reverse, and no byte is moved."""

from __future__ import annotations

from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame


class Turner:
    """Turns pictures of one size and format over, for one thread."""

    def __init__(self) -> None:
        self._graph: Graph | None = None

    def turn(self, picture: VideoFrame) -> VideoFrame:
        """Return `picture` with its last row first; it holds the same memory."""
        graph = self._graph = self._graph or _open_graph(picture)
        picture.pts = 0
        graph.vpush(picture)
        return graph.vpull()


def _open_graph(picture: VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=Fraction(1)
    )
    turned, sink = graph.add("vflip"), graph.add("buffersink")
    source.link_to(turned)
    turned.link_to(sink)
    graph.configure()
    return graph
