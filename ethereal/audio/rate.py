"""The rate of canonical audio, on its own: what names it need not import what decodes."""

from __future__ import annotations

CANONICAL_RATE = 48_000
