"""Makes the next things in a thread of their own while the last one is worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def ahead(made: Generator[T], count: int = 4) -> Generator[T]:
    """Yield what `made` does, which is up to `count` further than what was asked for.

    What it raises comes in its turn. Close the generator to stop before the end.
    """
    with closing(made), ThreadPoolExecutor(1, "ahead") as thread:
        coming = deque(thread.submit(next, made, None) for _ in range(count))
        try:
            while (item := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, made, None))
                yield item
        finally:
            for future in coming:
                future.cancel()
