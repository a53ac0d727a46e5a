"""Shares of several labels: every part gets its share of every label, whatever the order of rows."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError
from deepwright.core.schema import Feature, Schema
from deepwright.core.seal import TEST, VALIDATION
from deepwright.data.label_shares import label_columns
from deepwright.data.split import Stratified, choose_split

LABELS = ("calm", "fast", "loud", "odd", "rare")
SHARES = (0.7, 0.2, 0.1)


def songs(num: int = 1000, seed: int = 0) -> Dataset:
    """Rows with the labels at 40, 30, 20, 5 and 2 in a hundred, and some with none."""
    draw = np.random.default_rng(seed)
    has = draw.random((num, 5)) < [0.4, 0.3, 0.2, 0.05, 0.02]
    cells = ["|".join(label for label, is_in in zip(LABELS, row, strict=True) if is_in) for row in has.tolist()]
    target = Feature(name="y", type="category", role="target", separator="|")
    schema = Schema(features=(Feature(name="x", type="number"), target))
    columns = {"x": np.arange(num, dtype=float), "y": np.array(cells, dtype=object)}
    hashes = draw.integers(0, 2**63, num).astype(np.uint64)
    return Dataset(columns, schema, "whole", np.arange(num), hashes)


def worst_share(whole: Dataset, parts: np.ndarray) -> float:
    """By how many rows a part's share of a label, or of those without, is off at most."""
    columns = label_columns(whole.target, whole.schema.target)
    due = columns.sum(axis=0)[:, np.newaxis] * np.array(SHARES)
    found = np.stack([columns[parts == part].sum(axis=0) for part in range(3)], axis=1)
    return float(np.abs(found - due).max())


def test_every_label_gets_its_shares_and_rows_without_one_too():
    off = [worst_share(songs(seed=seed), Stratified(seed=seed).assign(songs(seed=seed))) for seed in range(5)]
    assert max(off) <= 2.0, off
    random = [worst_share(songs(seed=seed), random_parts(1000, seed)) for seed in range(5)]
    assert min(random) > 5.0, "shares that nobody keeps are seen"


def random_parts(num: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(3, num, p=SHARES).astype(np.int8)


def test_the_order_of_rows_changes_nothing_and_another_seed_deals_anew():
    whole = songs()
    order = np.random.default_rng(1).permutation(len(whole))
    parts = Stratified().assign(whole)
    np.testing.assert_array_equal(Stratified().assign(whole.take(order)), parts[order])
    assert (Stratified(seed=1).assign(whole) != parts).mean() > 0.2


def test_equal_rows_stay_together_and_one_that_fills_the_table_goes_to_training():
    whole = songs()
    hashes = whole.hashes.copy()
    hashes[:600] = hashes[0]
    columns = {**whole.columns, "y": np.where(np.arange(1000) < 600, whole.target[0], whole.target)}
    parts = Stratified().assign(Dataset(columns, whole.schema, "whole", whole.origin, hashes))
    assert set(parts[:600]) == {0} and (parts == VALIDATION).sum() > 100


def test_no_row_goes_where_there_is_no_share_and_an_empty_part_is_refused():
    parts = Stratified(train=0.8, validation=0.2, test=0.0).assign(songs())
    assert not (parts == TEST).any() and (parts == VALIDATION).sum() == pytest.approx(200, abs=10)
    with pytest.raises(DataError, match="part"):
        Stratified().assign(songs().take(np.arange(3)))


def test_small_tables_are_stratified_and_large_ones_random():
    assert choose_split(songs(), has_test=False)[1].rule == "split_stratified_labels"
    assert choose_split(songs(20_000), has_test=False)[1].rule == "split_random_labels"
