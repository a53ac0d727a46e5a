"""Imports the stage folders, so that every part is known by its kind; loads extensions and users' own files."""

import hashlib
import importlib.util
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from deepwright.core.errors import UsageError
from deepwright.core.part import FAMILIES, Part
from deepwright.data import (
    array_source,
    cases,
    dates,
    encode,
    excel,
    extract,
    groups,
    history,
    images,
    merge,
    missing,
    outliers,
    periods,
    predict_missing,
    scale,
    series,
    split,
    sql,
    table,
    text_steps,
    texts,
    tokenizers,
)
from deepwright.deploy.targets import onnx
from deepwright.evaluation import (
    agreement,
    calibration,
    classify,
    conformal,
    cost,
    coverage,
    decision,
    mase,
    multi_label,
    regress,
    top_k,
)
from deepwright.improve import colour, mix, places, trivial_augment
from deepwright.model import (
    baselines,
    cnn,
    convnext,
    custom,
    custom_layers,
    decision_tree,
    densenet,
    ft_transformer,
    inception,
    module,
    nearest,
    resnet,
    svm,
    tabm,
    tabular,
    vit,
)
from deepwright.train import loss, optim, schedule

BUILT_IN: tuple[ModuleType, ...] = (
    agreement, array_source, baselines, calibration, cases, classify, cnn, colour, conformal, convnext, cost, coverage,
    custom, custom_layers, dates, decision, decision_tree, densenet, encode, excel, extract, ft_transformer, groups,
    history, images, inception, loss, mase, merge, missing, mix, module, multi_label, nearest, onnx, optim, outliers,
    periods, places, predict_missing, regress, resnet, scale, schedule, series, split, sql, svm, table, tabm, tabular,
    text_steps, texts, tokenizers, top_k, trivial_augment, vit,
)  # fmt: skip
"""Every module that defines kinds."""


def families() -> dict[str, dict[str, type[Part]]]:
    """Every family's kinds by name, both sorted."""
    return {name: dict(sorted(base.kinds.items())) for name, base in sorted(FAMILIES.items())}


def load_installed() -> None:
    """Import the extensions that installed packages offer under the entry point `deepwright.parts`."""
    for point in entry_points(group="deepwright.parts"):
        point.load()


def load_plugin(path: str | Path) -> str:
    """Import a user's file with parts of their own, once; gives its SHA-256.

    The module is known by the file's stem. Raises UsageError when the file is missing, or when another file of that
    name, or an older state of it, has been imported in this process.
    """
    path = Path(path).absolute()
    if not path.is_file() or path.suffix != ".py":
        raise UsageError("plugin.no_file", path=path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    loaded = sys.modules.get(path.stem)
    if loaded is not None:
        if getattr(loaded, "__deepwright_sha256__", None) != digest:
            raise UsageError("plugin.name_taken", path=path, name=path.stem)
        return digest
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None, f"{path} is a Python file"
    module = importlib.util.module_from_spec(spec)
    module.__deepwright_sha256__ = digest  # type: ignore[attr-defined]
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return digest
