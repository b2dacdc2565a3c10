"""Videos that may be too large for one piece: put in parts elsewhere, joined here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ethereal.cloud.links import Patience
from ethereal.cloud.parts import put_in_parts
from ethereal.dispatch.messages import Brief, PartLinks
from ethereal.errors import InvalidInputError
from ethereal.jobs.model import Job, JobStatus
from ethereal.pipeline.accept import accept
from ethereal.pipeline.cancel import cancel
from ethereal.pipeline.dispatch import dispatch
from ethereal.pipeline.part_sizes import size_parts
from ethereal.pipeline.reports import take_report
from ethereal.render.formats import get_format
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.parts import ONE_PIECE
from ethereal.storage.r2 import R2ObjectStore
from tests.builders import HandClock, make_request, make_services
from tests.cloud_builders import add_prepared, make_report, with_cloud
from tests.standins.r2 import R2StandIn, open_r2
from tests.web_builders import make_result

SMALLEST_PART = 5 << 20  # for S3


@pytest.fixture
def r2() -> Iterator[R2StandIn]:
    with open_r2() as running:
        yield running


@pytest.fixture
def services(tmp_path: Path, r2: R2StandIn) -> Services:
    clock = HandClock()
    return with_cloud(make_services(tmp_path, clock=clock), clock, R2ObjectStore(r2.bucket()))


@pytest.fixture
def in_parts(services: Services) -> tuple[Job, PartLinks]:
    """A render whose video may be too large for one piece, and where its parts may be put."""
    job = add_prepared(services, output_format="flat-4k-landscape", container="png-sequence")
    assert dispatch(services, job.id)
    with services.objects.open(keys.call_file(job.id, 1, "brief.json")) as stream:
        links = Brief.model_validate_json(stream.read()).video_parts
    assert links is not None
    return job, links


def test_a_video_that_came_in_parts_is_joined_and_read(
    services: Services, in_parts: tuple[Job, PartLinks], r2: R2StandIn
) -> None:
    job, links = in_parts
    video = Random(7).randbytes(SMALLEST_PART + 1000)
    (services.scratch / "video").write_bytes(video)
    small = links.model_copy(update={"size": SMALLEST_PART})
    parts = put_in_parts(small, services.scratch / "video", patience=Patience(total=0))
    told = {
        "video_key": keys.render_output(job.id, "zip"),
        "contact_key": keys.render_contact(job.id),
        "size_bytes": len(video),
        "sha256": hashlib.sha256(video).hexdigest(),
    }
    with pytest.raises(InvalidInputError):
        take_report(services, make_report(job, result=make_result(job.id, **told), parts=parts + 1))

    for _ in range(2):
        take_report(services, make_report(job, sequence=11, result=make_result(job.id, **told), parts=parts))
    assert accept(services, job.id)
    assert services.jobs.get(job.id).status is JobStatus.COMPLETE
    assert r2.unfinished() == []


def test_links_to_parts_that_were_not_used_leave_nothing(
    services: Services, in_parts: tuple[Job, PartLinks], r2: R2StandIn
) -> None:
    job, _ = in_parts
    assert r2.unfinished() != []
    cancel(services, job.id)
    assert r2.unfinished() == []


@pytest.mark.parametrize(
    ("request_", "minutes", "most"),
    [
        ({"output_format": "draft-360p"}, 4, 1),
        ({"output_format": "flat-1080p-landscape"}, 4, 400),
        ({"output_format": "flat-4k-landscape", "container": "png-sequence"}, 30, 400),
    ],
)
def test_every_video_has_room_in_its_parts(request_: dict[str, Any], minutes: int, most: int) -> None:
    request = make_request(**request_)
    frames = 30 * 60 * minutes
    size, count = size_parts(request, frames)

    assert count <= most
    assert size <= ONE_PIECE
    picture = get_format(request.output_format)
    bits_a_pixel = 8.0 * size * count / (picture.width * picture.height * frames)
    assert bits_a_pixel >= 12
