# ruff: noqa: S608 - the pieces put together here are constants of this file
"""The SQL of the job store's moves. Each carries its guard; zero rows mean that the move was not allowed."""

from __future__ import annotations

from collections.abc import Mapping

_LIVE = "EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status IN ('pending', 'processing'))"
_STEP = "job_id = :job AND name = :name AND idx = :idx"
_HELD_STEP = f"{_STEP} AND status = 'running' AND attempt = :attempt"
_HELD = (
    f"EXISTS (SELECT 1 FROM steps WHERE {_HELD_STEP})"
    " AND EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status = 'processing')"
)
_NEW_STEP = (
    "INSERT INTO steps (job_id, name, idx, status, attempt, not_before, announce_at, announcements, route)"
)
# A step that is there is left alone, unless it was of a plan that was thrown away.
_UNLESS_THERE = (
    " ON CONFLICT (job_id, name, idx) DO UPDATE SET status = 'waiting', not_before = excluded.not_before,"
    " announce_at = excluded.announce_at, announcements = 1, route = excluded.route, result = NULL"
    " WHERE steps.status = 'void'"
)
_IDLE = "NOT EXISTS (SELECT 1 FROM steps WHERE job_id = jobs.id AND status = 'running')"

ADD_JOB = (
    "INSERT INTO jobs (id, type, status, progress, attempt, request, idempotency_key, idempotency_digest,"
    " request_id, client, created_at, updated_at)"
    " SELECT :job, :type, 'pending', 0, 0, :request, :key, :digest, :request_id, :client, :now, :now"
    " WHERE :in_all > (SELECT COUNT(*) FROM jobs WHERE status IN ('pending', 'processing'))"
    " AND :of_client >"
    " (SELECT COUNT(*) FROM jobs WHERE status IN ('pending', 'processing') AND client = :client)"
    " ON CONFLICT (idempotency_key) DO NOTHING"
)
ADD_FIRST_STEP = (
    f"{_NEW_STEP} SELECT :job, :name, :idx, 'waiting', 0, :now, :announce_at, 1, NULL"
    f" WHERE EXISTS (SELECT 1 FROM jobs WHERE id = :job){_UNLESS_THERE}"
)
JOB_BY_ID = "SELECT * FROM jobs WHERE id = :job"
JOB_ADDED = "SELECT * FROM jobs WHERE id = :job OR idempotency_key = :key"
STEP = f"SELECT * FROM steps WHERE {_STEP}"
STEPS = "SELECT * FROM steps WHERE job_id = :job ORDER BY name, idx"
LIST = (
    "SELECT * FROM jobs WHERE (:status IS NULL OR status = :status) AND (:type IS NULL OR type = :type)"
    " AND (:cursor IS NULL OR sequence < :cursor) ORDER BY sequence DESC LIMIT :limit"
)
COUNTS = "SELECT status, COUNT(*) FROM jobs GROUP BY status"
UNFINISHED = (
    "SELECT COUNT(*), COUNT(*) FILTER (WHERE client = :client) FROM jobs"
    " WHERE status IN ('pending', 'processing')"
)
# Before a client's nth job come the first n - 1 of every client, and the nth of those who sent it earlier.
QUEUE_POSITION = (
    "WITH own AS MATERIALIZED (SELECT status, sequence, (SELECT COUNT(*) FROM jobs AS mine WHERE"
    " mine.status = 'pending' AND mine.client = jobs.client AND mine.sequence <= jobs.sequence) AS turn"
    " FROM jobs WHERE id = :job),"
    " clients AS (SELECT COUNT(*) AS number, SUM(jobs.sequence < own.sequence) AS earlier"
    " FROM own, jobs WHERE jobs.status = 'pending' GROUP BY client)"
    " SELECT status, (SELECT SUM(min(number, turn - 1) + (earlier >= turn)) FROM clients) AS position"
    " FROM own"
)

_IDS = "(SELECT value FROM json_each(:ids))"
JOBS_BY_IDS = f"SELECT * FROM jobs WHERE id IN {_IDS}"
QUEUE_POSITIONS = (
    "SELECT id, place FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY turn, sequence) - 1 AS place FROM"
    " (SELECT id, sequence, ROW_NUMBER() OVER (PARTITION BY client ORDER BY sequence) AS turn"
    f" FROM jobs WHERE status = 'pending')) WHERE id IN {_IDS}"
)
BACKLOG = (
    "SELECT '' AS name, COUNT(*) AS number,"
    " (SELECT created_at FROM jobs WHERE status = 'pending' ORDER BY sequence LIMIT 1) AS oldest"
    " FROM jobs WHERE status = 'pending'"
    " UNION ALL SELECT name, COUNT(*), NULL FROM steps WHERE status = 'waiting' AND not_before <= :now"
    " AND job_id IN (SELECT id FROM jobs WHERE status IN ('pending', 'processing')) GROUP BY name"
)

# A step that took its worker along twice runs beside no other that did: one of them may be guilty of both.
_LOST_TWICE = (
    "(SELECT COUNT(*) FROM json_each({0}.failures)"
    " WHERE json_extract(json_each.value, '$.code') = 'WORKER_LOST') > 1"
)
_SUSPECT_RUNS = (
    "EXISTS (SELECT 1 FROM steps AS other WHERE other.status = 'running' AND other.lease_expires_at > :now"
    f" AND {_LOST_TWICE.format('other')})"
)
CLAIM_STEP = (
    "UPDATE steps SET status = 'running', attempt = attempt + 1, owner = :owner, worker = :worker,"
    " claimed_at = :now, deadline_at = :deadline, lease_expires_at = min(:until, :deadline)"
    f" WHERE {_STEP} AND status = 'waiting' AND not_before <= :now AND {_LIVE}"
    f" AND NOT ({_LOST_TWICE.format('steps')} AND {_SUSPECT_RUNS})"
)
SERVED = (
    "INSERT INTO turns (client, lane, served_at) SELECT client, :lane, :now FROM jobs WHERE id = :job"
    f" AND EXISTS (SELECT 1 FROM steps WHERE {_STEP} AND owner = :owner)"
    " ON CONFLICT (client, lane) DO UPDATE SET served_at = excluded.served_at"
)
CLAIMED = f"SELECT attempt FROM steps WHERE {_STEP} AND status = 'running' AND owner = :owner AND {_LIVE}"
CLAIM_JOB = (
    "UPDATE jobs SET status = 'processing', started_at = coalesce(started_at, :now), updated_at = :now,"
    f" attempt = max(attempt, (SELECT attempt FROM steps WHERE {_STEP}))"
    " WHERE id = :job AND status IN ('pending', 'processing')"
    f" AND EXISTS (SELECT 1 FROM steps WHERE {_STEP} AND owner = :owner)"
)

RENEW = (
    "UPDATE steps SET lease_expires_at = min(:until, deadline_at)"
    f" WHERE {_HELD_STEP} AND EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status = 'processing')"
    " RETURNING attempt"
)
REPORT = (
    "UPDATE jobs SET stage = :stage, progress = max(progress, :progress), updated_at = :now"
    f" WHERE id = :job AND {_HELD}"
)

FOLLOW = (
    f"{_NEW_STEP} SELECT :job, json_extract(value, '$[0]'), json_extract(value, '$[1]'), 'waiting', 0, :now,"
    f" :announce_at, 1, :route FROM json_each(:following) WHERE {_HELD}{_UNLESS_THERE}"
)
JOIN = (
    f"{_NEW_STEP} SELECT :job, :join_name, :join_idx, 'waiting', 0, :now, :announce_at, 1, NULL WHERE {_HELD}"
    " AND NOT EXISTS (SELECT 1 FROM steps WHERE job_id = :job AND name = :name AND idx <> :idx"
    f" AND status NOT IN ('done', 'void')){_UNLESS_THERE} RETURNING name"
)
END_STEP = (
    "UPDATE steps SET status = 'done', lease_expires_at = NULL, finished_at = :now, result = :result"
    f" WHERE {_HELD_STEP} AND EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status = 'processing')"
    " RETURNING attempt"
)
# A second run is a step of its own, void as soon as its chunk has ended: whoever has it learns at a beat.
_SECOND = "job_id = :job AND name = 'second_run' AND idx = :idx"
VOID_SECOND = (
    "UPDATE steps SET status = 'void', lease_expires_at = NULL, finished_at = :now"
    f" WHERE {_SECOND} AND status IN ('waiting', 'running') AND {_HELD}"
)
TOUCH = f"UPDATE jobs SET updated_at = :now WHERE id = :job AND {_HELD}"

# What is known of a call elsewhere is kept in the result of its step.
_CALL = "json_extract(result, '$.call.{}')"
_CALLED = f"coalesce({_CALL.format('attempt')}, 0) = :attempt"
_OF_CALL = f"{_CALLED} AND {_CALL.format('id')} = :call"
HEAR = (
    "UPDATE steps SET"
    f" lease_expires_at = CASE WHEN {_CALLED} THEN lease_expires_at ELSE :until END,"
    f" deadline_at = CASE WHEN {_CALLED} THEN deadline_at ELSE :until END,"
    " result = json_set(coalesce(result, '{}'), '$.call', json_object("
    "'id', :call, 'attempt', attempt, 'sequence', :number, 'heardAt', :now))"
    f" WHERE {_HELD_STEP} AND EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status = 'processing')"
    f" AND (NOT {_CALLED} OR ({_OF_CALL} AND {_CALL.format('sequence')} < :number)) RETURNING attempt"
)
HEAR_JOB = (
    "UPDATE jobs SET stage = :stage, progress = max(progress, :progress), updated_at = :now"
    f" WHERE id = :job AND status = 'processing' AND EXISTS (SELECT 1 FROM steps WHERE {_HELD_STEP}"
    f" AND {_OF_CALL} AND {_CALL.format('sequence')} = :number AND {_CALL.format('heardAt')} = :now)"
)
HEARD = f"SELECT attempt FROM steps WHERE {_HELD_STEP} AND {_OF_CALL} AND {_HELD}"
SILENT = (
    f"SELECT * FROM steps WHERE status = 'running' AND {_CALL.format('attempt')} = attempt"
    f" AND {_CALL.format('heardAt')} <= :before"
    " AND job_id IN (SELECT id FROM jobs WHERE status = 'processing')"
)

FINISH_JOB = (
    "UPDATE jobs SET status = 'complete', progress = 100, stage = NULL, result = :result, updated_at = :now,"
    f" finished_at = :now WHERE id = :job AND {_HELD} RETURNING id"
)
# The step follows what the move before it did to the job; where that was refused, nothing changes.
_ENDED_NOW = "EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status = '{}' AND finished_at = :now)"
FINISH_STEP = (
    "UPDATE steps SET status = 'done', lease_expires_at = NULL, finished_at = :now"
    f" WHERE {_HELD_STEP} AND {_ENDED_NOW.format('complete')}"
)

FAIL_JOB = (
    "UPDATE jobs SET status = 'failed', stage = NULL, error = :error, updated_at = :now, finished_at = :now"
    f" WHERE id = :job AND {_HELD} RETURNING id"
)
# Kept with the attempt that failed and its worker; a code of NULL counts against nobody.
_FAILED = (
    "failures = CASE WHEN :code IS NULL THEN failures ELSE json_insert(failures, '$[#]',"
    " json_object('attempt', attempt, 'worker', worker, 'code', :code)) END"
)
FAIL_STEP = (
    f"UPDATE steps SET lease_expires_at = NULL, finished_at = :now, {_FAILED}"
    f" WHERE {_HELD_STEP} AND {_ENDED_NOW.format('failed')}"
)
RETRY_STEP = (
    "UPDATE steps SET status = 'waiting', lease_expires_at = NULL, not_before = :retry_at,"
    f" announce_at = :retry_at, announcements = 0, {_FAILED}"
    f" WHERE {_HELD_STEP} AND EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status = 'processing')"
    " RETURNING attempt"
)
FAILURES = (
    "SELECT COUNT(*) FROM steps, json_each(steps.failures)"
    " WHERE job_id = :job AND json_extract(json_each.value, '$.worker') = :worker"
)
REDO_STEPS = (
    "UPDATE steps SET status = 'waiting', not_before = :now, announce_at = :announce_at, announcements = 1,"
    " finished_at = NULL, result = :redone WHERE job_id = :job AND status = 'done'"
    " AND EXISTS (SELECT 1 FROM json_each(:steps) WHERE json_extract(value, '$[0]') = steps.name"
    f" AND json_extract(value, '$[1]') = steps.idx) AND {_HELD}"
)
VOID_STEP = (
    "UPDATE steps SET status = 'void', lease_expires_at = NULL"
    f" WHERE {_HELD_STEP} AND EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status = 'processing')"
    " RETURNING attempt"
)
REST_JOB = (
    "UPDATE jobs SET status = 'pending', updated_at = :now"
    f" WHERE id = :job AND status = 'processing' AND {_IDLE}"
)

CANCEL = (
    "UPDATE jobs SET status = 'cancelled', stage = NULL, updated_at = :now, finished_at = :now"
    " WHERE id = :job AND status IN ('pending', 'processing') RETURNING id"
)

_EXPIRED = "status = 'running' AND lease_expires_at <= :now"
VOID_EXPIRED = (
    f"UPDATE steps SET status = 'void', lease_expires_at = NULL, finished_at = :now, {_FAILED}"
    f" WHERE name = 'second_run' AND {_EXPIRED}"
    " AND job_id IN (SELECT id FROM jobs WHERE status IN ('pending', 'processing'))"
)
FAIL_SPENT = (
    "UPDATE jobs SET status = 'failed', stage = NULL, error = :error, updated_at = :now, finished_at = :now"
    " WHERE status IN ('pending', 'processing') AND id IN"
    f" (SELECT job_id FROM steps WHERE {_EXPIRED} AND json_array_length(failures) + 1 >= :max_attempts)"
    " RETURNING id"
)
# Held when its time was up: it tidied up in silence or was killed. Calls elsewhere have no such end.
FAIL_OVERRUN = (
    "UPDATE jobs SET status = 'failed', stage = NULL, error = :overrun, updated_at = :now, finished_at = :now"
    " WHERE status IN ('pending', 'processing') AND id IN"
    f" (SELECT job_id FROM steps WHERE {_EXPIRED} AND name <> 'second_run'"
    " AND lease_expires_at >= deadline_at - :grace"
    f" AND coalesce({_CALL.format('attempt')}, 0) <> attempt) RETURNING id"
)
FAIL_OVERDUE = (
    "UPDATE jobs SET status = 'failed', stage = NULL, error = :error, updated_at = :now, finished_at = :now"
    " WHERE status IN ('pending', 'processing') AND type = :type AND started_at < :before RETURNING id"
)
RELEASE = (
    "UPDATE steps SET status = 'waiting', lease_expires_at = NULL, not_before = :now, announce_at = :now,"
    f" announcements = 0, {_FAILED}"
    f" WHERE {_EXPIRED} AND job_id IN (SELECT id FROM jobs WHERE status IN ('pending', 'processing'))"
    " RETURNING job_id, name, idx"
)
REST_RELEASED = (
    "UPDATE jobs SET status = 'pending', updated_at = :now WHERE status = 'processing'"
    " AND id IN (SELECT job_id FROM steps WHERE status = 'waiting' AND attempt > 0 AND not_before = :now"
    " UNION SELECT job_id FROM steps WHERE name = 'second_run' AND status = 'void' AND finished_at = :now)"
    f" AND {_IDLE}"
)

TAKE_DUE = (
    "UPDATE steps SET announcements = announcements + 1,"
    " announce_at = :now + min(:again << min(announcements, 10), :at_most)"
    " WHERE rowid IN (SELECT steps.rowid FROM steps JOIN jobs ON jobs.id = steps.job_id"
    " WHERE steps.status = 'waiting' AND announce_at <= :now AND jobs.status IN ('pending', 'processing')"
    " ORDER BY announce_at LIMIT :limit) RETURNING job_id, name, idx, route"
)
TELL_AGAIN = (
    "UPDATE steps SET announcements = 0, announce_at = max(:now, not_before)"
    " WHERE status = 'waiting' AND announce_at > :now"
    " AND (:silence = 0"
    " OR announce_at - min(:again << min(max(announcements - 1, 0), 10), :at_most) <= :now - :silence)"
    " AND job_id IN (SELECT id FROM jobs WHERE status IN ('pending', 'processing')) RETURNING attempt"
)

#: Whether jobs of several clients live: four looks into an index.
SEVERAL_CLIENTS = (
    "SELECT COUNT(DISTINCT client) > 1 FROM ("
    "SELECT MIN(client) AS client FROM jobs WHERE status = 'pending'"
    " UNION ALL SELECT MAX(client) FROM jobs WHERE status = 'pending'"
    " UNION ALL SELECT MIN(client) FROM jobs WHERE status = 'processing'"
    " UNION ALL SELECT MAX(client) FROM jobs WHERE status = 'processing')"
)
_GIVEN = "status = 'waiting' AND turn_at > :expired"


def take_turn(levels: Mapping[str, int]) -> str:
    """The move that gives the turn to one of the steps with these names, which are as urgent as that."""
    names = ", ".join(f"'{name}'" for name in levels)
    level = " ".join(f"WHEN '{name}' THEN {level}" for name, level in levels.items())
    return (
        "WITH lane AS MATERIALIZED (SELECT steps.rowid AS step, steps.status, not_before, route, idx,"
        f" coalesce(turn_at, 0) AS turn_at, client, sequence, CASE steps.name {level} END AS level"
        " FROM jobs JOIN steps ON steps.job_id = jobs.id WHERE jobs.status IN ('pending', 'processing')"
        f" AND steps.status IN ('waiting', 'running') AND steps.name IN ({names})),"
        " due AS (SELECT * FROM lane"
        " WHERE status = 'waiting' AND not_before <= :now AND (route IS NULL OR route = :route)),"
        f" busy AS (SELECT client, COUNT(*) AS number FROM lane WHERE status = 'running' OR ({_GIVEN})"
        " GROUP BY client)"
        " UPDATE steps SET turn_at = :now WHERE (SELECT COUNT(DISTINCT client) FROM due) > 1 AND rowid ="
        " (SELECT step FROM due LEFT JOIN busy ON busy.client = due.client"
        " LEFT JOIN turns ON turns.client = due.client AND turns.lane = :lane WHERE turn_at <= :expired"
        " ORDER BY coalesce(number, 0), coalesce(served_at, 0), level, sequence, idx LIMIT 1)"
        " RETURNING job_id, name, idx, route"
    )


FORGET_TURNS = "DELETE FROM turns WHERE served_at < :before"

LONG_RUNNING = (
    "SELECT DISTINCT job_id FROM steps WHERE status = 'running' AND name = 'render_chunk'"
    " AND claimed_at <= :before"
    " AND job_id IN (SELECT id FROM jobs WHERE status IN ('pending', 'processing'))"
)
_UNLESS_IT_LIVES = _UNLESS_THERE.replace("= 'void'", "IN ('void', 'done')")
CALL_SECOND = (
    f"{_NEW_STEP} SELECT job_id, 'second_run', idx, 'waiting', 0, :now, :announce_at, 1, route FROM steps"
    f" WHERE {_HELD_STEP} AND {_LIVE}"
    f"{_UNLESS_IT_LIVES} AND steps.attempt < :most RETURNING name"
)
FAIL_SECOND = (
    f"UPDATE steps SET status = 'void', lease_expires_at = NULL, finished_at = :now, {_FAILED}"
    f" WHERE {_HELD_STEP} AND EXISTS (SELECT 1 FROM jobs WHERE id = :job AND status = 'processing')"
    " RETURNING attempt"
)
# What a second run takes over may be waiting by now, for another attempt of the first.
_FIRST = "job_id = :job AND name = 'render_chunk' AND idx = :idx AND status IN ('waiting', 'running')"
TAKE_JOIN = (
    f"{_NEW_STEP} SELECT :job, :join_name, :join_idx, 'waiting', 0, :now, :announce_at, 1, NULL WHERE {_HELD}"
    f" AND EXISTS (SELECT 1 FROM steps WHERE {_FIRST})"
    " AND NOT EXISTS (SELECT 1 FROM steps WHERE job_id = :job AND name = 'render_chunk' AND idx <> :idx"
    f" AND status NOT IN ('done', 'void')){_UNLESS_THERE} RETURNING name"
)
TAKE_STEP = (
    "UPDATE steps SET status = 'done', attempt = attempt + 1, (owner, worker, claimed_at) ="
    f" (SELECT owner, worker, claimed_at FROM steps WHERE {_SECOND}),"
    " lease_expires_at = NULL, finished_at = :now, result = :result"
    f" WHERE {_FIRST} AND {_HELD} RETURNING attempt"
)
TAKEN = (
    "UPDATE jobs SET updated_at = :now, attempt = max(attempt, (SELECT attempt FROM steps"
    f" WHERE job_id = :job AND name = 'render_chunk' AND idx = :idx)) WHERE id = :job AND {_HELD}"
)

_RESTING = (
    "id = :job AND status IN ('pending', 'processing')"
    " AND NOT EXISTS (SELECT 1 FROM steps WHERE job_id = :job AND status = 'running')"
)
AUDIO_IN_USE = (
    "SELECT id FROM jobs WHERE json_extract(request, '$.audioKey') = :audio"
    " AND (status IN ('pending', 'processing') OR (status = 'complete' AND type = 'render')) LIMIT 1"
)
STRANDED = (
    "SELECT job_id, route, MIN(not_before) AS since FROM steps"
    " WHERE status = 'waiting' AND route IS NOT NULL AND not_before <= :before"
    " AND job_id IN (SELECT id FROM jobs WHERE status IN ('pending', 'processing'))"
    " AND NOT EXISTS (SELECT 1 FROM steps AS other WHERE other.job_id = steps.job_id"
    " AND other.status = 'running') GROUP BY job_id"
)
NOTE = f"UPDATE jobs SET stage = :stage, updated_at = :now WHERE {_RESTING}"
VOID_CHUNKS = (
    "UPDATE steps SET status = 'void' WHERE job_id = :job"
    " AND name IN ('draw_contact', 'render_chunk', 'second_run', 'assemble_video')"
    f" AND EXISTS (SELECT 1 FROM jobs WHERE {_RESTING})"
)
PLAN_AGAIN = (
    "UPDATE steps SET status = 'waiting', not_before = :now, announce_at = :now, announcements = 0,"
    " result = NULL"
    f" WHERE job_id = :job AND name = 'plan_render' AND EXISTS (SELECT 1 FROM jobs WHERE {_RESTING})"
    " RETURNING attempt"
)

DELETE_STEPS = (
    "DELETE FROM steps WHERE job_id = :job AND job_id IN"
    " (SELECT id FROM jobs WHERE status NOT IN ('pending', 'processing'))"
)
DELETE_JOB = "DELETE FROM jobs WHERE id = :job AND status NOT IN ('pending', 'processing') RETURNING id"
