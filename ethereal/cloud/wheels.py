"""Which wheels a container needs: the renderer's own, in the versions that are installed here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement

#: What `ethereal.cloud` and `ethereal.render` import.
RENDERER = ("av", "numpy", "packaging", "playwright", "psutil", "pydantic", "pydantic-settings")
#: The machine that they are for, whatever this one is.
_THERE: Mapping[str, str] = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "extra": "",
}


def pinned(names: Sequence[str] = RENDERER) -> list[str]:
    """`name==version` of these packages and all that they need, in order of their names."""
    found: dict[str, str] = {}
    wanted = list(names)
    while wanted:
        name = _normal(wanted.pop())
        if name not in found:
            package = distribution(name)
            found[name] = package.version
            wanted += [need.name for need in map(Requirement, package.requires or ()) if _is_needed(need)]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _is_needed(need: Requirement) -> bool:
    if need.marker is not None and not need.marker.evaluate(dict(_THERE)):
        return False
    try:
        distribution(need.name)
    except PackageNotFoundError:  # for another machine than this one
        return False
    return True


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
