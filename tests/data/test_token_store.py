"""The token store: what was written comes back, padded or as views; a changed bit is refused."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, ResourceError
from deepwright.data.token_store import TokenStore, open_tokens, write_tokens

TEXTS = [[5, 6, 7], [], [2**31 - 1], np.array([1, 2, 3, 4], np.uint16), range(10, 12)]


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return write_tokens(TEXTS, tmp_path / "store")


def test_every_text_comes_back_as_a_view_of_int32(store: TokenStore):
    assert [text.tolist() for text in map(store.__getitem__, range(5))] == [list(map(int, text)) for text in TEXTS]
    assert len(store) == 5 and store.lengths.tolist() == [3, 0, 1, 4, 2]
    assert store[3].dtype == np.int32 and np.shares_memory(store[3], store.tokens)
    assert list(store)[4].tolist() == [10, 11]  # ends with IndexError


def test_a_batch_is_padded_at_the_end_and_says_its_lengths(store: TokenStore):
    padded, lengths = store.batch(np.array([4, 1, 3, 4]), padding=-100)
    assert padded.dtype == lengths.dtype == np.int64
    assert lengths.tolist() == [2, 0, 4, 2]
    n = -100
    assert padded.tolist() == [[10, 11, n, n], [n, n, n, n], [1, 2, 3, 4], [10, 11, n, n]]


def test_a_batch_equals_padding_text_by_text(tmp_path: Path):
    draw = np.random.default_rng(0)
    texts = [draw.integers(0, 1000, draw.integers(0, 30)) for _ in range(200)]
    store = write_tokens(texts, tmp_path / "store")
    index = draw.integers(0, 200, 64)
    padded, lengths = store.batch(index, max_length=20)
    for row, length, number in zip(padded, lengths, index, strict=True):
        assert row[:length].tolist() == texts[number][:20].tolist() and not row[length:].any()


def test_no_texts_give_a_batch_of_nothing(store: TokenStore):
    padded, lengths = store.batch(np.zeros(0, np.int64))
    assert padded.shape == (0, 0) and lengths.shape == (0,)


def test_windows_are_views_across_texts(store: TokenStore):
    found = store.windows(4)
    assert found.tolist() == [[5, 6, 7, 2**31 - 1], [1, 2, 3, 4]]  # 10, 11 fill none
    assert np.shares_memory(found, store.tokens)
    assert store.windows(4, stride=3)[:, 0].tolist() == [5, 2**31 - 1, 3]
    assert store.windows(10).shape == (1, 10)


@pytest.mark.parametrize(("length", "stride"), [(11, None), (0, None), (4, 0)])
def test_windows_that_do_not_fit_are_refused(store: TokenStore, length: int, stride: int | None):
    with pytest.raises(DataError, match=f"window={length} tokens.*the store has 10 tokens"):
        store.windows(length, stride=stride)


@pytest.mark.parametrize(
    ("index", "options", "words"),
    [
        (np.array([5]), {}, "from 0 to 5 - 1, found 5 to 5"),
        (np.array([-1]), {}, "found -1 to -1"),
        (np.array([0.5]), {}, "found float64"),
        (np.array([0]), {"max_length": 0}, "max_length=0: takes 1"),
    ],
)
def test_an_index_that_does_not_exist_is_refused(store: TokenStore, index: np.ndarray, options: dict, words: str):
    with pytest.raises(DataError, match=words):
        store.batch(index, **options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ([-1], "text 1: token -1 does not fit"),
        ([2**31], "text 1: token 2147483648 does not fit"),
        ([2**70], "text 1: found object"),
        ([0.5], "text 1: found float64"),
        ([[1], [2]], r"text 1: found int64 \(2, 1\)"),
        ([[1], [2, 3]], "text 1: found <U"),
        ("words", "text 1: found <U"),
    ],
)
def test_what_is_no_token_is_refused_and_nothing_stays(tmp_path: Path, text: object, words: str):
    with pytest.raises(DataError, match=words):
        write_tokens([[1], text], tmp_path / "store")
    assert list(tmp_path.glob("*store*")) == list(tmp_path.glob(".*store*")) == []


def test_no_texts_at_all_are_refused_and_only_empty_ones_are_kept(tmp_path: Path):
    with pytest.raises(DataError, match="there is nothing to write"):
        write_tokens([], tmp_path / "none")
    store = write_tokens([[], []], tmp_path / "empty")
    assert len(store) == 2 and store.batch(np.array([0, 1]))[0].shape == (2, 0)


def test_a_store_is_not_overwritten(store: TokenStore):
    with pytest.raises(DataError, match="exists already"):
        write_tokens([[1]], store.folder)
    assert len(open_tokens(store.folder)) == 5


def test_what_a_killed_writer_left_is_replaced(tmp_path: Path):
    left = tmp_path / ".store.part"
    left.mkdir()
    (left / "stray").write_bytes(b"junk")
    assert sorted(p.name for p in write_tokens([[1]], tmp_path / "store").folder.iterdir()) == [
        "offsets.i64", "tokens.i32", "tokens.json",
    ]  # fmt: skip
    assert not left.exists()


def test_a_folder_that_cannot_be_written_is_a_resource_error(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ResourceError, match="file/store"):
        write_tokens([[1]], tmp_path / "file" / "store")


@pytest.mark.parametrize("name", ["tokens.i32", "offsets.i64", "tokens.json"])
def test_one_flipped_bit_a_cut_and_a_missing_file_are_refused(store: TokenStore, name: str):
    path = store.folder / name
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 10)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DataError, match=f"{name} is not as it was written"):
            open_tokens(store.folder)
    path.write_bytes(whole[:-4])
    with pytest.raises(DataError, match=f"{name} is not as it was written"):
        open_tokens(store.folder)
    path.unlink()
    with pytest.raises(DataError, match=r"is not as it was written|it is no prepared store"):
        open_tokens(store.folder)
