"""Are vulnerabilities known of the locked packages? Asks PyPI by pip-audit: part of `make check`.

Known ones fail. Where PyPI's service cannot be asked (offline, or behind an index of another kind), this says
so and passes: the next machine that reaches it will tell.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
_NOT_AUDITED = "NOT AUDITED: PyPI's vulnerability service does not answer here"

#: Vulnerabilities that do not reach us: each by its id, and why not.
ACCEPTED: dict[str, str] = {}


def judge(dependencies: Sequence[dict[str, Any]]) -> tuple[bool, list[str]]:
    """Whether the packages may be used, and what to say of them."""
    asked = [one for one in dependencies if "skip_reason" not in one]
    if not asked:
        return True, [f"{_NOT_AUDITED}: it knows none of {len(dependencies)} packages"]
    found = [(one, vulnerability) for one in asked for vulnerability in one["vulns"]]
    lines = [_sentence(one, vulnerability) for one, vulnerability in found]
    untold = [one["name"] for one in dependencies if "skip_reason" in one]
    lines += [f"not audited: {', '.join(untold)}"] if untold else []
    known = f"{len(found)} known vulnerabilities" if found else "no known vulnerability"
    return not found, [*lines, f"{known} in {len(asked)} packages"]


def _sentence(one: dict[str, Any], vulnerability: dict[str, Any]) -> str:
    fixed = ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"
    return f"{one['name']} {one['version']}: {vulnerability['id']}, fixed in {fixed}"


def main() -> int:
    ignored = [f"--ignore-vuln={name}" for name in ACCEPTED]
    argv = [
        sys.executable,
        "-m",
        "pip_audit",
        "--requirement",
        str(LOCK),
        "--require-hashes",
        "--disable-pip",
    ]
    options = ["--format=json", "--progress-spinner=off", "--timeout=5", *ignored]
    done = subprocess.run([*argv, *options], capture_output=True, text=True, check=False)  # noqa: S603
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"audit: {_NOT_AUDITED}: {last}")
        return 0
    passed, lines = judge(told)
    print("\n".join(f"audit: {line}" for line in lines))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
