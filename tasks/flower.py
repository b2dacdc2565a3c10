"""Flower, which shows the farm and changes nothing: `python -m tasks.flower`.

It lets in whoever has the password, and only the web app has it: people see Flower there, behind its sign-in.
"""

from __future__ import annotations

from tornado.options import options

from ethereal.bootstrap import flower_password, signing_secret
from ethereal.settings import Settings, read_settings
from tasks.app import app

#: Where the web app shows it.
PREFIX = "farm"


def set_up(settings: Settings) -> list[str]:
    """Set what must not be seen among the arguments of a process; return those arguments."""
    import flower.options  # noqa: F401 — it defines the options

    options.basic_auth = [f"web:{flower_password(signing_secret(settings))}"]
    options.read_only = True  # the store is the truth: who stops work asks the web app
    options.url_prefix = PREFIX
    return ["flower", f"--address={settings.flower_host}", f"--port={settings.flower_port}"]


def main() -> None:
    app.start(set_up(read_settings()))


if __name__ == "__main__":
    main()
