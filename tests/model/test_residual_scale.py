"""Residual scale: it learns which rows are hard, from errors on rows that its trees had not seen."""

import numpy as np
import pytest

from deepwright.model import residual_scale as module
from deepwright.model.residual_scale import residual_scale


def noisy(rows=1500, seed=0):
    """Values whose noise is 0.2 below 0 and 2 above it."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(-1, 1, (rows, 3)).astype(np.float32)
    noise = np.where(x[:, 0] > 0, 2.0, 0.2)
    return x, np.sin(3 * x[:, 1]) + noise * draw.normal(size=rows), noise


def test_hard_rows_are_expected_to_have_larger_errors():
    x, target, _ = noisy()
    trees = residual_scale(x, target, seed=0)
    new, _, new_noise = noisy(seed=1)
    found = trees.apply({"x": new})["scale"]
    assert (trees.answer, trees.link) == ("scale", "exp")
    assert (found > 0).all()
    assert 2.5 < np.median(found[new_noise > 1]) / np.median(found[new_noise < 1]) < 10


def test_its_unit_is_the_targets():
    x, target, _ = noisy(600)
    one, thousand = (residual_scale(x, factor * target, seed=0).apply({"x": x})["scale"] for factor in (1.0, 1000.0))
    np.testing.assert_allclose(thousand / one, 1000, rtol=0.05)


def test_few_rows_and_no_errors_give_one_scale():
    x = np.arange(12, dtype=np.float32)[:, None]
    found = residual_scale(x, np.full(12, 3.0), seed=0).apply({"x": x})["scale"]
    assert found == pytest.approx(np.full(12, found[0])) and found[0] > 0


def test_of_many_rows_a_drawn_part_is_learned(monkeypatch):
    x, target, _ = noisy(900)
    monkeypatch.setattr(module, "MOST_ROWS", 300)
    some = residual_scale(x, target, seed=0)
    assert some == residual_scale(x, target, seed=0) != residual_scale(x, target, seed=1)
