import warnings

import numpy as np
import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.core.families import Schedule
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Epoch, Saved
from deepwright.train.loop import fit
from deepwright.train.schedule import (
    Constant,
    Cosine,
    Exponential,
    FlatCosine,
    Linear,
    MultiStep,
    OneCycle,
    Plateau,
    Polynomial,
    StepDown,
)

KINDS = sorted(
    [
        "constant",
        "cosine",
        "exponential",
        "flat_cosine",
        "linear",
        "multi_step",
        "one_cycle",
        "plateau",
        "polynomial",
        "step",
    ]
)


def factors(schedule, steps=100):
    return np.array([schedule.factor(step, steps) for step in range(steps)])


def torchs(make, steps=100):
    """The factors that a schedule of torch gives in as many steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer)
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch wants optimizer.step() in between
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            schedule.step()
    return np.array(rates)


torch_lr = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Cosine(), lambda o: torch_lr.CosineAnnealingLR(o, 100)),
        (Cosine(floor=0.1), lambda o: torch_lr.CosineAnnealingLR(o, 100, eta_min=0.1)),
        (Cosine(cycles=4), lambda o: torch_lr.CosineAnnealingWarmRestarts(o, 25)),
        (Cosine(cycles=2, growth=4.0), lambda o: torch_lr.CosineAnnealingWarmRestarts(o, 20, T_mult=4)),
        (Linear(floor=0.2), lambda o: torch_lr.LinearLR(o, 1.0, 0.2, 100)),
        (Polynomial(power=3.0), lambda o: torch_lr.PolynomialLR(o, 100, 3.0)),
        (Exponential(floor=0.01), lambda o: torch_lr.ExponentialLR(o, 0.01 ** (1 / 100))),
        (StepDown(drops=3, gamma=0.5), lambda o: torch_lr.StepLR(o, 25, 0.5)),
        (MultiStep(places=(0.3, 0.6), gamma=0.2), lambda o: torch_lr.MultiStepLR(o, [30, 60], 0.2)),
    ],
    ids=["cosine", "floor", "restarts", "growing", "linear", "polynomial", "exponential", "step", "multi_step"],
)
def test_it_gives_what_torchs_schedule_gives(ours, theirs):
    assert np.abs(factors(ours) - torchs(theirs)).max() < 1e-12


def test_one_cycle_is_torchs_up_to_where_the_last_step_stands():
    # torch reaches the lowest rate in the last step, our shares of the run one step later: compare as curves.
    steps = 10_001
    theirs = torchs(lambda o: torch_lr.OneCycleLR(o, 1.0, total_steps=steps, cycle_momentum=False), steps)
    assert np.abs(factors(OneCycle(), steps) - theirs).max() < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_the_warm_up_of_any_kind_rises_in_equal_steps_and_then_its_shape_begins(kind):
    warm, plain = Schedule.parse({"kind": kind, "warmup": 0.1}), Schedule.parse(kind)
    assert factors(warm)[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert factors(warm)[10:] == pytest.approx(factors(plain, 90))


@pytest.mark.parametrize("kind", KINDS)
def test_factors_of_any_kind_lie_within_nought_and_one_in_any_run(kind):
    schedule = Schedule.parse(kind)
    for steps in (1, 2, 7, 1000):
        assert (factors(schedule, steps) >= 0).all() and (factors(schedule, steps) <= 1).all()
    assert schedule.factor(5000, 1000) == pytest.approx(schedule.factor(10**6, 1000))


def test_all_kinds_are_covered_here():
    assert sorted(k for k, part in Schedule.kinds.items() if part.__module__ == "deepwright.train.schedule") == KINDS


def test_flat_cosine_is_flat_and_then_falls():
    found = factors(FlatCosine(flat=0.5))
    assert (found[:51] == 1).all() and (np.diff(found[50:]) < 0).all()


def test_constant_stays_at_one():
    assert set(factors(Constant())) == {1.0}


@pytest.mark.parametrize("greater", [False, True])
def test_plateau_falls_when_torchs_does(greater):
    draw = np.random.default_rng(0)
    values = [float(v) for v in 1 / np.arange(1, 61) + draw.normal(0, 0.05, 60)]
    values = [-v for v in values] if greater else values
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch_lr.ReduceLROnPlateau(
        optimizer, "max" if greater else "min", factor=0.5, patience=3, threshold=0.0, min_lr=1e-4, eps=0.0
    )
    for count in range(1, 61):
        theirs.step(values[count - 1])
        ours = Plateau(gamma=0.5, patience=3).adapt(values[:count], greater_is_better=greater)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours < 0.1


def test_plateau_lowers_the_rate_of_a_training_and_resumes_exactly(digits, make_mlp, tmp_path):
    def run(checkpoints=None):
        return fit(
            make_mlp(), *digits, optimizer="adamw", schedule=Plateau(patience=0, gamma=0.5), epochs=8, patience=None,
            metrics={"constant": lambda t, a: 1.0}, watch="constant", checkpoints=checkpoints,
        )  # fmt: skip

    events = [e for e in run() if isinstance(e, Epoch)]
    assert [e.lr for e in events[:4]] == [1e-3, 1e-3, 5e-4, 2.5e-4]
    whole = run().finish()
    for event in run(Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == 22:
            break
    assert run(Checkpoints(tmp_path)).finish().digest == whole.digest


@pytest.mark.parametrize("places", [(0.5, 0.3), (0.0,), (1.0,)])
def test_places_that_do_not_rise_within_the_run_are_refused(places):
    with pytest.raises(RecipeError, match="shares of the run above 0 and below 1, in rising order"):
        MultiStep(places=places)
