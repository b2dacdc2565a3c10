"""Writes `.env.example` from the settings, so that the two never differ."""

from __future__ import annotations

import json
import textwrap

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ethereal.settings import Settings


def env_example() -> str:
    """Every variable with what it means; those with a default show it, commented out."""
    head = "# Every setting of Ethereal. The defaults run on one machine and need none of these.\n"
    return head + "".join(_lines(name, field) for name, field in Settings.model_fields.items())


def _lines(name: str, field: FieldInfo) -> str:
    value = "" if field.default is None or isinstance(field.default, SecretStr) else _spelled(field.default)
    said = textwrap.fill(field.description or "", 100, initial_indent="# ", subsequent_indent="# ")
    return f"\n{said}\n# ETHEREAL_{name.upper()}={value}\n"


def _spelled(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


if __name__ == "__main__":
    print(env_example(), end="")
