"""Alerts and the dashboard ask for what `GET /metrics` tells, and docs/operations.md explains each alert."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from ethereal import errors
from ethereal.jobs.lost import WORKER_LOST
from ethereal.jobs.model import JobStatus
from ethereal.meters import count, observe
from ethereal.meters.names import METRICS, Kind
from ethereal.pipeline.attempt import Outcome
from ethereal.pipeline.reap import Reaped
from ethereal.settings import Settings
from tests.builders import add_job
from tests.web_builders import open_web

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/ethereal.json").read_text())
QUERIES = {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in DASHBOARD["panels"]}
EXPRESSIONS = [rule["expr"] for rule in RULES] + [query for asked in QUERIES.values() for query in asked]
OPERATIONS = (ROOT / "docs/operations.md").read_text()

#: What labels may say.
KNOWN: Mapping[str, set[str]] = {
    "status": set(JobStatus),
    "outcome": set(Outcome),
    "action": {field.name for field in fields(Reaped)},
    "code": {kind.code for kind in vars(errors).values() if hasattr(kind, "code")} | {WORKER_LOST.code},
    "job": {"ethereal"},
}


def selectors(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """Every series that a query asks for."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        if getattr(node, name, None) is not None:
            yield from selectors(getattr(node, name))
    for argument in getattr(node, "args", None) or ():
        yield from selectors(argument)


def asked(expression: str) -> Sequence[promql_parser.VectorSelector]:
    found = list(selectors(promql_parser.parse(expression)))
    assert found, expression
    return found


@pytest.fixture
def told(tmp_path: Path) -> set[str]:
    """The names of the numbers that a web app tells whose workers have done everything once."""
    web = open_web(tmp_path)
    add_job(web.services)
    for metric in METRICS:
        if metric.kind is Kind.COUNTER:
            count(web.services.meters, metric, *metric.labels)
        elif metric.kind is Kind.HISTOGRAM:
            observe(web.services.meters, metric, 1.0, *metric.labels)
    text = web.client.get("/metrics").get_data(as_text=True)
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def test_every_query_asks_for_what_is_told(told: set[str]) -> None:
    wanted = {str(selector.name) for expression in EXPRESSIONS for selector in asked(expression)}

    assert wanted - {"up"} <= told  # `up` is Prometheus' own


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {selector.name for queries in QUERIES.values() for query in queries for selector in asked(query)}

    assert [metric.name for metric in METRICS if not shown & set(metric.series)] == []


def test_labels_are_those_of_their_metric_and_say_what_can_be_said() -> None:
    labels = {name: {*metric.labels, "le"} for metric in METRICS for name in metric.series} | {"up": {"job"}}
    for expression in EXPRESSIONS:
        for selector in asked(expression):
            for matcher in selector.matchers.matchers:
                assert matcher.name in labels[str(selector.name)], expression
                assert set(matcher.value.split("|")) <= KNOWN[matcher.name], expression


def test_every_alert_says_how_urgent_it_is_what_is_wrong_and_where_to_read_on() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_every_alert_is_explained_and_no_other() -> None:
    explained = re.findall(r"^### (Ethereal\w+)$", OPERATIONS, re.MULTILINE)

    assert explained == [rule["alert"] for rule in RULES]


def test_every_setting_that_operations_name_is_known() -> None:
    named = set(re.findall(r"ETHEREAL_([A-Z0-9_]*[A-Z0-9])\b", OPERATIONS))

    assert {name.lower() for name in named - {"ABOUT"}} <= set(Settings.model_fields)


def test_prometheus_is_led_to_the_rules_and_to_the_numbers() -> None:
    settings = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())

    assert settings["rule_files"] == ["alerts.yml"]
    (scraped,) = settings["scrape_configs"]
    assert (scraped["job_name"], scraped["metrics_path"]) == ("ethereal", "/metrics")


def test_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + row)
            for column in range(place["w"])
            for row in range(place["h"])
        }
        assert max(column for column, _ in cells) < 24
        assert not cells & taken
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
