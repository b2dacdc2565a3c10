"""Capture: frames drawn by a scene in headless Chromium, their pixels in this process's memory.

Knows compositions and pixels, nothing of plans, chunks or encoding. The browser sees the files of one
composition and no network; pixels leave it through a file that both sides have at hand, see `ring.py`.
"""

from ethereal.render.capture.ahead import ChromiumAhead
from ethereal.render.capture.chromium import open_chromium_renderer
from ethereal.render.capture.probe import RendererFacts, probe_renderer

__all__ = ["ChromiumAhead", "RendererFacts", "open_chromium_renderer", "probe_renderer"]
