"""Slices: conditions on the inputs under which a member is worse than on the rest, with chance kept out.

Every condition on one input and every pair of conditions on two is a candidate. The one-sided score statistic of each
is compared with the largest one that the same search finds where losses are dealt out to rows at random (Westfall and
Young 1993, max-T), so that however many candidates there are, a run without a bad slice names one in at most 3 %.
Where rows come in groups, residuals change their sign by whole groups instead (a wild cluster bootstrap, Cameron,
Gelbach and Miller 2008). Found slices leave before the next is looked for, so that one fault is named once.

References: Chung, Kraska, Polyzotis, Tae and Whang 2019 (Slice Finder, arXiv 1807.06068).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Metric
from deepwright.core.report import Finding, Sentence, finding
from deepwright.core.schema import Problem
from deepwright.core.step import require_part
from deepwright.evaluation.classify import Accuracy
from deepwright.evaluation.conditions import Condition, Facet, facets, meeting, words_of
from deepwright.evaluation.counts import answered_labels
from deepwright.evaluation.decision import as_answer
from deepwright.evaluation.interval import interval
from deepwright.evaluation.multi_label import HammingLoss
from deepwright.evaluation.regress import Mae
from deepwright.evaluation.wording import count, shown

LEVEL = 0.03
"""How often a run without a bad slice may name one; half of it for single conditions, half for pairs."""
NUM_DRAWS = 400
LEAST_ROWS, LEAST_SHARE, MOST_SHARE = 30, 0.02, 0.5
"""How many rows a slice has; more than half of all are no part of them but the rule."""
LEAST_RATIO = 1.25
"""How many times the rest's mean loss a slice must have to be worth naming."""
SIMPLER = 0.25
"""Standard errors that a pair must be ahead of a single condition to be named in its place."""
MOST_ROWS = 10_000
"""Rows that are searched; of more, those of the smallest hashes."""
MOST_PAIRED = 30
"""Inputs, from the first, that stand in pairs."""
MOST_NAMED = 10
MOST_FINDINGS = 5
FEWEST_ROWS = 300
"""Rows from which on a search can find anything at all."""

Table = dict[tuple[int, ...], np.ndarray]
"""Something of each candidate by the places of its inputs: [C] for one, [C, C'] for two."""


@dataclass(frozen=True)
class Slice:
    """conditions: one or two. rows: places [n] among the rows searched. z: how many standard errors worse."""

    conditions: tuple[Condition, ...]
    rows: np.ndarray
    z: float


def bad_slices(
    train: Dataset,
    validation: Dataset,
    target: np.ndarray,
    answer: np.ndarray,
    *,
    decided: np.ndarray | None = None,
    facts: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Where one member is worse than on the rest of the validation part, as plain data. Shapes as in `Metric.value`.

    decided: int64 [N], the classes answered, where that is not the most probable one. facts: as in `facets`.
    Gives {"metric", "searched", "candidates", "found": [{"conditions", "value", "low", "high", "n", "rest", "rest_n",
    "expected", "z"}]}: accuracy of classes, mean absolute error of values; expected is the accuracy that the member's
    own probabilities promise there. The intervals are of single slices: of what a search picks, the truth lies rather
    nearer to the rest. found is in the order of how sure each is.

    Raises LeakError for other parts.
    """
    require_part(train, "train", "slices")
    require_part(validation, "validation", "slices")
    problem = validation.schema.problem
    metric, _, losses = _judged(problem, target, answer, decided)
    kept = np.sort(np.argsort(validation.hashes, kind="stable")[:MOST_ROWS])
    columns = {name: column[kept] for name, column in validation.inputs.items()}
    some = {name: (before, now[kept]) for name, (before, now) in (facts or {}).items()}
    cut = facets(validation.schema, train.inputs, columns, some)
    groups = validation.of_role("group")
    found = search(cut, losses[kept], groups=None if groups is None else groups[kept], seed=seed)
    record: dict[str, Any] = {
        "metric": metric.kind,
        "searched": len(kept),
        "candidates": num_candidates(cut, len(kept)) if len(kept) >= FEWEST_ROWS else 0,
        "found": [],
    }
    for one in found:
        conditions = [condition.record() for condition in one.conditions]
        inside = meeting(conditions, validation.schema, train.inputs, validation.inputs, facts)
        record["found"].append(
            {
                "conditions": conditions,
                **compared(problem, target, answer, decided, inside),
                "z": round(one.z, 3),
            }
        )
    return record


def compared(
    problem: Problem, target: np.ndarray, answer: np.ndarray, decided: np.ndarray | None, inside: np.ndarray
) -> dict[str, Any]:
    """The metric of slices inside one with its interval, and on the rest. inside: bool [N]."""
    metric, seen, _ = _judged(problem, target, answer, decided)
    low, high, _ = interval(metric, target[inside], seen[inside])
    expected = None
    if answer.ndim == 2:
        own = answer.max(axis=1) if decided is None else answer[np.arange(len(answer)), decided]
        expected = float(own[inside].mean())
    return {
        "value": float(metric.value(target[inside], seen[inside])),
        "low": low,
        "high": high,
        "n": int(inside.sum()),
        "rest": float(metric.value(target[~inside], seen[~inside])),
        "rest_n": int((~inside).sum()),
        "expected": expected,
    }


def slice_findings(record: Mapping[str, Any]) -> tuple[Finding, ...]:
    """The surest of them as findings: a warning, or a note where the member itself knows how weak it is there."""
    found = []
    for one in record["found"][:MOST_FINDINGS]:
        where = words_of(one["conditions"])
        width = None if one["low"] is None else one["high"] - one["low"]
        low, high = shown(one["low"], width), shown(one["high"], width)
        values = {"value": shown(one["value"], width), "low": low, "high": high, "n": count(one["n"])}
        values["rest"] = shown(one["rest"], width)
        if one["expected"] is None:
            found.append(finding("bad_slice_of_values", "warning", where, **values))
            continue
        values["expected"] = shown(one["expected"], width)
        if one["high"] is not None and one["expected"] <= one["high"]:
            known = Sentence(key="failing.known_slice", values={"where": where, **values})
            found.append(Finding(rule="bad_slice", severity="note", where=where, sentence=known))
        else:
            found.append(finding("bad_slice", "warning", where, **values))
    return tuple(found)


def search(cut: Sequence[Facet], losses: np.ndarray, *, groups: np.ndarray | None = None, seed: int = 0) -> list[Slice]:
    """The slices whose mean loss is above that of the rest beyond chance, the surest first. losses: float64 [N].

    groups: [N], rows of one of them are not independent of one another.
    """
    if len(losses) < FEWEST_ROWS or losses.std() == 0:
        return []
    draws = _null(losses, groups, seed)
    most, fitting, spread = _largest(cut, draws, losses if groups is None else None)
    limits = {num: float(np.quantile(some, 1 - LEVEL / len(most), method="higher")) for num, some in most.items()}
    active = np.arange(len(losses))
    found: list[Slice] = []
    while len(found) < MOST_NAMED and len(active) >= FEWEST_ROWS:
        best = _best(cut, losses, active, limits, fitting, spread)
        if best is None:
            break
        found.append(best)
        active = np.setdiff1d(active, best.rows)
    return found


def num_candidates(cut: Sequence[Facet], num_rows: int) -> int:
    """How many slices were compared."""
    return sum(int(_sizes_fit(sizes, num_rows).sum()) for _, sizes, _ in _sums(cut, np.ones((num_rows, 1))))


def _null(losses: np.ndarray, groups: np.ndarray | None, seed: int) -> np.ndarray:
    """float32 [N, P]: losses as they would be dealt out to rows by chance."""
    rng = np.random.default_rng((seed, len(losses)))
    if groups is None:
        return np.stack([rng.permutation(losses.astype(np.float32)) for _ in range(NUM_DRAWS)], axis=1)
    _, group = np.unique([str(value) for value in groups], return_inverse=True)
    signs = rng.choice((-1.0, 1.0), size=(int(group.max()) + 1, NUM_DRAWS))
    return np.asarray((losses - losses.mean())[:, np.newaxis] * signs[group], np.float32)


def _largest(
    cut: Sequence[Facet], draws: np.ndarray, losses: np.ndarray | None
) -> tuple[dict[int, np.ndarray], Table, Table]:
    """The largest statistic of each draw, [P], of single conditions (1) and of pairs (2); which candidates have a
    fitting size; and for groups, each candidate's standard deviation over the draws."""
    size = len(draws)
    most: dict[int, np.ndarray] = {}
    fitting: Table = {}
    spread: Table = {}
    mean = draws.mean(axis=0, dtype=np.float64).astype(draws.dtype)
    moments = None if losses is None else _moments(losses)
    for places, sizes, sums in _sums(cut, draws):
        above = sums - sizes[..., np.newaxis] * mean
        if moments is None:
            deviation = spread[places] = above.std(axis=-1)
            skew = np.zeros(sizes.shape)
        else:
            deviation, skew = _spread(moments, sizes, size)
        fits = fitting[places] = _sizes_fit(sizes, size) & (deviation > 0)
        if fits.any():
            z = _normal(above[fits] / deviation[fits][:, np.newaxis], skew[fits][:, np.newaxis]).max(axis=0)
            most[len(places)] = np.maximum(most.get(len(places), z), z)
    return most, fitting, spread


def _best(
    cut: Sequence[Facet],
    losses: np.ndarray,
    active: np.ndarray,
    limits: Mapping[int, float],
    fitting: Table,
    spread: Table,
) -> Slice | None:
    """The slice of the active rows that is the surest; a single condition before a pair that is hardly surer."""
    some, size = losses[active], len(active)
    mean, moments = some.mean(), _moments(some)
    best: dict[int, tuple[float, tuple[Condition, ...], np.ndarray]] = {}
    for places, sizes, sums in _sums(cut, some[:, np.newaxis], active):
        above = sums[..., 0] - sizes * mean
        deviation, skew = _spread(moments, sizes, size)
        if places in spread:
            deviation, skew = spread[places], np.zeros(sizes.shape)
        rest = (some.sum() - sums[..., 0]) / np.maximum(size - sizes, 1)
        fits = (
            fitting[places]
            & _sizes_fit(sizes, len(losses))
            & (deviation > 0)
            & (sums[..., 0] >= LEAST_RATIO * rest * sizes)
        )
        if not fits.any():
            continue
        z = np.full(above.shape, -np.inf)
        z[fits] = _normal(above[fits] / deviation[fits], skew[fits])
        place = np.unravel_index(int(z.argmax()), z.shape)
        if z[place] > best.get(len(places), (limits[len(places)],))[0]:
            conditions, inside = _candidate(cut, places, place, active)
            best[len(places)] = (float(z[place]), conditions, active[inside])
    if not best:
        return None
    num = max(best, key=lambda n: best[n][0] - (SIMPLER if n == 2 else 0.0))
    z_best, conditions, rows = best[num]
    return Slice(conditions, rows, z_best)


def _moments(losses: np.ndarray) -> tuple[float, float]:
    """Standard deviation and skewness of one row."""
    centred = losses - losses.mean()
    deviation = float(losses.std(ddof=1))
    return deviation, float(np.mean(centred * centred * centred)) / deviation**3 if deviation > 0 else 0.0


def _spread(moments: tuple[float, float], sizes: np.ndarray, num_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation and skewness of the sum over so many of the rows, drawn without replacement."""
    deviation, skew = moments
    inside = np.minimum(sizes, num_rows) * np.maximum(num_rows - sizes, 0) / num_rows
    root = np.sqrt(inside)
    return deviation * root, skew * (num_rows - 2 * sizes) / num_rows / np.maximum(root, 1.0)


def _normal(z: np.ndarray, skew: np.ndarray) -> np.ndarray:
    """A statistic of this skewness on the normal scale (Wilson and Hilferty's cube root), so that small slices, whose
    sums are skewed, and large ones can be compared."""
    skew = np.broadcast_to(np.where(np.abs(skew) < 1e-6, 1e-6, skew), z.shape)
    return np.asarray(6 / skew * (np.cbrt(np.maximum(skew * z / 2 + 1, 0.0)) - 1) + skew / 6)


def _candidate(
    cut: Sequence[Facet], places: tuple[int, ...], place: tuple[Any, ...], active: np.ndarray
) -> tuple[tuple[Condition, ...], np.ndarray]:
    """The conditions of one cell of a table of candidates, and which active rows meet them."""
    inside = np.ones(len(active), dtype=bool)
    conditions = []
    for facet, number in zip((cut[p] for p in places), place, strict=True):
        used = facet.coarse if len(places) == 2 else facet
        inside &= used.sets[number][used.codes[active]]
        conditions.append(used.conditions[number])
    return tuple(conditions), inside


def _sums(
    cut: Sequence[Facet], values: np.ndarray, active: np.ndarray | None = None
) -> Iterator[tuple[tuple[int, ...], np.ndarray, np.ndarray]]:
    """Every candidate's number of rows [C] or [C, C'] and sums of values [..., P], one input or pair of them at a time.

    values: float [n, P]. active: the rows [n] that they are of; None: all.
    """
    rows: Any = slice(None) if active is None else active
    for place, facet in enumerate(cut):
        sets = facet.sets.astype(values.dtype)
        counts, sums = _cells(facet.codes[rows], values, sets.shape[1])
        yield (place,), sets @ counts, sets @ sums
    coarse = [facet.coarse for facet in cut[:MOST_PAIRED]]
    for first, one in enumerate(coarse):
        for second, other in enumerate(coarse[first + 1 :], first + 1):
            a, b = one.sets.astype(values.dtype), other.sets.astype(values.dtype)
            cells = one.codes[rows] * b.shape[1] + other.codes[rows]
            counts, sums = _cells(cells, values, a.shape[1] * b.shape[1])
            half = (a @ sums.reshape(a.shape[1], -1)).reshape(len(a), b.shape[1], -1)
            yield (first, second), a @ counts.reshape(a.shape[1], -1) @ b.T, np.matmul(b, half)


def _cells(codes: np.ndarray, values: np.ndarray, num_cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows [B] and sums of values [B, P] of each cell."""
    from scipy.sparse import csr_matrix

    size = len(codes)
    members = csr_matrix((np.ones(size, values.dtype), codes, np.arange(size + 1)), shape=(size, num_cells))
    return np.bincount(codes, minlength=num_cells).astype(values.dtype), members.T @ values


def _sizes_fit(sizes: np.ndarray, num_rows: int) -> np.ndarray:
    return (sizes >= max(LEAST_ROWS, LEAST_SHARE * num_rows)) & (sizes <= MOST_SHARE * num_rows)


def _judged(
    problem: Problem, target: np.ndarray, answer: np.ndarray, decided: np.ndarray | None
) -> tuple[Metric, np.ndarray, np.ndarray]:
    """The metric of slices, the answers as it sees them, and each row's loss."""
    answer = np.asarray(answer, np.float64)
    if problem == "regression":
        return Mae(), answer, np.abs(target - answer)
    if problem == "multi-label":
        has = answered_labels(answer) if decided is None else decided
        return HammingLoss(), as_answer(has, answer.shape[1]), (has != target).mean(axis=1)
    said = answer.argmax(axis=1) if decided is None else decided
    return Accuracy(), as_answer(said, answer.shape[1]), (said != target).astype(np.float64)
