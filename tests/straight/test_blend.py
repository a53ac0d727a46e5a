"""The blend as a member: one bundle of two models, compared without favour."""

import numpy as np
import pytest

from deepwright.core.bundle import Bundle
from deepwright.core.errors import LeakError
from deepwright.core.seal import Split
from deepwright.deploy.targets.onnx import Onnx
from deepwright.evaluation.blend import Blend, mixed
from deepwright.evaluation.classify import Accuracy
from deepwright.practice import blend as blending
from deepwright.practice.blend import free_prefixes, learn_blend
from deepwright.practice.keep import kept_rows, kept_test
from deepwright.practice.look import look
from deepwright.practice.member import Member
from deepwright.practice.reporting import cross_fitted
from deepwright.practice.rerun import rerun
from deepwright.practice.run import practise
from deepwright.practice.verify import verify

BUYS = {
    "target": "buys",
    "network": "mlp",
    "baselines": ("constant", "boosting"),
    "decision": "threshold",
    "temperature": False,
}


def of_share(share):
    """A choice that always comes to the same share."""

    def always(target, first, second, problem, weight=None, seed=0):
        return Blend(share, mixed(share, first, second))

    return always


@pytest.fixture(scope="module")
def blended(tables, make_recipe, tmp_path_factory):
    """A run whose blend has .35 of the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blending, "blend", of_share(0.35))
        folder = tmp_path_factory.mktemp("blend")
        patch.setenv("DEEPWRIGHT_HOME", str(folder))
        return practise(make_recipe(tables / "mixed.csv", **BUYS), runs=folder, name="blended")


def bundle_of(run, name):
    return Bundle.load(run.bundle_folder if name == run.report.chosen else run.folder / "members" / name)


def members_of(run):
    rows, bundles = kept_rows(run, "validation"), {name: bundle_of(run, name) for name in ("network", "boosting")}
    return {name: Member(name, bundle, bundle.predict(rows), 0.0, 0.0) for name, bundle in bundles.items()}


def split_of(run):
    return Split(kept_rows(run, "train"), kept_rows(run, "validation"), kept_test(run))


def require_mean(run, share):
    rows = kept_rows(run, "validation")
    network, boosting, both = (bundle_of(run, name).predict(rows).answer for name in ("network", "boosting", "blend"))
    np.testing.assert_allclose(both, mixed(share, network, boosting), rtol=1e-5, atol=1e-6)


def test_a_blend_answers_with_the_mean_of_its_members_and_says_what_it_is(blended, tmp_path):
    require_mean(blended, 0.35)
    report = blended.report
    assert report.members == ("network", "constant", "boosting", "blend")
    assert all(n.optimistic for n in report.numbers if n.member == "blend")
    (found,) = [f for f in report.findings if f.rule == "blend"]
    assert "network (weight 0.35) and boosting (weight 0.65)" in found.text
    both = bundle_of(blended, "blend")
    assert both.schema.threshold is not None
    assert not both.contains_data
    Onnx().export(both, tmp_path / "export")


def test_a_blend_is_looked_at_verified_and_rerun(blended, monkeypatch):
    monkeypatch.setattr(blending, "blend", of_share(0.35))
    assert look(blended).number("accuracy", "test", "blend") is not None
    assert verify(blended).difference == 0.0
    assert rerun(blended).difference is None


def test_values_are_blended_too(tables, make_recipe, monkeypatch):
    monkeypatch.setattr(blending, "blend", of_share(0.6))
    recipe = make_recipe(tables / "diabetes.csv", "progression", network="mlp", baselines=("boosting",))
    require_mean(practise(recipe, name="values"), 0.6)


def test_no_blend_is_made_where_one_member_is_as_good_or_none_is_asked_for(blended, tables, make_recipe, monkeypatch):
    recipe, members, split = make_recipe(tables / "mixed.csv", **BUYS), members_of(blended), split_of(blended)
    for share in (0.0, 1.0):
        monkeypatch.setattr(blending, "blend", of_share(share))
        assert learn_blend(blended, recipe, split, members, {}) is None
    monkeypatch.setattr(blending, "blend", of_share(0.5))
    assert learn_blend(blended, recipe.replace(blend=False), split, members, {}) is None
    assert learn_blend(blended, recipe, split, {"network": members["network"]}, {}) is None


def test_the_weight_is_chosen_on_validation_alone(blended, tables, make_recipe):
    split = split_of(blended)
    split = Split(split.train, split.train, split.test)
    with pytest.raises(LeakError):
        learn_blend(blended, make_recipe(tables / "mixed.csv", **BUYS), split, members_of(blended), {})


def test_members_are_compared_by_cross_fitted_decisions(blended):
    bundle = bundle_of(blended, "blend")
    low = np.float32(bundle.schema.threshold) - np.float32(0.01)
    answer = np.array([[1 - low, low], [0.0, 1.0]], np.float32)
    given = bundle.predict(kept_rows(blended, "validation"))
    found = cross_fitted({"blend": Member("blend", bundle, given, 0.0, 0.0, cross_fitted=answer)}, Accuracy())
    assert found["blend"].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert cross_fitted(members_of(blended), Accuracy()) == {}


@pytest.mark.parametrize("is_right", [True, False])
def test_a_blend_ships_by_its_cross_fitted_answers_alone(tables, make_recipe, monkeypatch, is_right):
    def choose(target, first, second, problem, weight=None, seed=0):
        return Blend(0.5, np.eye(2)[target if is_right else 1 - target])

    monkeypatch.setattr(blending, "blend", choose)
    recipe = make_recipe(tables / "mixed.csv", **{**BUYS, "decision": "most_probable", "metric": "log_loss"})
    run = practise(recipe, name="blended")
    words = " ".join(sentence.text for sentence in run.report.verdict)
    assert (run.report.chosen == "blend") == is_right
    assert ("blend, the weighted mean of network and boosting, leads" in words) == is_right
    if is_right:
        assert "the network is served only if you ask: --ship network" in words
        assert run.bundle.inputs[-1] == "boosting.x"


def test_tensors_never_bear_a_columns_name():
    assert free_prefixes(("a", "b")) == ("network.", "boosting.")
    assert free_prefixes(("a", "boosting.x")) == ("network..", "boosting..")
