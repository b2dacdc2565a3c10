"""The contact sheet, drawn before the chunks: people see all of the video in its first seconds of work."""

from __future__ import annotations

from ethereal.jobs.model import JobId, StepKey, StepName
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.avoid import leave_to_others
from ethereal.pipeline.plan_cache import open_plan
from ethereal.pipeline.progress import DRAWING_FROM
from ethereal.render.canary import prove
from ethereal.render.poster import draw_contact_sheet
from ethereal.services import Services
from ethereal.storage import keys

CONTACT = StepKey(StepName.DRAW_CONTACT)


def draw_contact(services: Services, job_id: JobId) -> bool:
    """Draw a few frames of the whole video and put them where the job's page shows them."""
    return not leave_to_others(services, job_id, CONTACT) and run_step(
        services, job_id, CONTACT, _draw_contact
    )


def _draw_contact(attempt: Attempt) -> None:
    services = attempt.services
    plan_dir, made = open_plan(attempt)
    with services.renderer(plan_dir) as renderer:
        sheet = draw_contact_sheet(prove(renderer, made), made, attempt.folder / "contact.jpg")
    attempt.beat("rendering", DRAWING_FROM, DRAWING_FROM)(1.0)
    services.objects.put(keys.render_contact(attempt.job.id), sheet)
    attempt.commit()
