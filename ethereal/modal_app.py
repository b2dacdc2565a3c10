"""What is deployed to Modal: `ethereal cloud deploy`, or `modal deploy -m ethereal.modal_app`.

Modal reads this module here, to deploy it, and in its containers, to run it; the settings matter here alone.
What a function does is in `ethereal.cloud`; it holds no credentials, only what its order brings.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import modal

from ethereal import log
from ethereal.dispatch.dispatcher import CPU
from ethereal.dispatch.messages import Order, Report, read_message
from ethereal.settings import Settings, read_settings

_SETTINGS = read_settings()
_MINUTE = 60
_REPORT_MINUTES = 25  # longer than a report is sent again
#: What GL needs without a GPU, and where it is told to look for NVIDIA's own: Modal puts the driver there.
_PACKAGES = (
    "chromium-headless-shell",
    "libatomic1",
    "libegl1",
    "libegl-mesa0",
    "libgl1-mesa-dri",
    "libgles2",
)
_GPU_PACKAGES = ("libgl1", "libglvnd0", "libvulkan1")
_ICDS = {
    "/usr/share/glvnd/egl_vendor.d/10_nvidia.json": "libEGL_nvidia.so.0",
    "/usr/share/vulkan/icd.d/nvidia_icd.json": "libGLX_nvidia.so.0",
}


def _make_image() -> modal.Image:
    image = modal.Image.debian_slim(python_version="{}.{}".format(*sys.version_info)).apt_install(*_PACKAGES)
    if modal.is_local():
        from ethereal.cloud.wheels import pinned

        image = image.pip_install(*pinned(), extra_options="--no-deps --only-binary :all:")
    return image


def _with_source(image: modal.Image) -> modal.Image:
    return image.add_local_python_source("ethereal", ignore=["**/__pycache__"])


def _make_gpu_image(image: modal.Image) -> modal.Image:
    layer = '{{"file_format_version": "1.0.0", "ICD": {{"library_path": "{}", "api_version": "1.3.0"}}}}'
    writes = [
        f"mkdir -p {Path(place).parent} && echo '{layer.format(library)}' > {place}"
        for place, library in _ICDS.items()
    ]
    all_of_it = {"NVIDIA_DRIVER_CAPABILITIES": "all", "NVIDIA_VISIBLE_DEVICES": "all"}
    return image.apt_install(*_GPU_PACKAGES).run_commands(*writes).env(all_of_it)


def _options(settings: Settings, gpu: str | None) -> Mapping[str, Any]:
    """The machine of a function that renders; it is told what it is."""
    told = {
        "ETHEREAL_MODAL_GPU": gpu or CPU,
        "ETHEREAL_MODAL_CORES": str(settings.modal_cores),
        "ETHEREAL_LOG_FORMAT": "json",
        "OPENBLAS_NUM_THREADS": "1",  # see ethereal.blas
    }
    return {
        "image": _with_source(_GPU_IMAGE if gpu else _IMAGE),
        "gpu": gpu.split(",") if gpu else None,
        "cpu": settings.modal_cores,
        "memory": settings.modal_memory_mib,
        "timeout": settings.modal_timeout_minutes * _MINUTE,
        "region": settings.modal_region,
        "max_containers": settings.modal_max_containers,
        "env": told,
    }


_IMAGE = _make_image()
_GPU_IMAGE = _make_gpu_image(_IMAGE)
_CPU, _GPU = _options(_SETTINGS, None), _options(_SETTINGS, _SETTINGS.modal_gpu)
app = modal.App(_SETTINGS.modal_app, include_source=False)


@app.function(**_CPU, retries=0)  # another attempt is the dispatcher's to make, under a token of its own
def render_video(order: dict[str, Any]) -> dict[str, Any]:
    return _render(order, render_chunk)


@app.function(**_GPU, retries=0)
def render_video_gpu(order: dict[str, Any]) -> dict[str, Any]:
    return _render(order, render_chunk_gpu)


@app.function(**_CPU, retries=_SETTINGS.modal_retries)
def render_chunk(order: dict[str, Any]) -> dict[str, Any]:
    return _draw(order)


@app.function(**_GPU, retries=_SETTINGS.modal_retries)
def render_chunk_gpu(order: dict[str, Any]) -> dict[str, Any]:
    return _draw(order)


@app.function(image=_with_source(_IMAGE), cpu=0.125, timeout=_REPORT_MINUTES * _MINUTE)
def send_report(order: dict[str, Any], report: dict[str, Any]) -> str:
    """Send a last report until it is taken: on a small machine, while the large one is paid for no longer."""
    from ethereal.cloud.post import deliver_report

    return deliver_report(read_message(Order, order), read_message(Report, report))


def _render(order: dict[str, Any], chunk: modal.Function[Any, Any, Any]) -> dict[str, Any]:
    from ethereal.cloud.container import open_machine, render_order

    log.set_up(_SETTINGS.log_format, _SETTINGS.log_level)
    machine = open_machine(_SETTINGS.modal_gpu, _SETTINGS.modal_cores, partial(_map, chunk))
    call_id = modal.current_function_call_id() or "unknown"
    return render_order(order, call_id, machine, hand_on=send_report.spawn)


def _draw(order: dict[str, Any]) -> dict[str, Any]:
    from ethereal.cloud.container import draw_order, open_drawing_machine

    log.set_up(_SETTINGS.log_format, _SETTINGS.log_level)
    return draw_order(order, open_drawing_machine(_SETTINGS.modal_gpu, _SETTINGS.modal_cores))


def _map(chunk: modal.Function[Any, Any, Any], orders: Sequence[object]) -> Iterator[object]:
    """What each chunk's function returned, or the error that it ended with."""
    yield from chunk.map(orders, order_outputs=False, return_exceptions=True, wrap_returned_exceptions=False)
