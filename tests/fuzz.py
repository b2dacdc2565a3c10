"""Requests that nobody would send, made from the API's description: `make fuzz`, and a little in the suite.

python -m tests.fuzz [SECONDS] [SEED]
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ethereal.embedded import StackOptions, open_stack

#: Never a failure of ours, only answers that were described, and what breaks a rule is refused.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)


def fuzz(
    url: str, folder: Path, *, seed: int, examples: int, seconds: int, phases: str, known: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Try the API at `url`; a GET asks for the `known` ids. The output says how to repeat what was found."""
    config = folder / "schemathesis.toml"
    config.write_text("".join(_known(name, value) for name, value in known.items()))
    argv = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config)),
        *("run", f"{url}/api/openapi.json", "--url", url),
        *("--checks", ",".join(CHECKS), "--phases", phases, "--seed", str(seed)),
        *("--max-examples", str(examples), "--max-time", str(seconds), "--workers", "1"),
        *("--request-timeout", "20", "--suppress-health-check", "all", "--warnings", "off"),
        *("--exclude-path-regex", "/events$", "--no-color"),  # a stream ends with its job
    ]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


def _known(name: str, value: str) -> str:
    """What is there may be looked at, and nothing else."""
    return f'[[operations]]\ninclude-method = "GET"\nparameters = {{ "path.{name}" = "{value}" }}\n'


def main(seconds: int = 300, seed: int = 1) -> int:
    with TemporaryDirectory() as folder:
        options = StackOptions(
            data_dir=Path(folder) / "data", port=0, flower_port=0, environment=dict(os.environ)
        )
        with open_stack(options) as stack:
            done = fuzz(
                stack.web_url,
                Path(folder),
                seed=seed,
                examples=1000,
                seconds=seconds,
                phases="examples,coverage,fuzzing,stateful",
                known={},
            )
    print(done.stdout, done.stderr, sep="\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
