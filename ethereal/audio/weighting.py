"""The K weighting of ITU-R BS.1770-5: sound as loud as people hear it, filtered by FFmpeg as it comes."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from av import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray

from ethereal.audio.resample import Samples


class KWeighting:
    """Filters stereo sound block by block; it remembers what came before."""

    def __init__(self, rate: int) -> None:
        self._rate, self._graph = rate, _make_graph(rate)

    def hear(self, block: Samples) -> NDArray[np.float64]:
        """Return the next samples weighted, shape (2, samples) like the block; it must not be empty."""
        sound = np.ascontiguousarray(block, np.float64)
        frame = AudioFrame.from_ndarray(sound, format="dblp", layout="stereo")
        frame.sample_rate = self._rate
        self._graph.push(frame)
        return np.asarray(cast(AudioFrame, self._graph.pull()).to_ndarray(), np.float64)


def weighting(rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return a shelf for the head and a high pass, each as b0, b1, b2, a0, a1, a2.

    At 48 kHz these are the numbers of the standard, tables 1 and 2.
    """
    return _shelf(rate), _high_pass(rate)


def _make_graph(rate: int) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = f"sample_rate={rate}:sample_fmt=dblp:channel_layout=stereo:time_base=1/{rate}"
    chain = [graph.add("abuffer", source)]
    for section in weighting(rate):
        numbers = ":".join(
            f"{name}={number!r}"
            for name, number in zip(("b0", "b1", "b2", "a0", "a1", "a2"), section, strict=True)
        )
        chain.append(graph.add("biquad", f"{numbers}:transform=tdii:precision=f64"))
    graph.link_nodes(*chain, graph.add("abuffersink")).configure()
    return graph


def _shelf(rate: int) -> tuple[float, ...]:
    gain, quality = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    k = math.tan(math.pi * 1681.974450955533 / rate)
    middle = gain**0.4996667741545416
    norm = 1 + k / quality + k * k
    return (
        (gain + middle * k / quality + k * k) / norm,
        2 * (k * k - gain) / norm,
        (gain - middle * k / quality + k * k) / norm,
        1.0,
        2 * (k * k - 1) / norm,
        (1 - k / quality + k * k) / norm,
    )


def _high_pass(rate: int) -> tuple[float, ...]:
    quality = 0.5003270373238773
    k = math.tan(math.pi * 38.13547087602444 / rate)
    norm = 1 + k / quality + k * k
    return (1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / quality + k * k) / norm)
