"""Cloudflare R2 on this machine: moto's S3 behind real signature checks, R2's refusals, CORS, and faults.

moto accepts any signature and any checksum; what R2 would refuse is refused here before moto sees it.
Objects are kept in memory and go with the process.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any, Literal
from uuid import uuid4

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeBucket, s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from ethereal.storage.r2_bucket import Patience, R2Bucket
from tests.standins.sigv4 import RefusedError, check_signature

KEY_ID, SECRET = "standin-key", "standin-secret"
_NOT_BUILT = ("acl", "policy", "tagging", "versioning", "object-lock")

#: unavailable: 503. hang: no answer. cut: the connection breaks half-way. lost: it breaks when all is done.
FaultKind = Literal["unavailable", "hang", "cut", "lost"]


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of this method whose query holds this text."""

    kind: FaultKind
    times: int
    method: str
    query: str

    def meets(self, request: Request) -> bool:
        query = request.query_string.decode()
        return self.times > 0 and self.method in ("", request.method) and self.query in query


@dataclass
class R2StandIn:
    """A running stand-in with one bucket."""

    endpoint: str = ""
    bucket_name: str = field(default_factory=lambda: f"bucket-{uuid4().hex[:12]}")
    seen: Counter[str] = field(default_factory=Counter)  #: requests by method
    faults: list[Fault] = field(default_factory=list)
    ahead: timedelta = timedelta()  #: how far its clock is ahead
    closing: Event = field(default_factory=Event)

    def bucket(self, *, patience: Patience | None = None, **changed: str) -> R2Bucket:
        """The bucket as the product knows it; a test may change its name or keys."""
        given = {"endpoint": self.endpoint, "name": self.bucket_name, "access_key_id": KEY_ID}
        quick = Patience(connect_seconds=2, read_seconds=2, attempts=2)
        return R2Bucket(**(given | {"secret_access_key": SECRET} | changed), patience=patience or quick)

    def fail(self, kind: FaultKind, *, times: int = 1, method: str = "", query: str = "") -> None:
        self.faults.append(Fault(kind, times, method, query))

    def heal(self) -> None:
        self.faults.clear()

    def unfinished(self) -> list[str]:
        """The keys of multipart uploads that were neither completed nor aborted."""
        return [upload.key_name for upload in _moto_bucket(self.bucket_name).multiparts.values()]

    def parts(self) -> list[int]:
        """The numbers of the parts that wait in unfinished uploads."""
        uploads = _moto_bucket(self.bucket_name).multiparts.values()
        return [number for upload in uploads for number in upload.parts]

    # WSGI

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        self.seen[request.method] += 1
        fault = next((fault for fault in self.faults if fault.meets(request)), None)
        if fault is None:
            return self._answer(request, body)(environ, start_response)
        fault.times -= 1
        return self._misbehave(fault, request, body)(environ, start_response)

    def _misbehave(self, fault: Fault, request: Request, body: bytes) -> Response:
        if fault.kind == "unavailable":
            return _error(503, "SlowDown", "Please reduce your request rate.")
        if fault.kind == "hang":
            self.closing.wait(60)
            _break_off(request.environ)
        if fault.kind == "cut" and request.method != "GET":
            _break_off(request.environ)
        answer = self._answer(request, body)
        if fault.kind == "lost":
            _break_off(request.environ)
        return _halved(answer, request.environ)

    def _answer(self, request: Request, body: bytes) -> Response:
        granted = _granted(request, self.bucket_name) if "Origin" in request.headers else {}
        if request.method == "OPTIONS":
            return Response(status=204, headers=granted) if granted else _error(403, "Forbidden", "CORS")
        try:
            check_signature(request, body, {KEY_ID: SECRET}, now=datetime.now(UTC) + self.ahead)
            _check_like_r2(request, body)
            answer = _moto(request.environ)
        except RefusedError as refused:
            answer = _error(refused.status, refused.code, str(refused))
        except (KeyError, ValueError) as error:
            answer = _error(400, "AuthorizationHeaderMalformed", str(error))
        for name in [name for name, _ in answer.headers if name.lower().startswith("access-control-")]:
            del answer.headers[name]
        answer.headers.extend(granted)
        return answer


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """What was asked is counted, not printed."""


@contextmanager
def open_r2() -> Iterator[R2StandIn]:
    """Run a stand-in on 127.0.0.1, on a port of its own and with an empty bucket."""
    stand_in = R2StandIn()
    server = make_server("127.0.0.1", 0, stand_in, threaded=True, request_handler=_Quiet)
    stand_in.endpoint = f"http://127.0.0.1:{server.port}"
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(stand_in.bucket_name, "us-east-1")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.pop(stand_in.bucket_name, None)


_app = DomainDispatcherApplication(create_backend_app)


def _moto(environ: dict[str, Any]) -> Response:
    """moto knows regions by their AWS names; R2's own is `auto`."""
    changed = {"QUERY_STRING": environ["QUERY_STRING"].replace("%2Fauto%2Fs3%2F", "%2Fus-east-1%2Fs3%2F")}
    if "HTTP_AUTHORIZATION" in environ:
        changed["HTTP_AUTHORIZATION"] = environ["HTTP_AUTHORIZATION"].replace("/auto/s3/", "/us-east-1/s3/")
    kept = {name: value for name, value in environ.items() if name != "HTTP_ORIGIN"}
    return Response.from_app(_app, kept | changed, buffered=True)


def _moto_bucket(name: str) -> FakeBucket:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[name]


def _check_like_r2(request: Request, body: bytes) -> None:
    """Raise RefusedError for what R2 refuses and moto does not."""
    for name, value in request.headers:
        if re.match("x-amz-(sdk-checksum-algorithm|checksum-|trailer|acl|tagging)", name.lower()):
            raise RefusedError(501, "NotImplemented", f"Header '{name}' with value '{value}' not implemented")
    if "aws-chunked" in request.headers.get("Content-Encoding", ""):
        raise RefusedError(501, "NotImplemented", "aws-chunked is not implemented")
    if request.method == "POST" and request.mimetype == "multipart/form-data":
        raise RefusedError(501, "NotImplemented", "Presigned POST is not implemented")
    if any(name in request.args for name in _NOT_BUILT):
        raise RefusedError(501, "NotImplemented", "not implemented")
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    if request.headers.get("Content-MD5", digest) != digest:
        raise RefusedError(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
    if "uploadId" in request.args:
        _check_upload(request, body)


def _check_upload(request: Request, body: bytes) -> None:
    """A part of an upload that is over, over which moto trips; and parts that are not equal."""
    upload = _moto_bucket(request.path.split("/")[1]).multiparts.get(request.args["uploadId"])
    if upload is None and request.method == "PUT":
        raise RefusedError(404, "NoSuchUpload", "The specified upload does not exist.")
    if upload is None or request.method != "POST":
        return
    numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
    sizes = [upload.parts[number].contentsize for number in numbers if number in upload.parts]
    if len(set(sizes[:-1])) > 1 or (sizes[:-1] and sizes[-1] > sizes[0]):
        raise RefusedError(400, "InvalidPart", "All non-trailing parts must have the same length.")


def _granted(request: Request, bucket: str) -> Mapping[str, str]:
    """The CORS headers of the first rule of the bucket that fits the request; none when none does."""
    origin = request.headers["Origin"]
    method = request.headers.get("Access-Control-Request-Method", request.method)
    asked = request.headers.get("Access-Control-Request-Headers", "")
    wanted = {name.strip().lower() for name in asked.split(",") if name.strip()}
    for rule in _moto_bucket(bucket).cors:
        origins, headers = (
            _listed(rule.allowed_origins),
            {name.lower() for name in _listed(rule.allowed_headers)},
        )
        fits = method in _listed(rule.allowed_methods) and wanted <= headers
        if fits and (origin in origins or "*" in origins):
            return {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": ", ".join(_listed(rule.allowed_methods)),
                "Access-Control-Allow-Headers": ", ".join(sorted(wanted)),
                "Access-Control-Expose-Headers": ", ".join(_listed(rule.exposed_headers)),
                "Vary": "Origin",
            }
    return {}


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _error(status: int, code: str, message: str) -> Response:
    told = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{told}', status, content_type="application/xml")


def _break_off(environ: dict[str, Any]) -> None:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("the stand-in was told to break this connection")


def _halved(answer: Response, environ: dict[str, Any]) -> Response:
    whole = answer.get_data()

    def pieces() -> Iterator[bytes]:
        yield whole[: len(whole) // 2]
        _break_off(environ)

    length = answer.headers["Content-Length"]
    answer.response = pieces()
    answer.headers["Content-Length"] = length
    return answer
