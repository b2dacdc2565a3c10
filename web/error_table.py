"""Writes docs/errors.md from the errors themselves, so that the two never differ."""

from __future__ import annotations

from collections.abc import Iterator

from ethereal.errors import EtherealError, Retry, all_errors
from ethereal.jobs.lost import WORKER_LOST
from web.errors import CODE_OF, status_of

_HEAD = """\
# Errors

Every error carries a stable `code`: in the API (`{"error": {"code": …, "message": …}}`), in a failed job, on
the command line. Programs decide by the code, never by the message. This page is generated:
`.venv/bin/python -m web.error_table > docs/errors.md`.

| code | means | HTTP | another try |
| --- | --- | --- | --- |
"""
_BESIDES = """
Codes that no part of the domain raises:

| code | means | HTTP |
| --- | --- | --- |
"""
_AGAIN = {
    Retry.NEVER: "never",
    Retry.LATER: "later, after a back-off",
    Retry.AFTER_FETCH: "once, after fetching the inputs again",
    Retry.ELSEWHERE: "on another worker, after a back-off",
    Retry.ONCE: "once, with a fresh process",
    Retry.REDO: "once the chunks it names were rendered again, each once",
}


def public_errors() -> Iterator[type[EtherealError]]:
    """Every error that has a code of its own, parents first."""
    for kind in all_errors():
        if kind.__module__ == EtherealError.__module__ and "code" in vars(kind):
            yield kind


def error_table() -> str:
    """The whole page."""
    own = [_row(kind) for kind in public_errors()]
    named = {kind.code for kind in public_errors()}
    besides = [
        f"| `{code}` | HTTP {status} itself | {status} |"
        for status, code in CODE_OF.items()
        if code not in named
    ]
    lost = f"| `{WORKER_LOST.code}` | {WORKER_LOST.message} | in a failed job |"
    return "\n".join([_HEAD + "\n".join(own), _BESIDES + "\n".join([*besides, lost]), ""])


def _row(kind: type[EtherealError]) -> str:
    means = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    rule = Retry.LATER if kind is EtherealError else kind.retry  # what nobody foresaw may have been chance
    return f"| `{kind.code}` | {means} | {status_of(kind(''))} | {_AGAIN[rule]} |"


if __name__ == "__main__":
    print(error_table(), end="")
