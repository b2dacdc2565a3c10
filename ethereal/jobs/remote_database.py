"""A libSQL database on a server, over the one transport that Turso still has: /v2/pipeline.

The package itself posts to older addresses and knows neither time-outs nor typed failures; its values and
results are kept. Each call is one request that opens a stream and closes it, so none can expire in between.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp
from libsql_client import LibsqlError, ResultSet
from libsql_client.hrana.convert import (
    _batch_results_from_proto,
    _batch_to_proto,
    _error_from_proto,
    _result_set_from_proto,
    _stmt_to_proto,
)
from libsql_client.http import HttpClient

from ethereal.errors import InvalidConfigError
from ethereal.jobs.database import ANSWER_LOST, REFUSED, Database

_CONNECT_SECONDS = 5.0
_SCHEMES = {"libsql": "https", "https": "https", "http": "http"}
_REFUSED_STATUSES = (401, 403, 404)


def open_remote_database(url: str, auth_token: str | None = None, *, seconds: float = 20.0) -> Database:
    """A database at a libsql:, https: or http: address. Raise InvalidConfigError for any other.

    A request may take so many seconds. Nothing is asked yet: whether the server is there and takes the token
    shows at the first call.
    """
    address, token = read_address(url)
    return Database(partial(PipelineClient, address, auth_token or token, seconds))


def read_address(url: str) -> tuple[str, str | None]:
    """The HTTP address behind a database's address, and the token in its query, as Turso hands them out."""
    parts = urlsplit(url)
    scheme, query = _SCHEMES.get(parts.scheme), parse_qs(parts.query)
    if scheme is None or not parts.netloc:
        raise InvalidConfigError(
            "ETHEREAL_DATABASE_URL is not an address of a database",
            {"ETHEREAL_DATABASE_URL": ["must be file:PATH, libsql://HOST, https://HOST or http://HOST"]},
        )
    if parts.scheme == "libsql" and query.get("tls") == ["0"]:
        scheme = "http"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}", query.get("authToken", [None])[0]


class PipelineClient(HttpClient):  # type: ignore[misc]  # the package is not typed
    """libsql-client over /v2/pipeline. A batch is one transaction in one round trip."""

    def __init__(self, address: str, auth_token: str | None, seconds: float) -> None:
        headers = {"authorization": f"Bearer {auth_token}"} if auth_token else {}
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(headers=headers, timeout=timeout)
        self._pipeline = f"{address}/v2/pipeline"

    async def execute(self, stmt: Any, args: Any = None) -> ResultSet:
        return _result_set_from_proto(
            await self._ask({"type": "execute", "stmt": _stmt_to_proto(stmt, args)})
        )

    async def batch(self, stmts: Any) -> list[ResultSet]:
        batch = _batch_to_proto(stmts)
        batch["steps"][0]["stmt"]["sql"] = "BEGIN IMMEDIATE"  # a reader that turns writer fails when it races
        answer = await self._ask({"type": "batch", "batch": batch})
        return cast(list[ResultSet], _batch_results_from_proto(answer, len(stmts)))

    async def _ask(self, request: dict[str, Any]) -> Any:
        body = {"baton": None, "requests": [request, {"type": "close"}]}
        try:
            async with self._session.post(self._pipeline, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise await _failure(response)
                answer = (await response.json(content_type=None))["results"][0]
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise LibsqlError(f"cannot be reached ({type(error).__name__})", "NOT_REACHED") from error
        except TimeoutError as error:
            raise LibsqlError("no answer in time", "TIMEOUT") from error
        except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError) as error:
            raise LibsqlError(type(error).__name__, ANSWER_LOST) from error
        if answer["type"] == "error":
            raise _error_from_proto(answer["error"])
        return answer["response"]["result"]


async def _failure(response: aiohttp.ClientResponse) -> LibsqlError:
    """What an answer other than 200 means; a gateway's 5xx leaves open what the server did."""
    code, said = "", response.reason or ""
    if response.content_type == "application/json":
        body = await response.json()
        code, said = str(body.get("code") or ""), str(body.get("message") or body.get("error") or said)
    message = f"{response.status} {said}"
    if response.status in _REFUSED_STATUSES:
        return LibsqlError(message, REFUSED)
    return LibsqlError(message, ANSWER_LOST if response.status >= 500 else code or "HTTP_ERROR")
