"""What rounds of measurements say: contenders take turns, and each round is a ratio of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Ratio:
    """How many times as long one contender took as the other, round by round."""

    median: float
    lowest: float
    highest: float


def ratio_of_rounds(slower: Sequence[float], faster: Sequence[float]) -> Ratio:
    """Ratios of the seconds of two contenders in the same rounds; what slowed a round slowed both."""
    ratios = [one / other for one, other in zip(slower, faster, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))


def turns(contenders: Sequence[str], index: int) -> Sequence[str]:
    """Return the order of round `index`: each second round runs backwards, so that nobody is always first."""
    return contenders if index % 2 == 0 else contenders[::-1]
