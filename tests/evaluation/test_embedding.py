"""The embedding map: what lies together for the network lies together on it, whatever its last layer makes of that."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import LeakError
from deepwright.core.report import Sentence
from deepwright.evaluation.embedding import (
    MOST_CLASSES,
    MOST_ROWS,
    EmbeddingMap,
    classes_of,
    embedding_map,
    principal_plane,
    steps_of,
)
from tests.evaluation.networks import LAST, network, rows

CENTRES = np.array([[2.0, 2.0], [-2.0, 2.0], [2.0, -2.0]])


def planted(num_rows: int = 300, spread: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """x [N, 2] in three clusters and the cluster of each."""
    rng = np.random.default_rng(1)
    cluster = rng.integers(0, 3, num_rows)
    return CENTRES[cluster] + spread * rng.normal(size=(num_rows, 2)), cluster


def mapped(folder: Path, last: np.ndarray = LAST, **planting: float) -> EmbeddingMap:
    x, cluster = planted(**planting)
    found = embedding_map(network(folder, last=last), rows(x, cluster), cluster)
    assert isinstance(found, EmbeddingMap)
    return found


def separation(found: EmbeddingMap) -> float:
    """The smallest distance between the centres of two groups, in standard deviations of the widest group."""
    groups = [found.points[found.group == number] for number in range(3)]
    centres = [group.mean(axis=0) for group in groups]
    between = min(float(np.linalg.norm(a - b)) for place, a in enumerate(centres) for b in centres[:place])
    return between / max(float(group.std(axis=0).max()) for group in groups)


def test_planted_clusters_are_apart_and_those_that_are_none_are_not(tmp_path: Path):
    assert separation(mapped(tmp_path / "apart")) > 4
    assert separation(mapped(tmp_path / "mixed", spread=9.0)) < 2


def test_a_shuffled_last_layer_has_the_same_map_and_other_faults(tmp_path: Path):
    right, shuffled = mapped(tmp_path / "right"), mapped(tmp_path / "shuffled", LAST[:, [1, 2, 0]])
    np.testing.assert_array_equal(right.points, shuffled.points)
    assert right.shares == shuffled.shares and (right.marked != shuffled.marked).any()


def test_wrong_rows_are_marked_and_classes_named_the_most_frequent_first(tmp_path: Path):
    x, cluster = planted()
    bundle = network(tmp_path / "b")
    found = embedding_map(bundle, rows(x, cluster), cluster)
    wrong = bundle.predict([{"a": a, "b": b} for a, b in x.tolist()]).decided != cluster
    np.testing.assert_array_equal(found.marked, wrong)
    counts = [int((found.group == place).sum()) for place in range(3)]
    assert counts == sorted(counts, reverse=True) and set(found.names) == {"猫", "dog", "eel"}
    first = bundle.schema.target.levels.index(found.names[0])
    np.testing.assert_array_equal(found.group == 0, cluster == first)


def test_rows_of_several_labels_have_the_colour_of_all_of_them(tmp_path: Path):
    x, cluster = planted()
    target = np.stack([cluster == 0, cluster != 2, np.zeros(len(x), bool)], axis=1)
    bundle = network(tmp_path / "b", problem="multi-label")
    found = embedding_map(bundle, rows(x, cluster), target)
    assert isinstance(found, EmbeddingMap) and found.of_labels
    assert set(found.names) == {"猫, dog", "dog", "–"}
    np.testing.assert_array_equal(found.group == found.names.index("dog"), cluster == 1)
    decided = bundle.predict([{"a": a, "b": b} for a, b in x.tolist()]).decided
    np.testing.assert_array_equal(found.marked, (decided != target).any(axis=1))
    assert separation(found) > 4


def test_of_many_rows_the_same_2000_are_drawn_each_time(tmp_path: Path):
    x, cluster = planted(MOST_ROWS + 500)
    bundle = network(tmp_path / "b")
    first, again = (embedding_map(bundle, rows(x, cluster), cluster) for _ in range(2))
    assert len(first.points) == len(first.group) == len(first.marked) == MOST_ROWS and first.rows == MOST_ROWS + 500
    np.testing.assert_array_equal(first.points, again.points)


def test_values_have_steps_and_the_largest_errors_are_marked(tmp_path: Path):
    x, _ = planted()
    bundle = network(tmp_path / "b", problem="regression")
    target = bundle.predict([{"a": a, "b": b} for a, b in x.tolist()]).value.astype(np.float64)
    target[::30] += 5.0
    found = embedding_map(bundle, rows(x, target, problem="regression"), target)
    np.testing.assert_array_equal(np.flatnonzero(found.marked), np.arange(0, 300, 30))
    assert found.names == () and len(found.edges) == 8
    assert np.bincount(found.group).min() >= 42 and np.bincount(found.group).max() <= 43


def test_rows_of_another_part_are_shown_to_nobody(tmp_path: Path):
    x, cluster = planted()
    with pytest.raises(LeakError):
        embedding_map(network(tmp_path / "b"), rows(x, cluster, part="test"), cluster)


def test_a_network_that_has_all_rows_in_one_place_is_told(tmp_path: Path):
    x, cluster = np.full((40, 2), 1.5), np.arange(40) % 3
    found = embedding_map(network(tmp_path / "b"), rows(x, cluster), cluster)
    assert found == Sentence(key="embedding.no_spread", values={"rows": 40}) and "all 40 rows" in found.text


def test_numbers_that_are_not_finite_are_told(tmp_path: Path):
    x, cluster = planted()
    x[7] = 1e39  # beyond float32
    with np.errstate(over="ignore"):
        found = embedding_map(network(tmp_path / "b"), rows(x, cluster), cluster)
    assert isinstance(found, Sentence) and found.key == "embedding.not_finite"


@pytest.mark.parametrize("shape", [(60, 7), (12, 30), (50, 1), (2, 3)])
def test_the_plane_is_that_of_the_largest_singular_values(shape: tuple[int, int]):
    x = np.random.default_rng(2).normal(size=shape) * np.linspace(1, 5, shape[1])
    points, shares = principal_plane(x)
    centred = x - x.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    due = np.pad(left * sizes, [(0, 0), (0, 1)])[:, :2]
    np.testing.assert_allclose(np.abs(points), np.abs(due), atol=1e-4)
    np.testing.assert_allclose(shares, np.square(due).sum(axis=0) / np.square(centred).sum(), atol=1e-8)
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] >= 0).all()


def test_a_share_stays_below_one_of_many_directions_of_nearly_one_size():
    x = np.random.default_rng(3).normal(size=(500, 400))
    _, shares = principal_plane(x)
    sizes = np.square(np.linalg.svd(x - x.mean(axis=0), compute_uv=False))
    np.testing.assert_allclose(shares, sizes[:2] / sizes.sum(), rtol=1e-3)


def test_of_more_classes_than_colours_the_rarest_share_one():
    target = np.repeat(np.arange(12), np.arange(12, 0, -1))
    group, names, num_others = classes_of(target, tuple("abcdefghijkl"))
    assert names == (*"abcdefghi", "") and num_others == 3
    assert len(names) == MOST_CLASSES and (group[target >= 9] == 9).all() and (group[target < 9] < 9).all()


def test_values_that_repeat_have_fewer_steps():
    steps, edges = steps_of(np.array([0.0] * 50 + [1.0] * 30 + [2.0] * 20))
    assert edges == (0.0, 1.0, 2.0) and [set(steps[:50]), set(steps[50:80])] == [{0}, {1}]
    assert steps_of(np.full(9, 3.0)) == (pytest.approx(np.zeros(9)), (3.0,))
