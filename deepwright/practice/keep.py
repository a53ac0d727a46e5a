"""Keeping the rows of a run: one Arrow file a part, named by its content, so that verify and test see the same rows."""

import io
import json
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset, PartTag
from deepwright.core.errors import DataError
from deepwright.core.run import Run
from deepwright.core.schema import Schema
from deepwright.core.seal import Sealed, Split

PARTS: tuple[PartTag, ...] = ("train", "validation", "test")


def keep_split(run: Run, split: Split) -> None:
    """Write the three parts below `data/` and commit where they are."""
    run.write_json("data/schema.json", split.train.schema.model_dump(mode="json"))
    keep_rows(run, split.train)
    keep_rows(run, split.validation)
    if split.calibration is not None:
        keep_rows(run, split.calibration)
    split.test.keep(lambda rows: keep_rows(run, rows))


def keep_rows(run: Run, data: Dataset) -> None:
    name = f"data/{data.part}-{data.fingerprint[:16]}.arrow"
    if not (run.folder / name).exists() or run.entry(f"file {name}") is None:
        run.write(name, to_arrow(data))
    run.commit(f"rows {data.part}", file=name, fingerprint=data.fingerprint, rows=len(data))


def kept_rows(run: Run, part: PartTag) -> Dataset:
    """The rows of the train or validation part as they were. Raises DataError when they were changed or are gone."""
    assert part != "test", "the test part is given sealed, by kept_test"
    return _read(run, part)


def kept_test(run: Run) -> Sealed:
    """The test part as it was, sealed."""
    return Sealed(_read(run, "test"))


def _read(run: Run, part: PartTag) -> Dataset:
    entry = run.entry(f"rows {part}")
    if entry is None:
        raise DataError("run.no_file", run=run.name, file=f"data/{part}")
    schema = Schema.model_validate_json(run.read("data/schema.json"))
    data = from_arrow(run.read(entry["file"]), schema, part)
    if data.fingerprint != entry["fingerprint"]:
        raise DataError("run.changed_file", run=run.name, file=entry["file"])
    return data


def to_arrow(data: Dataset) -> bytes:
    """Columns, origins and hashes as an Arrow file."""
    import pyarrow as pa

    arrays: dict[str, Any] = {"\0origin": pa.array(data.origin), "\0hash": pa.array(data.hashes)}
    if data.file_of is not None:
        arrays["\0file"] = pa.array(data.file_of)
    if data.given is not None:
        arrays["\0given"] = pa.array(data.given)
    for name, column in data.columns.items():
        arrays[name] = (
            pa.array(column, from_pandas=False) if column.dtype != object else pa.array(column, pa.large_string())
        )
    table = pa.table(arrays, metadata={"source": data.source, "files": json.dumps(data.files)})
    stream = io.BytesIO()
    with pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def from_arrow(content: bytes, schema: Schema, part: PartTag) -> Dataset:
    import pyarrow as pa

    table = pa.ipc.open_file(io.BytesIO(content)).read_all()
    columns = {}
    for name in table.column_names:
        array = table.column(name)
        is_text = pa.types.is_large_string(array.type)
        columns[name] = np.array(array.to_pylist(), dtype=object) if is_text else array.to_numpy().copy()
    origin, hashes = columns.pop("\0origin"), columns.pop("\0hash")
    file_of, given = columns.pop("\0file", None), columns.pop("\0given", None)
    metadata = table.schema.metadata or {}
    source, files = metadata.get(b"source", b"").decode(), tuple(json.loads(metadata.get(b"files", b"[]")))
    return Dataset(columns, schema, part, origin, hashes, source, files, file_of, given)
