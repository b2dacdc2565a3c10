"""`--range START:END`: a part of the sound, in seconds."""

from __future__ import annotations

from fractions import Fraction

import click

from ethereal.errors import InvalidInputError


def read_span(text: str | None) -> tuple[Fraction, Fraction] | None:
    """START:END in seconds, each with decimals if need be."""
    if text is None:
        return None
    try:
        start, end = (Fraction(part) for part in text.split(":"))
    except (ValueError, ZeroDivisionError) as error:
        raise InvalidInputError("--range takes START:END in seconds, such as 10:25.5") from error
    if not 0 <= start < end:
        raise InvalidInputError("--range must start before it ends")
    return start, end


span_option = click.option(
    "--range",
    "span",
    metavar="START:END",
    callback=lambda *given: read_span(given[2]),
    help="Only this part of the sound, in seconds, such as 10:25.5.",
)
