"""The stand-in as a server on a thread of its own, and what tests do to it."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import grpclib.server
from aiohttp import web
from grpclib import GRPCError, Status
from grpclib.protocol import H2Protocol
from modal_proto import api_grpc
from modal_proto import api_pb2 as pb

from tests.standins.modal.deploying import Deploying
from tests.standins.modal.running import Running
from tests.standins.modal.state import Call, Function, new_id

TOKEN_ID, TOKEN_SECRET = "ak-standin", "as-standin"
T = TypeVar("T")


class _Plane(Deploying, Running, api_grpc.ModalClientBase):
    """All RPCs; each is counted, its caller known, and made to fail when a test says so."""

    def __init__(self, folder: Path, server_url: str, blob_url: str) -> None:
        Deploying.__init__(self)
        Running.__init__(self, folder)
        self.functions: dict[str, Function] = {}
        self.server_url, self.blob_url = server_url, blob_url
        self.blobs: dict[str, bytes] = {}
        self.seen: Counter[str] = Counter()
        self.faults: defaultdict[str, list[Status]] = defaultdict(list)
        self.away = False  #: whether every client is turned away

    def __mapping__(self) -> dict[str, Any]:
        """The RPCs that the classes above have; grpclib answers UNIMPLEMENTED to the others."""
        own = {}
        for path, handler in super().__mapping__().items():
            name = path.rpartition("/")[2]
            written = getattr(type(self), name)
            if written is not getattr(api_grpc.ModalClientBase, name):
                own[path] = handler._replace(func=self._guarded(name, handler.func))
        return own

    def _guarded(self, name: str, handle: Callable[[Any], Coroutine[Any, Any, None]]) -> Any:
        async def guarded(stream: Any) -> None:
            self.seen[name] += 1
            self._check_caller(stream.metadata)
            if self.faults[name]:
                raise GRPCError(self.faults[name].pop(0), "told to fail")
            await handle(stream)

        return guarded

    def _check_caller(self, said: Any) -> None:
        if said.get("x-modal-client-type") == str(pb.CLIENT_TYPE_CONTAINER):
            if said.get("x-local-task-id") not in self.containers:
                raise GRPCError(Status.UNAUTHENTICATED, "unknown container")
        elif self.away:
            raise GRPCError(Status.UNAVAILABLE, "away")
        elif (said.get("x-modal-token-id"), said.get("x-modal-token-secret")) != (TOKEN_ID, TOKEN_SECRET):
            raise GRPCError(Status.UNAUTHENTICATED, "Token ID or secret is wrong")

    async def BlobCreate(self, stream: Any) -> None:
        await stream.recv_message()
        blob_id = new_id("bl")
        url = f"{self.blob_url}/{blob_id}"
        answer = pb.BlobCreateResponse(
            blob_id=blob_id, upload_url=url, blob_ids=[blob_id], upload_urls=pb.UploadUrlList(items=[url])
        )
        await stream.send_message(answer)

    async def BlobGet(self, stream: Any) -> None:
        asked = await stream.recv_message()
        await stream.send_message(pb.BlobGetResponse(download_url=f"{self.blob_url}/{asked.blob_id}"))

    async def serve_blob(self, request: web.Request) -> web.Response:
        blob_id = request.match_info["id"]
        if request.method == "PUT":
            data = self.blobs[blob_id] = await request.read()
            return web.Response(headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})
        return web.Response(body=self.blobs[blob_id]) if blob_id in self.blobs else web.Response(status=404)


class _Server(grpclib.server.Server):
    """Knows its connections: closing leaves them open."""

    def __init__(self, handlers: list[Any]) -> None:
        super().__init__(handlers)
        self._protocols: list[H2Protocol] = []

    def hang_up(self) -> None:
        for protocol in self._protocols:
            protocol.connection.close()

    def _protocol_factory(self) -> H2Protocol:
        self._protocols.append(super()._protocol_factory())
        return self._protocols[-1]


_Plane.__abstractmethods__ = frozenset()  # of some 285 RPCs, `__mapping__` shows those that are written


class ModalStandIn:
    """A running stand-in, to be used from the thread of a test."""

    def __init__(self, plane: _Plane, loop: asyncio.AbstractEventLoop) -> None:
        self.plane, self._loop = plane, loop

    @property
    def environment(self) -> dict[str, str]:
        """What makes Modal's own client and CLI talk to this server."""
        return {
            "MODAL_SERVER_URL": self.plane.server_url,
            "MODAL_TOKEN_ID": TOKEN_ID,
            "MODAL_TOKEN_SECRET": TOKEN_SECRET,
        }

    def calls(self, function: str) -> list[Call]:
        """The calls of a function, oldest first."""
        return [call for call in self.plane.calls.values() if call.function.proto.function_name == function]

    def kill_containers(self, function: str) -> int:
        """Kill every container that works for the function, as a machine that fails; return how many."""
        return self._do(lambda: self._kill(function))

    def hold(self, holding: bool) -> None:
        """Let inputs wait in the queue, or go on with them."""
        self._do(lambda: self._hold(holding))

    def forget(self, call: Call) -> None:
        """Let the result of a call expire, as after a week."""
        self._do(lambda: setattr(call, "expired", True))

    def turn_away(self, away: bool) -> None:
        """Be unavailable to every client, or be there again; containers go on."""
        self.plane.away = away

    def fail(self, rpc: str, status: Status = Status.UNAVAILABLE, *, times: int = 1) -> None:
        self.plane.faults[rpc] += [status] * times

    def logs(self) -> str:
        """What all containers have said, for a test that fails."""
        return "\n".join(path.read_text(errors="replace") for path in self.plane.folder.glob("*.log"))

    def _kill(self, function: str) -> int:
        busy = [c for c in self.plane.containers.values() if c.running]
        hit = [c for c in busy if c.function.proto.function_name == function]
        for container in hit:
            self.plane.kill(container)
        return len(hit)

    def _hold(self, holding: bool) -> None:
        self.plane.holding = holding
        for function in self.plane.functions.values():
            if function.queue:
                self.plane.start_work(function)

    def _do(self, call: Callable[[], T]) -> T:
        async def done() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)


@contextmanager
def open_modal(folder: Path, *, pythonpath: str = "") -> Iterator[ModalStandIn]:
    """Run a stand-in on 127.0.0.1; `folder` takes the logs and temporary files of its containers.

    `pythonpath` is where containers find what is not installed here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    server_url, blob_url = (f"http://127.0.0.1:{door.getsockname()[1]}" for door in doors)
    loop, ready, closing = asyncio.new_event_loop(), Event(), asyncio.Event()
    planes: list[_Plane] = []

    async def serve() -> None:
        plane = _Plane(folder, server_url, f"{blob_url}/blob")
        plane.pythonpath = pythonpath
        blobs = web.Application(client_max_size=1 << 30)
        blobs.router.add_route("*", "/blob/{id}", plane.serve_blob)
        runner = web.AppRunner(blobs)
        await runner.setup()
        await web.SockSite(runner, doors[1]).start()
        server = _Server([plane])
        await server.start(sock=doors[0])
        planes.append(plane)
        ready.set()
        await closing.wait()
        for container in list(plane.containers.values()):
            plane.kill(container)
        while plane._tasks:
            await asyncio.sleep(0.02)
        server.close()
        await server.wait_closed()
        server.hang_up()
        await runner.cleanup()
        await asyncio.sleep(0.05)  # connections that were closed are gone only then

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = Thread(target=run, name="modal-standin")
    thread.start()
    if not ready.wait(60):
        raise RuntimeError("the stand-in did not start")
    try:
        yield ModalStandIn(planes[0], loop)
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join()
