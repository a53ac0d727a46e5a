"""OpenAPI: the server's own description, with the fields, types, ranges and levels of the model's schema."""

from typing import Any

from deepwright.core.bundle import Bundle
from deepwright.core.schema import Feature
from deepwright.core.text import text
from deepwright.deploy.rows import MAX_ROWS, image_input

REFUSALS = (400, 403, 408, 413, 415, 421, 422, 431, 500, 503)


def openapi(bundle: Bundle) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the server of `bundle`."""
    answer = text("openapi.answer", target=bundle.schema.target.name)
    return {
        "openapi": "3.1.0",
        "info": {"title": text("openapi.title", target=bundle.schema.target.name), "version": bundle.digest[:12]},
        "paths": {
            "/predict": {"post": _predict(answer, takes_images=image_input(bundle.schema) is not None)},
            "/health": {"get": _get(text("openapi.health"), "application/json")},
            "/schema": {"get": _get(text("openapi.schema"), "application/json")},
            "/metrics": {"get": _get(text("openapi.metrics"), "text/plain")},
        },
        "components": {
            "schemas": {
                "Row": _row(bundle.schema.inputs),
                "Answer": _answer(bundle),
                "Error": _object(error=_object(where=_TEXT, found=_TEXT, allowed=_TEXT, text=_TEXT)),
            }
        },
    }


_TEXT: dict[str, Any] = {"type": "string"}


def _predict(answer: str, *, takes_images: bool) -> dict[str, Any]:
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}, "minItems": 1, "maxItems": MAX_ROWS}
    answers = {"type": "array", "items": {"$ref": "#/components/schemas/Answer"}}
    refusal = _content({"$ref": "#/components/schemas/Error"})
    request = _content(_object(rows=rows))
    if takes_images:
        request["content"]["image/*"] = {"schema": {"description": text("openapi.image_body")}}
    return {
        "operationId": "predict",
        "summary": answer,
        "requestBody": {"required": True, **request},
        "responses": {
            "200": {"description": answer, **_content(_object(answers=answers, model=_TEXT))},
            **{str(status): {"description": text("openapi.refusal"), **refusal} for status in REFUSALS},
        },
    }


def _get(description: str, kind: str) -> dict[str, Any]:
    content = {"content": {kind: {"schema": {"type": "object"} if kind.endswith("json") else _TEXT}}}
    return {"summary": description, "responses": {"200": {"description": description, **content}}}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _row(features: tuple[Feature, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {feature.name: _field(feature) for feature in features},
        "required": [feature.name for feature in features],
    }


def _field(feature: Feature) -> dict[str, Any]:
    """Ranges and levels are told, not demanded: what lies outside is answered, and flagged out_of_range."""
    is_number = feature.type in ("number", "timestamp")
    field: dict[str, Any] = {"type": ["number" if is_number else "string", "null"]}
    if is_number and feature.low is not None and feature.high is not None:
        unit = feature.unit or text("openapi.seconds") if feature.type == "timestamp" else feature.unit or ""
        field["description"] = text("openapi.range", low=feature.low, high=feature.high, unit=unit).strip()
        field["x-training-range"] = [feature.low, feature.high]
    elif feature.type == "category":
        field["description"] = text("openapi.levels", count=len(feature.levels))
        field["x-training-levels"] = list(feature.levels)
    elif feature.type == "image":
        field |= {"contentEncoding": "base64", "description": text("request.takes_image")}
    field["x-missing-in-training"] = feature.can_be_missing
    return field


def _answer(bundle: Bundle) -> dict[str, Any]:
    flag = {"type": "boolean", "description": text("openapi.out_of_range")}
    if bundle.problem == "regression":
        ends = {} if bundle.schema.conformal is None else _ends(bundle.schema.conformal.level)
        return _object(value={"type": "number"}, **ends, out_of_range=flag)
    share = {"type": "number", "minimum": 0, "maximum": 1}
    probability = _object(**dict.fromkeys(bundle.levels, share))
    label = {"type": "string", "enum": list(bundle.levels)}
    if bundle.problem == "multi-label":
        labels = {"type": "array", "items": label, "uniqueItems": True}
        found, rule, least = _object(labels=labels, probability=probability, out_of_range=flag), "openapi.label_set", 0
    else:
        found, rule, least = _object(label=label, probability=probability, out_of_range=flag), "openapi.set", 1
    if bundle.schema.conformal is not None:
        words = text(rule, level=f"{bundle.schema.conformal.level:.0%}")
        found["properties"]["set"] = {"type": "array", "items": label, "minItems": least, "description": words}
        found["required"].append("set")
    return found


def _ends(level: float) -> dict[str, Any]:
    words = {"low": text("openapi.low", level=f"{level:.0%}"), "high": text("openapi.high", level=f"{level:.0%}")}
    return {name: {"type": "number", "description": description} for name, description in words.items()}
