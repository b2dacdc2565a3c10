"""What a stack on this machine may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from honcho.environ import parse_procfile


def packaged_procfile() -> Path:
    """Return the Procfile: beside this file in a wheel, at the top of a working tree."""
    packaged = Path(__file__).with_name("Procfile")
    return packaged if packaged.exists() else Path(__file__).parents[2] / "Procfile"


def processes_of(procfile: Path) -> dict[str, str]:
    """The commands of a Procfile by their names, in its order."""
    return dict(parse_procfile(procfile.read_text()).processes)


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8765  #: the next free one is taken
    flower_port: int = 5556  #: the next free one is taken
    broker_url: str | None = None  #: None: Valkey is started
    render_workers: int | None = None  #: None: as the settings say
    environment: Mapping[str, str] = field(default_factory=dict)  #: what every process starts from
    procfile: Path = field(default_factory=packaged_procfile)
    show_logs: bool = False  #: on the terminal too, each line behind the name of its process
    start_limit: timedelta = timedelta(seconds=90)
    stop_limit: timedelta = timedelta(seconds=23)  #: for every process, before it is killed
