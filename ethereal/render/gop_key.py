"""The key of a GOP: equal keys, equal coded pictures, whatever plan the GOP belongs to.

sha256 over length-framed fields: everything that plans of one sound and another share (the protocol, what
draws, what encodes, the page and its composition), the GOP's frames, and the rows of the features that its
scene can read from there. A scene that declares no reach may read everything: its GOPs have no keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.feature_file import load_features
from ethereal.audio.features import Features
from ethereal.render.canonical_json import canonical_json
from ethereal.render.plan_files import COMPOSITION_FILE, ENCODER_FILE, SCENE_DIRECTORY
from ethereal.render.plan_hash import add_field, add_file, files_of
from ethereal.render.plan_record import PROTOCOL, Plan
from ethereal.scenes.reach import Reach, read_reach

_TAG = b"ethereal-gop-1"


@dataclass(frozen=True)
class GopKeys:
    """The keys of a plan's GOPs, in order, and the sha256 of each canary frame's pixels by its key."""

    gops: tuple[str, ...]
    canary: Mapping[str, str]

    def agree(self, other: GopKeys) -> bool:
        """Whether canary frames that should be the same picture are; if not, the keys missed something."""
        return all(other.canary.get(key, pixels) == pixels for key, pixels in self.canary.items())


def make_gop_keys(plan: Plan, plan_dir: Path, fingerprint: str) -> GopKeys | None:
    """Name the GOPs of the plan at `plan_dir` as this kind of machine draws them; None without a reach."""
    page = json.loads((plan_dir / COMPOSITION_FILE).read_bytes())
    reach = read_reach(page.get("reach"))
    if reach is None:
        return None
    features = load_features(plan_dir)
    shared = hashlib.sha256()
    for field in _fields(plan, page, reach, features, fingerprint):
        add_field(shared, field)
    for name, path in files_of(plan_dir).items():
        if name == ENCODER_FILE or name.startswith(f"{SCENE_DIRECTORY}/"):
            add_field(shared, name.encode())
            add_file(shared, path)
    namer = _Namer(shared, reach, _rows(reach, features))
    canary = zip(plan.canary.frames, plan.canary.pixels, strict=True)
    return GopKeys(
        gops=tuple(namer.name(gop) for gop in plan.gops),
        canary={namer.name(range(frame, frame + 1)): pixels for frame, pixels in canary},
    )


def _fields(
    plan: Plan, page: Mapping[str, Any], reach: Reach, features: Features, fingerprint: str
) -> Sequence[bytes]:
    """What is one for all GOPs; the frame count only where the scene may read it."""
    whole = {
        "frameCount": features.frame_count,
        "tempo": features.tempo,
        "beatConfidence": features.beat_confidence,
    }
    return [
        _TAG,
        str(PROTOCOL).encode(),
        fingerprint.encode(),
        canonical_json(asdict(plan.made_with)),
        canonical_json({name: value for name, value in page.items() if name != "frameCount"}),
        canonical_json({name: whole[name] for name in reach.whole}),
        canonical_json([name for name in reach.features if name in features.columns]),
    ]


def _rows(reach: Reach, features: Features) -> NDArray[np.float32]:
    """The columns that the scene may read, shape (frames, columns)."""
    columns = [features.columns[name] for name in reach.features if name in features.columns]
    return np.ascontiguousarray(features.values[:, columns], "<f4")


@dataclass(frozen=True)
class _Namer:
    shared: hashlib._Hash
    reach: Reach
    rows: NDArray[np.float32]

    def name(self, frames: range) -> str:
        """Hash what can be seen from `frames`; beyond the ends scenes see the first and the last row."""
        seen = np.arange(frames.start - self.reach.before, frames.stop + self.reach.after)
        digest = self.shared.copy()
        add_field(digest, f"{frames.start}+{len(frames)}".encode())
        add_field(digest, self.rows[np.clip(seen, 0, len(self.rows) - 1)].tobytes())
        return digest.hexdigest()
