"""The measure of parity is seen to be 0 where it should, and large where the model is another."""

import math
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.bundle import Bundle
from deepwright.core.golden import golden_rows
from deepwright.deploy.parity import differences
from tests.deploy.bundles import GOOD_ROW, flower_bundle
from tests.deploy.servers import Server, running


def test_bundle_and_server_give_one_answer(server: Server, flowers: Bundle) -> None:
    rows = [row for seed in range(4) for row in golden_rows(flowers.schema, seed)]
    assert differences(flowers.predict(rows).answer, server.url, rows) <= 1e-6


def test_values_are_compared_too(houses: Bundle) -> None:
    rows = golden_rows(houses.schema)
    with running(Path(houses.folder)) as server:
        expected = houses.predict(rows).answer
        assert differences(expected, server.url, rows) == 0.0
        assert differences(expected + np.float32(0.5), server.url, rows) == pytest.approx(0.5, abs=1e-4)


def test_another_model_shows(server: Server, tmp_path: Path) -> None:
    rows = [GOOD_ROW] * 9
    other = flower_bundle(tmp_path / "other", weight=1.01)
    assert differences(other.predict(rows).answer, server.url, rows) > 1e-4


def test_answers_of_another_shape_differ_without_end(server: Server, flowers: Bundle) -> None:
    expected = flowers.predict([GOOD_ROW, GOOD_ROW]).answer
    assert differences(expected[:, :2], server.url, [GOOD_ROW, GOOD_ROW]) == math.inf
    assert differences(expected * np.nan, server.url, [GOOD_ROW, GOOD_ROW]) == math.inf
