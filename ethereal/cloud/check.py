"""The whole cloud path walked once, piece by piece, with what to do about each piece that does not work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from ethereal.cloud.links import Patience, fetch, put
from ethereal.cloud.post import post_once
from ethereal.dispatch.dispatcher import RENDER, RENDER_GPU, Cloud
from ethereal.dispatch.messages import Order, PutLink, Report
from ethereal.dispatch.proof import make_token
from ethereal.errors import EtherealError, MisconfiguredError, UnavailableError
from ethereal.jobs.store import JobStore
from ethereal.storage import keys
from ethereal.storage.store import ObjectStore

_QUICK = Patience(total=5.0, answer=10.0)
_LINK = timedelta(minutes=5)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Finding:
    """One piece of the path: what was seen, or what is wrong and what to do about it."""

    piece: str
    works: bool
    said: str
    remedy: str = ""


@dataclass(frozen=True)
class CloudParts:
    """What there is to check. `find` raises unless a function of that name is deployed."""

    open_objects: Callable[[], ObjectStore]
    open_jobs: Callable[[], JobStore]
    cloud: Cloud
    find: Callable[[str], None]


def check_cloud(parts: CloudParts) -> Iterator[Finding]:
    """Look at each piece in the order a render meets it. Nothing is left behind, no job is touched."""
    pieces: Sequence[tuple[str, Callable[[], str], str]] = (
        ("bucket", lambda: _bucket(parts), "check ETHEREAL_R2_*: the token must read and write objects"),
        ("links", lambda: _links(parts), "check ETHEREAL_R2_ENDPOINT and the clock of this machine"),
        ("job store", lambda: _jobs(parts), "check ETHEREAL_DATABASE_URL and ETHEREAL_DATABASE_AUTH_TOKEN"),
        ("functions", lambda: _functions(parts), "check ETHEREAL_MODAL_*, then run `ethereal cloud deploy`"),
        ("reports", lambda: _reports(parts.cloud), "check ETHEREAL_PUBLIC_URL; the web app must be running"),
    )
    for piece, look, remedy in pieces:
        try:
            yield Finding(piece, True, look())
        except EtherealError as error:
            yield Finding(piece, False, f"{error.code}: {error}", remedy)


def _bucket(parts: CloudParts) -> str:
    objects, key = parts.open_objects(), keys.call_file(f"check-{uuid4()}", 1, "check.json")
    with TemporaryDirectory() as folder:
        (sent := Path(folder) / "sent").write_bytes(b"{}")
        try:
            objects.put(key, sent)
            objects.fetch(key, Path(folder) / "back")
        finally:
            objects.delete(key)
    return "an object was put, read and deleted"


def _links(parts: CloudParts) -> str:
    objects, key = parts.open_objects(), keys.call_file(f"check-{uuid4()}", 1, "check.json")
    link = objects.sign_put(key, size=None, content_type="application/json", lifetime=_LINK)
    with TemporaryDirectory() as folder:
        (sent := Path(folder) / "sent").write_bytes(b"{}")
        try:
            put(PutLink(url=link.url, headers=link.headers), sent, patience=_QUICK)
            fetch(objects.sign_get(key, lifetime=_LINK), Path(folder) / "back", patience=_QUICK)
        finally:
            objects.delete(key)
    return "a file went there and back over signed links"


def _jobs(parts: CloudParts) -> str:
    jobs = parts.open_jobs()
    try:
        jobs.take_due(now=_LONG_AGO)  # a move that nothing is due for
        return f"moves are made; {sum(jobs.counts().values())} jobs are stored"
    finally:
        jobs.close()


def _functions(parts: CloudParts) -> str:
    for name in (RENDER, RENDER_GPU):
        parts.find(name)
    return f"{RENDER} and {RENDER_GPU} are deployed"


def _reports(cloud: Cloud) -> str:
    """Report on a job that there is not: only who has the secret of the web app hears that."""
    job_id = f"check-{uuid4()}"
    token = make_token(cloud.secret, job_id, 1)
    order = Order.model_validate(
        {"jobId": job_id, "attempt": 1, "reportUrl": cloud.report_url, "reportToken": token}
        | {"briefUrl": "none", "briefSha256": "none"}
    )
    said = {"jobId": job_id, "attempt": 1, "sequence": 1, "callId": "check", "status": "progress"}
    report = Report.model_validate(said | {"progress": 0, "stage": "starting"})
    status = post_once(order, report, answer_seconds=_QUICK.answer)
    if status == 401:
        raise MisconfiguredError("the web app has another ETHEREAL_WEBHOOK_SECRET, or renders on the farm")
    if status != 404:
        raise UnavailableError(f"{cloud.report_url} answers {status}, which our web app would not")
    return f"{cloud.report_url} hears reports with the token of their attempt"
