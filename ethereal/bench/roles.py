"""What each process of a running stack takes: memory and CPU by its part in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from ethereal.bench.usage import tree

#: Words on a command line, and what runs there; the first that fits.
_ROLES: Sequence[tuple[str, str]] = (
    ("valkey-server", "broker"),
    ("gunicorn", "web"),
    ("chrom", "browser"),
    ("headless_shell", "browser"),
    ("flower", "flower"),
    ("beat", "beat"),
    ("cpu@", "worker"),
    ("render@", "render"),
    ("control@", "control"),
)


@dataclass(frozen=True)
class Role:
    """The processes of one part; what they share counts once in all, where the system can tell."""

    processes: int
    memory_mib: float
    cpu_seconds: float


def roles_below(root: int) -> dict[str, Role]:
    """What runs from the process `root` downwards, by name; `others` are those that start and guard."""
    found: dict[str, Role] = {}
    for process in tree(root):
        with suppress(psutil.Error):
            role = role_of(process.cmdline())
            known = found.get(role, Role(0, 0.0, 0.0))
            times = process.cpu_times()
            found[role] = Role(
                known.processes + 1,
                round(known.memory_mib + _memory(process) / (1 << 20), 1),
                round(known.cpu_seconds + times.user + times.system, 2),
            )
    return found


def role_of(command: Sequence[str]) -> str:
    """What a command line runs. What guards a process names its command too, and is none of its role."""
    words = " ".join(command)
    if "ethereal.process" in words or "ethereal.embedded" in words:
        return "others"
    return next((role for word, role in _ROLES if word in words), "others")


def grown(before: Mapping[str, Role], after: Mapping[str, Role]) -> dict[str, float]:
    """MiB that each part that was there at both ends takes more at the second."""
    return {
        name: round(after[name].memory_mib - role.memory_mib, 1)
        for name, role in before.items()
        if name in after
    }


def _memory(process: psutil.Process) -> int:
    return int(process.memory_full_info().pss if psutil.LINUX else process.memory_info().rss)
