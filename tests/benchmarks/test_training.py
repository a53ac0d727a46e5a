"""The training benchmark: its rules about what counts, and a smoke run of the whole script."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import machine, race, training
from benchmarks.claims import Claim, at_least, at_most, finish
from benchmarks.contestants.best import MAX_ERROR, buckets
from benchmarks.peers import BEST, BY_HAND, CONTESTANTS, OURS
from benchmarks.race import Process, Result
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[2]
MLP = WORKLOADS["mlp"]


def taken(name: str, ms: float, *, runs: int = 1, loss: float = 1.0, was_quiet: bool = True) -> Result:
    return Result(CONTESTANTS[name], [Process(ms, ms, ms, loss, None, was_quiet)] * runs)


def only(claims: list[Claim], part: str) -> Claim:
    (found,) = [each for each in claims if part in each.name]
    return found


def test_a_smoke_run_ends_with_one_json_line_of_claims_that_hold() -> None:
    command = [sys.executable, "benchmarks/training.py", "--quick", "--only", "mlp"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert [each["holds"] for each in last["claims"]] == [True]
    assert last["machine"]["cores"] >= 1
    for title in ("ours", "best by hand", "by hand, DataLoader"):
        assert f"\n{title} " in done.stdout


@pytest.mark.parametrize(
    ("holds", "code"),
    [((True, True), 0), ((True, False), 1), ((True, None), 5), ((None, False), 1), ((), 0)],
)
def test_the_exit_code_says_whether_a_claim_failed_or_was_not_measured(
    holds: tuple[bool | None, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finish([Claim(f"claim {i}", 1.0, ">= 1", each) for i, each in enumerate(holds)]) == code
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [each["holds"] for each in said["claims"]] == list(holds)


def test_a_claim_holds_exactly_on_its_side_of_the_bar() -> None:
    assert at_least("a", 2.7, 2.7).holds is True
    assert at_least("a", 2.69, 2.7).holds is False
    assert at_most("a", 30.0, 30.0, "us").holds is True
    assert at_most("a", 30.1, 30.0, "us").holds is False
    assert at_most("a", float("nan"), 1.0).holds is False


def test_lightning_is_held_to_the_bar_of_its_workload() -> None:
    fast = training.speed_claims(MLP, {OURS: taken(OURS, 1.0), "lightning": taken("lightning", 2.8)})
    slow = training.speed_claims(MLP, {OURS: taken(OURS, 1.0), "lightning": taken("lightning", 2.6)})
    assert only(fast, "Lightning / ours").holds is True
    assert only(slow, "Lightning / ours").holds is False


def test_a_peer_that_is_faster_fails_the_claim() -> None:
    claims = training.speed_claims(MLP, {OURS: taken(OURS, 1.0), "hf": taken("hf", 0.5)})
    assert only(claims, "HF Trainer / ours").holds is False


def test_a_close_ratio_counts_only_over_several_processes() -> None:
    once = {OURS: taken(OURS, 1.0), "hf": taken("hf", 1.2)}
    thrice = {OURS: taken(OURS, 1.0, runs=3), "hf": taken("hf", 1.2, runs=3)}
    assert only(training.speed_claims(MLP, once), "HF").holds is None
    assert only(training.speed_claims(MLP, thrice), "HF").holds is True
    assert training.close_ones(MLP, {**once, BY_HAND: taken(BY_HAND, 3.0)}) == [OURS, "hf"]


def test_nothing_counts_on_a_loaded_machine() -> None:
    results = {OURS: taken(OURS, 1.0), "hf": taken("hf", 5.0, was_quiet=False)}
    claim = only(training.speed_claims(MLP, results), "HF")
    assert (claim.holds, claim.value) == (None, 5.0)


def test_a_lap_beside_busy_neighbours_does_not_count() -> None:
    def process(elsewhere: float) -> Process:
        lap = {"steps": 10, "cpu_s": 0.01, "wall_s": 0.02, "elsewhere": elsewhere, "busy": None}
        return race.read({"laps": [{**lap, "cpu_s": 9.0}, lap], "loss": 1.0}, was_quiet=True)

    assert process(0.1).was_quiet is True
    assert process(0.9).was_quiet is False
    assert process(0.1).cpu_ms == pytest.approx(1.0), "the first lap is the warm-up"


def test_overhead_above_the_best_loop_is_in_microseconds_and_needs_several_processes() -> None:
    results = {OURS: taken(OURS, 2.02, runs=3), BEST: taken(BEST, 2.0, runs=3)}
    claim = only(training.speed_claims(MLP, results), "ours - best")
    assert claim.value == pytest.approx(20.0)
    assert claim.holds is True
    once = {OURS: taken(OURS, 2.02), BEST: taken(BEST, 2.0)}
    assert only(training.speed_claims(MLP, once), "ours - best").holds is None


def test_a_contestant_that_did_less_work_is_seen() -> None:
    honest = {BY_HAND: taken(BY_HAND, 1.0, loss=1.0), OURS: taken(OURS, 1.0, loss=1.1)}
    lazy = {BY_HAND: taken(BY_HAND, 1.0, loss=1.0), OURS: taken(OURS, 1.0, loss=1.3)}
    assert training.same_work(MLP, honest)[0].holds is True
    assert training.same_work(MLP, lazy)[0].holds is False


def test_a_peer_without_a_time_says_why_and_makes_no_claim() -> None:
    results = {OURS: taken(OURS, 1.0), "jax": Result(CONTESTANTS["jax"], missing="the network is not written")}
    assert training.speed_claims(MLP, results) == []
    assert "the network is not written" in training.table(MLP, results, wall=False)


def test_an_unknown_peer_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match="'lightening' is not among"):
        training.contestants("lightening", "cpu", False)
    assert "jax" not in training.contestants("lightning", "cpu", False)
    assert all(CONTESTANTS[name].environment is None for name in training.contestants(None, "cpu", True))


@pytest.mark.parametrize(("cores", "is_quiet"), [(0.2, True), (0.9, False)])
def test_waiting_for_a_quiet_machine_has_a_bound(cores: float, is_quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.Elsewhere, "cores", lambda self: cores)
    assert machine.wait_until_quiet(0.01, look_s=0.0) is is_quiet


def test_buckets_take_every_row_once_and_rows_of_like_length_together() -> None:
    draw = np.random.default_rng(0)
    lengths = draw.integers(8, 160, 1000)
    batches = buckets(draw.permutation(1000), lengths, 64)
    assert sorted(np.concatenate(batches)) == list(range(1000))
    padded = sum(len(rows) * lengths[rows].max() for rows in batches)
    assert padded < 1.1 * lengths.sum()


def test_bfloat16_products_do_not_pass_the_check_of_precision() -> None:
    import torch

    a, b = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0))
    exact = a.double() @ b.double()
    rounded = (a.bfloat16() @ b.bfloat16()).double()
    assert (rounded - exact).abs().max() / exact.abs().max() > MAX_ERROR
    assert ((a @ b).double() - exact).abs().max() / exact.abs().max() < MAX_ERROR


@pytest.mark.parametrize("name", list(WORKLOADS))
def test_data_are_the_same_every_time_and_fit_their_network(name: str) -> None:
    import torch

    workload = WORKLOADS[name]
    inputs, target = workload.arrays(32)
    again, target_again = workload.arrays(32)
    assert all(np.array_equal(value, again[key]) for key, value in inputs.items())
    assert np.array_equal(target, target_again)
    with torch.no_grad():
        logits = workload.network()(*map(torch.from_numpy, inputs.values()))
    assert logits.shape == (32, workload.num_classes)
    assert target.min() >= 0 and target.max() < workload.num_classes


def test_padding_does_not_change_the_answer_for_a_short_row() -> None:
    import torch

    inputs, _ = WORKLOADS["lstm"].arrays(8)
    tokens, lengths = map(torch.from_numpy, inputs.values())
    network = WORKLOADS["lstm"].network().eval()
    with torch.no_grad():
        whole = network(tokens, lengths)
        cut = network(tokens[:1, : lengths[0]], lengths[:1])
    torch.testing.assert_close(cut, whole[:1], atol=1e-5, rtol=1e-5)
