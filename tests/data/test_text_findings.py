"""What columns of text show: lengths, scripts, repeated and spoilt texts, near copies in other parts."""

import numpy as np

from deepwright.core.dataset import Dataset, PartTag
from deepwright.core.report import Finding
from deepwright.core.schema import Feature, Schema
from deepwright.data import text_findings as module
from deepwright.data.leakage import leakage_findings
from deepwright.data.overview import overview
from deepwright.data.text_findings import near_texts, scripts, text_findings
from tests.data.test_text_alike import sentences


def data(texts: list[str | None], part: PartTag = "whole") -> Dataset:
    size = len(texts)
    features = (
        Feature(name="t", type="text"),
        Feature(name="y", type="category", role="target", levels=("a", "b")),
    )
    columns = {"t": np.array([*texts, None], object)[:-1], "y": np.array(["a", "b"] * size, object)[:size]}
    return Dataset(columns, Schema(features=features), part, np.arange(1, size + 1), np.arange(size, dtype="u8"))


def of(rule: str, found: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in found if finding.rule == rule]


def test_lengths_and_scripts_are_told():
    (found,) = of("text_lengths", overview(data(["abcd", "ab", "数据", None, "Ω"])))
    assert "9 characters in 5 texts (1 empty); half have at most 2, 95 % at most 2, the longest 4" in found.text
    assert "Latin 67%, Chinese 22%, Greek 11%" in found.text
    assert scripts(["123 !?"]) == []


def test_repeated_texts_are_counted_with_the_commonest():
    (found,) = of("text_repeated", text_findings(data(["a b", "a b", "a b", "c", "d"])))
    assert found.severity == "warning" and "2 of 5 texts" in found.text and "'a b' 3 times" in found.text
    assert of("text_repeated", text_findings(data(["a", "b", None, None]))) == []


def test_characters_lost_in_an_earlier_decoding_are_named():
    (found,) = of("replaced", text_findings(data(["fine", "a gr\ufffdn film"])))
    assert "1 texts" in found.text and "gr\ufffdn" in found.text


def test_texts_once_read_in_a_wrong_encoding_are_named_and_others_are_not():
    wrong = "grün und schön".encode().decode("cp1252")
    (found,) = of("mojibake", text_findings(data(["fine", wrong])))
    assert wrong in found.text
    right = ["grün und schön", "£5 only", "naïve café", "数据", "Ã la carte", "ÄÖÜ", "¿qué?", "\U0001f600"]
    assert of("mojibake", text_findings(data(right))) == []


def test_near_copies_in_validation_and_test_are_told_with_a_training_row():
    texts = sentences(60, 5)
    train, others = texts[:40], texts[40:]
    copies = [text + " once more" for text in train[:4]]
    test = {"t": np.array([*others[:9], copies[0]], object)}
    found = leakage_findings(data(train, "train"), data([*others, *copies[1:]], "validation"), test)
    validation, tested = of("near_texts", found)
    assert validation.where == "validation" and "3 of 23 texts of t (13.04%)" in validation.text
    assert tested.where == "test" and "1 of 10 texts" in tested.text and "row 1," in tested.text
    assert validation.severity == "warning"


def test_without_copies_nothing_is_told():
    texts = sentences(60, 5)
    found = near_texts(data(texts[:40], "train"), data(texts[40:50], "validation"), {"t": np.array(texts[50:], object)})
    assert found == ()


def test_more_texts_than_can_be_searched_are_told(monkeypatch):
    monkeypatch.setattr(module, "MOST_TEXTS", 10)
    texts = sentences(20, 5)
    (found,) = near_texts(data(texts, "train"), data(texts[:5], "validation"), {"t": np.array(texts, object)})
    assert (found.rule, found.severity) == ("near_unsearched", "note")
