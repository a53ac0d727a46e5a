"""The blend as a member: one bundle of two models, compared without favour."""

import numpy as np
import pytest

from deepwright.core.bundle import Bundle
from deepwright.core.errors import LeakError
from deepwright.core.seal import Split
from deepwright.deploy.targets.onnx import Onnx
from deepwright.evaluation.blend import Blend, mixed
from deepwright.practice import blend as blending
from deepwright.practice.blend import free_prefixes, learn_blend
from deepwright.practice.keep import kept_rows, kept_test
from deepwright.practice.look import look
from deepwright.practice.member import Member
from deepwright.practice.rerun import rerun
from deepwright.practice.run import practise
from deepwright.practice.verify import verify


def of_share(share):
    """A choice that always comes to the same share."""

    def always(target, first, second, problem, weight=None, seed=0):
        return Blend(share, mixed(share, first, second))

    return always


@pytest.mark.parametrize(
    ("file", "target", "options"),
    [("mixed.csv", "buys", {"decision": "threshold"}), ("diabetes.csv", "progression", {})],
)
def test_a_blend_answers_with_the_mean_of_its_members(
    tables, make_recipe, monkeypatch, tmp_path, file, target, options
):
    monkeypatch.setattr(blending, "blend", of_share(0.35))
    run = practise(make_recipe(tables / file, target, **options), name="blended")
    report = run.report
    assert report.members[-1] == "blend"
    assert all(n.optimistic for n in report.numbers if n.member == "blend")
    (found,) = [f for f in report.findings if f.rule == "blend"]
    assert "network (weight 0.35) and boosting (weight 0.65)" in found.text

    rows = kept_rows(run, "validation")
    network, boosting, both = (
        Bundle.load(run.bundle_folder if name == report.chosen else run.folder / "members" / name)
        for name in ("network", "boosting", "blend")
    )
    due = mixed(0.35, network.predict(rows).answer, boosting.predict(rows).answer)
    np.testing.assert_allclose(both.predict(rows).answer, due, rtol=1e-5, atol=1e-6)
    if options:
        assert both.schema.threshold is not None
    Onnx().export(both, tmp_path / "export")
    assert verify(run).difference == 0.0
    look(run)
    assert verify(run).difference == 0.0
    assert rerun(run).difference is None


def test_no_blend_is_made_where_one_member_is_as_good_or_none_is_asked_for(tables, make_recipe, monkeypatch):
    recipe = make_recipe(tables / "mixed.csv", "buys", baselines=("constant", "boosting"))
    monkeypatch.setattr(blending, "blend", of_share(1.0))
    assert set(practise(recipe, name="single").report.members) == {"network", "constant", "boosting"}
    monkeypatch.setattr(blending, "blend", of_share(0.5))
    assert "blend" not in practise(recipe.replace(blend=False), name="none").report.members
    assert "blend" not in practise(recipe.replace(baselines=("constant",)), name="alone").report.members


def test_a_blend_is_compared_by_its_cross_fitted_answers(tables, make_recipe, monkeypatch):
    """Answers that are right only because they saw the rows win nothing."""

    def favoured(target, first, second, problem, weight=None, seed=0):
        return Blend(0.5, 1.0 - np.eye(2)[target])  # out of fold it is always wrong

    monkeypatch.setattr(blending, "blend", favoured)
    report = practise(make_recipe(tables / "mixed.csv", "buys"), name="blended").report
    assert report.chosen != "blend"


def test_a_blend_that_leads_ships_and_says_by_how_much(tables, make_recipe, monkeypatch):
    def leading(target, first, second, problem, weight=None, seed=0):
        return Blend(0.5, np.eye(2)[target])

    monkeypatch.setattr(blending, "blend", leading)
    run = practise(make_recipe(tables / "mixed.csv", "buys", metric="log_loss"), name="blended")
    assert run.report.chosen == "blend"
    words = " ".join(sentence.text for sentence in run.report.verdict)
    assert "blend, the weighted mean of network and boosting, leads" in words
    assert "the network is served only if you ask: --ship network" in words
    assert run.bundle.inputs[-1] == "boosting.x"


def test_the_weight_is_chosen_on_validation_alone(tables, make_recipe):
    run = practise(make_recipe(tables / "mixed.csv", "buys"), name="sound")
    recipe = make_recipe(tables / "mixed.csv", "buys")
    train = kept_rows(run, "train")
    members = {
        name: Member(name, Bundle.load(run.folder / "members" / name), 0.0, 0.0) for name in ("network", "boosting")
    }
    with pytest.raises(LeakError):
        learn_blend(run, recipe, Split(train, train, kept_test(run)), members, {})


def test_tensors_never_bear_a_columns_name():
    assert free_prefixes(("a", "b")) == ("network.", "boosting.")
    assert free_prefixes(("a", "boosting.x")) == ("network..", "boosting..")
