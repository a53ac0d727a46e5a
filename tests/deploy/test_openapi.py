"""The description of the server says what the schema says."""

import json
from pathlib import Path
from typing import Any

from deepwright.core.bundle import Bundle
from deepwright.core.conformal import Conformal
from deepwright.deploy.openapi import openapi
from tests.deploy.bundles import FLOWERS, GOOD_ROW, HOUSES, flower_bundle, house_bundle


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


def test_intervals_and_sets_are_described_as_they_are_given(tmp_path: Path) -> None:
    ends = Conformal(kind="absolute", level=0.9, rows=99, bound=2.5)
    houses = house_bundle(tmp_path / "houses", HOUSES.model_copy(update={"conformal": ends}))
    values = openapi(houses)["components"]["schemas"]["Answer"]
    (record,) = houses.predict([{"rooms": 3, "town": "a"}]).records()
    assert record == {"value": 84.5, "low": 82.0, "high": 87.0, "out_of_range": False}
    assert values["required"] == list(values["properties"]) == list(record)
    assert values["properties"]["low"]["description"].endswith("with a probability of 90%.")
    sets = Conformal(kind="aps", level=0.9, rows=99, bound=0.75)
    flowers = flower_bundle(tmp_path / "flowers", schema=FLOWERS.model_copy(update={"conformal": sets}))
    classes = openapi(flowers)["components"]["schemas"]["Answer"]
    (record,) = flowers.predict([GOOD_ROW]).records()
    assert classes["required"] == list(record)
    assert classes["properties"]["set"]["items"]["enum"] == list(flowers.levels)
    assert set(record["set"]) <= set(flowers.levels) and record["label"] in record["set"]
