"""What a measurement was taken on."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

from ethereal import __version__
from ethereal.render.encoder_settings import libraries

_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Machine:
    """`load` is how many processes wanted a core over the last minute: more than few, and times mislead."""

    cores: int
    cpu: str
    memory_gib: float
    system: str
    python: str
    ethereal: str
    libraries: dict[str, str]
    load: float


def describe_machine(cores: int) -> Machine:
    """Describe this machine, of which `cores` may be used."""
    return Machine(
        cores=cores,
        cpu=_cpu(),
        memory_gib=round(psutil.virtual_memory().total / (1 << 30), 1),
        system=platform.platform(),
        python=platform.python_version(),
        ethereal=__version__,
        libraries=libraries(),
        load=round(psutil.getloadavg()[0], 1),
    )


def _cpu() -> str:
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
