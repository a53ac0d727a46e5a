"""Bundle: the folder that ships; what was reported, what is served and what is exported are this very thing.

    manifest.json        format, digests, and size and SHA-256 of every other file
    schema.json          features, types, roles, levels and ranges of the training part
    operations.json      fitted preprocessing as plain data (host side)
    graph.onnx           tensors > answer, for answering
    weights.safetensors  the same weights by their own names, for going on training
    recipe.json  report.json  profile.json  golden.json  versions.json

Loading checks every byte against the manifest and replays the golden rows. Nothing in it is code; nothing is unpickled.
docs/bundle.md describes each file.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from deepwright.core import strict_json
from deepwright.core.disk import write_atomic
from deepwright.core.errors import BundleError, RecipeError
from deepwright.core.golden import golden_rows
from deepwright.core.operations import DecodeImage, Operation, load_operations, run_operations, unfolded
from deepwright.core.part import canonical_json
from deepwright.core.schema import Columns, Problem, Schema
from deepwright.core.weights import check_weights

FORMAT = 1
BATCH = 1024
"""Rows answered at once. Fixed, because another size may change the last bits of a matrix product."""
PIXELS = 1 << 18
"""Of images fewer are answered at once: so many pixels of one channel, since a network makes many channels of them."""
GOLDEN_TOLERANCE = 1e-5
SCALE = "scale"
"""The output of a graph, beside the answer, that the width of intervals is counted in."""
CONTAINS_DATA = "contains_data"
"""The entry of a graph's metadata that marks training rows in it."""
FILE_LIMIT_BYTES = 8 << 30
JSON_LIMIT_BYTES = 256 << 20

File = Literal[
    "golden.json",
    "graph.onnx",
    "operations.json",
    "profile.json",
    "recipe.json",
    "report.json",
    "schema.json",
    "versions.json",
    "weights.safetensors",
]
FILES = frozenset(get_args(File))


@dataclass(frozen=True)
class Answers:
    """What a model says of N rows.

    probability: float32 [N, K] of classes or labels, else None. value: float32 [N] for values, else None.
    out_of_range: bool [N], rows outside what the training part showed.
    threshold: of two classes the second is answered from this probability on; None: the more probable one. Of several
    labels each is answered from it on; None: from a half.
    costs: [K][K] as in the schema: the class of the least expected cost is answered.
    interval: float64 [N, 2], low and high of values, and sets: bool [N, K], the classes or labels that may be true,
    where the bundle has them.
    has_labels: a row may have several of the levels, or none.
    """

    levels: tuple[str, ...]
    probability: np.ndarray | None
    value: np.ndarray | None
    out_of_range: np.ndarray
    threshold: float | None = None
    costs: tuple[tuple[float, ...], ...] | None = None
    interval: np.ndarray | None = None
    sets: np.ndarray | None = None
    has_labels: bool = False

    @property
    def answer(self) -> np.ndarray:
        """probability or value, whichever the problem has: what metrics take."""
        found = self.probability if self.probability is not None else self.value
        assert found is not None, "an answer has probabilities or values"
        return found

    @property
    def is_decided(self) -> bool:
        """Whether something else than the probabilities alone says which class is answered."""
        return self.threshold is not None or self.costs is not None

    @property
    def decided(self) -> np.ndarray:
        """int64 [N]: the number of the class answered for each row; of several labels bool [N, L]."""
        assert self.probability is not None, "a regression has no classes"
        if self.has_labels:
            return np.asarray(self.probability >= np.float32(0.5 if self.threshold is None else self.threshold))
        if self.costs is not None:
            return np.asarray((self.probability.astype(np.float64) @ np.asarray(self.costs)).argmin(axis=1))
        if self.threshold is None:
            return np.asarray(self.probability.argmax(axis=1))
        return (self.probability[:, 1] >= np.float32(self.threshold)).astype(np.int64)

    @property
    def label(self) -> np.ndarray:
        """object [N]: the level answered for each row."""
        return np.asarray(np.array(self.levels, dtype=object)[self.decided])

    @property
    def labels(self) -> list[list[str]]:
        """The labels answered for each row."""
        return [
            [level for level, is_in in zip(self.levels, row, strict=True) if is_in] for row in self.decided.tolist()
        ]

    def records(self) -> list[dict[str, Any]]:
        """One mapping per row, as the server answers: label (or labels) and probability per level and perhaps the set
        of levels, or value and perhaps low and high."""
        flags = self.out_of_range.tolist()
        if self.probability is None:
            assert self.value is not None
            values = [{"value": v, "out_of_range": f} for v, f in zip(self.value.tolist(), flags, strict=True)]
            if self.interval is None:
                return values
            return [
                {"value": row["value"], "low": low, "high": high, "out_of_range": row["out_of_range"]}
                for row, (low, high) in zip(values, self.interval.tolist(), strict=True)
            ]
        name, answered = ("labels", self.labels) if self.has_labels else ("label", self.label.tolist())
        records = [
            {name: label, "probability": dict(zip(self.levels, row, strict=True)), "out_of_range": flag}
            for label, row, flag in zip(answered, self.probability.tolist(), flags, strict=True)
        ]
        for record, levels in zip(records, self.set_levels, strict=False):
            record["set"] = levels
        return records

    @property
    def set_levels(self) -> list[list[str]]:
        """The levels in the set of each row; no rows where there are no sets."""
        if self.sets is None:
            return []
        return [[level for level, is_in in zip(self.levels, row, strict=True) if is_in] for row in self.sets.tolist()]


class Bundle:
    """A loaded bundle: `predict(rows)` is the same call in evaluation, batch and server."""

    def __init__(
        self,
        folder: Path,
        digest: str,
        schema: Schema,
        operations: tuple[Operation, ...],
        session: Any,
        contents: dict[str, Any],
    ) -> None:
        self.folder = folder
        self.digest = digest
        self.schema = schema
        self.operations = operations
        self._session = session
        self._inputs = [entry.name for entry in session.get_inputs()]
        names = [entry.name for entry in session.get_outputs()]
        self._outputs = [names[0], *(name for name in names[1:] if name == SCALE)]
        places = [o.height * o.width for o in unfolded(operations) if isinstance(o, DecodeImage)]
        takes_pixels = any(len(entry.shape) == 4 for entry in session.get_inputs())
        self._rows_at_once = rows_at_once(max(places)) if places and takes_pixels else BATCH
        self._contents = contents

    @property
    def problem(self) -> Problem:
        return self.schema.problem

    @property
    def levels(self) -> tuple[str, ...]:
        return self.schema.target.levels if self.problem != "regression" else ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tensors that its graph takes from its operations."""
        return tuple(self._inputs)

    @property
    def contains_data(self) -> bool:
        """Whether rows of the training part can be read in its files."""
        in_graph = CONTAINS_DATA in self._session.get_modelmeta().custom_metadata_map
        return in_graph or any(operation.contains_data for operation in unfolded(self.operations))

    @property
    def recipe(self) -> dict[str, Any]:
        return dict(self._contents["recipe.json"])

    @property
    def versions(self) -> dict[str, Any]:
        return dict(self._contents["versions.json"])

    @property
    def report(self) -> dict[str, Any]:
        return dict(self._contents["report.json"])

    @property
    def profile(self) -> dict[str, Any]:
        return dict(self._contents["profile.json"])

    @property
    def golden(self) -> dict[str, Any]:
        return dict(self._contents["golden.json"])

    def __repr__(self) -> str:
        return f"Bundle({str(self.folder)!r}, {self.problem} of {self.schema.target.name!r}, {self.digest[:12]})"

    @classmethod
    def load(cls, folder: str | Path) -> "Bundle":
        """The bundle in `folder`, after every byte was checked and the golden rows were replayed.

        Raises BundleError naming the file and the fault.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        contents = {name: _json(folder, name) for name in sorted(FILES) if name.endswith(".json")}
        _require_sound_weights(folder)
        bundle = _assemble(folder, manifest, contents)
        try:
            bundle.replay_golden()
        except BundleError:
            raise
        except Exception as error:  # noqa: BLE001 - contents made by hand fail anywhere; each failure means refused
            raise BundleError("bundle.bad_contents", folder=folder, why=_first_line(error)) from None
        return bundle

    def predict(self, rows: Any) -> Answers:
        """Answers for rows: a list of mappings, a mapping of columns [N] each, a polars or pandas frame, or a Dataset.

        Raises DataError naming row and field where a row does not fit the schema.
        """
        return self.answer(columns_of(self.schema, rows))

    def answer(self, columns: Mapping[str, np.ndarray]) -> Answers:
        """Answers for typed input columns (see `schema.Columns`)."""
        result, scale = self._results(columns)
        conformal = self.schema.conformal
        flags = self.schema.out_of_range(dict(columns))
        if self.problem in ("classification", "multi-label"):
            sets = None if conformal is None else conformal.sets(result)
            return Answers(
                self.levels, result, None, flags, self.schema.threshold, self.schema.costs, sets=sets,
                has_labels=self.problem == "multi-label",
            )  # fmt: skip
        interval = None if conformal is None else conformal.interval(result, scale)
        return Answers((), None, result, flags, interval=interval)

    def scale(self, columns: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """float32 [N]: what the width of each row's interval is counted in; None: the same for all rows."""
        return self._results(columns)[1]

    def _results(self, columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """The answer and the scale."""
        pieces = [self._session.run(self._outputs, tensors) for tensors in self.tensors(columns)]
        if len(pieces) == 1:  # a request's few rows: nothing to put together
            answer, *scale = pieces[0]
        else:
            answer, *scale = (np.concatenate(of_piece) for of_piece in zip(*pieces, strict=True))
        return answer, scale[0] if scale else None

    def tensors(self, columns: Mapping[str, np.ndarray]) -> Iterator[Columns]:
        """What the graph takes for typed input columns, in the pieces in which rows are answered."""
        size, step = len(next(iter(columns.values()))), self._rows_at_once
        for start in range(0, max(size, 1), step):
            piece = {name: column[start : start + step] for name, column in columns.items()}
            prepared = run_operations(self.operations, piece)
            yield {name: prepared[name] for name in self._inputs}

    def replay_golden(self) -> float:
        """The largest difference between the golden rows' answers now and when the bundle was made.

        Raises BundleError when it exceeds 1e-5 (relative to the largest answer).
        """
        golden = self._contents["golden.json"]
        answers = self.predict(golden["rows"])
        found, expected = answers.answer, np.asarray(golden["answers"], dtype=np.float32)
        due = (len(golden["rows"]), len(self.levels)) if self.levels else (len(golden["rows"]),)
        if not found.shape == expected.shape == due or not np.isfinite(found).all():
            raise BundleError("bundle.golden_shape", folder=self.folder, found=found.shape, expected=due)
        difference = float(np.abs(found - expected).max() / max(1.0, float(np.abs(expected).max())))
        if answers.interval is not None:
            ends = np.asarray(golden["intervals"], dtype=np.float64)
            difference = max(difference, float(np.abs(answers.interval - ends).max() / max(1.0, np.abs(ends).max())))
        if not difference <= GOLDEN_TOLERANCE:
            raise BundleError(
                "bundle.golden_differs", folder=self.folder, difference=difference, limit=GOLDEN_TOLERANCE
            )
        return difference


def rows_at_once(places: int) -> int:
    """How many images of height * width `places` are answered at once; 0 where there are none."""
    return max(1, min(BATCH, PIXELS // places)) if places else 0


def write_bundle(
    folder: Path,
    *,
    schema: Schema,
    operations: tuple[Operation, ...],
    graph: bytes,
    weights: Mapping[str, np.ndarray],
    recipe: dict[str, Any],
    profile: dict[str, Any],
    versions: dict[str, Any],
) -> Bundle:
    """Write a bundle with an empty report and load it again; `attach_report` follows when it has been judged.

    The manifest is written last: a folder without one is no bundle.

    Equal contents give equal bytes, so equal runs give equal digests.
    """
    from safetensors.numpy import save

    contents: dict[str, Any] = {
        "schema.json": schema.model_dump(mode="json"),
        "operations.json": [operation.dump() for operation in operations],
        "recipe.json": recipe,
        "report.json": {},
        "profile.json": profile,
        "versions.json": versions,
    }
    rows = golden_rows(schema)
    contents["golden.json"] = {"rows": rows, "answers": []}
    manifest = {"model": ""}
    unproven = _assemble_from(folder, manifest, contents, schema, operations, graph)
    answers = unproven.predict(rows)
    contents["golden.json"]["answers"] = [
        row if isinstance(row, list) else float(row) for row in answers.answer.tolist()
    ]
    if answers.interval is not None:
        contents["golden.json"]["intervals"] = answers.interval.tolist()
    files = {name: _pretty(value) for name, value in contents.items()}
    files["graph.onnx"] = graph
    files["weights.safetensors"] = save({k: np.ascontiguousarray(v) for k, v in sorted(weights.items())})
    listing = {
        name: {"bytes": len(content), "sha256": write_atomic(folder / name, content)}
        for name, content in sorted(files.items())
    }
    write_atomic(folder / "manifest.json", manifest_bytes(listing))
    return Bundle.load(folder)


def attach_report(folder: Path, report: dict[str, Any]) -> None:
    """Put the report into a bundle; its model stays the same. A bundle torn by a crash in here takes it once more.

    Raises BundleError when any other file was changed.
    """
    listing = read_manifest(folder, unchecked="report.json")["files"]
    content = _pretty(report)
    digest = write_atomic(folder / "report.json", content)
    listing["report.json"] = {"bytes": len(content), "sha256": digest}
    write_atomic(folder / "manifest.json", manifest_bytes(listing))


def manifest_bytes(listing: dict[str, dict[str, Any]]) -> bytes:
    """The manifest in its only form: canonical JSON.

    model: digest of all files but the report; it is the model's name. digest: of format and listing.
    """
    body: dict[str, Any] = {"format": FORMAT, "files": listing}
    model = {name: entry for name, entry in listing.items() if name != "report.json"}
    body["model"] = hashlib.sha256(canonical_json({"format": FORMAT, "files": model}).encode()).hexdigest()
    body["digest"] = hashlib.sha256(canonical_json(body).encode()).hexdigest()
    return canonical_json(body).encode() + b"\n"


def read_manifest(folder: Path, *, unchecked: File | None = None) -> dict[str, Any]:
    """The manifest, after every file was checked against it.

    unchecked: a file that is about to be replaced.

    Raises BundleError: no bundle, newer format, a changed, missing, extra, oversized or linked file.
    """
    path = folder / "manifest.json"
    if folder.is_file():
        raise BundleError("bundle.one_file", folder=folder)
    if not folder.is_dir() or not path.is_file() or path.is_symlink():
        raise BundleError("bundle.none", folder=folder)
    if path.stat().st_size > JSON_LIMIT_BYTES:
        raise BundleError("bundle.file_too_large", folder=folder, file="manifest.json", found=path.stat().st_size)
    content = path.read_bytes()
    try:
        manifest = strict_json.loads(content)
        found_format, listing = manifest["format"], manifest["files"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BundleError("bundle.manifest_broken", folder=folder) from None
    if found_format != FORMAT:
        raise BundleError("bundle.format", folder=folder, found=found_format, known=FORMAT)
    if not _is_canonical(content, listing):
        raise BundleError("bundle.manifest_broken", folder=folder)
    _check_listing(folder, listing, unchecked)
    return dict(manifest)


def _is_canonical(content: bytes, listing: Any) -> bool:
    try:
        return isinstance(listing, dict) and content == manifest_bytes(listing)
    except (ValueError, AttributeError):
        return False


def _check_listing(folder: Path, listing: dict[str, Any], unchecked: File | None) -> None:
    present = {entry.name for entry in os.scandir(folder)} - {"manifest.json"}
    for name in sorted(present - FILES | set(listing) - FILES):
        raise BundleError("bundle.extra_file", folder=folder, file=name)
    for name in sorted(FILES):
        if name not in present or name not in listing:
            raise BundleError("bundle.missing_file", folder=folder, file=name)
        information = os.lstat(folder / name)
        if not stat.S_ISREG(information.st_mode):
            raise BundleError("bundle.not_regular", folder=folder, file=name)
        limit = JSON_LIMIT_BYTES if name.endswith(".json") else FILE_LIMIT_BYTES
        if information.st_size > limit:
            raise BundleError("bundle.file_too_large", folder=folder, file=name, found=information.st_size)
        if name != unchecked and listing[name] != {"bytes": information.st_size, "sha256": _sha256(folder / name)}:
            raise BundleError("bundle.changed_file", folder=folder, file=name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(folder: Path, name: str) -> Any:
    try:
        value = strict_json.loads((folder / name).read_bytes())
    except (ValueError, RecursionError) as error:
        raise BundleError("bundle.bad_json", folder=folder, file=name, why=error) from None
    due = list if name == "operations.json" else dict
    if not isinstance(value, due):
        why = f"a {type(value).__name__} where a {due.__name__} stands"
        raise BundleError("bundle.bad_json", folder=folder, file=name, why=why)
    return value


def _require_sound_weights(folder: Path) -> None:
    try:
        check_weights(folder / "weights.safetensors")
    except (ValueError, RecursionError) as error:
        raise BundleError("bundle.bad_weights", folder=folder, why=error) from None


def _assemble(folder: Path, manifest: dict[str, Any], contents: dict[str, Any]) -> Bundle:
    try:
        schema = Schema.model_validate_json(json.dumps(contents["schema.json"]))
        operations = load_operations(contents["operations.json"])
    except (ValueError, TypeError, RecipeError) as error:
        raise BundleError("bundle.bad_contents", folder=folder, why=_first_line(error)) from None
    return _assemble_from(folder, manifest, contents, schema, operations, (folder / "graph.onnx").read_bytes())


def _assemble_from(
    folder: Path,
    manifest: dict[str, Any],
    contents: dict[str, Any],
    schema: Schema,
    operations: tuple[Operation, ...],
    graph: bytes,
) -> Bundle:
    try:
        session = open_graph(graph)
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors share no base; every one means a bad graph
        raise BundleError("bundle.bad_graph", folder=folder, why=_first_line(error)) from None
    return Bundle(folder, manifest["model"], schema, operations, session, contents)


def open_graph(graph: bytes) -> Any:
    """A session of ONNX Runtime for a graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # more threads may change the last bits, and servers run one process per core
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0] or type(error).__name__


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def columns_of(schema: Schema, rows: Any) -> Columns:
    """Typed input columns of rows in any of the forms that `predict` takes."""
    if hasattr(rows, "inputs") and hasattr(rows, "part"):
        return dict(rows.inputs)
    if hasattr(rows, "to_dicts"):
        rows = rows.to_dicts()
    elif hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        rows = rows.to_dict("records")
    elif isinstance(rows, Mapping):
        names = list(rows)
        rows = [dict(zip(names, values, strict=True)) for values in zip(*rows.values(), strict=True)]
    return schema.columns([_plain_row(schema, row) for row in rows])


def _plain_row(schema: Schema, row: Any) -> Any:
    """A row of Python or numpy scalars as JSON has it; NaN is missing."""
    if not isinstance(row, Mapping):
        return row
    plain: dict[str, Any] = {}
    for name, value in row.items():
        value = value.item() if isinstance(value, np.generic) else value
        plain[name] = None if isinstance(value, float) and value != value else value
    return plain
