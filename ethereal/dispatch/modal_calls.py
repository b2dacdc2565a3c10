"""Calls on Modal. Its client blocks for a minute where nobody answers, so every request has a time limit.

Modal's package is imported with the first request: most processes make none.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from ethereal.dispatch.messages import MOST_ORDER_BYTES, Order, Report, read_message
from ethereal.errors import (
    CallLostError,
    DispatchUnavailableError,
    EtherealError,
    InvalidInputError,
    MisconfiguredError,
    TimeLimitError,
)

if TYPE_CHECKING:
    from modal import Client, Function

T = TypeVar("T")


class ModalDispatcher:
    """Calls the functions of one deployed app. Clients are made when first used, one for each process."""

    def __init__(self, app: str, *, token_id: str, token_secret: str, patience: timedelta) -> None:
        self._app = app
        self._token = (token_id, token_secret)
        self._seconds = patience.total_seconds()
        self._clients: dict[int, Client] = {}

    def spawn(self, function: str, order: Order) -> str:
        told = order.model_dump(mode="json")
        if (size := len(json.dumps(told))) > MOST_ORDER_BYTES:
            raise MisconfiguredError(f"an order of {size} bytes is too long: are its addresses?")

        async def spawn(client: Client) -> str:
            call = await self._function(function, client).spawn.aio(told)
            return str(call.object_id)

        return self._ask(spawn)

    def look(self, call_id: str) -> Report | None:
        told = self._ask(lambda client: _look(client, call_id))
        try:
            return None if told is _GOES_ON else read_message(Report, told)
        except InvalidInputError as error:
            raise CallLostError("the call returned something else than a report") from error

    def cancel(self, call_id: str) -> None:
        self._ask(lambda client: _cancel(client, call_id))

    def find(self, function: str) -> None:
        """Raise MisconfiguredError unless the app has that function."""

        async def find(client: Client) -> None:
            await self._function(function, client).hydrate.aio()

        self._ask(find)

    def _function(self, name: str, client: Client) -> Function[Any, Any, Any]:
        from modal import Function

        return Function.from_name(self._app, name, client=client)

    def _ask(self, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        async def within_time() -> T:
            async with asyncio.timeout(self._seconds):
                return await work(await self._client())

        with _translated(self._seconds):
            return asyncio.run(within_time())

    async def _client(self) -> Client:
        from modal import Client

        known = self._clients.get(os.getpid())
        if known is None or known.is_closed():
            known = self._clients[os.getpid()] = await Client.from_credentials.aio(*self._token)
        return known


_GOES_ON = object()


async def _look(client: Client, call_id: str) -> object:
    """What the call returned, or that it goes on."""
    from modal import FunctionCall
    from modal.exception import FunctionTimeoutError

    try:
        return await FunctionCall.from_id(call_id, client=client).get.aio(timeout=0)
    except TimeoutError:
        return _GOES_ON
    except FunctionTimeoutError as error:
        raise TimeLimitError("the render took longer than it may") from error
    except Exception as error:
        if _is_of_service(error):
            raise
        # Whatever ended the function comes back as itself.
        raise CallLostError(f"the call ended without a report ({type(error).__name__})") from error


async def _cancel(client: Client, call_id: str) -> None:
    from modal import FunctionCall
    from modal.exception import NotFoundError

    try:
        await FunctionCall.from_id(call_id, client=client).cancel.aio()
    except NotFoundError:
        return  # it was forgotten, so it is over


@contextmanager
def _translated(seconds: float) -> Iterator[None]:
    try:
        yield
    except EtherealError:
        raise
    except TimeoutError as error:
        raise DispatchUnavailableError(f"Modal does not answer within {seconds:g} s") from error
    except Exception as error:
        said = str(error) or type(error).__name__
        if _is_away(error):
            raise DispatchUnavailableError(f"Modal does not answer: {said}") from error
        raise MisconfiguredError(f"Modal refuses: {said}") from error


def _is_away(error: Exception) -> bool:
    """Whether the same request may work later."""
    from modal import exception

    passing = (
        exception.ConnectionError,
        exception.InternalError,
        exception.ResourceExhaustedError,
        exception.ServiceError,
    )
    return isinstance(error, (*passing, OSError))


def _is_of_service(error: Exception) -> bool:
    """Whether an error tells of Modal and our credentials, not of what became of a call."""
    from modal import exception

    return _is_away(error) or isinstance(error, exception.AuthError | exception.PermissionDeniedError)
