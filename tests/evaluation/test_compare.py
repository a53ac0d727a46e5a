"""Comparison on the same rows: planted differences are found, equals are left equal, and the verdict says so."""

import numpy as np
import pytest

from deepwright.evaluation.classify import F1, Accuracy, Auc, LogLoss, Recall
from deepwright.evaluation.compare import best_member, choose_member, paired, verdict
from deepwright.evaluation.regress import R2, Mae, Rmse


def _members(seed: int, n: int, *gains: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Probabilities whose evidence for the true class grows with the gain; equal gains make equally good members."""
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.4).astype(int)
    shared = rng.normal(size=n)
    scores = [gain * (target - 0.5) + shared + 0.7 * rng.normal(size=n) for gain in gains]
    positives = [1 / (1 + np.exp(-score)) for score in scores]
    return target, [np.stack([1 - p, p], axis=1) for p in positives]


def _values(seed: int, n: int, *noises: float) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    target = rng.normal(size=n)
    return target, [target + noise * rng.normal(size=n) for noise in noises]


@pytest.mark.parametrize("metric", [Accuracy(), F1(), Auc(), LogLoss()], ids=lambda m: m.kind)
def test_a_planted_difference_between_classifiers_is_found_in_either_order(metric):
    target, (good, bad) = _members(0, 800, 2.5, 1.0)
    forth, back = paired(target, good, bad, metric), paired(target, bad, good, metric)
    assert (forth.better, back.better) == ("a", "b")
    assert forth.value == pytest.approx(-back.value)
    assert forth.low <= forth.value <= forth.high
    assert (forth.low > 0) == metric.greater_is_better


@pytest.mark.parametrize("metric", [Rmse(), Mae(), R2()], ids=lambda m: m.kind)
def test_a_planted_difference_between_regressions_is_found(metric):
    target, (good, bad) = _values(0, 400, 0.5, 0.7)
    assert paired(target, good, bad, metric).better == "a"


@pytest.mark.parametrize("metric", [Accuracy(), F1(), Auc(), LogLoss()], ids=lambda m: m.kind)
def test_equal_classifiers_are_called_better_in_few_trials(metric):
    """120 trials; a rate of 5 % gives more than 12 less than once in 100 such checks."""
    assert _false_better(metric, _members, (1.5, 1.5), 120, 150) <= 12


@pytest.mark.parametrize("metric", [Rmse(), Mae()], ids=lambda m: m.kind)
def test_equal_regressions_are_called_better_in_few_trials(metric):
    assert _false_better(metric, _values, (0.5, 0.5), 120, 150) <= 12


def test_the_check_of_equals_sees_members_that_differ():
    assert _false_better(Auc(), _members, (1.5, 2.0), 40, 300) > 12


@pytest.mark.slow
@pytest.mark.parametrize("metric", [Accuracy(), F1(), Auc(), LogLoss(), Rmse(), Mae(), R2()], ids=lambda m: m.kind)
@pytest.mark.parametrize("n", [60, 200, 1000])
def test_equals_are_called_better_in_at_most_6_percent_of_1000_trials(metric, n: int):
    source, level = (_values, 0.5) if metric.problems == ("regression",) else (_members, 1.5)
    assert _false_better(metric, source, (level, level), 1000, n) <= 65


def test_a_member_against_itself_differs_by_nothing():
    target, (answer,) = _members(0, 50, 1.0)
    difference = paired(target, answer, answer.copy(), Auc())
    assert (difference.value, difference.low, difference.high, difference.better) == (0, 0, 0, None)


def test_five_changed_rows_are_not_enough_to_call_a_classifier_better():
    target = np.zeros(4000, int)
    right = np.tile([0.9, 0.1], (4000, 1))
    for changed, better in ((5, None), (12, "a")):
        wrong = right.copy()
        wrong[:changed] = [0.1, 0.9]
        assert paired(target, right, wrong, Accuracy()).better == better


def test_five_found_rows_more_are_no_better_recall_and_the_interval_then_holds_0():
    target = (np.arange(4000) % 10 == 0).astype(int)
    right = np.eye(2)[target] * 0.8 + 0.1
    found = {}
    for changed in (5, 12):
        wrong = right.copy()
        rows = np.flatnonzero(target)[:changed]
        wrong[rows] = wrong[rows][:, ::-1]
        found[changed] = paired(target, right, wrong, Recall())
    assert (found[5].better, found[5].low) == (None, 0)
    assert found[12].better == "a" and found[12].low > 0


def test_the_interval_of_paired_accuracies_is_bonett_and_prices():
    """Bonett and Price 2012: (f12 + 1) / (n + 2) and (f21 + 1) / (n + 2) in place of the shares."""
    target = np.zeros(100, int)
    a, b = np.tile([0.9, 0.1], (100, 1)), np.tile([0.9, 0.1], (100, 1))
    a[:4], b[4:18] = [0.1, 0.9], [0.1, 0.9]
    p12, p21 = 15 / 102, 5 / 102
    half = 1.959963985 * ((p12 + p21 - (p12 - p21) ** 2) / 102) ** 0.5
    difference = paired(target, a, b, Accuracy())
    assert difference.value == pytest.approx(0.1)
    assert (difference.low, difference.high) == pytest.approx((p12 - p21 - half, p12 - p21 + half))


def test_an_undefined_metric_compares_to_nothing():
    target, (a, b) = np.zeros(20, int), _members(0, 20, 1.0, 2.0)[1]
    difference = paired(target, a, b, Auc())
    assert (difference.low, difference.high, difference.better) == (None, None, None)


def test_the_best_member_is_first_of_equals_and_never_undefined():
    target, (a, b) = _members(0, 100, 2.0, 1.0)
    assert best_member(target, {"x": b, "y": a, "z": a}, Auc()) == "y"
    assert best_member(target, {"x": b, "y": a}, LogLoss()) == "y"
    assert best_member(np.zeros(100, int), {"x": b, "y": a}, Auc()) == "x"


CONSTANT = np.tile([0.6, 0.4], (800, 1))


def _keys(answers: dict[str, np.ndarray], target: np.ndarray, chosen: str, **options) -> list[str]:
    return [s.key.removeprefix("evaluate.verdict_") for s in verdict(target, answers, Auc(), chosen=chosen, **options)]


def test_verdict_says_that_the_network_is_better_than_every_baseline():
    target, (good, bad) = _members(0, 800, 3.0, 1.0)
    answers = {"network": good, "constant": CONSTANT, "linear": bad}
    assert _keys(answers, target, "network") == ["network_better", "bundle_best"]


def test_verdict_says_that_a_baseline_is_better_and_which_one_the_bundle_holds():
    target, (good, bad) = _members(0, 800, 3.0, 1.0)
    answers = {"network": bad, "constant": CONSTANT, "boosting": good}
    assert _keys(answers, target, "boosting") == ["baseline_better", "bundle_best_not_network"]
    assert _keys(answers, target, "network") == ["baseline_better", "bundle_worse"]
    assert _keys(answers, target, "network", part="test") == ["baseline_better", "bundle_chosen_before"]
    first, second = verdict(target, answers, Auc(), chosen="boosting")
    difference = paired(target, good, bad, Auc())
    figures = f"{difference.value:.3f} ({difference.low:.3f} to {difference.high:.3f}, n = 800)"
    assert first.text == f"boosting is better than the network here by {figures}."
    assert (
        second.text
        == "The bundle holds boosting, the best here; the network is served only if you ask: --ship network."
    )


def test_verdict_does_not_choose_between_equals():
    target, (a, b) = _members(1, 800, 1.5, 1.5)
    answers = {"network": a, "constant": CONSTANT, "linear": b}
    best = best_member(target, answers, Auc())
    keys = _keys(answers, target, "network")
    assert keys[0] == "network_equal"
    assert keys[1] == ("bundle_best" if best == "network" else "bundle_equal")


def test_verdict_gives_no_lead_where_there_is_none():
    target = np.zeros(100, int)
    wrong = np.zeros((2, 100), bool)
    wrong[0, :5] = wrong[1, 50:55] = True
    a, b = (np.stack([~each, each], axis=1).astype(float) for each in wrong)
    answers = {"network": a, "constant": np.tile([0.4, 0.6], (100, 1)), "linear": b}
    first, _ = verdict(target, answers, Accuracy(), chosen="network")
    assert first.text.startswith("The network and linear, the best baseline, do equally well here: 0.0")
    assert float(first.values["low"]) < 0 < float(first.values["high"])


def test_the_difference_is_written_as_how_much_better_for_errors_too():
    target, (good, bad) = _values(0, 400, 0.4, 0.8)
    sentences = verdict(target, {"network": good, "linear": bad}, Rmse(), chosen="network")
    assert sentences[0].key == "evaluate.verdict_network_better"
    assert float(sentences[0].values["low"]) > 0


def test_verdict_says_when_nothing_beats_the_constant():
    rng = np.random.default_rng(0)
    target, noise = rng.integers(0, 2, 800), rng.dirichlet([5, 5], 800)
    keys = _keys({"network": noise, "constant": CONSTANT, "linear": noise[::-1].copy()}, target, "constant")
    assert keys[0] in ("not_above_constant", "constant_is_best")


def test_verdict_says_by_how_much_a_blend_leads_and_compares_the_network_with_baselines_alone():
    target, (best, good, bad) = _members(0, 800, 4.0, 2.0, 1.5)
    answers = {"network": good, "linear": bad, "blend": best}
    assert _keys(answers, target, "blend") == ["network_better", "blend", "bundle_best_not_network"]
    sentence = verdict(target, answers, Auc(), chosen="blend")[1]
    difference = paired(target, best, good, Auc())
    assert sentence.text.startswith(
        f"blend, the weighted mean of network and boosting, leads network by {difference.value:.3f}"
    )


def test_of_members_that_cannot_be_told_apart_the_one_with_the_least_log_loss_ships():
    target, (sure,) = _members(1, 400, 2.0)
    right = np.eye(2)[target] * 0.02 + 0.49
    corrected = np.isin(np.arange(400), np.flatnonzero(sure.argmax(axis=1) != target)[:3])
    lucky = np.where(corrected[:, None], right, sure * 0.02 + 0.49)  # three rows better, and knows less
    answers = {"network": sure, "linear": lucky, "constant": CONSTANT[:400]}
    metric = Accuracy()
    assert best_member(target, answers, metric) == "linear"
    assert choose_member(target, answers, answers, metric) == "network"
    sentence = verdict(target, answers, metric, chosen="network", is_asked=False)[-1]
    assert sentence.key == "evaluate.verdict_bundle_log_loss"
    assert sentence.text.startswith("The bundle holds network: the lead of linear by 0.00")
    keys = [s.key for s in verdict(target, answers, metric, chosen="constant", is_asked=False)]
    assert keys[-1] == "evaluate.verdict_ship_network"


def test_a_member_that_is_clearly_better_ships_whatever_its_loss():
    target, (good, bad) = _members(0, 800, 3.0, 1.0)
    overconfident = np.where(good > 0.5, 1 - 1e-9, 1e-9)
    assert choose_member(target, {"a": bad, "b": overconfident}, {"a": bad, "b": overconfident}, Accuracy()) == "b"


def test_verdict_without_a_network_names_first_and_second():
    target, (good, bad) = _members(0, 800, 3.0, 1.0)
    assert _keys({"linear": bad, "boosting": good}, target, "boosting") == ["first_better", "bundle_best"]
    assert _keys({"boosting": good}, target, "boosting") == ["bundle_best"]


def _false_better(metric, source, levels: tuple[float, float], num_trials: int, n: int) -> int:
    """How often one of two members is called better."""
    called = 0
    for trial in range(num_trials):
        target, (a, b) = source((23, trial), n, *levels)
        called += paired(target, a, b, metric, seed=trial).better is not None
    return called


def test_a_network_that_was_lucky_in_its_first_seed_is_not_called_better():
    """By its first seed it beats the baseline; over three seeds it may be luck, and the verdict says so."""
    generator = np.random.default_rng(0)
    target, noise = generator.normal(size=400), generator.normal(size=400)
    linear = target + 0.5 * generator.normal(size=400)
    first, *others = ({"network": target + size * noise, "linear": linear} for size in (0.40, 0.48, 0.56))
    alone = verdict(target, first, Rmse(), chosen="network")
    assert alone[0].key == "evaluate.verdict_network_better"
    over_seeds = verdict(target, first, Rmse(), chosen="network", further=others)
    assert [sentence.key for sentence in over_seeds][:2] == [
        "evaluate.verdict_network_equal",
        "evaluate.verdict_over_seeds",
    ]
    assert over_seeds[1].values == {"seeds": 3}
