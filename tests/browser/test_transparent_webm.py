"""What is behind a transparent WebM shows through it where a browser plays it."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser

from ethereal.render.assemble import assemble
from ethereal.render.chunk import render_chunk
from ethereal.render.plan import make_plan
from tests.render_fakes import draw_alpha, make_request, open_numpy

READ_ALPHA = """async (source) => {
  const video = document.createElement("video");
  await new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(new Error(video.error.message));
    video.muted = true;
    video.src = source;
  });
  const third = new Promise((resolve) => { // "seeked" may come before there is a picture to draw
    const look = (_, frame) => frame.mediaTime > 1.5 / 24 ? resolve() : video.requestVideoFrameCallback(look);
    video.requestVideoFrameCallback(look);
  });
  video.currentTime = 2.5 / 24; // amid the third frame
  await third;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight).getContext("2d");
  canvas.drawImage(video, 0, 0);
  const { data } = canvas.getImageData(0, 0, video.videoWidth, video.videoHeight);
  return Array.from(data.filter((_, at) => at % 4 === 3));
}"""


def test_a_browser_shows_what_lies_behind_a_transparent_webm(browser: Browser, tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=6, quality="high")
    clear = replace(request.composition, background="transparent")
    plan_dir = tmp_path / "plan"
    make_plan(replace(request, composition=clear, container="webm"), plan_dir, open_renderer=open_numpy)
    render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=open_numpy)
    video = assemble(plan_dir, [tmp_path / "chunk"], tmp_path / "video.webm").path

    page = browser.new_page()
    source = f"data:video/webm;base64,{base64.b64encode(video.read_bytes()).decode()}"
    seen = np.array(page.evaluate(READ_ALPHA, source)).reshape(96, 160)
    page.close()

    assert np.abs(seen - draw_alpha(160, 96, 2)).mean() < 3
    assert seen[:20].min() > 245
    assert seen[-20:].max() < 10
