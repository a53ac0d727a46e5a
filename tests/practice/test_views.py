"""Choosing views: what validation says, with its interval."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import deepwright.parts  # noqa: F401 - makes the kinds known
from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.families import Tensor
from deepwright.core.recipe import Recipe
from deepwright.core.schema import Feature, Schema
from deepwright.practice.views import _gain, choose_views, losses_of, views_findings

FACTS = {"asked": "auto", "views": "flip", "count": 2, "rows": 90, "tried": ["flip", "shift"], "loss": 0.5,
         "gain": 0.1, "low": 0.05, "high": 0.15}  # fmt: skip


def test_losses_are_known_numbers():
    probability = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)
    np.testing.assert_allclose(losses_of("classification", np.array([1, 1]), probability), [0.28768, 16.118], rtol=1e-3)
    labels = losses_of("multi-label", np.array([[True, False]]), np.array([[0.5, 0.25]]))
    assert labels.tolist() == pytest.approx([np.log(2) + np.log(4 / 3)])
    assert losses_of("regression", np.array([3.0]), np.array([1.0])).tolist() == [4.0]


def test_a_gain_is_the_weighted_mean_and_its_interval_widens_with_the_number_of_tries():
    draw = np.random.default_rng(0).normal(0.2, 1.0, 500)
    mean, low, high = _gain(draw, None, 1)
    assert mean == pytest.approx(draw.mean()) and high - low == pytest.approx(
        2 * 1.96 * draw.std() / 500**0.5, rel=1e-3
    )
    assert _gain(draw, None, 3)[1] < low
    doubled = np.concatenate([draw, draw[:100]])
    weight = np.where(np.arange(500) < 100, 2.0, 1.0)
    assert _gain(draw, weight, 1)[0] == pytest.approx(doubled.mean())


def test_the_finding_says_the_cost_and_warns_of_views_that_are_worse():
    (found,) = views_findings(FACTS)
    assert found.severity == "note"
    assert "the mean over 2 views of each image (flip)" in found.text and "2 times the work" in found.text
    assert "0.4000 instead of 0.5000" in found.text
    (worse,) = views_findings({**FACTS, "gain": -0.1})
    assert worse.severity == "warning"
    (one,) = views_findings({**FACTS, "views": "one"})
    assert one.rule == "views_one" and "of flip, shift none lowers" in one.text
    assert views_findings({}) == ()


@pytest.mark.parametrize(("sign", "expected"), [(1.0, "flip"), (-1.0, "one")])
def test_auto_takes_views_that_lower_the_loss_and_one_where_none_does(sign, expected):
    # The answerer says how bright the left edge is; the truth is the mean of both edges, or the left one alone.
    draw = np.random.default_rng(0)
    images = draw.integers(0, 200, (300, 8, 8, 1)).astype(np.uint8)
    left, right = images[:, :, 0, 0].mean(axis=1) / 1.0, images[:, :, 7, 0].mean(axis=1) / 1.0
    truth = (left + right) / 2 if sign > 0 else left

    class Left(torch.nn.Module):
        def forward(self, *tensors):
            return tensors[0][:, :, 0, 0].float().mean(dim=1)

    recipe = Recipe.parse({"source": {"kind": "images", "path": "p"}, "target": "y", "predict": {"views": "auto"}})
    inputs = (Tensor("image", 1, "uint8", shape=(8, 8, 1)),)
    split = SimpleNamespace(validation=values(truth))

    def answers(module):
        return module(torch.from_numpy(images)).numpy()

    chosen = choose_views(recipe, Left(), split, inputs, answers, may_flip=True)
    assert chosen.facts["views"] == expected and chosen.facts["tried"] == ["flip", "shift", "flip_shift"]
    assert (chosen.facts["low"] > 0) == (expected == "flip")
    np.testing.assert_allclose(chosen.answer, (left + right) / 2 if expected == "flip" else left, rtol=1e-5)
    without = choose_views(recipe, Left(), split, inputs, answers, may_flip=False)
    assert without.facts["tried"] == ["shift"]
    with pytest.raises(LeakError):
        choose_views(recipe, Left(), SimpleNamespace(validation=values(truth, "train")), inputs, answers, may_flip=True)


def values(target: np.ndarray, part: str = "validation") -> Dataset:
    schema = Schema(features=(Feature(name="y", type="number", role="target"),))
    rows = np.arange(len(target))
    return Dataset({"y": target}, schema, part, rows, rows.astype(np.uint64))
