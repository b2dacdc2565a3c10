"""The fingerprint of this machine: a sha256 of what it draws and encodes, whatever the plan.

Equal fingerprints make equal bytes: render queues named by it take a chunk to a worker that can make it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ethereal.audio.features import FEATURE_NAMES, Features, save_features
from ethereal.render.canary import canary_frames, draw_canary
from ethereal.render.composition import Composition
from ethereal.render.encoder_probe import has_encoder, probe
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.encoders.nvenc import H264_NVENC
from ethereal.render.formats import QUALITIES
from ethereal.render.plan_files import freeze_page
from ethereal.render.renderer import OpenRenderer

_SCENES = ("testcard", "flame")
_CARD = Composition("fingerprint", "", 320, 180, Fraction(24), 1, {})
_FRAMES = 48


def make_fingerprint(open_renderer: OpenRenderer, scratch: Path) -> str:
    """Draw and encode a few frames of each kind of scene, staged in the empty directory `scratch`.

    What has NVENC is a kind of its own, by the bytes that it gives. Raise what the renderer raises.
    """
    digest = hashlib.sha256()
    features = scratch / "features"
    features.mkdir()
    save_features(_features(), features)
    for scene in _SCENES:
        directory, composition = scratch / scene, replace(_CARD, scene=scene)
        directory.mkdir()
        freeze_page(composition, _FRAMES, features, directory)
        settings = read_settings(encoder_document(composition, QUALITIES["standard"]))
        with open_renderer(directory) as renderer:
            canary, _ = draw_canary(renderer, canary_frames(_FRAMES), settings)
        digest.update("".join((*canary.pixels, canary.packets)).encode())
    if has_encoder(H264_NVENC):
        digest.update(probe(H264_NVENC))
    return digest.hexdigest()


def _features() -> Features:
    """Every feature a ramp of its own, of quotients that floats hold exactly on every machine."""
    frames, columns = np.arange(_FRAMES), np.arange(len(FEATURE_NAMES))
    ramps = (frames[:, None] * (columns + 1) % 16) / 16
    return Features(FEATURE_NAMES, _CARD.fps, _FRAMES, ramps.astype(np.float32), 120.0, 1.0)
