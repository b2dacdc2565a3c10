"""The GL drivers a browser can be started with, and how to tell that the one asked for draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ethereal.errors import InvalidInputError, RendererMismatchError

GlChoice: TypeAlias = Literal["auto", "llvmpipe", "swiftshader", "gpu"]


@dataclass(frozen=True)
class GlDriver:
    """How to ask Chromium for a driver; `accepts` reads the name WebGL gives ("" when there is no WebGL2)."""

    name: str
    flags: tuple[str, ...]
    accepts: Callable[[str], bool]
    environment: Mapping[str, str] = field(default_factory=dict)

    def check(self, gl_renderer: str) -> None:
        """Raise RendererMismatchError unless this driver draws: Chromium falls back without a word."""
        if not self.accepts(gl_renderer):
            raise RendererMismatchError(
                f"asked for {self.name}, but {gl_renderer or 'no WebGL2 driver'} draws"
            )


def _is_llvmpipe(name: str) -> bool:
    return "llvmpipe" in name


def _is_swiftshader(name: str) -> bool:
    return "SwiftShader" in name


def _is_system(name: str) -> bool:
    return bool(name) and not _is_swiftshader(name)


def is_gpu(name: str) -> bool:
    """Whether the renderer of that name is a GPU, not one of the drivers that draw on the CPU."""
    return _is_system(name) and not _is_llvmpipe(name)


_EGL = ("--use-gl=angle", "--use-angle=gl-egl", "--ignore-gpu-blocklist")
_NO_DISPLAY = {"EGL_PLATFORM": "surfaceless"}

_SYSTEM = GlDriver("the system's GL", _EGL, _is_system, _NO_DISPLAY)
_LLVMPIPE = GlDriver("llvmpipe", _EGL, _is_llvmpipe, {**_NO_DISPLAY, "LIBGL_ALWAYS_SOFTWARE": "1"})
_GPU = GlDriver("a GPU", _EGL, is_gpu, _NO_DISPLAY)
_SWIFTSHADER = GlDriver(
    "SwiftShader",
    ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    _is_swiftshader,
)

_CHOICES: Mapping[str, tuple[GlDriver, ...]] = {
    "auto": (_SYSTEM, _SWIFTSHADER),
    "llvmpipe": (_LLVMPIPE,),
    "swiftshader": (_SWIFTSHADER,),
    "gpu": (_GPU,),
}


def drivers_for(choice: GlChoice) -> tuple[GlDriver, ...]:
    """The drivers to try for `choice`, best first. Raises InvalidInputError for a choice there is not."""
    if choice not in _CHOICES:
        raise InvalidInputError(f"no GL driver {choice!r}; there are {', '.join(_CHOICES)}")
    return _CHOICES[choice]
