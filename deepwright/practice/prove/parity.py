"""Parity: the process that trained, the bundle and the HTTP server give one answer; a planted scaler fault shows."""

import json
import math
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepwright.core import strict_json
from deepwright.core.bundle import Bundle, manifest_bytes, read_manifest
from deepwright.core.dataset import Dataset
from deepwright.core.disk import write_atomic
from deepwright.core.errors import BundleError, ProofError
from deepwright.core.families import Sets
from deepwright.core.operations import Operation, load_operations, run_operations
from deepwright.core.text import text
from deepwright.data.media import Media
from deepwright.deploy.parity import difference, differences
from deepwright.practice.images import image_columns, opened
from deepwright.practice.keep import kept_rows
from deepwright.practice.prove.case import Case, Claim

LIMIT = 1e-5
ROWS = 200


def prove_parity(case: Case) -> list[Claim]:
    """Every member's largest difference between its training process and its bundle, and the server's beside it, with
    intervals and sets."""
    path = case.write_csv(case.whole, case.folder / "table.csv")
    has_classes = case.whole.schema.problem == "classification"
    sets = {"sets": Sets.parse("lac")} if has_classes and case.recipe.sets is None else {}
    run = case.run(case.table(path, **sets), name="parity")
    trained = max(run.report.environment["parity"].values())
    bundle = Bundle.load(run.folder / "members" / "network")
    rows = json_rows(kept_rows(run, "validation"), limit=ROWS)
    expected = bundle.predict(rows)
    with server(bundle.folder) as url:
        served = differences(expected, url, rows)

    faulty = plant_scaler_fault(bundle, case.folder / "faulty")
    # a fault in decoding shows in images of other proportions than the wanted ones, as the golden ones are
    columns = bundle.schema.columns(bundle.golden["rows"] if image_columns(bundle.schema) else rows)
    sound, wrong = (run_operations(ops, columns) for ops in (bundle.operations, faulty))
    refused = _is_refused(case.folder / "faulty")
    planted = max(float(np.abs(sound[name] - 1.0 * wrong[name]).max()) for name in sound if sound[name].ndim > 1)
    return [
        Claim(text("prove.parity.trained"), trained, f"<= {LIMIT:g}", trained <= LIMIT, ", ".join(run.report.members)),
        Claim(
            text("prove.parity.served"), served, f"<= {LIMIT:g}", served <= LIMIT, text("prove.rows", rows=len(rows))
        ),
        Claim(text("prove.parity.planted"), planted, f"> {LIMIT:g}", planted > LIMIT),
        Claim(text("prove.parity.refused"), float(refused), "= 1", refused),
        *_conformal_claims(bundle, rows),
    ]


def _conformal_claims(bundle: Bundle, rows: list[dict[str, object]]) -> list[Claim]:
    """Intervals 1 % too wide, or sets of all classes, are seen by the very measure that compares with the server."""
    conformal = bundle.schema.conformal
    if conformal is None:
        return []
    expected = bundle.predict(rows)
    wrong = conformal.model_copy(update={"bound": 1.01 * conformal.bound if conformal.is_interval else math.inf})
    columns = bundle.schema.columns(rows)
    if conformal.is_interval:
        other = replace(expected, interval=wrong.interval(expected.answer, bundle.scale(columns)))
    else:
        other = replace(expected, sets=wrong.sets(expected.answer))
    planted = difference(expected, other.records())
    return [Claim(text("prove.parity.conformal"), planted, f"> {LIMIT:g}", planted > LIMIT, conformal.kind)]


def json_rows(data: Dataset, limit: int) -> list[dict[str, object]]:
    """Rows as a client sends them: one mapping each, null where a value is missing."""
    names = [feature.name for feature in data.schema.inputs]
    with Media() as media:
        first = opened({name: data.columns[name][:limit] for name in names}, data.schema, media)
    columns = [[_plain(value) for value in first[name].tolist()] for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return None if value != value else value


@contextmanager
def server(bundle: Path) -> Iterator[str]:
    """A real server of the bundle in a process of its own; gives its address."""
    command = [sys.executable, "-m", "deepwright.cli", "serve", str(bundle), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None, "stdout is piped"
    try:
        for line in process.stdout:
            address = next((word.rstrip("/.,") for word in line.split() if word.startswith("http://")), None)
            if address is not None:
                yield address
                break
        else:
            raise ProofError("prove.no_server", bundle=bundle)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def plant_scaler_fault(bundle: Bundle, folder: Path) -> tuple[Operation, ...]:
    """A copy of the bundle in which one fitted number is 1 % off, or images are cut in another way, with a manifest
    of its own; gives its operations."""
    shutil.copytree(bundle.folder, folder)
    operations = strict_json.loads((folder / "operations.json").read_bytes())
    for operation in operations:
        if operation["kind"] == "standardise":
            operation["means"][0] += 0.01 * operation["sds"][0]
            break
        if operation["kind"] == "level":
            operation["levels"].reverse()
            break
        if operation["kind"] == "decode_image":
            operation["fit"] = "crop" if operation["fit"] == "stretch" else "stretch"
            break
    listing = read_manifest(folder)["files"]
    content = (json.dumps(operations, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
    listing["operations.json"] = {"bytes": len(content), "sha256": write_atomic(folder / "operations.json", content)}
    write_atomic(folder / "manifest.json", manifest_bytes(listing))
    return load_operations(operations)


def _is_refused(folder: Path) -> bool:
    try:
        Bundle.load(folder)
    except BundleError:
        return True
    return False
