"""What the views work with: the services, the settings, and what must answer before work is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import cast

from flask import Flask, current_app

from ethereal.pace import MemoryPace, Pace
from ethereal.services import Services
from ethereal.settings import Settings
from web.watch import Watch

_NAME = "ethereal"
#: Event streams at once in one process: of the threads that the Procfile gives it, 24 are left.
FOLLOWERS = 120


@dataclass(frozen=True)
class Face:
    services: Services
    settings: Settings
    checks: Mapping[str, Callable[[], None]]
    watch: Watch  #: what event streams hear from
    pace: Pace = field(default_factory=MemoryPace)  #: how often requests came lately
    flower_password: str = ""  #: what Flower asks of who wants to see the farm
    #: Each follower holds a thread of the server; the others are left for work.
    followers: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(FOLLOWERS))

    def attach(self, app: Flask) -> None:
        app.extensions[_NAME] = self


def face() -> Face:
    return cast(Face, current_app.extensions[_NAME])


def services() -> Services:
    return face().services


def settings() -> Settings:
    return face().settings
