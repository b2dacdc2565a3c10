"""Log files of the stack: `logs/NAME.log` in the data directory, the run before as `NAME.old.log`."""

from __future__ import annotations

from pathlib import Path

_TAIL_LINES = 15


def log_of(data_dir: Path, name: str) -> Path:
    return data_dir / "logs" / f"{name}.log"


def new_log(data_dir: Path, name: str) -> Path:
    """Return the path of a log that does not exist yet, having put the last one aside."""
    log = log_of(data_dir, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".old.log"))
    return log


def tail_of(log: Path) -> str:
    """Return the last lines of a log, for a message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(line for line in lines[-_TAIL_LINES:] if line.strip()) or f"{log} is empty"
