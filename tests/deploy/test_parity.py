"""The measure of parity is seen to be 0 where it should, and large where the model or what it adds is another."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.bundle import Answers, Bundle
from deepwright.core.conformal import Conformal
from deepwright.core.golden import golden_rows
from deepwright.deploy.parity import difference, differences
from tests.deploy.bundles import FLOWERS, GOOD_ROW, HOUSES, flower_bundle, house_bundle
from tests.deploy.servers import Server, running

SETS = Conformal(kind="lac", level=0.9, rows=99, bound=0.7)
INTERVAL = Conformal(kind="absolute", level=0.9, rows=99, bound=12.5)


def test_bundle_and_server_give_one_answer(server: Server, flowers: Bundle) -> None:
    rows = [row for seed in range(4) for row in golden_rows(flowers.schema, seed)]
    assert differences(flowers.predict(rows), server.url, rows) <= 1e-6


def test_values_are_compared_too_and_their_intervals(tmp_path: Path) -> None:
    bundle = house_bundle(tmp_path / "houses", HOUSES.model_copy(update={"conformal": INTERVAL}))
    rows = golden_rows(bundle.schema)
    expected = bundle.predict(rows)
    size = np.abs(expected.interval).max()
    with running(Path(bundle.folder)) as server:
        assert differences(expected, server.url, rows) == 0.0
        other = replace(expected, value=expected.value + np.float32(0.5))
        assert differences(other, server.url, rows) == pytest.approx(0.5 / size, rel=1e-3)
        wider = replace(expected, interval=expected.interval + np.array([0.0, 0.25]))
        assert differences(wider, server.url, rows) == pytest.approx(0.25 / size, rel=1e-2)


def test_sets_are_compared_too(tmp_path: Path) -> None:
    bundle = flower_bundle(tmp_path / "flowers", schema=FLOWERS.model_copy(update={"conformal": SETS}))
    rows = golden_rows(bundle.schema)
    expected = bundle.predict(rows)
    with running(Path(bundle.folder)) as server:
        assert differences(expected, server.url, rows) <= 1e-6
        one_less = expected.sets.copy()
        one_less[3, expected.probability[3].argmax()] ^= True
        assert differences(replace(expected, sets=one_less), server.url, rows) == 1.0


def test_another_model_shows(server: Server, tmp_path: Path) -> None:
    rows = [GOOD_ROW] * 9
    other = flower_bundle(tmp_path / "other", weight=1.01)
    assert differences(other.predict(rows), server.url, rows) > 1e-4


def of_values(*values: float, interval: list[list[float]] | None = None) -> Answers:
    found = None if interval is None else np.array(interval)
    return Answers((), None, np.array(values, np.float32), np.zeros(len(values), bool), interval=found)


def test_answers_of_another_shape_differ_without_end(flowers: Bundle) -> None:
    expected = flowers.predict([GOOD_ROW, GOOD_ROW])
    records = expected.records()
    assert difference(expected, records) == 0.0
    assert difference(replace(expected, probability=expected.probability[:, :2]), records) == math.inf
    assert difference(replace(expected, probability=expected.probability * np.nan), records) == math.inf


def test_an_interval_or_a_set_that_only_one_of_both_has_differs_without_end(flowers: Bundle) -> None:
    plain, bounded = of_values(1.0, 2.0), of_values(1.0, 2.0, interval=[[0, 2], [1, 3]])
    assert difference(plain, bounded.records()) == difference(bounded, plain.records()) == math.inf
    half = [bounded.records()[0], plain.records()[1]]
    assert difference(bounded, half) == math.inf
    expected = flowers.predict([GOOD_ROW])
    with_sets = replace(expected, sets=np.array([[True, False, True]]))
    assert difference(expected, with_sets.records()) == difference(with_sets, expected.records()) == math.inf


def test_differences_count_by_the_size_of_the_answers_but_small_ones_as_they_are() -> None:
    assert difference(of_values(2000.0), of_values(2001.0).records()) == pytest.approx(1 / 2000)
    assert difference(of_values(0.001), of_values(0.002).records()) == pytest.approx(0.001)
