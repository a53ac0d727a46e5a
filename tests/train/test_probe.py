import pytest
import torch

from deepwright.core.text import text
from deepwright.train import probe
from deepwright.train.probe import choose_plan, product_errors
from deepwright.train.speed import SpeedPlan


class Machine:
    """A training whose pass takes 1 ms a row in torch's own way, and `factors` of it with each other way."""

    def __init__(self, *, losses=None, gap=0.0, refuses=None, **factors):
        self.factors, self.losses, self.gap, self.refuses = factors, losses or {}, gap, refuses
        self.has_convolutions, self.may_round, self.has_dropout = True, True, "cheap_dropout" in factors
        self.num_steps, self.rows, self.max_rows = 1000, 64, 64
        self.num_threads = 2 if "one_thread" in factors else 1
        self.tried = []

    def ways(self, plan):
        switches = ("channels_last", "bf16", "cheap_dropout", "one_thread")
        return [plan.precision, *(name for name in switches if getattr(plan, name))]

    def timed(self, plan):
        self.tried.append(plan)
        seconds, loss = 1e-3 * self.rows, 2.0
        for way in self.ways(plan):
            if way == self.refuses:
                raise RuntimeError("view size is not compatible with input tensor's size and stride")
            seconds *= self.factors.get(way, 1.0)
            loss += self.losses.get(way, 0.0)
        return loss, seconds

    def learned(self, plan, steps):
        return 2.0 - 0.1 * steps + (self.gap if plan is not None and plan.bf16 else 0.0)


def reasons(choice):
    """Why ways were left, in words."""
    return [text(left.why, way=left.way, found=left.found) for left in choice.refused]


def test_what_is_faster_is_kept_and_the_gains_multiply():
    found = choose_plan(Machine(medium=0.5, channels_last=0.8, bf16=0.5))
    assert found.plan == SpeedPlan("medium", True, True)
    assert found.gain == pytest.approx(5.0) and found.bf16_gap == 0 and found.refused == ()


@pytest.mark.parametrize(("factor", "taken"), [(0.3, True), (1.4, False)])
def test_one_thread_is_taken_where_it_is_faster_on_passes_of_many_rows(factor, taken):
    machine = Machine(one_thread=factor, bf16=0.5)
    found = choose_plan(machine)
    assert found.plan == SpeedPlan(bf16=True, one_thread=taken)
    assert found.gain == pytest.approx(2 / factor if taken else 2)
    assert ("one_thread: 0.71 times as fast" in reasons(found)[0]) != taken
    assert [plan.one_thread for plan in machine.tried if plan.bf16] == [taken] * sum(p.bf16 for p in machine.tried)


def test_a_short_training_keeps_its_threads():
    machine = Machine(one_thread=0.3)
    machine.num_steps = 20
    assert not choose_plan(machine).plan.one_thread and not any(plan.one_thread for plan in machine.tried)


def test_what_is_not_faster_is_left_and_named():
    found = choose_plan(Machine(medium=0.99, channels_last=1.2, bf16=1.0))
    assert found.plan == SpeedPlan() and found.gain == 1.0
    assert reasons(found) == [
        "channels_last: 0.83 times as fast", "precision: 1.01 times as fast", "bf16: 1.00 times as fast",
    ]  # fmt: skip


def test_the_reasons_are_in_chinese_where_that_is_the_language(monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    machine = Machine(medium=0.5, channels_last=1.2, bf16=0.5, losses={"medium": 1e-3}, gap=0.03)
    assert reasons(choose_plan(machine)) == [
        "channels_last：速度为 0.83 倍", "precision：损失相对偏差 5.0e-04", "bf16：8 步之后损失相对偏差 1.5e-02",
    ]  # fmt: skip


def test_a_way_that_changes_the_loss_is_left():
    found = choose_plan(Machine(medium=0.5, channels_last=0.5, losses={"medium": 1e-3}))
    assert found.plan == SpeedPlan(channels_last=True)
    assert "precision: loss off by 5.0e-04 of itself" in reasons(found)


@pytest.mark.parametrize(("gap", "is_kept"), [(0.01, True), (0.03, False), (float("nan"), False)])
def test_bfloat16_passes_its_gate_only_when_the_loss_agrees_after_some_steps(gap, is_kept):
    found = choose_plan(Machine(bf16=0.5, gap=gap))
    assert found.plan.bf16 == is_kept
    assert any(why.startswith("bf16: loss off by") for why in reasons(found)) != is_kept


def test_a_module_that_cannot_take_a_way_goes_without_it():
    found = choose_plan(Machine(channels_last=0.5, bf16=0.5, refuses="channels_last"))
    assert found.plan == SpeedPlan(bf16=True)
    assert reasons(found)[0].startswith("channels_last: view size is not compatible")


def test_an_error_of_the_training_itself_is_not_swallowed():
    with pytest.raises(RuntimeError, match="view size"):
        choose_plan(Machine(refuses="highest"))


def test_a_kernel_that_rounds_to_bfloat16_is_never_tried():
    def multiply(x, y):
        if torch.get_float32_matmul_precision() == "highest":
            return x @ y
        return (x.bfloat16() @ y.bfloat16()).float()

    machine = Machine(medium=0.1, high=0.1)
    found = choose_plan(machine, multiply)
    assert {plan.precision for plan in machine.tried} == {"highest"} and found.error < probe.MAX_ERROR
    assert [left.way for left in found.refused] == ["channels_last", "medium", "high", "bf16"]


def test_the_limit_lies_between_float32_and_bfloat16():
    errors = product_errors(lambda x, y: (x.bfloat16() @ y.bfloat16()).float())
    assert min(errors.values()) > 100 * probe.MAX_ERROR
    assert product_errors()["highest"] < probe.MAX_ERROR / 2
    assert torch.get_float32_matmul_precision() == "highest"


def test_a_batch_too_large_for_the_time_is_tried_in_part():
    machine = Machine()
    machine.max_rows = 100_000
    choose_plan(machine)
    assert 2 <= machine.rows <= probe.MAX_SECONDS / 1e-3 / probe.PASSES


def test_ways_that_do_not_come_into_question_are_not_tried():
    machine = Machine(channels_last=0.1, bf16=0.1)
    machine.has_convolutions = machine.may_round = False
    assert choose_plan(machine).plan == SpeedPlan()
    assert not any(plan.channels_last or plan.bf16 for plan in machine.tried)


def test_cheap_masks_are_kept_although_their_loss_is_another():
    found = choose_plan(Machine(cheap_dropout=0.8, losses={"cheap_dropout": 0.1}))
    assert found.plan == SpeedPlan(cheap_dropout=True)
    broken = choose_plan(Machine(cheap_dropout=0.8, losses={"cheap_dropout": float("nan")}))
    assert not broken.plan.cheap_dropout


@pytest.mark.parametrize(("num_steps", "last"), [(100_000, "bf16"), (10, "medium")])
def test_a_short_training_tries_bfloat16_before_kernels(num_steps, last):
    machine = Machine(medium=0.9, bf16=0.5)
    machine.num_steps = num_steps
    choose_plan(machine)
    ways = [way for plan in machine.tried for way in machine.ways(plan)]
    firsts = [way for way in dict.fromkeys(ways) if way in ("bf16", "medium")]
    assert firsts[-1] == last
