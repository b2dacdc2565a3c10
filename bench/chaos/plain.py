"""The control group: a chain of three tasks on plain Celery, with late acks as its documentation has it.

`celery -A bench.chaos.plain worker`. Each task takes as long as a step and writes down that it was done.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing

from celery import Celery, chain
from celery.canvas import Signature

VISIBILITY_SECONDS = 6
STEPS = 3
_WORK_SECONDS = 0.05

app = Celery("plain", broker=os.environ.get("ETHEREAL_BROKER_URL", ""))
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        # Those of the product: without them a half-open connection stops a worker for good.
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "health_check_interval": 5,
    },
)


@app.task(name="work")
def work(job: str, step: int) -> None:
    """Do a step and write it down."""
    time.sleep(_WORK_SECONDS)
    with closing(sqlite3.connect(os.environ["PLAIN_EFFECTS"], timeout=20)) as database, database:
        database.execute("INSERT INTO effects VALUES (?, ?, ?)", (job, step, time.time()))


def ask(job: str) -> Signature:
    """The chain of one job."""
    return chain(work.si(job, step) for step in range(STEPS))
