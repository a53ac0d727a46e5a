"""Images through a bundle: the answer to base64 in JSON is that to the same bytes in training, and bad ones are 422."""

import json
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.bundle import Bundle, write_bundle
from deepwright.core.image import Form, decode_image
from deepwright.core.operations import CentreCrop, DecodeImage, Operation, ScalePixels
from deepwright.core.operations.graph import Graph
from deepwright.core.schema import Feature, Schema
from deepwright.deploy.answer import Answerer
from tests.data.pictures import encoded, noise

MEANS, SDS = [124.0, 116.0, 104.0], [58.0, 57.0, 57.5]
DECODE = DecodeImage(column="photo", height=12, width=12)
REST: tuple[Operation, ...] = (
    CentreCrop(column="photo", height=8, width=10),
    ScalePixels(column="photo", means=MEANS, sds=SDS),
)
WEIGHTS = np.random.default_rng(0).normal(0, 0.05, (3 * 8 * 10, 2)).astype(np.float32)
SCHEMA = Schema(
    features=(
        Feature(name="photo", type="image", can_be_missing=False),
        Feature(name="label", type="category", role="target", levels=("ant", "bee")),
    )
)


def bundle(folder: Path, in_graph: bool) -> Bundle:
    """A linear model of 8 x 10 pixels; the crop and the scale run on the host or in the graph."""
    graph = Graph()
    if in_graph:
        graph.input("photo", "pixels")
        for operation in REST:
            operation.graph(graph)
    else:
        graph.inputs.append(_images())
        graph.values["photo"] = "photo"
    flat = graph.add("Flatten", graph.values["photo"])
    logits = graph.add("MatMul", flat, graph.constant(WEIGHTS, np.float32))
    graph.values["answer"] = graph.add("Softmax", logits, axis=1)
    return write_bundle(
        folder,
        schema=SCHEMA,
        operations=(DECODE,) if in_graph else (DECODE, *REST),
        graph=graph.model({"answer": 2}).SerializeToString(),
        weights={"weight": WEIGHTS},
        recipe={},
        profile={},
        versions={},
    )


def _images():
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["N", 3, 8, 10])


def trained_on(image: bytes) -> np.ndarray:
    """The probabilities, computed by hand from what training decodes."""
    pixels = decode_image(image, Form(12, 12))[2:10, 1:11].astype(np.float32)
    x = ((pixels - np.array(MEANS, np.float32)) / np.array(SDS, np.float32)).transpose(2, 0, 1).reshape(-1)
    odds = np.exp(x @ WEIGHTS)
    return odds / odds.sum()


def body(*images: object) -> bytes:
    return json.dumps({"rows": [{"photo": image} for image in images]}).encode()


def text(image: bytes) -> str:
    return b64encode(image).decode()


@pytest.mark.parametrize("in_graph", [False, True])
def test_the_served_answer_is_that_of_training(tmp_path: Path, in_graph: bool):
    model = bundle(tmp_path, in_graph)
    images = [encoded(noise(0), "JPEG"), encoded(noise(1)), encoded(noise(2).convert("L"), "BMP")]
    (reply,) = Answerer(model).replies([body(*map(text, images))])
    assert reply.status == 200
    found = [list(answer["probability"].values()) for answer in json.loads(reply.body)["answers"]]
    np.testing.assert_allclose(found, [trained_on(image) for image in images], rtol=1e-5)
    column = np.array(images, object)
    np.testing.assert_array_equal(model.answer({"photo": column}).answer, np.array(found, np.float32))
    assert model.replay_golden() <= 1e-6


def test_a_bad_image_is_the_clients_fault_and_spoils_no_other_request(tmp_path: Path):
    good = text(encoded(noise(0)))
    cut, bomb = text(encoded(noise(0))[:300]), text(b"P6 60000 60000 255\n" + bytes(99))
    bad = [body(cut), body(good, text(b"<html>")), body("no base64!"), body(None), body(bomb), body(5)]
    replies = Answerer(bundle(tmp_path, True)).replies([body(good), *bad, body(good)])
    assert [reply.status for reply in replies] == [200, *[422] * len(bad), 200]
    errors = [json.loads(reply.body)["error"] for reply in replies[1:-1]]
    assert [error["where"] for error in errors] == ["rows[0].photo", "rows[1].photo", *["rows[0].photo"] * 4]
    assert all(error["allowed"] == "the base64 text of an image file" for error in errors)
    assert "cut or broken" in errors[0]["text"] and "begins with" in errors[2]["text"]
    assert "no image is given" in errors[3]["text"] and "pixels" in errors[4]["text"]
