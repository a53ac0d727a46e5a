"""What series show: known seasons, stretches and leaks, and silence where there are none."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.schema import Feature, Schema
from deepwright.data.series_findings import level_change, season, series_findings

MOMENTS = 240


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=MOMENTS)


def train_of(target: np.ndarray | None = None, entities: np.ndarray | None = None, part="train", **columns) -> Dataset:
    target = noise(9) if target is None else target
    size = len(target)
    features = [Feature(name=name, type="number" if c.dtype != object else "category") for name, c in columns.items()]
    features += [Feature(name="t", type="timestamp", role="time")]
    features += [Feature(name="y", type="number" if target.dtype != object else "category", role="target")]
    everything = {**columns, "t": np.arange(size) % (size if entities is None else size // 2) * 3600.0, "y": target}
    if entities is not None:
        features.append(Feature(name="who", type="category", role="group"))
        everything["who"] = entities
    hashes = np.arange(size, dtype=np.uint64)
    return Dataset(everything, Schema(features=tuple(features)), part, np.arange(1, size + 1), hashes)


def rules(data: Dataset) -> dict[str, str]:
    return {finding.rule: finding.text for finding in series_findings(data)}


def test_noise_shows_nothing():
    assert rules(train_of(x=noise(1), z=noise(2))) == {}


def test_only_the_training_part_is_looked_at():
    with pytest.raises(LeakError):
        series_findings(train_of(x=noise(1), part="whole"))


def test_the_target_as_an_input_blocks_and_names_the_column():
    y = noise(9)
    (found,) = [f for f in series_findings(train_of(y, x=y.copy(), z=noise(2))) if f.rule == "target_as_input"]
    assert found.severity == "blocking" and found.where == "x"
    with_gap = np.where(np.arange(MOMENTS) == 3, np.nan, y)
    assert "target_as_input" in rules(train_of(noise(9), x=with_gap))


def test_classes_among_the_inputs_block_too():
    y = np.array(["no", "yes", "no", "no"] * 60, object)
    assert "target_as_input" in rules(train_of(y, x=y.copy()))
    assert "target_as_input" not in rules(train_of(y, x=np.roll(y, 1)))


def test_a_column_that_runs_ahead_of_the_target_is_told_and_one_behind_it_is_not():
    y = noise(9)
    ahead, behind = np.append(y[2:], [0.0, 0.0]), np.insert(y, 0, [0.0, 0.0])[:-2]
    assert "2 moments later" in rules(train_of(y, x=ahead))["target_ahead"]
    assert rules(train_of(y, x=behind)) == {}


def test_a_run_ahead_is_seen_within_each_series_alone():
    y = noise(9)
    half = MOMENTS // 2
    x = np.concatenate([np.append(y[1:half], 77.0), np.append(y[half + 1 :], 78.0)])
    entities = np.array(["a"] * half + ["b"] * half, object)
    assert "target_ahead" in rules(train_of(y, entities, x=x))


def test_a_stretch_that_stands_still_is_named_and_an_ordinary_value_is_not():
    x = noise(1)
    x[100:160] = 7.5
    assert "x: stands still at 7.5 for 60 moments from 1970-01-05T04:00:00 on" in rules(train_of(x=x))["series_still"]
    rain = np.where(np.arange(MOMENTS) % 60 < 55, 0.0, noise(3))
    assert "series_still" not in rules(train_of(x=rain))


def test_a_counter_does_not_stand_still():
    assert "series_still" not in rules(train_of(x=np.floor(np.arange(MOMENTS) / 80)))


@pytest.mark.parametrize("period", [7, 12, 24, 52])
def test_a_season_is_found_under_noise_and_a_trend(period: int):
    place = np.arange(MOMENTS)
    found, strength = season(np.sin(2 * np.pi * place / period) + 0.3 * noise() + 0.05 * place)
    assert abs(found - period) <= period // 50 and 0.5 < strength <= 1.2


def test_a_season_is_found_with_missing_values():
    wave = np.sin(2 * np.pi * np.arange(MOMENTS) / 24)
    wave[::17] = np.nan
    assert season(wave)[0] == 24


@pytest.mark.parametrize("values", [noise(), np.ones(50), np.arange(50.0), np.full(50, np.nan), np.array([1.0, 2.0])])
def test_what_has_no_season_has_none(values: np.ndarray):
    assert season(values) == (0, 0.0)


def test_a_level_that_moves_is_told_in_standard_deviations():
    moved = noise(1) + np.where(np.arange(MOMENTS) < 60, 0.0, 3.0)
    assert 2.5 < level_change(moved) < 3.5
    assert "x (+" in rules(train_of(x=moved))["series_level"]
    assert abs(level_change(noise(1))) < 0.6 and level_change(np.ones(40)) == 0.0
