"""What is made of texts: terms and rarities of the training part, few numbers or many, none of it from other parts."""

import math

import numpy as np
import pytest

from deepwright.core.dataset import Dataset, PartTag
from deepwright.core.errors import RecipeError
from deepwright.core.operations import Tfidf
from deepwright.core.prepare import Prepare
from deepwright.core.schema import Feature, Schema
from deepwright.data.prepare import fit_prepare, prepare_findings
from deepwright.data.text_steps import IgnoreTexts, TfidfTexts


def data(texts: list[str | None], part: PartTag = "train", **further: np.ndarray) -> Dataset:
    size = len(texts)
    column = np.array(texts, object)
    features = [Feature(name="t", type="text"), Feature(name="y", type="category", role="target", levels=("a", "b"))]
    features += [Feature(name=name, type="number") for name in further]
    columns = {"t": column, "y": np.array(["a", "b"] * size, object)[:size], **further}
    return Dataset(columns, Schema(features=tuple(features)), part, np.arange(1, size + 1), np.arange(size, dtype="u8"))


FILMS = ["a good film", "not a good film", "a bad film", "bad, bad!", "很好", "不好", None, ""]


def tfidf_of(step: TfidfTexts, train: Dataset) -> Tfidf:
    (found,) = (operation for operation in step.fit(train).operations if isinstance(operation, Tfidf))
    return found


def test_terms_are_those_in_enough_training_texts_the_commonest_first():
    one = tfidf_of(TfidfTexts(components=None), data(FILMS))
    assert one.terms == ("a", "film", "a good", "bad", "good", "good film", "好")
    assert tfidf_of(TfidfTexts(components=None, terms=2), data(FILMS)).terms == ("a", "film")
    assert "不好" not in one.terms and "不 好" in tfidf_of(TfidfTexts(components=None, min_count=1), data(FILMS)).terms


def test_rarity_is_one_plus_the_log_of_texts_by_texts_with_the_term():
    one = tfidf_of(TfidfTexts(components=None), data(FILMS))
    assert one.rarities[0] == round(1 + math.log(9 / 4), 6)


def test_numbers_are_those_of_scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [text or "" for text in FILMS]
    train = data(FILMS)
    fitted = TfidfTexts(components=None, length=1.0).fit(train)
    one = tfidf_of(TfidfTexts(components=None), train)
    peer = TfidfVectorizer(sublinear_tf=True, vocabulary=list(one.terms), analyzer=_analyse)
    found = fitted.apply(train.inputs)["t"]
    np.testing.assert_allclose(found, peer.fit_transform(texts).toarray(), atol=1e-6)


def _analyse(text: str) -> list[str]:
    from deepwright.core.operations.words import terms

    return terms(text, "words", 1, 2)


def test_networks_get_a_few_directions_each_with_mean_square_one():
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(list("abcdefgh"), 5)) for _ in range(200)]
    train = data(texts)
    (fitted, (tensor,)) = fit_prepare(train, Prepare(texts=TfidfTexts(components=3)), "mixed")
    assert (tensor.name, tensor.width) == ("numbers", 3)
    x = fitted.apply(train.inputs)["numbers"]
    assert x.dtype == np.float32
    np.testing.assert_allclose(np.square(x).mean(axis=0), 1.0, rtol=1e-3)
    again, _ = fit_prepare(train, Prepare(texts=TfidfTexts(components=3)), "mixed")
    assert again == fitted


@pytest.mark.parametrize("form", ["mixed", "flat", "wide", "ordinal"])
def test_texts_stand_beside_numbers_in_every_form(form: str):
    train = data(FILMS, n=np.arange(8.0), numbers=np.arange(8.0) ** 2)
    fitted, tensors = fit_prepare(train, Prepare(texts=TfidfTexts(components=2)), form)
    x = fitted.apply(train.inputs)[tensors[0].name]
    assert x.shape == (8, tensors[0].width) == (8, 2 + (7 if form == "wide" else 2))
    assert np.isfinite(x).all()
    assert not x[6:, 2:].any(), "a missing and an empty text have no terms"


def test_where_texts_are_ignored_a_text_changes_nothing_and_it_is_told():
    train = data(FILMS, n=np.arange(8.0))
    prepare = Prepare(texts="ignore")
    fitted, tensors = fit_prepare(train, prepare, "flat")
    assert tensors[0].width == 1 and not [one for one in fitted.operations if isinstance(one, Tfidf)]
    assert "text_unused" in {finding.rule for finding in prepare_findings(train, prepare)}
    assert IgnoreTexts().wide() == IgnoreTexts()


def test_one_column_may_be_treated_otherwise():
    train = data(FILMS, n=np.arange(8.0))
    other = Prepare(columns=[{"columns": ["t"], "texts": "ignore"}])
    assert fit_prepare(train, other, "flat")[1][0].width == 1


def test_texts_without_a_common_term_are_told_and_not_used():
    train = data(["one", "two", "three", "four"], n=np.arange(4.0))
    found = [finding for finding in prepare_findings(train, Prepare()) if finding.rule == "text_no_terms"]
    assert [(finding.where, finding.severity) for finding in found] == [("t", "warning")]
    assert fit_prepare(train, Prepare(), "flat")[1][0].width == 1


def test_terms_that_enter_are_counted_in_a_note():
    (found,) = (finding for finding in prepare_findings(data(FILMS), Prepare()) if finding.rule == "text_terms")
    assert "7 terms" in found.text and found.severity == "note"


def test_a_lowest_size_above_the_highest_is_refused():
    with pytest.raises(RecipeError) as caught:
        TfidfTexts(low=3, high=2)
    assert str(caught.value).startswith("texts: a term has 3 words at least and 2 at most")
