"""Weights, groups, times and decisions through the whole line."""

import csv

import numpy as np
import pytest

import deepwright
from deepwright.core.bundle import Bundle
from deepwright.core.errors import LeakError, RecipeError
from deepwright.core.schema import Feature, Schema
from deepwright.deploy.batch import predict_stream
from deepwright.evaluation.decision import Threshold
from deepwright.practice.decide import decided_schema
from deepwright.practice.keep import kept_rows
from deepwright.practice.look import look
from deepwright.practice.run import practise
from deepwright.practice.target import class_weights, followed, learning_target, row_weights
from deepwright.practice.verify import verify
from tests.data.rows_of import dataset, with_roles


@pytest.fixture
def claims(own_workspace):
    """600 claims of 60 customers over 100 days; one in eight is a fraud, and claims weigh what they are worth."""
    draw = np.random.default_rng(0)
    path = own_workspace / "claims.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["amount", "age", "worth", "customer", "day", "fraud"])
        for place in range(600):
            fraud = draw.random() < 0.125
            amount = draw.normal(1.3 if fraud else 0.0)
            writer.writerow([
                f"{amount:.3f}", int(draw.integers(18, 90)), int(draw.integers(1, 5)), place % 60,
                int(draw.integers(0, 100)), "yes" if fraud else "no",
            ])  # fmt: skip
    return path


def test_weights_groups_and_a_threshold_reach_report_verification_and_answers(claims, make_recipe, tmp_path):
    recipe = make_recipe(
        claims, "fraud", baselines=("constant", "linear"), weight="worth", group="customer", ignore=("day",)
    )
    recipe = recipe.replace(
        metric="balanced_accuracy", decision="threshold", train=recipe.train.replace(class_weights=("balanced",))
    )
    run = practise(recipe, name="claims")
    report = run.report
    assert {f.rule for f in report.findings} >= {
        "split_groups",
        "groups_apart",
        "weighted",
        "class_weights",
        "decision",
    }
    train, validation = kept_rows(run, "train"), kept_rows(run, "validation")
    assert not set(train.of_role("group")) & set(validation.of_role("group"))
    assert [f.name for f in train.schema.inputs] == ["amount", "age"]

    bundle = Bundle.load(run.bundle_folder)
    threshold = bundle.schema.threshold
    assert 0 < threshold < 1
    answers = bundle.predict(validation)
    said = answers.label == "yes"
    assert (said == (answers.probability[:, 1] >= np.float32(threshold))).all()
    assert [record["label"] for record in answers.records()] == answers.label.tolist()
    is_fraud, worth = validation.target == "yes", validation.weight
    recall = report.number("recall", "validation")
    assert recall.value == pytest.approx((worth * (said & is_fraud)).sum() / (worth * is_fraud).sum())
    assert recall.optimistic

    predict_stream(bundle, iter([(validation.inputs, validation.origin)]), tmp_path / "out.csv", overwrite=False)
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    written = [line["label"] for line in csv.DictReader(lines)]
    assert written == answers.label.tolist()
    assert not look(run).number("recall", "test").optimistic
    assert verify(run).difference == 0.0


def test_only_numbers_that_the_threshold_changes_are_optimistic_for_its_sake(claims, make_recipe):
    options = {"baselines": ("constant", "linear"), "decision": "threshold", "ship": "network"}
    recipe = make_recipe(claims, "fraud", network="mlp", **options)
    report = practise(recipe, name="claims").report
    marked = {n.metric for n in report.numbers if n.member == "linear" and n.optimistic}
    assert marked == {"accuracy", "balanced_accuracy", "precision", "recall", "f1"}


def test_time_is_split_by_time(claims, make_recipe):
    run = practise(make_recipe(claims, "fraud", network="mlp", baselines=("constant",), time="day"), name="claims")
    train, validation = kept_rows(run, "train"), kept_rows(run, "validation")
    assert train.of_role("time").max() < validation.of_role("time").min()
    (borders,) = [f for f in run.report.findings if f.rule == "time_borders"]
    assert "--split.validation_from" in borders.text


def test_python_declares_roles_by_name(claims, quick):
    roles = {"weight": "worth", "group": "customer", "time": "day"}
    run = deepwright.run(claims, target="fraud", train=quick, network="mlp", name="claims", **roles)
    schema = run.bundle.schema
    assert {role: schema.of_role(role).name for role in roles} == roles
    assert "split_by_time" in {f.rule for f in run.report.findings}


def rows(part="train"):
    columns = {"a": list(range(8)), "w": [1, 1, 1, 1, 1, 1, 2, 4], "y": ["no"] * 6 + ["yes"] * 2}
    data = with_roles(dataset(columns, part=part), w="weight")
    return data.with_schema(data.schema.with_feature("y", levels=("no", "yes")))


def with_class_weights(make_recipe, tmp_path, *words):
    recipe = make_recipe(tmp_path / "any.csv", "y")
    return recipe.replace(train=recipe.train.replace(class_weights=words))


def test_balanced_classes_count_alike_in_all(make_recipe, tmp_path):
    recipe = with_class_weights(make_recipe, tmp_path, "balanced")
    weights = row_weights(rows(), class_weights(rows(), recipe))
    assert weights.mean() == pytest.approx(1.0)
    assert weights[:6].sum() == pytest.approx(weights[6:].sum())
    assert weights[7] == pytest.approx(2 * weights[6])


def test_levels_can_be_weighted_by_name(make_recipe, tmp_path):
    assert class_weights(rows(), with_class_weights(make_recipe, tmp_path, "yes=5")).tolist() == [1.0, 5.0]
    assert class_weights(rows(), with_class_weights(make_recipe, tmp_path, "none")) is None
    assert class_weights(rows(), with_class_weights(make_recipe, tmp_path)) is None


@pytest.mark.parametrize("word", ["yess=5", "yes=0", "yes=-1", "yes=inf", "yes=much", "ballanced"])
def test_a_class_weight_that_is_none_is_refused(make_recipe, tmp_path, word):
    with pytest.raises(RecipeError, match=r"train.class_weights: found '.*'; allowed: balanced, or LEVEL=WEIGHT"):
        class_weights(rows(), with_class_weights(make_recipe, tmp_path, word))


def test_class_weights_of_a_number_are_refused(make_recipe, tmp_path):
    values = dataset({"a": [1, 2], "y": [0.5, 1.5]})
    with pytest.raises(RecipeError, match="the target 'y' is a number and has no classes"):
        class_weights(values, with_class_weights(make_recipe, tmp_path, "balanced"))


def test_metrics_followed_in_training_see_row_weights_and_no_class_weights():
    target = learning_target(rows(), 0.0, 1.0, np.array([1.0, 9.0]))
    assert target.shape == (8, 3)
    seen = {}
    followed(lambda t, a, w: seen.update(target=t, weight=w) or 0.0, "classification", 0.0, 1.0)(
        target, np.zeros((8, 2))
    )
    assert seen["target"].tolist() == [0] * 6 + [1, 1]
    assert seen["weight"].tolist() == [1.0] * 6 + [2.0, 4.0]
    watch = followed(lambda t, a, w: seen.update(weight=w) or 0.0, "classification", 0.0, 1.0, as_learned=True)
    watch(target, np.zeros((8, 2)))
    np.testing.assert_allclose(seen["weight"], np.array([1] * 6 + [18, 36]) / 7.5)


def test_values_are_followed_in_their_own_unit():
    seen = {}
    follow = followed(lambda t, a, w: seen.update(target=t, weight=w) or 0.0, "regression", 10.0, 2.0)
    follow(np.array([0.0, 1.0], np.float32), np.zeros(2))
    assert seen["target"].tolist() == [10.0, 12.0] and seen["weight"] is None


def test_a_threshold_is_chosen_on_validation_alone():
    answer = np.stack([np.linspace(1, 0, 8), np.linspace(0, 1, 8)], axis=1)
    assert decided_schema(rows().schema, Threshold(), rows("validation"), answer).threshold is not None
    for part in ("train", "test", "whole"):
        with pytest.raises(LeakError):
            decided_schema(rows().schema, Threshold(), rows(part), answer)


@pytest.mark.parametrize(
    ("file", "target", "sentence"),
    [
        ("wine.csv", "kind", "decision threshold: the target 'kind' has 3 classes; a threshold is for two"),
        ("diabetes.csv", "progression", "decision threshold: the target 'progression' is a number"),
    ],
)
def test_a_threshold_for_no_two_classes_is_refused(tables, make_recipe, file, target, sentence):
    with pytest.raises(RecipeError, match=sentence):
        practise(make_recipe(tables / file, target, decision="threshold"), name="refused")


def test_a_schema_keeps_its_threshold():
    feature = Feature(name="y", type="category", role="target", levels=("a", "b"))
    schema = Schema(features=(feature,), threshold=0.25)
    assert schema.with_feature("y", unit="x").threshold == 0.25
    assert Schema.model_validate_json(schema.model_dump_json()) == schema
