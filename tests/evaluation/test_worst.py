"""Examples: the rows with the largest losses, in words, and of validation alone."""

import io

import numpy as np
import pytest
from PIL import Image

from deepwright.core.bundle import Answers
from deepwright.core.dataset import Dataset, Decoded
from deepwright.core.errors import LeakError
from deepwright.core.schema import Feature, Schema
from deepwright.evaluation.worst import MOST_LETTERS, NO_LABEL, picture, worst_examples

LEVELS = ("cat", "dog", "eel")


def rows(size: int, part: str = "validation", problem: str = "classification") -> Dataset:
    columns = {
        "size": np.arange(size) + 0.5,
        "note": np.array(["long " * 100] * size, dtype=object),
        "when": np.full(size, 86400.0),
        "colour": np.array([None] * size, dtype=object),
        "y": np.array(["cat"] * size, dtype=object) if problem == "classification" else np.zeros(size),
    }
    kinds = {"size": "number", "note": "text", "when": "timestamp", "colour": "category"}
    features = [Feature(name=name, type=kind) for name, kind in kinds.items()]
    features.append(Feature(name="y", type="category" if problem == "classification" else "number", role="target"))
    return Dataset(columns, Schema(features=tuple(features)), part, np.arange(size) + 101, np.arange(size, dtype="u8"))


def said(probability, threshold=None) -> Answers:
    probability = np.asarray(probability, np.float32)
    levels = LEVELS[: probability.shape[1]]
    return Answers(levels, probability, None, np.zeros(len(probability), bool), threshold)


def test_the_wrong_rows_come_in_the_order_of_how_sure_the_fault_was():
    given = said([[0.9, 0.1], [0.2, 0.8], [0.01, 0.99], [0.4, 0.6]])
    found = worst_examples(rows(4), np.zeros(4, np.int64), given)
    assert [example.row for example in found.worst] == [103, 102, 104]
    first = found.worst[0]
    assert (first.truth, first.said) == ("cat (1.0%)", "dog (99.0%)")
    assert first.loss == pytest.approx(-np.log(0.01), rel=1e-6)
    assert found.n == 4 and found.has_classes and found.confused == ()


def test_of_several_labels_a_row_is_wrong_where_any_is_and_all_are_told():
    probability = np.array([[0.9, 0.2], [0.4, 0.7], [0.3, 0.1], [0.01, 0.2]], np.float32)
    target = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], bool)
    given = Answers(("loud", "fast"), probability, None, np.zeros(4, bool), has_labels=True)
    found = worst_examples(rows(4), target, given)
    assert [(e.row, e.truth, e.said) for e in found.worst] == [
        (104, "loud (1.0%)", NO_LABEL),
        (102, "loud (40.0%), fast (70.0%)", "fast (70.0%)"),
    ]
    assert found.worst[0].loss == pytest.approx(-(np.log(0.01) + np.log(0.8)) / 2, rel=1e-6)
    assert found.confused == () and found.has_classes and found.n == 4


def test_a_row_that_the_threshold_decides_wrongly_is_wrong():
    given = said([[0.7, 0.3], [0.9, 0.1]], threshold=0.25)
    assert [e.row for e in worst_examples(rows(2), np.zeros(2, np.int64), given).worst] == [101]


def test_values_are_words_and_the_inputs_that_matter_come_first():
    (example,) = worst_examples(rows(1), np.zeros(1, np.int64), said([[0.1, 0.9]]), first=["when", "size"]).worst
    assert list(example.values) == ["when", "size", "note", "colour"]
    assert example.values["size"] == "0.5" and example.values["when"] == "1970-01-02"
    assert example.values["colour"] is None and len(example.values["note"]) == MOST_LETTERS + 2


def test_the_most_confused_pairs_of_many_classes_come_with_their_surest_rows():
    target = np.array([0, 0, 0, 0, 1, 2])
    given = said([[0, 0.5, 0.5], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1], [0.9, 0.05, 0.05], [0, 0, 1.0]])
    found = worst_examples(rows(6), target, given).confused
    assert [(true, answered, n) for true, answered, n, _ in found] == [
        ("cat", "dog", 3),
        ("dog", "cat", 1),
        ("cat", "eel", 1),
    ]
    assert [example.row for example in found[0][3]] == [101, 102, 104]


def test_values_are_judged_by_their_absolute_error_and_exact_ones_are_no_examples():
    given = Answers((), None, np.array([0.0, -3.0, 2.0], np.float32), np.zeros(3, bool))
    found = worst_examples(rows(3, problem="regression"), np.zeros(3), given)
    assert [(e.row, e.truth, e.said, e.loss) for e in found.worst] == [(102, "0", "-3", 3.0), (103, "0", "2", 2.0)]
    assert not found.has_classes


def test_rows_of_the_test_part_are_shown_to_nobody():
    with pytest.raises(LeakError):
        worst_examples(rows(1, "test"), np.zeros(1, np.int64), said([[0.1, 0.9]]))


def test_images_come_as_the_bundle_sees_them():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), np.uint8)
    data = rows(2).with_decoded({"photo": Decoded(None, pixels)})
    (example,) = worst_examples(data, np.array([1, 0]), said([[0.1, 0.9], [0.2, 0.8]])).worst
    assert example.row == 102 and list(example.pictures) == ["photo"]
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(example.pictures["photo"]))), pixels[1])
    assert worst_examples(rows(1), np.zeros(1, np.int64), said([[0.1, 0.9]])).worst[0].pictures == {}


@pytest.mark.parametrize(("shape", "mode", "size"), [((300, 150, 3), "RGB", (48, 96)), ((9, 4, 1), "L", (4, 9))])
def test_a_picture_is_small_and_keeps_its_proportions(shape: tuple[int, ...], mode: str, size: tuple[int, int]):
    found = Image.open(io.BytesIO(picture(np.full(shape, 200, np.uint8))))
    assert (found.mode, found.size, found.format) == (mode, size, "PNG")
    assert found.getextrema() in ((200, 200), ((200, 200),) * 3)
