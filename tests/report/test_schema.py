"""The shipped schema says what the types say, and what `emer explain --json` prints."""

import dataclasses
import json
import types
import typing
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import sample

from emer import jsonio
from emer import types as nouns
from emer.errors import ConfigError
from emer.types import Explanation

SCHEMA = json.loads(files("emer.report").joinpath("explanation.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
JSON_NAMES = {str: "string", bool: "boolean", float: "number", int: "integer", type(None): "null"}


def part(kind: type) -> dict[str, Any]:
    """The part of the schema that describes one dataclass."""
    return SCHEMA if kind is Explanation else SCHEMA["$defs"][kind.__name__]


def dataclasses_of(kind: type) -> set[type]:
    """Every dataclass reachable from the fields of one, itself included, curves left out."""
    found, waiting = set(), [kind]
    while waiting:
        hint = waiting.pop()
        if dataclasses.is_dataclass(hint) and hint not in found:
            found.add(hint)
            hints = typing.get_type_hints(hint, vars(nouns))
            waiting += [hints[field.name] for field in dataclasses.fields(hint) if field.name not in jsonio.LEFT_OUT]
        waiting += typing.get_args(hint)
    return found


def expected(hint: Any, *, optional: bool) -> Any:
    """What the schema of a field must come down to: a set of JSON type names, references and choices."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kept = [arg for arg in args if not (optional and arg is type(None))]
        return set().union(*(expected(arg, optional=False) for arg in kept))
    if origin is typing.Literal:
        return set(args)
    if origin is tuple:
        return {("array", *sorted(expected(args[0], optional=False)))}
    if origin is not None:  # Mapping
        return {("object", *sorted(expected(args[1], optional=False)))}
    return {JSON_NAMES.get(hint, getattr(hint, "__name__", None))}


def stated(schema: dict[str, Any]) -> Any:
    """The same summary, read from a property of the schema."""
    if "$ref" in schema:
        return {"Explanation" if schema["$ref"] == "#" else schema["$ref"].rsplit("/", 1)[-1]}
    if "anyOf" in schema:
        return set().union(*(stated(choice) for choice in schema["anyOf"]))
    if "enum" in schema:
        return set(schema["enum"])
    if "const" in schema:
        return {"string"}
    if schema["type"] == "array":
        return {("array", *sorted(stated(schema["items"])))}
    if schema["type"] == "object":
        return {("object", *sorted(stated(schema["additionalProperties"])))}
    return set([schema["type"]] if isinstance(schema["type"], str) else schema["type"])


def test_the_schema_is_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_type_of_an_explanation_is_in_the_schema_and_no_other() -> None:
    names = {kind.__name__ for kind in dataclasses_of(Explanation)} - {"Explanation"}
    assert names == set(SCHEMA["$defs"])


@pytest.mark.parametrize(
    "kind", sorted(dataclasses_of(Explanation), key=lambda k: k.__name__), ids=lambda k: k.__name__
)
def test_schema_and_type_agree_in_every_field(kind: type) -> None:
    hints = typing.get_type_hints(kind, vars(nouns))
    names = [field.name for field in dataclasses.fields(kind) if field.name not in jsonio.LEFT_OUT]
    schema = part(kind)
    assert set(schema["properties"]) == set(names)
    assert set(schema["required"]) == set(names) - jsonio.OPTIONAL
    assert schema["additionalProperties"] is False
    for name in names:
        assert stated(schema["properties"][name]) == expected(hints[name], optional=name in jsonio.OPTIONAL), name


@pytest.mark.parametrize("whole", [sample.explanation(), sample.trained()], ids=["untrained", "trained"])
def test_an_explanation_goes_to_json_and_back_unchanged_and_fits_the_schema(whole: Explanation) -> None:
    text = jsonio.dumps(whole)
    assert "太好了" in text
    VALIDATOR.validate(json.loads(text))
    assert jsonio.loads(text) == whole


def test_a_beta_opinion_fits_the_schema() -> None:
    whole = replace(sample.explanation(), opinions={"verdict": sample.multi_label()})
    VALIDATOR.validate(json.loads(jsonio.dumps(whole)))


def test_curves_are_not_part_of_the_json() -> None:
    assert "tracks" not in json.loads(jsonio.dumps(sample.explanation()))


WRONG: dict[str, Any] = {
    "another format": lambda d: d.update(schema="emer.explanation/2"),
    "an unknown key": lambda d: d.update(mood="fine"),
    "no clip": lambda d: d.pop("clip"),
    "confidence above one": lambda d: d.update(confidence=1.2),
    "confidence in words": lambda d: d.update(confidence="high"),
    "negative evidence": lambda d: d["fused"]["evidence"].__setitem__(0, -1),
    "a clue of the nose": lambda d: d["clues"][0].update(modality="smell"),
    "a clue id of another form": lambda d: d["clues"][0].update(id="clue 3"),
    "a status of another name": lambda d: d["statements"][0].update(status="true"),
    "a hash cut short": lambda d: d["clip"].update(sha256="abc"),
    "a wrong segment": lambda d: d["segments"][1].pop("fused"),
    "a mistake in a transcript": lambda d: d["transcript"]["words"][0].pop("start"),
}


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG.keys())
def test_wrong_documents_are_rejected(spoil: Any) -> None:
    document = json.loads(jsonio.dumps(sample.explanation()))
    VALIDATOR.validate(document)
    spoil(document)
    assert not VALIDATOR.is_valid(document)


def test_text_that_is_no_explanation_is_refused_with_a_letter() -> None:
    with pytest.raises(ConfigError, match="this is not Explanation JSON"):
        jsonio.loads('{"schema": 1}')
