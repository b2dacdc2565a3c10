"""What a worker process changes of Celery's ways."""

from __future__ import annotations

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from ethereal.embedded.ports import hold_free_port
from ethereal.errors import StoreUnavailableError
from tasks import process
from tasks.app import app


def test_a_service_that_is_away_is_no_accident_of_a_task() -> None:
    app.loader.import_default_modules()

    assert issubclass(StoreUnavailableError, app.tasks["reap"].throws)
    assert issubclass(StoreUnavailableError, app.tasks["ingest_audio"].throws)
    assert app.tasks["ingest_audio"].time_limit, "its own limits are kept"


def test_a_worker_looks_for_a_broker_that_is_away_once_a_second() -> None:
    assert process  # its import is what a worker does first
    waits = list[float]()

    with (
        hold_free_port("127.0.0.1", 0) as nobody,
        Connection(f"redis://127.0.0.1:{nobody}") as connection,
        pytest.raises(OperationalError),
    ):
        connection.ensure_connection(lambda error, wait: waits.append(wait), 5)

    assert len(waits) == 5
    assert max(waits) <= 1
