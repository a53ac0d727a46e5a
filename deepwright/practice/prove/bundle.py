"""Bundle: twenty kinds of tampering, each of which must be refused before anything is answered."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepwright.core import strict_json
from deepwright.core.bundle import FILES, Bundle, manifest_bytes, read_manifest
from deepwright.core.disk import write_atomic
from deepwright.core.errors import BundleError
from deepwright.core.text import text
from deepwright.practice.prove.case import Case, Claim


def prove_bundle(case: Case) -> list[Claim]:
    """Tamper with copies of a fresh bundle; the untouched copy must load."""
    path = case.write_csv(case.whole, case.folder / "table.csv")
    run = case.run(case.table(path, baselines=("constant",)), name="bundle")
    good = run.folder / "members" / "network"
    refused = {kind: _refuses(good, case.folder / "tampered", tamper) for kind, tamper in TAMPERINGS.items()}
    missed = ", ".join(kind for kind, was in refused.items() if not was)
    untouched = not _refuses(good, case.folder / "tampered", lambda folder: None)
    count = len(refused)
    return [
        Claim(text("prove.bundle.refused"), sum(refused.values()), f"= {count}", all(refused.values()), missed),
        Claim(text("prove.bundle.untouched"), int(untouched), "= 1", untouched),
    ]


def _refuses(good: Path, folder: Path, tamper: Callable[[Path], None]) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good, folder)
    tamper(folder)
    try:
        Bundle.load(folder)
    except BundleError:
        return True
    return False


def _flip(name: str) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(bytes(content))

    return tamper


def _cut(folder: Path) -> None:
    path = folder / "graph.onnx"
    path.write_bytes(path.read_bytes()[:-100])


def _append(folder: Path) -> None:
    with (folder / "weights.safetensors").open("ab") as file:
        file.write(b"junk")


def _remove(folder: Path) -> None:
    (folder / "golden.json").unlink()


def _remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _add(folder: Path) -> None:
    (folder / "setup.py").write_text("print('hello')\n")


def _add_pickle(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"\x80\x04K\x01.")  # the number 1 as a pickle


def _link(folder: Path) -> None:
    outside = folder.parent / "outside.json"
    shutil.move(folder / "profile.json", outside)
    (folder / "profile.json").symlink_to(outside)


def _case_twin(folder: Path) -> None:
    shutil.copy(folder / "schema.json", folder / "Schema.json")


def _folder_for_file(folder: Path) -> None:
    (folder / "recipe.json").unlink()
    (folder / "recipe.json").mkdir()


def _fifo(folder: Path) -> None:
    (folder / "versions.json").unlink()
    os.mkfifo(folder / "versions.json")


def _pretty_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


def _newer_format(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": manifest["format"] + 1}))


def _listed_outside(folder: Path) -> None:
    listing = read_manifest(folder)["files"]
    listing["../outside"] = {"bytes": 0, "sha256": "0" * 64}
    (folder / "manifest.json").write_bytes(manifest_bytes(listing))


def _rewritten(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Change one JSON file and make the manifest anew, as a careful attacker would."""

    def tamper(folder: Path) -> None:
        value = change(strict_json.loads((folder / name).read_bytes()))
        content = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        _replace(folder, name, content)

    return tamper


def _replace(folder: Path, name: str, content: bytes) -> None:
    listing = read_manifest(folder)["files"]
    listing[name] = {"bytes": len(content), "sha256": write_atomic(folder / name, content)}
    (folder / "manifest.json").write_bytes(manifest_bytes(listing))


def _unknown_operation(operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*operations, {"kind": "python", "code": "print('hello')"}]


def _moved_golden(golden: dict[str, Any]) -> dict[str, Any]:
    answers = [[v + 0.01 for v in row] if isinstance(row, list) else row + 0.01 + abs(row) for row in golden["answers"]]
    return {**golden, "answers": answers}


def _duplicate_key(schema: dict[str, Any]) -> bytes:
    body = json.dumps(schema, ensure_ascii=False)
    return (body[:-1] + ', "features": []}').encode()


def _no_features(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "features": [f for f in schema["features"] if f["role"] == "target"]}


TAMPERINGS: dict[str, Callable[[Path], None]] = {
    **{f"flip {name}": _flip(name) for name in sorted(FILES | {"manifest.json"})},
    "cut graph": _cut,
    "append to weights": _append,
    "remove a file": _remove,
    "remove the manifest": _remove_manifest,
    "add a file": _add,
    "add a pickle": _add_pickle,
    "symbolic link": _link,
    "case twin": _case_twin,
    "folder for a file": _folder_for_file,
    "pipe for a file": _fifo,
    "manifest in another form": _pretty_manifest,
    "newer format": _newer_format,
    "listed outside": _listed_outside,
    "unknown operation": _rewritten("operations.json", _unknown_operation),
    "no operations": _rewritten("operations.json", lambda operations: []),
    "moved golden answers": _rewritten("golden.json", _moved_golden),
    "duplicate key": _rewritten("schema.json", _duplicate_key),
    "features removed": _rewritten("schema.json", _no_features),
    "garbage graph": lambda folder: _replace(folder, "graph.onnx", b"\x08\x07garbage"),
}
"""Every kind by its name; the ten flips count once per file."""
