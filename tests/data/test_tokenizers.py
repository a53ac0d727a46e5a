"""Tokenizers: vocabularies and widths are those of the training texts."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.operations import WordTokens
from deepwright.core.schema import Feature, Schema
from deepwright.data.tokenizers import BytePairs, Bytes, Characters, Words, encoded


def train(*texts: str | None) -> Dataset:
    column = np.array([*texts, None], object)[:-1]
    schema = Schema(features=(Feature(name="t", type="text"),))
    return Dataset({"t": column}, schema, "train", np.arange(1, len(texts) + 1), np.arange(len(texts), dtype="u8"))


def test_words_are_those_seen_often_enough_the_commonest_first():
    fitted = Words(min_count=2).fit(train("A good FILM", "a bad film", None, "一部好电影"))
    one = fitted.operations[-1]
    assert isinstance(one, WordTokens) and one.vocabulary == ("a", "film")
    assert one.length == 5, "the longest text"
    found = fitted.apply({"t": np.array(["a film, a Film"], object)})
    assert found["t"].tolist() == [[2, 3, 1, 2, 3]] and found["t length"].tolist() == [[5]]


def test_characters_need_no_segmenter():
    one = Characters().fit(train("好电影", "好")).operations[-1]
    assert one.vocabulary == ("好", "影", "电")
    assert one.encode("电?") == [4, 1]


def test_a_longer_text_is_cut_where_the_training_texts_end():
    for part in (Bytes(), BytePairs(merges=5)):
        fitted = part.fit(train("abc", "abcde"))
        found = fitted.apply({"t": np.array(["abc" * 50], object)})
        width = fitted.operations[-1].length
        assert found["t"].shape == (1, width) and found["t length"].tolist() == [[width]] and width <= 5
        assert part.replace(max_length=2).fit(train("zx" * 9)).operations[-1].length <= 2


def test_all_tokens_of_a_text_are_given_for_a_store():
    one = Bytes(max_length=2).fit(train("abc")).operations[-1]
    found = list(encoded(one, np.array(["abc", None], object)))
    assert [each.tolist() for each in found] == [[98, 99, 100], []] and found[0].dtype == np.int32
