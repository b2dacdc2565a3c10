"""A container has the wheels that its code imports, and no others."""

from __future__ import annotations

import subprocess
import sys

from ethereal.cloud.wheels import pinned

#: Imports what a container imports, draws nothing, and prints the packages that this took.
PROGRAM = """
import sys
from importlib.metadata import packages_distributions
before = set(sys.modules)
import ethereal.modal_app
import ethereal.cloud.container
import ethereal.render.encoders
import ethereal.render.finish
from ethereal.audio import features
known = packages_distributions()
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted({name for top in tops if "__mypyc" not in top for name in known.get(top, ())}))
"""


def test_a_container_has_what_its_code_imports() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    imported = {name.lower().replace("_", "-") for name in run.stdout.split()} - {"ethereal"}
    imported -= {"charset-normalizer"}  # numpy takes it where it is
    there = {line.partition("==")[0] for line in (*pinned(), *pinned(["modal"]))}  # Modal brings its own

    assert imported - there == set()
    assert {"av", "numpy", "playwright", "pydantic"} <= imported


def test_what_only_the_web_and_the_workers_need_stays_out() -> None:
    names = {line.partition("==")[0] for line in pinned()}

    assert names & {"flask", "celery", "boto3", "libsql-client", "redis", "pytest"} == set()
