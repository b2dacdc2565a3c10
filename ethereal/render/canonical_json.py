"""JSON with one spelling: sorted keys, no spaces, finite numbers. Equal values have equal bytes."""

from __future__ import annotations

import json


def canonical_json(value: object) -> bytes:
    """Spell `value`; raise ValueError for NaN or infinity, TypeError for what JSON cannot say."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()
