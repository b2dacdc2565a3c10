"""What killed processes left on the disk of this machine: removed by the next that starts, and every hour."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from pathlib import Path

from ethereal.render.capture.profile import sweep_profiles
from ethereal.scratch import sweep_scratch

#: Where processes make directories of their own, below the scratch folder.
_PLACES = (".", "plans", "prepared")
#: Prepared sound is a cache; of a job that ended elsewhere nobody on this machine hears.
PREPARED_KEPT = timedelta(days=1)


def sweep_leftovers(scratch: Path) -> int:
    """Remove working directories and browser profiles whose process is gone, and old prepared sound.

    Return how many. Safe at any time and in several processes at once.
    """
    swept = sum(sweep_scratch(scratch / place) for place in _PLACES)
    return swept + sweep_profiles(scratch) + _sweep_prepared(scratch / "prepared")


def _sweep_prepared(folder: Path) -> int:
    oldest = time.time() - PREPARED_KEPT.total_seconds()
    old = [path for path in folder.glob("[!.]*") if _made(path) < oldest]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def _made(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
