"""The policy of the Celery app, read by Celery when it is first needed, never at import of the tasks."""

from __future__ import annotations

from ethereal.bootstrap import render_workers
from ethereal.errors import UnavailableError
from ethereal.settings import read_settings
from tasks.queues import PRIORITIES, queue_named

_settings = read_settings()

broker_url = _settings.broker_url.get_secret_value() if _settings.broker_url else "redis://127.0.0.1:6379/0"
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # a worker outlives any outage
broker_transport_options = {
    "socket_timeout": 5,  # without it a half-open connection blocks the consumer for ever
    "socket_connect_timeout": 2,
    "health_check_interval": 5,
    "socket_keepalive": True,
    "visibility_timeout": 3600,
    "client_name": "ethereal",
    "priority_steps": list(PRIORITIES),
}

task_serializer = "json"
accept_content = ["json"]
task_ignore_result = True  # the job store tells; a result backend would block a submit when Redis is away
task_acks_late = False  # late acks double running tasks at each reset; leases bring lost work back
worker_disable_prefetch = True  # a reserved message runs twice once the visibility timeout has passed
worker_prefetch_multiplier = 1
worker_send_task_events = True
task_send_sent_event = True
worker_max_tasks_per_child = 50
worker_concurrency = render_workers(_settings)  # where the command line names no number
worker_cancel_long_running_tasks_on_connection_loss = False  # an early-acked task goes on undisturbed
enable_utc = True

task_soft_time_limit = _settings.step_limit.total_seconds()
task_time_limit = task_soft_time_limit + _settings.grace_seconds

_own_limits = {
    "ingest_audio": _settings.ingest_minutes,
    "preview_edit": _settings.preview_minutes,
    "save_edit": _settings.save_minutes,
}
task_annotations = {
    # A service that is away is told in a line, not in a traceback: the reaper brings the step back.
    "*": {"throws": (UnavailableError,)},
    **{
        name: {"soft_time_limit": minutes * 60, "time_limit": minutes * 60 + _settings.grace_seconds}
        for name, minutes in _own_limits.items()
    },
}

task_default_queue = "cpu"
task_create_missing_queues = False
task_queues = [queue_named(name) for name in ("cpu", "render", "control")]
task_routes = {
    "plan_render": {"queue": "render"},
    "draw_contact": {"queue": "render"},
    "render_chunk": {"queue": "render"},
    "second_run": {"queue": "render"},
    "reap": {"queue": "control"},
    "sweep": {"queue": "control"},
}

beat_max_loop_interval = 5
beat_schedule = {
    "reap": {
        "task": "reap",
        "schedule": _settings.reaper_seconds,
        "options": {"queue": "control"},  # an expiry would be set by one host's clock and read by another's
    },
    "sweep": {"task": "sweep", "schedule": 3600.0, "options": {"expires": 3600, "queue": "control"}},
}
