"""Embedding map: validation rows in the plane in which the tensor before a network's last layer spreads most.

Shapes: N rows, D numbers of each.
"""

from dataclasses import dataclass

import numpy as np

from deepwright.core.bundle import Bundle
from deepwright.core.dataset import Dataset
from deepwright.core.report import Sentence
from deepwright.core.step import require_part
from deepwright.evaluation.last_layer import before_last_layer
from deepwright.evaluation.worst import NO_LABEL

MOST_ROWS = 2000
"""Rows drawn; more would hide each other."""
MOST_CLASSES = 10
"""Classes with a colour of their own; of more the smallest share a grey."""
NUM_STEPS = 7
"""Colours of values, each for as many rows."""
NUM_DIRECTIONS, MOST_PRODUCTS = 8, 200
"""Directions that are sought for two, since those beside them make the two settle sooner."""
WORST_SHARE = 0.05
"""Of values: the rows that are marked, those with the largest errors."""


@dataclass(frozen=True)
class EmbeddingMap:
    """What is drawn of N validation rows.

    points: float64 [N, 2]. shares: of the spread along either axis. rows: how many N were drawn from.
    group: int64 [N], the colour of each row: the place of its class in `names`, or its step among `edges`.
    names: the classes, or the sets of labels that rows have, the most frequent first; the last may stand for several
    (`num_others`), then without a name.
    edges: of the steps of values, one more than those. marked: bool [N], wrong answers or the largest errors.
    of_labels: names are of sets of labels.
    """

    points: np.ndarray
    shares: tuple[float, float]
    rows: int
    group: np.ndarray
    marked: np.ndarray
    names: tuple[str, ...] = ()
    num_others: int = 0
    edges: tuple[float, ...] = ()
    of_labels: bool = False


def embedding_map(bundle: Bundle, data: Dataset, target: np.ndarray) -> EmbeddingMap | Sentence:
    """The map of a network's validation rows, at most 2,000 of them, the same ones each time; or why there is none.

    target: as in `Metric.value`. Raises LeakError for another part.
    """
    require_part(data, "validation", "embedding")
    rows = np.sort(np.random.default_rng(0).permutation(len(data))[:MOST_ROWS])
    drawn, target = data.take(rows), target[rows]
    x_ND = before_last_layer(bundle, drawn.inputs)
    if x_ND is None:
        return Sentence(key="embedding.no_layer")
    if not np.isfinite(x_ND).all():
        return Sentence(key="embedding.not_finite")
    plane = principal_plane(x_ND)
    if plane is None:
        return Sentence(key="embedding.no_spread", values={"rows": len(rows)})
    points, shares = plane
    given = bundle.predict(drawn)
    if given.value is not None:
        group, edges = steps_of(target)
        error = np.abs(target - given.value)
        marked = error > np.quantile(error, 1 - WORST_SHARE)
        return EmbeddingMap(points, shares, len(data), group, marked, edges=edges)
    wrong = (given.decided != target).reshape(len(rows), -1).any(axis=1)
    told = combinations(target, bundle.levels) if given.has_labels else (target, bundle.levels)
    group, names, num_others = classes_of(*told)
    return EmbeddingMap(
        points, shares, len(data), group, wrong, names=names, num_others=num_others, of_labels=given.has_labels
    )


def principal_plane(x_ND: np.ndarray) -> tuple[np.ndarray, tuple[float, float]] | None:
    """float64 [N, 2], rows along the two directions in which they spread most, and the share of the spread along each;
    None where rows do not differ.

    Directions have no sign of their own: the row that is farthest out gets a positive place.
    Reference: Pearson (1901), On lines and planes of closest fit.

    >>> points, shares = principal_plane(np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    >>> np.abs(points).round(6).tolist(), [round(share, 6) for share in shares]
    ([[3.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0.9, 0.1])
    """
    centred = x_ND - x_ND.mean(axis=0)
    spread = float(np.square(centred).sum())
    if len(centred) < 2 or spread <= 1e-12 * max(1.0, float(np.square(x_ND).sum())):
        return None
    points = leading(centred, NUM_DIRECTIONS)[:, :2]
    points = np.pad(points, [(0, 0), (0, 2 - points.shape[1])])
    farthest = np.abs(points).argmax(axis=0)
    points = points * np.where(points[farthest, [0, 1]] < 0, -1.0, 1.0)
    first, second = (float(each) for each in np.square(points).sum(axis=0) / spread)
    return points, (first, second)


def leading(x_ND: np.ndarray, num_directions: int) -> np.ndarray:
    """float64 [N, `num_directions`] or fewer: rows along the directions of the largest spread, the largest first.

    Products with ever fewer unknowns instead of all D directions at once: 2,000 rows of 2,048 numbers took 6 s.
    Reference: Halko, Martinsson and Tropp (2011, arXiv 0909.4061), with products until the spread stands still.
    """
    size = min(num_directions, *x_ND.shape)
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((x_ND.shape[1], size)))[0]
    before = 0.0
    for _ in range(MOST_PRODUCTS):
        basis = np.linalg.qr(x_ND.T @ (x_ND @ basis))[0]
        left, size_of, _ = np.linalg.svd(x_ND @ basis, full_matrices=False)
        spread = float(np.square(size_of[:2]).sum())
        if spread - before <= 1e-9 * spread:
            break
        before = spread
    return np.asarray(left * size_of)


def classes_of(target: np.ndarray, levels: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...], int]:
    """int64 [N] the colour of each row, the names of the colours and how many classes the last, nameless one is of.

    >>> group, names, others = classes_of(np.array([1, 1, 0]), ("cat", "dog", "eel"))
    >>> group.tolist(), names, others
    ([0, 0, 1], ('dog', 'cat'), 0)
    """
    counts = np.bincount(target, minlength=len(levels))
    order = [place for place in np.argsort(-counts, kind="stable").tolist() if counts[place]]
    named = order if len(order) <= MOST_CLASSES else order[: MOST_CLASSES - 1]
    colour = np.full(len(levels), len(named))
    colour[named] = np.arange(len(named))
    num_others = len(order) - len(named)
    return colour[target], tuple(levels[place] for place in named) + ("",) * bool(num_others), num_others


def combinations(target: np.ndarray, levels: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """int64 [N], which labels each row has together, and the names of those sets. target: bool [N, L].

    >>> combinations(np.array([[True, True], [False, False], [True, True]]), ("fast", "loud"))
    (array([1, 0, 1]), ('–', 'fast, loud'))
    """
    sets, place = np.unique(target, axis=0, return_inverse=True)
    names = (", ".join(level for level, is_in in zip(levels, row, strict=True) if is_in) for row in sets.tolist())
    return place.reshape(-1), tuple(name or NO_LABEL for name in names)


def steps_of(target: np.ndarray) -> tuple[np.ndarray, tuple[float, ...]]:
    """int64 [N] the step of each value and the edges of the steps, each of about as many rows; fewer where values
    repeat.

    >>> steps, edges = steps_of(np.arange(14.0))
    >>> steps.tolist(), edges[0], edges[-1]
    ([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6], 0.0, 13.0)
    """
    edges = np.unique(np.quantile(target, np.linspace(0, 1, NUM_STEPS + 1)))
    steps = np.searchsorted(edges[1:-1], target, side="right")
    return steps, tuple(edges.tolist())
