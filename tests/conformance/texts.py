"""What every step that makes something of texts must do."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset, PartTag
from deepwright.core.errors import LeakError
from deepwright.core.families import Texts, Tokenizer
from deepwright.core.operations import TextTokens
from deepwright.core.schema import Feature, Schema

ODD = ("", " ", "\0\ud800", "a" * 5000, "的" * 3000, "\U0001f600\u200d\U0001f4bb", "e\u0301 \u202egood", "never seen")


def sentences(part: PartTag = "train", rows: int = 60) -> Dataset:
    """Rows of two columns of text, of which one has missing cells, and two classes."""
    draw = np.random.default_rng(0)
    word = draw.choice(np.array(["good", "bad", "film", "plot", "很", "好", "坏"]), (rows, 6))
    text = np.array([" ".join(row) for row in word], object)
    other = np.array([None if place % 7 == 0 else "".join(row[:3]) for place, row in enumerate(word)], object)
    features = (
        Feature(name="text", type="text"),
        Feature(name="title", type="text"),
        Feature(name="y", type="category", role="target", levels=("no", "yes")),
    )
    target = draw.choice(np.array(["no", "yes"], object), rows)
    hashes = draw.integers(0, 2**63, rows).astype(np.uint64)
    columns = {"text": text, "title": other, "y": target}
    return Dataset(columns, Schema(features=features), part, np.arange(1, rows + 1), hashes)


def only_the_training_part_is_learned_from(part: Texts | Tokenizer) -> None:
    part.fit(sentences())
    for other in ("whole", "validation", "test"):
        with pytest.raises(LeakError):
            part.fit(sentences(other))


def a_row_is_the_same_beside_other_rows(part: Texts | Tokenizer) -> None:
    train = sentences()
    fitted = part.fit(train)
    together = fitted.apply(train.inputs)
    for place in range(3):
        alone = fitted.apply({name: column[place : place + 1] for name, column in train.inputs.items()})
        for name, column in alone.items():
            np.testing.assert_array_equal(column, together[name][place : place + 1], err_msg=name)


def odd_texts_give_finite_numbers(part: Texts) -> None:
    fitted = part.fit(sentences())
    odd = np.array([*ODD, None], object)
    for name, column in fitted.apply({"text": odd, "title": odd}).items():
        if column.dtype != object:
            assert column.ndim == 2 and np.isfinite(column).all(), name


def a_wide_one_keeps_these_promises_too(part: Texts) -> None:
    wide = part.wide()
    assert isinstance(wide, Texts) and wide.wide() == wide
    for check in (only_the_training_part_is_learned_from, a_row_is_the_same_beside_other_rows):
        check(wide)


def tokens_are_numbers_below_their_count(part: Tokenizer) -> None:
    fitted = part.fit(sentences())
    cutting = [one for one in fitted.operations if isinstance(one, TextTokens)]
    assert [one.column for one in cutting] == ["text", "title"]
    odd = np.array([*ODD, None], object)
    found = fitted.apply({"text": odd, "title": odd})
    for one in cutting:
        tokens, lengths = found[one.column], found[one.lengths]
        assert tokens.dtype == np.int64 and tokens.shape == (len(odd), one.length), (tokens.dtype, tokens.shape)
        assert lengths.shape == (len(odd), 1) and (lengths >= 0).all() and (lengths <= one.length).all()
        assert (tokens >= 0).all() and (tokens < one.num_codes).all(), (tokens.min(), tokens.max(), one.num_codes)
        beyond = np.arange(one.length) >= lengths
        assert not tokens[beyond].any() and (tokens[~beyond] > 0).all(), "0 is what stands behind a text's end"
