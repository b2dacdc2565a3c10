"""What is deployed to Modal, by Modal's own command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ethereal.cloud.wheels import pinned
from tests.standins.modal import ModalStandIn, open_modal

SECRET = "a-secret-of-the-web-app-0123456789abcdef"
SETTINGS = {
    "ETHEREAL_MODAL_APP": "ethereal-test",
    "ETHEREAL_MODAL_GPU": "L4,A10",
    "ETHEREAL_MODAL_REGION": "eu",
    "ETHEREAL_MODAL_MAX_CONTAINERS": "7",
    "ETHEREAL_MODAL_TIMEOUT_MINUTES": "30",
    "ETHEREAL_MODAL_CORES": "2",
    "ETHEREAL_MODAL_RETRIES": "1",
    "ETHEREAL_WEBHOOK_SECRET": SECRET,
    "ETHEREAL_R2_SECRET_ACCESS_KEY": SECRET,
}


@pytest.fixture(scope="module")
def modal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModalStandIn]:
    with open_modal(tmp_path_factory.mktemp("modal")) as running:
        command = [str(Path(sys.executable).with_name("modal")), "deploy", "-m", "ethereal.modal_app"]
        environment = {**os.environ, **SETTINGS, **running.environment}
        deployed = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        yield running


def test_the_settings_decide_on_the_machines(modal: ModalStandIn) -> None:
    assert set(modal.plane.deployed) == {"ethereal-test"}
    for name, gpu, retries in (
        ("render_video", "", 0),
        ("render_video_gpu", "L4", 0),
        ("render_chunk", "", 1),
        ("render_chunk_gpu", "L4", 1),
    ):
        found = modal.plane.function(name).proto
        assert found.resources.gpu_config.gpu_type == gpu
        assert (found.resources.milli_cpu, found.timeout_secs) == (2000, 1800)
        assert found.autoscaler_settings.max_containers == 7
        assert found.retry_policy.retries == retries
        assert list(found.scheduler_placement.regions) == ["eu"]


def test_no_secret_goes_into_a_container(modal: ModalStandIn) -> None:
    told = {name for secret in modal.plane.secret_env.values() for name in secret}

    ours = {"ETHEREAL_MODAL_GPU", "ETHEREAL_MODAL_CORES", "ETHEREAL_LOG_FORMAT"}
    assert told == ours | {"OPENBLAS_NUM_THREADS"}
    sent = [function.proto.SerializeToString() for function in modal.plane.functions.values()]
    sent += [image.SerializeToString() for image in modal.plane.images]
    assert SECRET.encode() not in b"".join(sent)


def test_the_image_holds_our_wheels_and_what_gl_needs(modal: ModalStandIn) -> None:
    commands = "\n".join(line for image in modal.plane.images for line in image.dockerfile_commands)

    for needed in (
        *pinned(),
        "chromium-headless-shell",
        "libEGL_nvidia.so.0",
        "NVIDIA_DRIVER_CAPABILITIES=all",
    ):
        assert needed in commands
