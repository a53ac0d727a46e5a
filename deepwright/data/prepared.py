"""Prepared: what stands ready on the disk (images, tokens, series), the room that it takes, and its removal."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepwright.core.disk import disk_error, lock, sync_folder
from deepwright.core.errors import UsageError, did_you_mean
from deepwright.data import image_map, series_store, token_store

Kind = Literal["images", "tokens", "series", "unfinished"]

MANIFESTS: dict[str, Kind] = {
    image_map.MANIFEST: "images",
    token_store.MANIFEST: "tokens",
    series_store.MANIFEST: "series",
}
GOING = ".removed"
"""Ends the name of a folder that is being removed: a kill in the midst leaves nothing that looks whole."""


@dataclass(frozen=True)
class Prepared:
    """One folder. size_bytes: of blocks on the disk. changed_s: when it was made, seconds since 1970."""

    path: Path
    kind: Kind
    size_bytes: int
    changed_s: float

    @property
    def name(self) -> str:
        return self.path.name


def prepared(folder: str | Path) -> tuple[Prepared, ...]:
    """Everything prepared below a folder, by name; also what a killed build left, to be taken up or removed.

    A folder that is nothing of ours is left out.
    """
    root = Path(folder)
    if not root.is_dir():
        return ()
    found = ((path, _kind(path)) for path in sorted(root.iterdir()) if path.is_dir() and not path.is_symlink())
    return tuple(Prepared(path, kind, _size_bytes(path), path.stat().st_mtime) for path, kind in found if kind)


def remove(folder: str | Path, names: Iterable[str]) -> int:
    """Remove prepared folders by their names; gives the bytes that are free again.

    Raises UsageError for a name that `prepared` does not list, before anything is removed; ResourceError for one that
    is being built now, or that the system does not let go.
    """
    root = Path(folder)
    known = {each.name: each for each in prepared(root)}
    chosen = list(dict.fromkeys(names))
    for name in chosen:
        if name not in known:
            raise UsageError("prepared.unknown", name=name, folder=root, hint=did_you_mean(name, list(known)))
    for name in chosen:
        _remove(known[name].path)
    return sum(known[name].size_bytes for name in chosen)


def _kind(path: Path) -> Kind | None:
    if path.name.startswith(".") and path.name.endswith((".part", GOING)):
        return "unfinished"
    return next((kind for name, kind in MANIFESTS.items() if (path / name).is_file()), None)


def _remove(path: Path) -> None:
    """Out of sight first, in one step; then file by file."""
    base = path.name.strip(".").removesuffix(".part").removesuffix(GOING)
    with lock(path.with_name(f".{base}.lock"), wait=False):
        try:
            going = path.with_name(f".{base}{GOING}")
            if path != going:
                if going.exists():
                    shutil.rmtree(going)
                path.rename(going)
                sync_folder(path.parent)
            shutil.rmtree(going)
            sync_folder(path.parent)
        except OSError as error:
            raise disk_error(path, 0, error) from None


def _size_bytes(path: Path) -> int:
    return sum(
        os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118 - walked as texts
        for folder, _, names in os.walk(path)
        for name in names
    )
