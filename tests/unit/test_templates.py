"""Templates: each is complete, within what its scene declares, and has a picture to be chosen by."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ethereal.errors import InvalidInputError
from ethereal.scenes.templates import (
    SCENES,
    ParameterKind,
    Template,
    check_parameters,
    get_template,
    load_parameters,
    load_templates,
)

PICTURES = Path(__file__).parents[2] / "web" / "static" / "templates"
DECLARED_IN_SCRIPT = re.compile(r"export const parameters = (\{.*\});", re.DOTALL)


@pytest.fixture(params=load_templates(), ids=str)
def template(request: pytest.FixtureRequest) -> Template:
    return get_template(request.param)


def test_the_warm_flame_comes_first_and_there_are_six_or_more_looks() -> None:
    assert next(iter(load_templates())) == "ethereal-flame"
    assert len(load_templates()) >= 6


def test_every_template_has_a_name_a_line_about_it_and_a_scene(template: Template) -> None:
    assert template.name
    assert template.description.endswith(".")
    assert (SCENES / template.scene / "scene.js").is_file()


def test_every_template_sets_everything_its_scene_declares_within_the_limits(template: Template) -> None:
    assert set(template.parameters) == set(load_parameters(template.scene))
    check_parameters(template, template.parameters)


def test_no_two_templates_look_alike() -> None:
    looks = {tuple(template.parameters.items()) for template in load_templates().values()}
    assert len(looks) == len(load_templates())


def test_every_template_has_a_small_picture(template: Template) -> None:
    picture = PICTURES / f"{template.id}.jpg"
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")
    assert picture.stat().st_size < 40_000


def test_the_script_and_the_server_declare_the_same_parameters() -> None:
    script = DECLARED_IN_SCRIPT.search((SCENES / "flame" / "parameters.js").read_text())
    assert script is not None
    assert json.loads(script[1]) == json.loads((SCENES / "flame" / "parameters.json").read_text())


def test_every_default_is_within_its_own_limits() -> None:
    for parameter in load_parameters("flame").values():
        assert parameter.fault_of(parameter.default) is None


def test_a_scene_may_declare_nothing() -> None:
    assert load_parameters("testcard") == {}


def test_an_unknown_template_is_refused_with_the_choices() -> None:
    with pytest.raises(InvalidInputError) as refused:
        get_template("no-such-look")
    assert all(name in refused.value.details["template"][0] for name in load_templates())


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("height", 9, "from 0.4 to 1.5"),
        ("height", "1", "a number"),
        ("height", True, "a number"),
        ("height", float("nan"), "a number"),
        ("bodyColor", "red", "a colour"),
        ("bodyColor", "#ff7a1e;", "a colour"),
        ("form", "cube", "one of flame"),
        ("flavour", 1, "not a parameter"),
    ],
)
def test_an_unfit_parameter_is_refused_by_name(name: str, value: object, says: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_parameters(get_template("ethereal-flame"), {"spread": 1.2, name: value})
    assert list(refused.value.details) == [name]
    assert says in refused.value.details[name][0]


def test_whole_numbers_and_capital_colours_are_taken() -> None:
    check_parameters(get_template("aurora"), {"height": 1, "bodyColor": "#FF7A1E", "form": "veil"})


def test_the_kinds_of_the_flames_parameters_are_numbers_colours_and_one_choice() -> None:
    kinds = [parameter.kind for parameter in load_parameters("flame").values()]
    assert kinds.count(ParameterKind.CHOICE) == 1
    assert kinds.count(ParameterKind.COLOUR) == 7
