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
from deepwright.practice.views import choose_views, views_findings

FACTS = {"asked": "auto", "views": "flip", "count": 2, "rows": 90, "tried": ["flip", "shift"], "loss": 0.5,
         "gain": 0.1, "low": 0.05, "high": 0.15}  # fmt: skip


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
    (few,) = views_findings({**FACTS, "low": None, "high": None})
    assert "95 % interval - to -" in few.text


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


def test_copies_of_an_image_in_a_group_make_a_gain_no_surer():
    # 30 images, ten copies of each: the mirror's gain is one that 300 rows would show and 30 do not.
    draw = np.random.default_rng(0)
    images = np.repeat(draw.integers(0, 200, (30, 8, 8, 1)).astype(np.uint8), 10, axis=0)
    left, right = (images[:, :, edge, 0].mean(axis=1) for edge in (0, 7))
    share = np.repeat(0.5 + 0.5 * (draw.permutation(np.linspace(-1.7, 1.7, 30)) + 0.25), 10)
    truth = left + share * (right - left) / 2

    class Left(torch.nn.Module):
        def forward(self, *tensors):
            return tensors[0][:, :, 0, 0].float().mean(dim=1)

    recipe = Recipe.parse({"source": {"kind": "images", "path": "p"}, "target": "y", "predict": {"views": "flip"}})
    inputs = (Tensor("image", 1, "uint8", shape=(8, 8, 1)),)

    def low(group: np.ndarray | None) -> float:
        split = SimpleNamespace(validation=values(truth, group=group))
        chosen = choose_views(
            recipe, Left(), split, inputs, lambda module: module(torch.from_numpy(images)).numpy(), may_flip=True
        )
        return chosen.facts["low"]

    assert low(None) > 0 > low(np.repeat(np.arange(30), 10).astype(str).astype(object))


def values(target: np.ndarray, part: str = "validation", group: np.ndarray | None = None) -> Dataset:
    features = [Feature(name="y", type="number", role="target")]
    columns = {"y": target}
    if group is not None:
        features.append(Feature(name="who", type="category", role="group"))
        columns["who"] = group
    rows = np.arange(len(target))
    return Dataset(columns, Schema(features=tuple(features)), part, rows, rows.astype(np.uint64))
