import numpy as np
import pytest
import torch

from deepwright.core.errors import DataError
from deepwright.train import batches
from deepwright.train.batches import Rows, Stream, bounds, open_part

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
