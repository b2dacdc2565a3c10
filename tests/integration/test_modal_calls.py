"""Modal's own client against its protocol: calls made, followed, called off, never waited for too long."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from grpclib import Status

from ethereal.dispatch.messages import Order
from ethereal.dispatch.modal_calls import ModalDispatcher
from ethereal.errors import (
    CallLostError,
    DispatchUnavailableError,
    MisconfiguredError,
    TimeLimitError,
)
from tests.standins.modal import TOKEN_ID, TOKEN_SECRET, ModalStandIn, open_modal

#: An app with the names of ours, which does what the job id of an order says.
APP = """
import os, signal, sys, time
import modal
app = modal.App("toy", include_source=False)
@app.function(timeout=60)
def render_video(order):
    return answer(order)
@app.function(timeout=2)
def render_video_gpu(order):
    return answer(order)
def answer(order):
    told, me = order["jobId"], modal.current_function_call_id()
    if told == "dies": os.kill(os.getpid(), signal.SIGKILL)
    if told == "raises": raise ZeroDivisionError("a secret")
    if told == "odd": return {"a": 1}
    if told == "sleeps": time.sleep(60)
    while told == "waits" and not os.path.exists(__file__ + ".go"): time.sleep(0.05)
    error = {"code": "SCENE_FAILED", "message": told}
    return dict(jobId=told, attempt=order["attempt"], sequence=1, callId=me, status="failed", error=error)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toy")


@pytest.fixture(scope="module")
def modal(folder: Path) -> Iterator[ModalStandIn]:
    (folder / "toy.py").write_text(APP)
    with open_modal(folder / "modal", pythonpath=str(folder)) as running:
        command = [str(Path(sys.executable).with_name("modal")), "deploy", "-m", "toy"]
        environment = {**os.environ, **running.environment, "PYTHONPATH": str(folder)}
        subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
        yield running


@pytest.fixture
def dispatcher(modal: ModalStandIn, monkeypatch: pytest.MonkeyPatch) -> ModalDispatcher:
    from modal.config import config

    monkeypatch.setenv("MODAL_SERVER_URL", modal.environment["MODAL_SERVER_URL"])
    assert config["server_url"] == modal.environment["MODAL_SERVER_URL"]
    return dispatcher_with()


def dispatcher_with(**changes: str) -> ModalDispatcher:
    fields = {"token_id": TOKEN_ID, "token_secret": TOKEN_SECRET} | changes
    return ModalDispatcher("toy", **fields, patience=timedelta(seconds=5))


def order(told: str, **changes: str) -> Order:
    links = {"report_url": "http://127.0.0.1:1", "brief_url": "http://127.0.0.1:1", "brief_sha256": "ab"}
    return Order.model_validate({"job_id": told, "attempt": 1, "report_token": "t"} | links | changes)


def call(dispatcher: ModalDispatcher, told: str, function: str = "render_video") -> str:
    return dispatcher.spawn(function, order(told))


def ended(dispatcher: ModalDispatcher, call_id: str) -> str:
    """Look until the call is over: the message of its report, or raise what it came to."""
    while (report := dispatcher.look(call_id)) is None:
        time.sleep(0.05)
    assert report.error is not None
    assert report.call_id == call_id
    return report.error.message


def test_a_call_goes_on_and_ends_with_its_report(dispatcher: ModalDispatcher, folder: Path) -> None:
    call_id = call(dispatcher, "waits")

    assert call_id.startswith("fc-")
    assert dispatcher.look(call_id) is None
    (folder / "toy.py.go").touch()
    assert ended(dispatcher, call_id) == "waits"


@pytest.mark.parametrize(
    ("told", "function", "error"),
    [
        ("raises", "render_video", CallLostError),
        ("dies", "render_video", CallLostError),
        ("odd", "render_video", CallLostError),
        ("sleeps", "render_video_gpu", TimeLimitError),
    ],
)
def test_however_a_call_ends_it_is_told_in_our_words(
    dispatcher: ModalDispatcher, told: str, function: str, error: type[Exception]
) -> None:
    call_id = call(dispatcher, told, function)

    with pytest.raises(error) as lost:
        ended(dispatcher, call_id)
    assert "secret" not in str(lost.value)


def test_a_call_that_expired_or_never_was_is_lost(dispatcher: ModalDispatcher, modal: ModalStandIn) -> None:
    call_id = call(dispatcher, "ends")
    ended(dispatcher, call_id)
    modal.forget(modal.plane.calls[call_id])

    for lost in (call_id, "fc-unknown"):
        with pytest.raises(CallLostError):
            dispatcher.look(lost)


def test_a_call_is_called_off_wherever_it_is(dispatcher: ModalDispatcher, modal: ModalStandIn) -> None:
    modal.hold(True)
    waiting = call(dispatcher, "waits")
    dispatcher.cancel(waiting)
    modal.hold(False)
    with pytest.raises(CallLostError):
        ended(dispatcher, waiting)
    running = call(dispatcher, "sleeps")
    dispatcher.cancel(running)
    with pytest.raises(CallLostError):
        ended(dispatcher, running)
    for call_id in (running, "fc-unknown"):
        dispatcher.cancel(call_id)


def test_what_is_set_wrong_is_told_apart_from_what_is_away(
    dispatcher: ModalDispatcher, modal: ModalStandIn
) -> None:
    dispatcher.find("render_video")
    for wrong, function in (
        (dispatcher, "render_nothing"),
        (dispatcher_with(token_secret="as-wrong"), "render_video"),
    ):
        with pytest.raises(MisconfiguredError):
            wrong.spawn(function, order("ends"))
    modal.fail("FunctionMap", Status.RESOURCE_EXHAUSTED)
    with pytest.raises(DispatchUnavailableError):
        call(dispatcher, "ends")
    modal.fail("FunctionMap", Status.UNAVAILABLE)
    assert ended(dispatcher, call(dispatcher, "ends")) == "ends"


def test_an_order_that_is_too_long_is_refused_here(dispatcher: ModalDispatcher) -> None:
    with pytest.raises(MisconfiguredError):
        dispatcher.spawn("render_video", order("ends", brief_url="x" * 9000))


def test_nobody_waits_for_a_server_that_is_not_there(
    dispatcher: ModalDispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = ModalDispatcher(
        "toy", token_id=TOKEN_ID, token_secret=TOKEN_SECRET, patience=timedelta(seconds=0.5)
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for address in ("http://127.0.0.1:1", f"http://127.0.0.1:{silent.getsockname()[1]}"):
            monkeypatch.setenv("MODAL_SERVER_URL", address)
            for ask in (
                lambda: quick.spawn("render_video", order("ends")),
                lambda: quick.look("fc-1"),
                lambda: quick.cancel("fc-1"),
            ):
                with pytest.raises(DispatchUnavailableError):
                    ask()


def test_a_process_that_was_forked_calls_with_a_client_of_its_own(dispatcher: ModalDispatcher) -> None:
    ended(dispatcher, call(dispatcher, "ends"))
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, call(dispatcher, "ends").encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert ended(dispatcher, os.read(read, 100).decode()) == "ends"
