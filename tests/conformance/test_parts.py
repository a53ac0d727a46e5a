"""Every kind of every family keeps its family's promises; see checks.py."""

from typing import Any

import pytest

import deepwright.parts  # noqa: F401 - defines every kind
from deepwright.core.part import FAMILIES, Part
from tests.conformance.checks import CHECKS, Check, checks_of

OPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("network", "module"): {
        "name": "torch.nn:Linear",
        "arguments": ["in_features=inputs", "out_features=outputs"],
    },
    ("metric", "mase"): {"naive_error": 2.0},
    ("network", "custom"): {
        "layers": [
            {"kind": "conv", "width": 4, "stride": 2},
            "norm",
            {"kind": "residual", "layers": [{"kind": "conv", "width": 4}, "activation"]},
            {"kind": "dense_connection", "layers": [{"kind": "conv", "width": 4}, "squeeze_excite"]},
            {"kind": "self_attention", "heads": 2},
            "flatten",
            {"kind": "linear", "width": 9},
            "dropout",
        ]
    },
    ("layer", "conv"): {"width": 6},
    ("layer", "linear"): {"width": 5},
    ("layer", "residual"): {"layers": [{"kind": "conv", "width": 6, "stride": 2}]},
    ("layer", "dense_connection"): {"layers": [{"kind": "conv", "width": 6}]},
    ("source", "table"): {"path": "adult.csv"},
    ("source", "images"): {"path": "photos"},
    ("source", "arrays"): {"path": "measured.npz"},
    ("source", "excel"): {"path": "visits.xlsx"},
    ("source", "sql"): {"uri": "sqlite:///shop.db"},
    ("operation", "bound"): {"columns": ["a"], "lows": [0.0], "highs": [1.0]},
    ("operation", "outside_flag"): {"columns": ["a"], "lows": [0.0], "highs": [1.0], "outputs": ["b"]},
    ("operation", "set_missing"): {"columns": ["a"], "values": [0.0]},
    ("operation", "require"): {"column": "a", "comparison": "<=", "other": "b"},
    ("operation", "fill_text"): {"columns": ["a"], "values": ["x"]},
    ("operation", "drop"): {"columns": ["a"]},
    ("operation", "log"): {"columns": ["a"], "units": [1.0]},
    ("operation", "smooth_bound"): {"columns": ["a"]},
    ("operation", "yeo_johnson"): {"columns": ["a"], "powers": [0.5], "lows": [0.0], "highs": [1.0]},
    ("operation", "piecewise_linear"): {"columns": ["a"], "knots": [[0.0, 1.0]], "values": [[0.0, 1.0]]},
    ("operation", "calendar"): {"column": "a", "cycles": ["day"], "outputs": ["b", "c"]},
    ("operation", "rank"): {"column": "a", "levels": ["x"], "middle": 0},
    ("operation", "indicators"): {"column": "a", "levels": ["x"], "outputs": ["b"]},
    ("operation", "normalise_text"): {"columns": ["a"]},
    ("operation", "word_tokens"): {"column": "a", "vocabulary": ["x"]},
    ("operation", "character_tokens"): {"column": "a", "vocabulary": ["x"]},
    ("operation", "byte_tokens"): {"column": "a"},
    ("operation", "byte_pair_tokens"): {"column": "a", "merges": [[102, 103]]},
    ("operation", "tfidf"): {"column": "a", "terms": ["x"], "rarities": [1.0]},
    ("operation", "hash_bucket"): {"column": "a", "num_buckets": 8},
    ("operation", "project"): {"columns": ["a"], "means": [0.0], "components": [[1.0]], "outputs": ["b"]},
    ("operation", "products"): {"lefts": ["a"], "rights": ["b"], "outputs": ["c"]},
    ("operation", "isolation_flag"): {
        "columns": ["a"],
        "medians": [0.0],
        "roots": [0],
        "features": [-1],
        "thresholds": [0.0],
        "lefts": [0],
        "rights": [0],
        "depths": [1.0],
        "limit": 0.5,
        "output": "b",
    },
    ("operation", "nearest_fill"): {
        "columns": ["a"],
        "filled": ["a"],
        "means": [0.0],
        "sds": [1.0],
        "rows": [[1.0]],
    },
    ("operation", "linear_fill"): {
        "columns": ["a"],
        "filled": ["a"],
        "means": [0.0],
        "sds": [1.0],
        "weights": [[0.0]],
        "bias": [0.0],
        "lows": [0.0],
        "highs": [1.0],
    },
    ("operation", "decode_image"): {"column": "a"},
    ("operation", "centre_crop"): {"column": "a", "height": 2, "width": 2},
    ("operation", "scale_pixels"): {"column": "a", "means": [1.0], "sds": [2.0]},
    ("operation", "flatten_pixels"): {"column": "a", "height": 2, "width": 2, "rows": 1, "columns": 1},
    ("operation", "fill"): {"columns": ["a"], "values": [1.0]},
    ("operation", "missing_flag"): {"columns": ["a"], "outputs": ["b"]},
    ("operation", "standardise"): {"columns": ["a"], "means": [1.0], "sds": [2.0]},
    ("operation", "level"): {"column": "a", "levels": ["x"]},
    ("operation", "stack"): {"columns": ["a"], "output": "t"},
    ("operation", "one_hot"): {"columns": ["a"], "num_levels": [2], "output": "t"},
    ("operation", "join"): {"tensors": ["a", "b"], "output": "t"},
    ("operation", "constant"): {"answer": "value", "values": [1.0]},
    ("operation", "linear"): {"answer": "value", "weights": [[1.0]], "bias": [0.0]},
    ("operation", "branch"): {"operations": [{"kind": "drop", "columns": ["a"]}], "outputs": ["b"], "prefix": "c."},
    ("operation", "nearest"): {"answer": "value", "rows": [[0.0]], "votes": [[1.0]], "k": 1},
    ("operation", "kernel"): {
        "answer": "value",
        "rows": [[0.0]],
        "coefficients": [[1.0]],
        "bias": [0.0],
        "gamma": 1.0,
        "scales": [1.0],
        "shifts": [0.0],
        "link": "value",
    },
    ("operation", "decode_series"): {"column": "a", "moments": 4, "outputs": ["b"]},
    ("operation", "window_lags"): {"columns": ["a"], "lags": [1], "outputs": ["b"]},
    ("operation", "window_differences"): {"columns": ["a"], "lags": [1], "outputs": ["b"]},
    ("operation", "window_rolling"): {"columns": ["a"], "widths": [2], "statistics": ["mean"], "outputs": ["b"]},
    ("operation", "window_spectrum"): {"columns": ["a"], "width": 4, "edges": [0.0, 0.5], "outputs": ["b"]},
    ("operation", "window_resample"): {"columns": ["a"], "every": 2, "blocks": 1},
    ("operation", "temperature"): {"temperature": 2.0},
    ("operation", "tree_ensemble"): {
        "answer": "value",
        "roots": [0],
        "tree_outputs": [0],
        "features": [-1],
        "thresholds": [0.0],
        "lefts": [0],
        "rights": [0],
        "nan_left": [False],
        "leaf_values": [1.0],
        "base": [0.0],
    },
}
"""What a kind with options that have no default is made with here."""

KINDS = [
    kind for family in FAMILIES.values() for kind in family.kinds.values() if kind.__module__.startswith("deepwright.")
]


def case(kind: type[Part], check: Check) -> Any:
    return pytest.param(kind, check, id=f"{kind.family}.{kind.kind}-{check.__name__}")


def test_every_family_has_its_checks():
    ours = {name for name, base in FAMILIES.items() if base.__module__.startswith("deepwright.")}
    assert ours == set(CHECKS)
    assert {kind.family for kind in KINDS} == ours


@pytest.mark.parametrize(("kind", "check"), [case(kind, check) for kind in KINDS for check in checks_of(kind)])
def test_every_kind_keeps_its_familys_promises(kind: type[Part], check: Check):
    check(kind(**OPTIONS.get((kind.family, kind.kind), {})))
