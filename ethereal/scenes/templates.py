"""Templates: named sets of parameters for a scene, and the declarations a parameter must keep to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from ethereal.errors import InvalidInputError

ParameterValue: TypeAlias = float | str | bool

SCENES = Path(__file__).parent
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class ParameterKind(StrEnum):
    NUMBER = "number"
    COLOUR = "color"  # "#rrggbb"
    CHOICE = "choice"


@dataclass(frozen=True)
class Parameter:
    """One thing a template may set; the limits are there for numbers, the choices for choices."""

    name: str
    kind: ParameterKind
    default: ParameterValue
    label: str
    minimum: float = 0.0
    maximum: float = 0.0
    choices: tuple[str, ...] = ()

    def fault_of(self, value: object) -> str | None:
        """What is wrong with `value`, or None when it may be used."""
        if self.kind is ParameterKind.NUMBER:
            fits = _is_number(value) and self.minimum <= float(str(value)) <= self.maximum
            return None if fits else f"must be a number from {self.minimum:g} to {self.maximum:g}"
        if self.kind is ParameterKind.COLOUR:
            fits = isinstance(value, str) and COLOUR.fullmatch(value) is not None
            return None if fits else "must be a colour such as #ff7a1e"
        return None if value in self.choices else f"must be one of {', '.join(self.choices)}"


@dataclass(frozen=True)
class Template:
    """A look by name; `parameters` holds a value for everything its scene declares."""

    id: str
    name: str
    description: str
    scene: str
    parameters: Mapping[str, ParameterValue]


@cache
def load_parameters(scene: str) -> Mapping[str, Parameter]:
    """What `scene` declares, by name, in the order people see it; a scene may declare nothing."""
    path = SCENES / scene / "parameters.json"
    declared: Mapping[str, dict[str, Any]] = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    )
    return MappingProxyType({name: _parameter(name, entry) for name, entry in declared.items()})


def check_parameters(template: Template, chosen: Mapping[str, object]) -> None:
    """Raise InvalidInputError, whose details name each one, for parameters that the scene cannot take."""
    _check(template.scene, chosen)


@cache
def load_templates() -> Mapping[str, Template]:
    """The templates by id, in the order of templates.json; the first is the default."""
    entries: Sequence[dict[str, Any]] = json.loads((SCENES / "templates.json").read_text(encoding="utf-8"))
    return MappingProxyType({entry["id"]: _template(entry) for entry in entries})


def get_template(template_id: str) -> Template:
    """The template of that id; raises InvalidInputError naming the choices."""
    templates = load_templates()
    if template_id not in templates:
        choices = ", ".join(templates)
        raise InvalidInputError(
            f"no template {template_id!r}; there are {choices}", {"template": [f"must be one of {choices}"]}
        )
    return templates[template_id]


def _template(entry: Mapping[str, Any]) -> Template:
    scene, chosen = entry["scene"], entry["parameters"]
    _check(scene, chosen)
    declared = load_parameters(scene)
    values = {name: chosen.get(name, parameter.default) for name, parameter in declared.items()}
    return Template(entry["id"], entry["name"], entry["description"], scene, MappingProxyType(values))


def _check(scene: str, chosen: Mapping[str, object]) -> None:
    declared = load_parameters(scene)
    faults = {name: [fault] for name, value in chosen.items() if (fault := _fault(declared, name, value))}
    if faults:
        raise InvalidInputError(f"scene {scene!r} cannot take {', '.join(faults)}", faults)


def _parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=name,
        kind=ParameterKind(entry["type"]),
        default=entry["default"],
        label=entry["label"],
        minimum=entry.get("min", 0.0),
        maximum=entry.get("max", 0.0),
        choices=tuple(entry.get("choices", ())),
    )


def _fault(declared: Mapping[str, Parameter], name: str, value: object) -> str | None:
    return declared[name].fault_of(value) if name in declared else "is not a parameter of this scene"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
