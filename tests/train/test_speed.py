import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.train import loop, trial
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Left, Planned, Saved, Step
from deepwright.train.loop import fit
from deepwright.train.probe import Choice
from deepwright.train.speed import SpeedPlan, in_force
from deepwright.train.watch import line

FAST = SpeedPlan("medium", channels_last=True, bf16=True)
LEFT = (Left("channels_last", "train.left.not_faster", "0.90"),)


@pytest.fixture
def choose(monkeypatch):
    """Makes the probe choose one plan, without measuring."""

    def make(plan):
        chosen = Choice(plan, 1.5, 7e-7, 1e-4, 0.01, LEFT)
        monkeypatch.setattr(loop, "choose_plan", lambda trial: chosen)

    return make


def convolutions():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Unflatten(1, (4, 4, 4)), nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(32, 10)
    )


class Watched(nn.Linear):
    """Notes torch's setting in every pass."""

    def __init__(self):
        super().__init__(64, 10)
        self.seen = []

    def forward(self, x):
        self.seen.append(torch.get_float32_matmul_precision())
        return super().forward(x)


def test_exact_leaves_torchs_setting_as_it_is(digits):
    net = Watched()
    events = list(fit(net, digits[0], optimizer="adamw", epochs=1))
    assert set(net.seen) == {"highest"} and not [e for e in events if isinstance(e, Planned)]


def test_the_setting_holds_while_the_training_works_and_not_between_its_events(digits, choose):
    choose(SpeedPlan("medium"))
    net = Watched()
    for _ in fit(net, digits[0], optimizer="adamw", epochs=1, speed="auto"):
        assert torch.get_float32_matmul_precision() == "highest"
    assert set(net.seen) == {"medium"}


def test_auto_tells_its_choice_works_under_it_and_puts_everything_back(digits, choose):
    choose(FAST)
    net = convolutions()
    training = fit(net, digits[0], optimizer="adamw", epochs=1, speed="auto")
    next(training)
    told = next(training)
    assert told == Planned("medium", True, True, 1.5, 7e-7, 1e-4, 0.01, LEFT, False, False, True)
    assert net[1].weight.is_contiguous(memory_format=torch.channels_last)
    history = training.finish()
    assert net[1].weight.is_contiguous()
    assert history.plan == FAST.record()
    assert history.notes[0] == told.record()


def test_a_plan_of_one_thread_holds_for_the_training_and_is_what_it_tells(digits, choose, tmp_path):
    choose(SpeedPlan(one_thread=True))
    before = torch.get_num_threads()
    seen = []

    class Counted(Watched):
        def forward(self, x):
            seen.append(torch.get_num_threads())
            return super().forward(x)

    def training(epochs):
        torch.manual_seed(0)
        return fit(
            Counted(), digits[0], optimizer="adamw", epochs=epochs, speed="auto", threads=2,
            checkpoints=Checkpoints(tmp_path / str(epochs)),
        )  # fmt: skip

    events = list(training(1))
    assert events[0].threads == 1 and set(seen) == {1} and torch.get_num_threads() == before
    broken = training(2)
    while not isinstance(next(broken), Saved):
        pass
    del broken
    choose(SpeedPlan())
    seen.clear()
    events = list(training(2))
    resumed = next(event for event in events if event.record()["event"] == "resumed")
    assert events[0].threads == 1 and set(seen) == {1} and resumed.changes == ()


def test_a_plan_is_one_line_for_people(choose):
    told = Planned("medium", True, False, 1.5, 7e-7, None, 0.01, (Left("bf16", "train.left.not_faster", "0.90"),))
    assert line(told) == (
        "speed plan: medium + channels_last + keep_memory; a pass is 1.50 times as fast as torch's default, float32 "
        "products err by 7e-07. Tried and left: bf16: 0.90 times as fast."
    )


@pytest.mark.parametrize("plan", [SpeedPlan(), SpeedPlan("medium"), SpeedPlan(channels_last=True), FAST])
def test_a_plan_given_gives_the_bits_of_the_same_plan_found_by_measuring(digits, choose, plan):
    choose(plan)
    found = fit(convolutions(), *digits, optimizer="adamw", epochs=2, speed="auto").finish()
    again = fit(convolutions(), *digits, optimizer="adamw", epochs=2, speed=SpeedPlan.parse(found.plan)).finish()
    assert again.digest == found.digest and again.plan == found.plan
    if plan == SpeedPlan():
        assert found.digest == fit(convolutions(), *digits, optimizer="adamw", epochs=2).finish().digest


def test_a_real_probe_leaves_no_trace_in_the_weights(digits, monkeypatch):
    def measured_but_left(given):
        choice = choose_plan(given)
        given.learned(SpeedPlan(), 8)
        return Choice(SpeedPlan(), 1.0, choice.error, None, choice.seconds, ())

    choose_plan = loop.choose_plan
    monkeypatch.setattr(loop, "choose_plan", measured_but_left)
    measured = fit(convolutions(), *digits, optimizer="adamw", epochs=2, speed="auto").finish()
    assert measured.notes[0]["seconds"] < 2
    assert measured.digest == fit(convolutions(), *digits, optimizer="adamw", epochs=2).finish().digest


def test_without_being_put_back_the_trials_steps_would_show(digits, monkeypatch):
    monkeypatch.setattr(trial.TrialSteps, "put_back", lambda self: None)
    monkeypatch.setattr(
        loop, "choose_plan", lambda given: given.learned(None, 2) and Choice(SpeedPlan(), 1, 0, 0, 0, ())
    )
    disturbed = fit(convolutions(), digits[0], optimizer="adamw", epochs=1, speed="auto").finish()
    assert disturbed.digest != fit(convolutions(), digits[0], optimizer="adamw", epochs=1).finish().digest


@pytest.mark.parametrize("plan", [SpeedPlan("medium"), FAST])
def test_a_resumed_training_keeps_the_plan_whatever_would_be_measured_now(digits, tmp_path, choose, plan):
    def run(checkpoints, given):
        choose(given)
        return fit(convolutions(), *digits, optimizer="adamw", epochs=2, speed="auto", checkpoints=checkpoints)

    whole = run(None, plan).finish()
    for event in run(Checkpoints(tmp_path, every_s=0), plan):
        if isinstance(event, Saved) and event.step == 3:
            break
    training = run(Checkpoints(tmp_path), SpeedPlan())
    assert not [e for e in training if isinstance(e, Planned)]
    assert training.finish().digest == whole.digest and training.finish().plan == plan.record()


def test_an_optimizer_of_ones_own_goes_on_rightly_after_channels_last(digits):
    def run(plan):
        net = convolutions()
        optimizer = torch.optim.AdamW(net.parameters(), fused=True)
        for _ in range(2):
            fit(net, digits[0], optimizer=optimizer, epochs=1, speed=plan).finish()
        return net[1].weight

    assert torch.allclose(run(SpeedPlan()), run(SpeedPlan(channels_last=True)), atol=1e-4)


def test_bfloat16_learns_with_float32_weights_and_is_judged_in_float32(digits, make_mlp, accuracy):
    seen = set()
    net = make_mlp(widths=(128,))
    next(m for m in net.modules() if isinstance(m, nn.Linear)).register_forward_hook(
        lambda layer, given, output: seen.add((layer.training, output.dtype))
    )
    options = {"optimizer": "adamw", "metrics": accuracy, "epochs": 5}
    rounded = fit(net, *digits, **options, speed=SpeedPlan(bf16=True)).finish()
    assert seen == {(True, torch.bfloat16), (False, torch.float32)}
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    exact = fit(make_mlp(widths=(128,)), *digits, **options).finish()
    assert rounded.digest != exact.digest
    assert rounded.best()["accuracy"] == pytest.approx(exact.best()["accuracy"], abs=0.02)


def test_values_are_not_rounded_to_bfloat16(digits, make_mlp, monkeypatch):
    seen = []
    monkeypatch.setattr(trial, "has_bf16", lambda device: True)
    monkeypatch.setattr(
        loop, "choose_plan", lambda t: seen.append(t.may_round) or Choice(SpeedPlan(), 1, 0, None, 0, ())
    )
    x, y = digits[0]
    for target in (y, y.astype("float32")):
        net = make_mlp(outputs=10 if target is y else 1)
        next(iter(e for e in fit(net, (x, target), optimizer="adamw", epochs=1, speed="auto") if isinstance(e, Step)))
    assert seen == [True, False]


def test_batches_that_can_be_read_only_once_are_not_tried(digits, make_mlp):
    class Once:
        def __init__(self, batches):
            self.batches = iter(batches)

        def __iter__(self):
            return self

        def __next__(self):
            return next(self.batches)

        def __len__(self):
            return 1

    history = fit(
        make_mlp(), Once([digits[0]]), loss="cross_entropy", optimizer="adamw", epochs=1, speed="auto"
    ).finish()
    assert history.steps == 1 and history.plan == SpeedPlan().record() and not history.notes


def test_settings_are_put_back_when_a_training_breaks(digits):
    net = convolutions()
    with pytest.raises(ZeroDivisionError), in_force(FAST, net, []):
        raise ZeroDivisionError
    assert torch.get_float32_matmul_precision() == "highest" and net[1].weight.is_contiguous()


@pytest.mark.parametrize(
    "given", [{"precision": "fast"}, {"speed": "auto"}, {"bf16": "yes"}, {"precision": "medium", "compile": True}]
)
def test_a_record_of_something_else_is_no_plan(given):
    with pytest.raises(RecipeError, match="it takes precision"):
        SpeedPlan.parse(given)


def test_another_word_is_refused(digits, make_mlp):
    with pytest.raises(RecipeError, match="found 'fast'; it takes exact or auto"):
        fit(make_mlp(), digits[0], optimizer="adamw", speed="fast")
