"""The cases of bundles, B: each a change to a good bundle that an attacker, a disk or a wrong hand makes."""

import json
import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.bundle import manifest_bytes
from deepwright.core.disk import sha256_file
from tests.faults.case import Case

Tamper = Callable[[Path], object]


@dataclass(frozen=True, kw_only=True)
class BundleCase(Case):
    """tamper: what is done to the bundle's folder. fits: the manifest is made anew, so that it fits the change.

    name: what is given to the commands, seen from the folder around the bundle.
    """

    tamper: Tamper
    fits: bool = False
    name: str = "bundle"

    def make(self, folder: Path) -> None:
        self.tamper(folder)
        if self.fits:
            remake_manifest(folder)


def remake_manifest(folder: Path) -> None:
    """What an attacker does after a change: a manifest that fits."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "manifest.json")
    listing = {n: {"bytes": (folder / n).stat().st_size, "sha256": sha256_file(folder / n)} for n in names}
    (folder / "manifest.json").write_bytes(manifest_bytes(listing))


def case(row: str, what: str, tamper: Tamper, *says: str, **options: Any) -> BundleCase:
    return BundleCase(row=row, what=what, outcome="REFUSE", tamper=tamper, says=says, **options)


def changed(name: str, change: Callable[[bytes], bytes]) -> Tamper:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def added(name: str, content: bytes) -> Tamper:
    return lambda folder: (folder / name).write_bytes(content)


def edited(name: str, change: Callable[[Any], object]) -> Tamper:
    def tamper(folder: Path) -> None:
        value = json.loads((folder / name).read_bytes())
        change(value)
        (folder / name).write_text(json.dumps(value))

    return tamper


def flipped(content: bytes) -> bytes:
    return content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]


def tensors(header: bytes, content: bytes) -> bytes:
    """A safetensors file with this header as it stands."""
    return struct.pack("<Q", len(header)) + header + content


def entry(kind: str, size: int) -> str:
    return json.dumps({"dtype": kind, "shape": [1], "data_offsets": [0, size]})


def linked(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


def listed(name: str) -> Tamper:
    """The manifest lists a file of this name too."""

    def tamper(folder: Path) -> None:
        listing = json.loads((folder / "manifest.json").read_bytes())["files"]
        listing[name] = {"bytes": 1, "sha256": "0" * 64}
        (folder / "manifest.json").write_bytes(manifest_bytes(listing))

    return tamper


def zipped(names: list[str], content: bytes = b"{}") -> Tamper:
    def tamper(folder: Path) -> None:
        with zipfile.ZipFile(folder.parent / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, content)

    return tamper


def wider(folder: Path) -> None:
    """A third class in the schema and none in the graph."""

    def change(schema: Any) -> None:
        (target,) = [feature for feature in schema["features"] if feature["role"] == "target"]
        target["levels"].append("another")

    edited("schema.json", change)(folder)


PICKLE = b"cos\nmkdir\n(S'made'\ntR."
"""A pickle that makes the folder `made` where it is loaded."""

JOBLIB = b"\x80\x04\x95\x1a\x00\x00\x00" + PICKLE
WEIGHTS = "weights.safetensors"
NAN = np.float32("nan").tobytes()

BUNDLES = [
    case("B1", "a flipped bit in the weights", changed(WEIGHTS, flipped), "its size or hash differs"),
    case("B1", "a flipped bit in the graph", changed("graph.onnx", flipped), "its size or hash differs"),
    case("B2", "cut weights", changed(WEIGHTS, lambda c: c[:-1]), "its size or hash differs"),
    case("B2", "cut weights that the manifest fits", changed(WEIGHTS, lambda c: c[:-1]), "end at byte", fits=True),
    case("B2", "junk behind the weights that the manifest fits", changed(WEIGHTS, lambda c: c + b"junk"),
        "end at byte", fits=True),
    case("B3", "a pickle beside the files", added("model.pkl", PICKLE), "model.pkl: this file does not belong",
        fits=True),
    case("B3", "a pickle as weights", added(WEIGHTS, PICKLE), "has no header of safetensors", fits=True),
    case("B3", "a pickle as graph", added("graph.onnx", PICKLE), "graph.onnx: cannot be loaded", fits=True),
    case("B4", "joblib beside the files", added("model.joblib", JOBLIB), "this file does not belong", fits=True),
    case("B4", "joblib as weights", added(WEIGHTS, JOBLIB), "has no header of safetensors", fits=True),
    case("B5", "../x in the manifest", listed("../x"), "../x: this file does not belong"),
    case("B5", "an absolute path in the manifest", listed("/etc/passwd"), "/etc/passwd: this file does not belong"),
    case("B5", "a link", linked, "weights.safetensors: is a link", fits=True),
    case("B6", "a name that stands twice in the manifest",
        changed("manifest.json", lambda c: c.replace(b'"golden.json":', b'"golden.json":{},"golden.json":', 1)),
        "manifest.json: was changed or cut"),
    case("B6", "a twin in other letters", added("Schema.json", b"{}"), "Schema.json: this file does not belong",
        fits=True),
    case("B6", "a zip with a name twice", zipped(["schema.json", "graph.onnx"]), "is a file, and a bundle is a folder",
        name="bundle.zip"),
    case("B7", "a zip bomb", zipped(["schema.json"], bytes(20_000_000)), "is a file, and a bundle is a folder",
        name="bundle.zip"),
    case("B7", "a file of 32 GiB",
        lambda folder: os.truncate(folder / "graph.onnx", 1 << 35), "are more than a bundle's file may have"),
    case("B8", "a tensor that stands twice",
        added(WEIGHTS, tensors(f'{{"a": {entry("F32", 4)}, "a": {entry("F32", 4)}}}'.encode(), bytes(4))),
        "the key 'a' stands twice", fits=True),
    case("B8", "a truth value of 7",
        added(WEIGHTS, tensors(f'{{"a": {entry("BOOL", 1)}}}'.encode(), b"\x07")), "no truth value", fits=True),
    case("B8", "a tensor named ../../etc/x",
        added(WEIGHTS, tensors(f'{{"../../etc/x": {entry("F32", 4)}}}'.encode(), bytes(4))), "no name of a tensor",
        fits=True),
    case("B8", "a weight that is NaN", added(WEIGHTS, tensors(f'{{"a": {entry("F32", 4)}}}'.encode(), NAN)),
        "not a number", fits=True),
    case("B9", "a missing file", lambda folder: (folder / "profile.json").unlink(), "this file is missing"),
    case("B9", "a missing file that the manifest does not list", lambda folder: (folder / "profile.json").unlink(),
        "profile.json: this file is missing", fits=True),
    case("B9", "a file that is not listed", added("extra.json", b"{}"), "extra.json: this file does not belong"),
    case("B10", "a newer format", changed("manifest.json", lambda c: c.replace(b'"format":1', b'"format":2')),
        "bundle format 2; this version reads format 1"),
    case("B11", "a class more than the graph has", wider, "finite numbers are due", fits=True),
    case("B11", "a feature less than the graph takes",
        edited("schema.json", lambda value: value["features"].pop(1)), "do not fit together", fits=True),
    case("B11", "an operation of no known kind",
        edited("operations.json", lambda value: value.append({"kind": "run_code"})), "not of the closed list",
        fits=True),
]  # fmt: skip
