import numpy as np
import pytest
import torch

from deepwright.core.errors import DataError
from deepwright.train import batches
from deepwright.train.batches import Rows, bounds, open_part
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Saved
from deepwright.train.loop import fit
from deepwright.train.stream import Stream

CPU = {"device": torch.device("cpu"), "dtype": torch.float32}


def rows(count=103):
    x = np.arange(count * 2, dtype=np.float64).reshape(count, 2)
    return Rows("train", {"x": x, "c": np.arange(count)[:, None]}, np.arange(count), **CPU)


def test_every_row_comes_once_an_epoch_with_its_own_target():
    seen = []
    for batch in rows().epoch(10, seed=0, epoch=0):
        assert torch.equal(batch.inputs[0][:, 0], batch.target * 2.0)
        assert torch.equal(batch.target, batch.rows)
        seen += batch.target.tolist()
    assert sorted(seen) == list(range(103)) and seen != sorted(seen)


def test_an_epoch_can_begin_at_any_batch():
    whole = [b.target for b in rows().epoch(10, seed=3, epoch=2)]
    for start in (0, 4, 10, 11):
        part = [b.target for b in rows().epoch(10, seed=3, epoch=2, start=start)]
        assert len(part) == len(whole) - start
        assert all(torch.equal(a, b) for a, b in zip(part, whole[start:], strict=True))


def test_small_blocks_give_the_same_batches(monkeypatch):
    whole = [b.inputs[0] for b in rows().epoch(10, seed=0, epoch=0)]
    monkeypatch.setattr(batches, "BLOCK_BYTES", 1000)
    small = [b.inputs[0] for b in rows().epoch(10, seed=0, epoch=0)]
    assert small[0].untyped_storage().nbytes() < whole[0].untyped_storage().nbytes()
    assert all(torch.equal(a, b) for a, b in zip(whole, small, strict=True))


def test_batches_are_views():
    first, second, *_ = rows().epoch(10, seed=0, epoch=0)
    assert first.inputs[0].untyped_storage().data_ptr() == second.inputs[0].untyped_storage().data_ptr()


@pytest.mark.parametrize(
    ("num_rows", "size", "sizes"), [(9, 4, [4, 5]), (10, 4, [4, 4, 2]), (1, 4, [1]), (3, 1, [1, 1, 1])]
)
def test_a_row_left_alone_joins_the_batch_before_it(num_rows, size, sizes):
    assert [high - low for low, high in bounds(num_rows, size)] == sizes


def test_numbers_take_the_modules_type_and_whole_numbers_int64():
    part = Rows("train", {"a": np.zeros((2, 1)), "b": np.zeros((2, 1), np.int32), "c": np.zeros((2, 1), np.uint8)},
                np.zeros(2, np.int16), **CPU)  # fmt: skip
    assert [t.dtype for t in part.inputs.values()] == [torch.float32, torch.int64, torch.uint8]
    assert part.target.dtype == torch.int64


def test_read_only_and_reversed_arrays_are_taken():
    x = np.arange(6.0).reshape(3, 2)
    x.flags.writeable = False
    assert Rows("train", x[::-1], np.zeros(3), **CPU).inputs["x"][0].tolist() == [4.0, 5.0]


def test_the_sample_is_fixed_by_the_seed():
    first, second = rows().sample(20, seed=1), rows().sample(20, seed=1)
    assert torch.equal(first.target, second.target) and len(first.target_array) == 20
    assert not torch.equal(first.target, rows().sample(20, seed=2).target)
    assert rows().sample(1000, seed=1).num_rows == 103


def test_the_fingerprint_sees_one_changed_bit():
    one, other = rows(), rows()
    assert one.fingerprint() == other.fingerprint()
    other.inputs["x"][5, 1] += 1e-3
    assert one.fingerprint() != other.fingerprint()


def test_text_is_refused_by_name():
    with pytest.raises(DataError, match=r"train part: 'x' has the type <U1; it takes numbers"):
        Rows("train", np.array(["a"]), np.zeros(1), **CPU)


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="validation part: it has 0 rows"):
        open_part("validation", (np.zeros((0, 2)), np.zeros(0)), **CPU)


@pytest.mark.parametrize("given", [3, {"x": 1}, np.zeros((3, 2)), "rows"])
def test_what_is_neither_rows_nor_batches_is_refused(given):
    with pytest.raises(DataError, match="it takes \\(inputs, target\\)"):
        open_part("train", given, **CPU)


def test_a_generator_has_no_length_and_is_refused():
    with pytest.raises(DataError, match="a generator has no length"):
        open_part("train", (b for b in []), **CPU)


def test_a_length_that_does_not_hold_is_refused():
    class Liar(list):
        def __len__(self):
            return 3

    stream = Stream("train", Liar([(torch.zeros(2, 1), torch.zeros(2))]), **CPU)
    with pytest.raises(DataError, match="its length says 3 batches and it gave 1"):
        list(stream.epoch(1, seed=0, epoch=0))


def test_a_batch_without_a_target_is_refused():
    with pytest.raises(DataError, match="a batch is a Tensor"):
        list(Stream("train", [torch.zeros(2, 1)], **CPU).epoch(1, seed=0, epoch=0))


def test_a_stream_draws_the_same_numbers_wherever_it_begins():
    class Noisy:
        def __len__(self):
            return 4

        def __iter__(self):
            for _ in range(4):
                yield torch.rand(2, 1) + float(np.random.rand()), torch.zeros(2)

    whole = [b.inputs[0] for b in Stream("train", Noisy(), **CPU).epoch(1, seed=0, epoch=1)]
    later = []
    for batch in Stream("train", Noisy(), **CPU).epoch(1, seed=0, epoch=1, start=2):
        later.append(batch.inputs[0])
        torch.rand(5)  # what a step would draw
    assert all(torch.equal(a, b) for a, b in zip(whole[2:], later, strict=True))


def sentences(count=101):
    """Token rows of 1 to 40 steps, and whether the first token is large."""
    draw = np.random.default_rng(0)
    found = [draw.integers(1, 50, n) for n in draw.integers(1, 41, count)]
    return found, np.array([int(row[0] > 25) for row in found])


def test_rows_of_like_length_stand_together_and_are_cut_to_the_longest():
    found, target = sentences()
    part = Rows("train", found, target, **CPU)
    seen, area = [], 0
    for batch in part.epoch(8, seed=0, epoch=0):
        tokens, lengths = batch.inputs
        assert tokens.shape == (len(lengths), lengths.max())
        for row, tokens_row, length in zip(batch.rows.tolist(), tokens, lengths, strict=True):
            assert tokens_row[:length].tolist() == found[row].tolist() and not tokens_row[length:].any()
        area += tokens.numel()
        seen += batch.rows.tolist()
    assert sorted(seen) == list(range(101))
    assert area < 1.25 * sum(map(len, found)) < 0.75 * 101 * 40


def test_batches_of_like_length_are_a_function_of_seed_and_epoch_and_do_not_come_by_length():
    def longest(seed, epoch, start=0):
        part = Rows("train", *sentences(), **CPU)
        return [b.inputs[0].shape[1] for b in part.epoch(8, seed=seed, epoch=epoch, start=start)]

    assert longest(0, 0) == longest(0, 0) != longest(0, 1)
    assert longest(1, 0) != longest(0, 0) and longest(0, 0) != sorted(longest(0, 0))
    assert longest(0, 0, start=5) == longest(0, 0)[5:]


def test_lengths_of_a_filled_array_are_found_by_their_name_and_judging_keeps_the_order():
    found, target = sentences()
    tokens = np.zeros((101, 60), np.int64)
    for place, row in enumerate(found):
        tokens[place, : len(row)] = row
    given = {"tokens": tokens, "size": np.array([len(row) for row in found]), "other": np.ones((101, 3))}
    part = Rows("train", given, target, **CPU, lengths="size")
    assert {b.inputs[0].shape[1] == b.inputs[1].max() and b.inputs[2].shape[1] == 3 for b in part.in_order(10)} == {
        True
    }
    assert torch.cat([b.target for b in part.in_order(10)]).tolist() == target.tolist()
    assert max(b.inputs[0].shape[1] for b in part.sample(20, 0).in_order(10)) <= 40


def test_a_plain_lstm_learns_from_a_list_of_rows_and_resumes_to_the_same_bits(tmp_path):
    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.embedding = torch.nn.Embedding(50, 16)
            self.lstm = torch.nn.LSTM(16, 16, batch_first=True)
            self.head = torch.nn.Linear(16, 2)

        def forward(self, tokens, lengths):
            states, _ = self.lstm(self.embedding(tokens))
            return self.head(states.sum(1) / lengths[:, None])

    def run(checkpoints=None):
        rows, target = sentences(200)
        short = [row[:3] for row in rows]
        return fit(
            Reader(), (short, target), (short, target), optimizer="adam", epochs=15, batch_size=16,
            checkpoints=checkpoints,
        )  # fmt: skip

    whole = run().finish()
    assert whole.epochs[-1]["validation"]["loss"] < 0.8 * whole.epochs[0]["validation"]["loss"]
    for event in run(Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == 20:
            break
    assert run(Checkpoints(tmp_path)).finish().digest == whole.digest


@pytest.mark.parametrize(
    ("inputs", "lengths", "message"),
    [
        ({"x": np.zeros((2, 3))}, "size", "lengths is 'size'; it takes the name of an input: x"),
        ({"x": np.zeros((2, 3)), "n": np.array([0, 2])}, "n", "the lengths 'n' are 0 to 2; they are whole numbers"),
        ({"x": np.zeros((2, 3)), "n": np.array([4, 2])}, "n", "from 1 to 3, the second axis"),
        ({"x": np.zeros((2, 3)), "n": np.array([1.5, 2])}, "n", "are whole numbers from 1 to 3"),
        ({"a": [np.zeros(2)] * 2, "b": [np.zeros(2)] * 2}, None, "a, b are lists of arrays"),
    ],
)
def test_lengths_that_cannot_be_are_refused(inputs, lengths, message):
    with pytest.raises(DataError, match=message):
        Rows("train", inputs, np.zeros(2), **CPU, lengths=lengths)
