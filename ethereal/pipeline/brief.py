"""The brief of a call: what to draw, and links for all that its renderer may read and put."""

from __future__ import annotations

from datetime import timedelta

from ethereal.dispatch.messages import Brief, PartLinks, PutLink, Slot
from ethereal.jobs.model import Job
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline.part_sizes import size_parts
from ethereal.pipeline.prepared import CANONICAL, FEATURE_FILES
from ethereal.render.containers import get_container
from ethereal.storage import keys
from ethereal.storage.content_types import content_type_of
from ethereal.storage.keys import StorageKey
from ethereal.storage.store import ObjectStore


def make_brief(
    objects: ObjectStore,
    job: Job,
    attempt: int,
    *,
    frames: int,
    chunks: int,
    lifetime: timedelta,
    refuse_software: bool,
    estimated_cost_usd: float | None = None,
) -> Brief:
    """Sign links of that lifetime for a video of `frames` frames in `chunks` chunks.

    Raise NotBuiltError as `sign_put` does.
    """
    request = job.asked(RenderRequest)
    video = keys.render_output(job.id, get_container(request.container).extension)
    poster, contact = keys.render_poster(job.id), keys.render_contact(job.id)

    def parts(key: StorageKey) -> PartLinks | None:
        size, count = size_parts(request, frames)
        if count == 1:
            return None
        signed = objects.sign_parts(key, count=count, content_type=content_type_of(key), lifetime=lifetime)
        return PartLinks(upload_id=signed.upload_id, size=size, urls=tuple(signed.urls))

    def put(key: StorageKey) -> PutLink:
        link = objects.sign_put(key, size=None, content_type=content_type_of(key), lifetime=lifetime)
        return PutLink(url=link.url, headers=link.headers)

    def get(key: StorageKey) -> str:
        return objects.sign_get(key, lifetime=lifetime)

    def slot(name: str) -> Slot:
        key = keys.call_file(job.id, attempt, name)
        return Slot(put=put(key), get=get(key))

    return Brief(
        request=request,
        inputs={name: get(keys.render_features(job.id, name)) for name in (CANONICAL, *FEATURE_FILES)},
        video_key=video,
        poster_key=poster,
        contact_key=contact,
        video=put(video),
        video_parts=parts(video),
        poster=put(poster),
        contact=put(contact),
        plan=slot("plan.tar"),
        chunks=tuple(slot(f"chunk-{index}") for index in range(chunks)),
        refuse_software=refuse_software,
        estimated_cost_usd=estimated_cost_usd,
    )
