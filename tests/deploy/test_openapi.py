"""The description of the server says what the schema says."""

import json
from typing import Any

from deepwright.core.bundle import Bundle
from deepwright.deploy.openapi import openapi


def test_fields_carry_types_ranges_units_and_levels(flowers: Bundle) -> None:
    row = openapi(flowers)["components"]["schemas"]["Row"]
    assert row["required"] == ["petal-length", "高度", "colour"]
    assert row["properties"]["petal-length"] == {
        "type": ["number", "null"],
        "description": "In training from 1 to 6.9 cm",
        "x-training-range": [1.0, 6.9],
        "x-missing-in-training": True,
    }
    assert row["properties"]["colour"]["type"] == ["string", "null"]
    assert row["properties"]["colour"]["x-training-levels"] == ["", "=blue", "red: deep"]
    assert row["properties"]["高度"]["x-missing-in-training"] is False


def test_answers_are_described_as_they_are_given(flowers: Bundle, houses: Bundle) -> None:
    classes = openapi(flowers)["components"]["schemas"]["Answer"]
    (record,) = flowers.predict([{"petal-length": 1, "高度": 2, "colour": "x"}]).records()
    assert classes["required"] == list(record)
    assert classes["properties"]["probability"]["required"] == list(record["probability"])
    values = openapi(houses)["components"]["schemas"]["Answer"]
    assert values["required"] == ["value", "out_of_range"]


def test_every_reference_points_at_something(flowers: Bundle) -> None:
    document = json.loads(json.dumps(openapi(flowers)))
    assert document["openapi"].startswith("3.1.")
    references = list(_references(document))
    assert len(references) > 10
    for reference in references:
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(value: Any) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
