from deepwright.train.epochs import close_epoch, is_better, watched
from deepwright.train.options import Options
from deepwright.train.state import Position


def options(**changes):
    given = {
        "epochs": 9, "batch_size": 8, "seed": 0, "patience": 2, "metrics": {}, "watch": "loss",
        "greater_is_better": False, "answer": None, "sample": 8, "budget_s": None, "threads": 1, "speed": "exact",
        "micro_batches": 1, "lengths": None,
    }  # fmt: skip
    return Options(**{**given, **changes})


def closed(losses, *, is_cut=False, **changes):
    """What a position comes to over some epochs, and which of them were the best so far."""
    position = Position(batch=4, loss_sum=1.0, loss_rows=8)
    best = [
        close_epoch(position, options(**changes), {} if loss is None else {"loss": loss}, seconds=1.5, is_cut=is_cut)
        for loss in losses
    ]
    return position, best


def test_an_epoch_is_counted_and_the_next_one_starts_at_its_first_batch():
    position, _ = closed([0.5])
    assert (position.epoch, position.batch, position.loss_sum, position.loss_rows) == (1, 0, 0.0, 0)
    assert position.seconds == 1.5 and position.stopped is None


def test_patience_ends_it_that_many_epochs_after_the_best():
    position, best = closed([0.5, 0.4, 0.45, float("nan")])
    assert best == [True, True, False, False]
    assert (position.best_value, position.best_epoch, position.stopped) == (0.4, 2, "patience")


def test_without_patience_or_validation_it_goes_on_to_its_last_epoch():
    assert closed([0.5] * 8, patience=None)[0].stopped is None
    assert closed([None] * 8)[0].stopped is None
    assert closed([None] * 9)[0].stopped == "epochs"


def test_a_spent_budget_is_the_reason_told():
    assert closed([0.5], is_cut=True)[0].stopped == "budget"


def test_equal_values_are_not_better_in_either_direction():
    assert not is_better(0.5, 0.5, greater_is_better=True) and not is_better(0.5, 0.5, greater_is_better=False)
    assert is_better(0.6, 0.5, greater_is_better=True) and not is_better(0.6, 0.5, greater_is_better=False)


def test_the_watched_values_are_those_of_one_part():
    position = Position(epochs=[{"train": {"loss": 1.0}, "validation": {"loss": 2.0}}])
    assert watched(position, options(), "validation") == [2.0]
