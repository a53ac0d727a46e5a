"""Dataset: columns with their schema, their part and the origin of every row; it never changes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from deepwright.core.errors import LeakError
from deepwright.core.schema import Columns, Role, Schema

if TYPE_CHECKING:
    from deepwright.core.operations import Operation

PartTag = Literal["whole", "train", "validation", "calibration", "test"]


@dataclass(frozen=True, eq=False)
class Decoded:
    """The images of a column. by: the operation that decodes them; pixels: uint8 [N, H, W, C], what it gives."""

    by: "Operation"
    pixels: np.ndarray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of one part.

    columns: see `schema.Columns`. origin: int64 [N], the number of each row in its source, from 1.
    hashes: uint64 [N], a hash of each canonical raw row (equal rows of any file format have equal hashes).
    files: the sources' names; file_of: int32 [N], the place of each row's file in `files`, None where there is one.
    given: int8 [N], the part that the data themselves give a row (0 train, 1 validation, -1 none); None: none at all.
    decoded: the pixels of columns of images; the columns themselves keep the references.
    """

    columns: Mapping[str, np.ndarray]
    schema: Schema
    part: PartTag
    origin: np.ndarray
    hashes: np.ndarray
    source: str = ""
    files: tuple[str, ...] = ()
    file_of: np.ndarray | None = None
    given: np.ndarray | None = None
    decoded: Mapping[str, Decoded] = field(default_factory=dict)
    _kept: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        size = len(self.origin)
        assert len(self.hashes) == size, f"{len(self.hashes)} hashes for {size} rows"
        for name, column in self.columns.items():
            assert len(column) == size, f"column {name!r} has {len(column)} rows, origin has {size}"
            column.flags.writeable = False
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __len__(self) -> int:
        return len(self.origin)

    def __repr__(self) -> str:
        return f"Dataset({self.part}, {len(self)} rows, {len(self.columns)} columns)"

    @property
    def target(self) -> np.ndarray:
        """The target column, [N]."""
        return self.columns[self.schema.target.name]

    @property
    def inputs(self) -> Columns:
        """The input columns alone: what a model may see. A decoded image is there as its pixels."""
        return {
            f.name: self.decoded[f.name].pixels if f.name in self.decoded else self.columns[f.name]
            for f in self.schema.inputs
        }

    def of_role(self, role: Role) -> np.ndarray | None:
        """The column [N] that has this role, if one has."""
        feature = self.schema.of_role(role)
        return None if feature is None else self.columns[feature.name]

    @property
    def weight(self) -> np.ndarray | None:
        """float64 [N]: how much each row counts, or None when all count alike."""
        return self.of_role("weight")

    def take(self, rows: np.ndarray, part: PartTag | None = None) -> "Dataset":
        """Some of the rows (indices or a mask). Only `whole` rows can be given a part; a part is never left again.

        Raises LeakError when rows of one part are to be called another.
        """
        part = part or self.part
        if part != self.part and self.part != "whole":
            raise LeakError("dataset.part_is_kept", part=self.part, asked=part)
        return replace(
            self,
            columns={name: column[rows] for name, column in self.columns.items()},
            part=part,
            origin=self.origin[rows],
            hashes=self.hashes[rows],
            file_of=None if self.file_of is None else self.file_of[rows],
            given=None if self.given is None else self.given[rows],
            decoded={name: Decoded(each.by, each.pixels[rows]) for name, each in self.decoded.items()},
            _kept={},
        )

    def with_decoded(self, decoded: Mapping[str, Decoded]) -> "Dataset":
        """The same rows with the pixels of their images."""
        for name, each in decoded.items():
            assert len(each.pixels) == len(self), f"{len(each.pixels)} images in {name!r} for {len(self)} rows"
        return replace(self, decoded=decoded)

    def with_schema(self, schema: Schema) -> "Dataset":
        """The same rows under another schema of the same columns."""
        return replace(self, schema=schema)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names, types and every value, as 64 hex digits."""
        if "fingerprint" not in self._kept:
            digest = hashlib.sha256()
            for name in sorted(self.columns):
                column = self.columns[name]
                digest.update(f"{name}\0{column.dtype.kind}\0{len(column)}\0".encode())
                digest.update(column_bytes(column))
            self._kept["fingerprint"] = digest.hexdigest()
        return self._kept["fingerprint"]


def column_bytes(column: np.ndarray) -> bytes:
    """A column as bytes that differ when any value differs (a missing text differs from an empty one)."""
    if column.dtype != object:
        return np.ascontiguousarray(column).tobytes()
    texts = [None if value is None else value.encode("utf-8", "surrogatepass") for value in column]
    sizes = np.array([-1 if text is None else len(text) for text in texts], dtype="<i8")
    return sizes.tobytes() + b"".join(text for text in texts if text is not None)
