"""gunicorn's own lines in the form that the settings name: `--logger-class web.server_log.ServerLines`."""

from __future__ import annotations

from gunicorn.config import Config
from gunicorn.glogging import Logger

from ethereal import log
from ethereal.settings import read_settings


class ServerLines(Logger):  # type: ignore[misc]  # gunicorn has no types
    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(log.formatter(read_settings().log_format))
