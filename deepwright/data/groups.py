"""Groups: a splitter that keeps all rows of a patient, customer or place in one part."""

from hashlib import blake2b

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError
from deepwright.core.families import Splitter
from deepwright.core.part import option
from deepwright.data.shares import PARTS, Shares, drawn, parts_at, require_rows, required_whole, strata


class Groups(Splitter, kind="groups"):
    """By whole groups of the column that `--group` names, so no group is learned from and judged on at once.

    balanced: the groups, the largest first, go where most rows of their classes are due, so shares of rows and classes
    come out close; when rows are added, groups can change their part. Otherwise a group's part is a function of its
    name and the seed alone and never changes, and the shares are of groups, approximately.
    """

    train: float = option(0.7, "share of rows that the model learns from", above=0, below=1)
    validation: float = option(0.2, "share of rows on which choices are made", above=0, below=1)
    test: float = option(0.1, "share of rows sealed until the one look; 0 with a test file of your own", low=0, below=1)
    seed: int = option(0, "decides the split alone, not the training", low=0, high=2**31 - 1)
    balanced: bool = option(True, "true: shares of rows and classes come out close; false: no group ever moves")

    def assign(self, data: Dataset) -> np.ndarray:
        """Raises RecipeError without a group column, DataError for fewer groups than parts."""
        column = data.of_role("group")
        if column is None:
            raise RecipeError("split.no_role", kind="groups", option="--group", columns=", ".join(data.schema.names))
        names, group = np.unique(column.astype(str), return_inverse=True)
        shares = required_whole((self.train, self.validation, self.test))
        num_parts = sum(share > 0 for share in shares)
        if len(names) < num_parts:
            raise DataError("split.few_groups", groups=len(names), parts=num_parts)
        cluster = clusters(group.astype(np.int64), data.hashes)
        draws = group_draws(names, cluster, self.seed)
        if not self.balanced:
            return parts_at(draws[cluster[group]] / 2.0**64, shares)
        parts = _balanced(cluster[group], draws, strata(data, 1), shares)
        require_rows(parts, shares)
        return parts


def clusters(group: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """int64 [G]: the same number for groups that share a row hash, which must stay in one part.

    Rows that differ only in which cell holds which value have the same hash, so two groups can share one.
    """
    cluster = np.arange(int(group.max()) + 1)
    row_hash = np.unique(hashes, return_inverse=True)[1]
    while True:
        least = np.full(int(row_hash.max()) + 1, len(cluster))
        np.minimum.at(least, row_hash, cluster[group])
        nearer = cluster.copy()
        np.minimum.at(nearer, group, least[row_hash])
        nearer = nearer[nearer]
        if np.array_equal(nearer, cluster):
            return cluster
        cluster = nearer


def group_draws(names: np.ndarray, cluster: np.ndarray, seed: int) -> np.ndarray:
    """uint64 [G]: a draw for each cluster from the name of its first group and the seed."""
    digests = [blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in names[cluster]]
    return drawn(np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64), seed)


def _balanced(group: np.ndarray, draws: np.ndarray, stratum: np.ndarray, shares: Shares) -> np.ndarray:
    """int8 [N]: groups, the largest first, each to the part that lacks most rows of the group's classes."""
    present, group = np.unique(group, return_inverse=True)
    counts = np.zeros((len(present), int(stratum.max()) + 1))
    np.add.at(counts, (group, stratum), 1.0)
    weights = counts / counts.sum(axis=0)  # share of each class that a group holds
    wanted = np.array(shares)
    lacking = np.repeat(wanted[:, None], counts.shape[1], axis=1)
    part_of = np.empty(len(present), np.int8)
    is_empty = wanted > 0
    order = np.lexsort((draws[present], -counts.sum(axis=1)))
    for done, place in enumerate(order):
        allowed = is_empty if is_empty.sum() == len(order) - done else wanted > 0
        gain = np.where(allowed, lacking @ weights[place], -np.inf)
        best = int(gain.argmax())
        part_of[place] = best
        lacking[best] -= weights[place]
        is_empty[best] = False
    return part_of[group]


def group_counts(group: np.ndarray, parts: np.ndarray) -> str:
    """How many groups each part has rows of, in words."""
    return ", ".join(
        f"{name} {len(set(group[parts == number]))}" for number, name in enumerate(PARTS) if (parts == number).any()
    )
