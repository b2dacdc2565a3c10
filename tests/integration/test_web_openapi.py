"""The description of the API names every route there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ethereal.jobs.model import JobType
from tests.asset_builders import recipe, take_in
from tests.builders import add_job
from tests.web_builders import Web, open_web
from web import answers
from web.access import Rule, rule_of
from web.openapi import OPERATIONS, description

OUTSIDE = {"pages", "sounds", "sign_in", "assets", "farm"}


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


def test_every_route_for_programs_is_described_with_who_may(web: Web) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)): rule.endpoint
        for rule in web.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.partition(".")[0] not in OUTSIDE
    }

    assert {(one.method, one.path) for one in OPERATIONS} == set(routes)
    for one in OPERATIONS:
        rule = rule_of(web.app.view_functions[routes[one.method, one.path]])
        expected = {Rule.PERSON_OR_TOKEN: ("token", "session"), Rule.PUBLIC: ()}
        assert one.proof == expected.get(rule, one.proof) if rule else False, one.path


def test_it_is_served_and_names_all_it_refers_to(web: Web) -> None:
    told = web.client.get("/api/openapi.json").get_json()

    assert told == description()
    named = set(re.findall(r"'#/components/schemas/(\w+)'", str(told)))
    assert named <= set(told["components"]["schemas"])


def test_answers_are_as_described(web: Web) -> None:
    asset = take_in(web.services)
    web.client.post("/api/audio/edit/preview", json=recipe(asset).model_dump(mode="json"))
    failed, done = add_job(web.services), web.add_complete()
    web.services.jobs.cancel(failed.id, now=web.clock())
    for job in web.jobs():
        told = web.client.get(f"/api/jobs/{job.id}").get_json()
        assert answers.JobAnswer.model_validate(told).job_id == job.id
    assert {job.type for job in web.jobs()} >= {JobType.RENDER, JobType.PREVIEW}

    for path, model in (
        ("/api/jobs", answers.JobsAnswer),
        (f"/api/jobs/{done.id}/chunks", answers.ChunksAnswer),
        ("/api/audio/assets", answers.AssetsAnswer),
        (f"/api/audio/assets/{asset.id}", answers.AssetWhole),
        ("/api/templates", answers.TemplatesAnswer),
        ("/api/formats", answers.FormatsAnswer),
    ):
        model.model_validate(web.client.get(path).get_json())
