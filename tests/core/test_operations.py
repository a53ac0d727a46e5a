"""Operations: what numpy computes is what ONNX computes, and plain data bring them back."""

import json

import numpy as np
import pytest

from deepwright.core.errors import DataError, RecipeError
from deepwright.core.operations import (
    Bound,
    Branch,
    BytePairTokens,
    ByteTokens,
    Calendar,
    CentreCrop,
    CharacterTokens,
    Constant,
    DecodeImage,
    DecodeSeries,
    Drop,
    Fill,
    FillText,
    FlattenPixels,
    HashBucket,
    Indicators,
    IsolationFlag,
    Join,
    Kernel,
    Level,
    Linear,
    LinearFill,
    Log,
    MissingFlag,
    Nearest,
    NearestFill,
    NormaliseText,
    OneHot,
    Operation,
    OutsideFlag,
    PiecewiseLinear,
    Products,
    Project,
    Rank,
    Require,
    ScalePixels,
    SetMissing,
    SmoothBound,
    Stack,
    Standardise,
    Temperature,
    Tfidf,
    TreeEnsemble,
    WindowDifferences,
    WindowLags,
    WindowResample,
    WindowRolling,
    WindowSpectrum,
    WordTokens,
    YeoJohnson,
    load_operations,
    run_operations,
)
from deepwright.core.operations.calendar import positions
from deepwright.core.operations.packed import packed
from deepwright.core.operations.scales import yeo_johnson
from tests.onnx_runner import in_onnx

NAN = np.nan
NUMBERS = {"a": np.array([1.0, NAN, -3.5, 1e300]), "b": np.array([NAN, 0.0, 2.0, -1e39])}
CODES = {"c": np.array([0.0, 1.0, 2.0, 1.0]), "d": np.array([3.0, 0.0, 1.0, 2.0])}
PROBABILITY = {"probability": np.array([[0.5, 0.5], [1.0, 0.0], [0.75, 0.25], [1e-6, 1 - 1e-6]], np.float32)}
WORDS = {"w": np.array(["x", "y", "", "never seen"], object)}
X = {"x": np.array([[0.5, NAN], [1.0, -1.0], [1.5, 3.0], [-80.0, 200.0]], np.float32)}
FIELDS = np.stack(
    [
        [np.arange(240).reshape(4, 5, 4, 3)[n, a:b, c:d].mean(axis=(0, 1)) / 255
         for a, b in ((0, 2), (2, 5)) for c, d in ((0, 1), (1, 2), (2, 4))]
        for n in range(4)
    ]
).reshape(4, 18)  # fmt: skip
PIXELS = {"p": np.arange(4 * 5 * 4 * 3, dtype=np.uint8).reshape(4, 5, 4, 3)}
ENCODED = {"p": np.array([b"P6 9 8 255 " + bytes([grey]) * 216 for grey in (0, 7, 200, 255)], object)}
FINITE_X = {"x": np.array([[0.5, 0.25], [1.0, -1.0], [1.5, 3.0], [-80.0, 90.0]], np.float32)}

# x[0] <= 1: (x[1] <= 0 or missing: 2, else 7), else 5; and a stump of a single leaf
TREES = {
    "features": [0, 1, -1, -1, -1, -1],
    "thresholds": [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    "lefts": [1, 2, 0, 0, 0, 0],
    "rights": [4, 3, 0, 0, 0, 0],
    "nan_left": [False, True, False, False, False, False],
    "leaf_values": [0.0, 0.0, 2.0, 7.0, 5.0, -1.0],
    "roots": [0, 5],
}

PAIR = {"a": np.array([1.0, NAN, -3.5, 1e300]), "b": np.array([2.0, 0.0, -4.0, NAN])}
SENTENCES = {"s": np.array(["ＮＯＴ\u200b so  good\n", "good good", "很好", None], object)}
TIMES = {"t": np.array([0.0, 951782400.0, -1e9, 1.7e9])}  # the second is 29 February 2000
SMALL = {"a": np.array([0.5, NAN, -3.5, 2.0]), "b": np.array([1.0, 4.0, NAN, -2.0])}
FINITE = {"a": np.array([0.5, 7.0, -3.5, 1e300]), "b": np.array([1.0, 4.0, -1e9, -2.0])}

WINDOWS = {
    "a": np.array([[1.0, 2.0, NAN, 4.0], [NAN, NAN, NAN, NAN], [7.0, 7.0, 7.0, 7.0], [1e300, -1.0, 0.5, 2.0]]),
    "b": np.array([[0.0, 1.0, 0.0, -1.0], [1.0, -1.0, 1.0, -1.0], [0.1, 0.1, 0.1, 0.1], [3.0, 5.0, 7.0, 11.0]]),
}

CASES = {
    "decode_series": (
        DecodeSeries(column="s", moments=2, outputs=["p", "q"]),
        {"s": np.array(["1,2,3:4,5,6", "1.5:?", "0,-1e3:2,NaN", "7,8:9,10"], object)},
        ["p", "q"],
    ),
    "window_lags": (WindowLags(columns=["a", "b"], lags=[1, 3], outputs=list("pqrs")), WINDOWS, [*"pqrs"]),
    "window_differences": (WindowDifferences(columns=["b"], lags=[1, 3], outputs=["p", "q"]), WINDOWS, ["p", "q"]),
    "window_rolling": (
        WindowRolling(
            columns=["a", "b"],
            widths=[3],
            statistics=["mean", "sd", "min", "max"],
            quantiles=[0.25],
            outputs=list("pqrstuvwxy"),
        ),
        WINDOWS,
        [*"pqrstuvwxy"],
    ),
    "window_spectrum": (
        WindowSpectrum(columns=["a", "b"], width=4, edges=[0.0, 0.3, 0.5], outputs=list("pqrs")),
        WINDOWS,
        [*"pqrs"],
    ),
    **{
        f"window_resample by {by}": (WindowResample(columns=["a"], every=2, blocks=2, by=by), WINDOWS, ["a"])
        for by in ("mean", "sum", "min", "max", "last")
    },
    "bound": (Bound(columns=["a", "b"], lows=[-1.0, -2.0], highs=[2.0, 1.0]), NUMBERS, ["a", "b"]),
    "bound to missing": (
        Bound(columns=["a", "b"], lows=[-1.0, -2.0], highs=[2.0, 1.0], treat="missing"),
        NUMBERS,
        ["a", "b"],
    ),
    "outside_flag": (
        OutsideFlag(columns=["a", "b"], lows=[-1.0, -2.0], highs=[2.0, 1.0], outputs=["a!", "b!"]),
        NUMBERS,
        ["a!", "b!"],
    ),
    "set_missing": (SetMissing(columns=["a", "a", "b"], values=[1.0, -3.5, 0.0]), NUMBERS, ["a", "b"]),
    "require of columns": (Require(column="a", comparison="<=", other="b"), PAIR, ["a", "b"]),
    "require of a number": (Require(column="a", comparison=">", number=0.0, output="n"), PAIR, ["a", "n"]),
    **{
        f"require {sign}": (Require(column="a", comparison=sign, number=1.0, output="n"), PAIR, ["n"])
        for sign in ("<", "==", "!=", ">=")
    },
    "calendar": (
        Calendar(column="t", cycles=["year", "month", "week", "day"], outputs=list("ABCDEFGH")),
        TIMES,
        [*"ABCDEFGH"],
    ),
    "drop": (Drop(columns=["b"]), NUMBERS, ["a"]),
    "fill_text": (FillText(columns=["w"], values=["instead"]), {"w": np.array(["x", "y", "z"], object)}, ["w"]),
    "rank": (Rank(column="w", levels=["y", "x"], middle=0), WORDS, ["w"]),
    "indicators": (Indicators(column="w", levels=["y", "x"], outputs=["is y", "is x"]), WORDS, ["is y", "is x"]),
    "hash_bucket": (HashBucket(column="w", num_buckets=5), WORDS, ["w"]),
    "normalise_text": (NormaliseText(columns=["s"], case="fold"), SENTENCES, ["s"]),
    "word_tokens": (WordTokens(column="s", vocabulary=["good", "好"], length=4), SENTENCES, ["s", "lengths"]),
    "character_tokens": (CharacterTokens(column="s", vocabulary=["g", "o"], length=4), SENTENCES, ["s", "lengths"]),
    "byte_tokens": (ByteTokens(column="s", length=4), SENTENCES, ["s", "lengths"]),
    "byte_pair_tokens": (
        BytePairTokens(column="s", merges=[(112, 112), (104, 257)], length=4),
        SENTENCES,
        ["s", "lengths"],
    ),
    "tfidf": (
        Tfidf(column="s", terms=["good", "not", "not good"], rarities=[1.0, 1.0, 2.0], length=2.0),
        SENTENCES,
        ["s"],
    ),
    "tfidf by directions": (
        Tfidf(
            column="s",
            terms=["好", "good"],
            rarities=[1.0, 1.0],
            length=2.0,
            directions=packed(np.array([[1.0, 0.5], [0.0, -1.0]])),
        ),
        SENTENCES,
        ["s"],
    ),
    "log": (Log(columns=["a", "b"], units=[0.5, 3.0]), NUMBERS, ["a", "b"]),
    "smooth_bound": (SmoothBound(columns=["a", "b"]), NUMBERS, ["a", "b"]),
    "yeo_johnson": (
        YeoJohnson(columns=["a", "b"], powers=[0.5, 0.0], lows=[-9.0, -9.0], highs=[9.0, 9.0]),
        NUMBERS,
        ["a", "b"],
    ),
    "yeo_johnson at power 2": (YeoJohnson(columns=["a"], powers=[2.0], lows=[-9.0], highs=[9.0]), NUMBERS, ["a"]),
    "piecewise_linear": (
        PiecewiseLinear(columns=["a", "b"], knots=[[-1.0, 0.0, 8.0], [3.0]], values=[[-2.0, 0.0, 1.0], [0.5]]),
        FINITE,
        ["a", "b"],
    ),
    "nearest_fill": (
        NearestFill(
            columns=["a", "b"],
            filled=["a"],
            means=[1.0, 0.0],
            sds=[2.0, 1.0],
            rows=[[1.0, 3.0], [0.0, None], [-1.0, 1.0]],
            k=1,
        ),
        SMALL,
        ["a", "b"],
    ),
    "linear_fill": (
        LinearFill(
            columns=["a", "b"],
            filled=["a", "b"],
            means=[1.0, 0.0],
            sds=[2.0, 1.0],
            weights=[[0.0, 0.5], [0.25, 0.0]],
            bias=[0.1, 0.2],
            lows=[-0.9, -3.0],
            highs=[9.0, 9.0],
        ),
        SMALL,
        ["a", "b"],
    ),
    "project": (
        Project(columns=["a", "b"], means=[1.0, 0.0], components=[[0.5, 0.5], [1.0, -1.0]], outputs=["p", "q"]),
        FINITE,
        ["p", "q"],
    ),
    "products": (Products(lefts=["a", "a"], rights=["b", "a"], outputs=["ab", "aa"]), FINITE, ["ab", "aa"]),
    "isolation_flag": (
        IsolationFlag(
            columns=["a", "b"],
            medians=[0.0, 5.0],
            roots=[0, 3],
            features=[0, -1, -1, 1, -1, -1],
            thresholds=[-1.0, 0.0, 0.0, 3.0, 0.0, 0.0],
            lefts=[1, 0, 0, 4, 0, 0],
            rights=[2, 0, 0, 5, 0, 0],
            depths=[0.0, 1.0, 3.0, 0.0, 2.0, 1.0],
            limit=3.5,
            output="f",
        ),
        SMALL,
        ["f"],
    ),
    "fill": (Fill(columns=["a", "b"], values=[7.0, -1.0]), NUMBERS, ["a", "b"]),
    "missing_flag": (MissingFlag(columns=["a", "b"], outputs=["a?", "b?"]), NUMBERS, ["a?", "b?"]),
    "standardise": (Standardise(columns=["a", "b"], means=[0.1, 3.0], sds=[0.3, 7.0]), NUMBERS, ["a", "b"]),
    "level": (Level(column="w", levels=["y", "x", ""]), WORDS, ["w"]),
    "level without levels": (Level(column="w", levels=[]), WORDS, ["w"]),
    "stack": (Stack(columns=["a", "b"], output="t"), NUMBERS, ["t"]),
    "stack of codes": (Stack(columns=["c", "d"], output="t", dtype="int64"), CODES, ["t"]),
    "one_hot": (OneHot(columns=["c", "d"], num_levels=[2, 3], output="t"), CODES, ["t"]),
    "join": (Join(tensors=["x", "x"], output="t"), X, ["t"]),
    "constant of classes": (Constant(answer="probability", values=[0.25, 0.75]), X, ["probability"]),
    "constant value": (Constant(answer="value", values=[3.5]), X, ["value"]),
    "temperature": (Temperature(temperature=0.5), PROBABILITY, ["probability"]),
    "linear of classes": (
        Linear(answer="probability", weights=[[1.0, -1.0, 0.0], [0.5, 0.1, -0.2]], bias=[0.0, 0.1, -0.1]),
        FINITE_X,
        ["probability"],
    ),
    "linear value": (Linear(answer="value", weights=[[1.0], [0.5]], bias=[-4.0]), FINITE_X, ["value"]),
    "trees for a value": (
        TreeEnsemble(answer="value", tree_outputs=[0, 0], base=[0.5], **TREES),
        X,
        ["value"],
    ),
    "trees for a scale": (
        TreeEnsemble(answer="scale", tree_outputs=[0, 0], base=[-2.5], link="exp", **TREES),
        X,
        ["scale"],
    ),
    "trees for two classes": (
        TreeEnsemble(answer="probability", tree_outputs=[0, 0], base=[-200.0], link="sigmoid", **TREES),
        X,
        ["probability"],
    ),
    "trees for three classes": (
        TreeEnsemble(answer="probability", tree_outputs=[0, 2], base=[0.0, 1.0, 2.0], link="softmax", **TREES),
        X,
        ["probability"],
    ),
    "branch": (
        Branch(
            operations=[Fill(columns=["a", "b"], values=[7.0, 8.0]), Stack(columns=["b", "a"], output="x")],
            outputs=["x"],
            prefix="left.",
        ),
        NUMBERS,
        ["left.x"],
    ),
    "nearest for classes": (
        Nearest(answer="probability", rows=[[0, 0], [2, 0], [1, 4]], votes=[[1, 0], [0, 1], [0, 1]], k=1),
        {"x": np.array([[0.5, 0.25], [1.0, 0.0], [1.5, 3.0]], np.float32)},  # the second lies between two rows
        ["probability"],
    ),
    "nearest for a value": (
        Nearest(answer="value", rows=[[0, 0], [2, 0], [1, 4]], votes=[[1], [2], [6]], weights=[1, 3, 1], k=2),
        {"x": np.array([[0.5, 0.25], [1.5, 3.0]], np.float32)},
        ["value"],
    ),
    "kernel for a value": (
        Kernel(
            answer="value",
            rows=[[0, 0], [2, 0]],
            coefficients=[[1], [-1]],
            bias=[0.5],
            gamma=np.log(2),
            scales=[4],
            shifts=[1],
            link="value",
        ),
        {"x": np.array([[0, 0], [2, 1], [100, 0]], np.float32)},
        ["value"],
    ),
    "kernel for two classes": (
        Kernel(
            answer="probability",
            rows=[[0.5, 0], [2, 0]],
            coefficients=[[9], [-9]],
            bias=[0.5],
            gamma=0.5,
            scales=[4],
            shifts=[1],
            link="sigmoid",
        ),
        FINITE_X,
        ["probability"],
    ),
    "decode_image": (DecodeImage(column="p", height=2, width=2, channels=1), ENCODED, ["p"]),
    "centre_crop": (CentreCrop(column="p", height=2, width=3), PIXELS, ["p"]),
    "flatten_pixels": (FlattenPixels(column="p", height=5, width=4, rows=2, columns=3), PIXELS, ["x"]),
    "scale_pixels": (ScalePixels(column="p", means=[0.0, 100.0, 7.5], sds=[1.0, 50.0, 2.5]), PIXELS, ["p"]),
    "kernel for three classes": (
        Kernel(
            answer="probability",
            rows=[[0.5, 0], [2, 0]],
            coefficients=[[900, 1, 0], [-900, 2, 1]],
            bias=[-0.5, -1, -9],
            gamma=0.5,
            scales=[1, 1, 2],
            shifts=[-100, -60, -50],
            link="one_against_rest",
        ),
        FINITE_X,
        ["probability"],
    ),
}

EXPECTED = {
    "decode_series": [[[2, 3], [NAN, 1.5], [0, -1000], [7, 8]], [[5, 6], [NAN, NAN], [2, NAN], [9, 10]]],
    "decode_image": [[[[[grey]] * 2] * 2 for grey in (0, 7, 200, 255)]],
    "centre_crop": [PIXELS["p"][:, 1:3, 0:3]],
    "flatten_pixels": [FIELDS],
    "scale_pixels": [((PIXELS["p"].astype(np.float32) - [0, 100, 7.5]) / [1, 50, 2.5]).transpose(0, 3, 1, 2)],
    "normalise_text": [["not so good", "good good", "很好", None]],
    "word_tokens": [[[1, 1, 1, 2], [2, 2, 0, 0], [1, 3, 0, 0], [0, 0, 0, 0]], [[4], [2], [2], [0]]],
    "byte_pair_tokens": [
        [[240, 189, 175, 240], [258, 101, 33, 258], [230, 191, 137, 230], [0, 0, 0, 0]],
        [[4], [4], [4], [0]],
    ],
    "tfidf": [[[2.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]],
    "tfidf by directions": [[[0.0, -2.0], [0.0, -2.0], [2.0, 1.0], [0.0, 0.0]]],
    "window_lags": [
        [4.0, NAN, 7.0, 2.0],
        [2.0, NAN, 7.0, -1.0],
        [-1.0, -1.0, 0.1, 11.0],
        [1.0, -1.0, 0.1, 5.0],
    ],
    "window_differences": [[-1.0, -2.0, 0.0, 4.0], [-1.0, -2.0, 0.0, 8.0]],
    "window_resample by mean": [[[1.5, 4.0], [NAN, NAN], [7.0, 7.0], [5e99, 1.25]]],
    "window_resample by sum": [[[3.0, 4.0], [NAN, NAN], [14.0, 14.0], [1e100, 2.5]]],
    "window_resample by last": [[[2.0, 4.0], [NAN, NAN], [7.0, 7.0], [-1.0, 2.0]]],
    "bound": [[1.0, NAN, -1.0, 2.0], [NAN, 0.0, 1.0, -2.0]],
    "bound to missing": [[1.0, NAN, NAN, NAN], [NAN, 0.0, NAN, NAN]],
    "outside_flag": [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]],
    "set_missing": [[NAN, NAN, NAN, 1e300], [NAN, NAN, 2.0, -1e39]],
    "require of columns": [[1.0, NAN, NAN, 1e300], [2.0, 0.0, NAN, NAN]],
    "require of a number": [[1.0, NAN, -3.5, 1e300], [0.0, 0.0, 1.0, 0.0]],
    "require <": [[1.0, 0.0, 0.0, 1.0]],
    "require ==": [[0.0, 0.0, 1.0, 1.0]],
    "require !=": [[1.0, 0.0, 0.0, 0.0]],
    "require >=": [[0.0, 0.0, 1.0, 0.0]],
    "fill_text": [["x", "y", "z"]],
    "rank": [[1.0, 0.0, 0.0, 0.0]],
    "indicators": [[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]],
    "piecewise_linear": [[0.0625, 0.875, -2.0, 1.0], [0.5, 0.5, 0.5, 0.5]],
    "nearest_fill": [[0.5, 3.0, -3.5, 2.0], [1.0, 4.0, NAN, -2.0]],
    "products": [[0.5, 28.0, 3.5e6, -2e6], [0.25, 49.0, 12.25, 1e12]],
    "isolation_flag": [[0.0, 0.0, 1.0, 0.0]],
    "fill": [[1.0, 7.0, -3.5, 1e300], [-1.0, 0.0, 2.0, -1e39]],
    "missing_flag": [[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]],
    "level": [[1.0, 0.0, 2.0, 3.0]],
    "level without levels": [[0.0, 0.0, 0.0, 0.0]],
    "stack of codes": [[[0, 3], [1, 0], [2, 1], [1, 2]]],
    "one_hot": [[[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 1, 0, 0, 1]]],
    "constant of classes": [[[0.25, 0.75]] * 4],
    "constant value": [[3.5] * 4],
    "linear value": [[-3.375, -3.5, -1.0, -39.0]],
    "trees for a value": [[1.5, 1.5, 4.5, 6.5]],
    "nearest for classes": [[[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]],
    "branch": [[[8.0, 1.0], [0.0, 7.0], [2.0, -3.5], [np.float32(-3e38), np.float32(3e38)]]],
    "nearest for a value": [[1.75, 3.0]],
    "kernel for a value": [[4 * (1 - 1 / 16 + 0.5) + 1, 4 * (1 / 32 - 1 / 2 + 0.5) + 1, 3.0]],
}


def test_every_operation_has_a_case():
    assert {type(operation).kind for operation, _, _ in CASES.values()} == set(Operation.kinds)


@pytest.mark.parametrize("case", CASES)
def test_numpy_and_onnx_agree(case: str):
    operation, columns, outputs = CASES[case]
    if not operation.has_graph:
        with pytest.raises(NotImplementedError):
            in_onnx([operation], columns, outputs)
        return
    result = operation.apply(columns)
    for name, found in zip(outputs, in_onnx([operation], columns, outputs), strict=True):
        expected = result[name] if result[name].ndim >= 2 else result[name][:, None]
        assert found.shape == expected.shape
        if expected.dtype == object:
            assert found.tolist() == expected.tolist()
            continue
        np.testing.assert_allclose(found.astype(np.float64), expected.astype(np.float64), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("case", EXPECTED)
def test_the_numbers_are_the_known_ones(case: str):
    operation, columns, outputs = CASES[case]
    result = operation.apply(columns)
    for name, expected in zip(outputs, EXPECTED[case], strict=True):
        np.testing.assert_array_equal(result[name], np.asarray(expected, result[name].dtype))


@pytest.mark.parametrize("case", CASES)
def test_an_operation_changes_neither_its_input_nor_other_columns(case: str):
    operation, columns, _ = CASES[case]
    before = {name: column.copy() for name, column in columns.items()}
    for column in columns.values():
        column.flags.writeable = False
    result = operation.apply({**columns, "other": np.arange(4.0)})
    np.testing.assert_array_equal(result["other"], np.arange(4.0))
    for name, column in before.items():
        np.testing.assert_array_equal(columns[name], column)


@pytest.mark.parametrize("case", CASES)
def test_no_rows_and_one_row_are_answered_too(case: str):
    operation, columns, outputs = CASES[case]
    whole = operation.apply(columns)
    for rows in (slice(0, 0), slice(2, 3)):
        result = operation.apply({name: column[rows] for name, column in columns.items()})
        for name in outputs:
            np.testing.assert_array_equal(result[name], whole[name][rows])


@pytest.mark.parametrize("case", CASES)
def test_plain_data_bring_the_operation_back(case: str):
    operation, _, _ = CASES[case]
    (again,) = load_operations(json.loads(json.dumps([operation.dump()])))
    assert again == operation and again.hash == operation.hash


def test_a_kind_outside_the_list_is_refused():
    with pytest.raises(
        RecipeError, match=r"operation: there is no .run_code.\. Allowed: bound, branch, byte_pair_tokens,"
    ):
        load_operations([{"kind": "run_code"}])


def test_operations_run_in_order():
    operations = (
        MissingFlag(columns=["a"], outputs=["a?"]),
        Fill(columns=["a"], values=[2.0]),
        Stack(columns=["a", "a?"], output="t"),
    )
    tensor = run_operations(operations, {"a": np.array([NAN, 1.0])})["t"]
    assert tensor.dtype == np.float32 and tensor.tolist() == [[2.0, 1.0], [1.0, 0.0]]


def test_numbers_beyond_float32_are_held_at_its_bound():
    tensor = Stack(columns=["a"], output="t").apply({"a": np.array([1e300, -1e300, NAN])})["t"]
    assert tensor[:2, 0].tolist() == pytest.approx([3e38, -3e38])
    assert np.isnan(tensor[2, 0])


def test_trees_that_grow_agree_with_scikit_learn():
    from sklearn.datasets import load_diabetes
    from sklearn.tree import DecisionTreeRegressor

    x, y = load_diabetes(return_X_y=True)
    x = x.astype(np.float32)
    tree = DecisionTreeRegressor(max_depth=5, random_state=0).fit(x, y)
    grown = tree.tree_
    is_leaf = grown.children_left < 0
    operation = TreeEnsemble(
        answer="value",
        roots=[0],
        tree_outputs=[0],
        features=np.where(is_leaf, -1, grown.feature).tolist(),
        thresholds=np.where(is_leaf, 0.0, grown.threshold).tolist(),
        lefts=np.maximum(grown.children_left, 0).tolist(),
        rights=np.maximum(grown.children_right, 0).tolist(),
        nan_left=[False] * len(is_leaf),
        leaf_values=np.where(is_leaf, grown.value[:, 0, 0], 0.0).tolist(),
        base=[0.0],
    )
    np.testing.assert_allclose(operation.apply({"x": x})["value"], tree.predict(x), rtol=1e-5)
    np.testing.assert_allclose(in_onnx([operation], {"x": x}, ["value"])[0][:, 0], tree.predict(x), rtol=1e-5)


def test_what_was_learned_is_given_as_arrays():
    arrays = Standardise(columns=["a", "b"], means=[0.1, 3.0], sds=[0.3, 7.0]).arrays()
    assert {name: array.tolist() for name, array in arrays.items()} == {"means": [0.1, 3.0], "sds": [0.3, 7.0]}
    assert TreeEnsemble(answer="value", tree_outputs=[0, 0], base=[0.5], **TREES).arrays()["roots"].dtype == np.int64


def test_a_level_stands_in_for_a_missing_one_in_numpy_and_in_onnx():
    operations = (FillText(columns=["w"], values=["none"]), Level(column="w", levels=["x", "none"]))
    known = run_operations(operations, {"w": np.array(["x", None, "new"], object)})["w"]
    assert known.tolist() == [0.0, 1.0, 2.0]
    (found,) = in_onnx(operations, {"w": np.array(["x", "", "new"], object)}, ["w"])  # "" is how a graph writes missing
    assert found[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_days_are_those_of_the_calendar():
    from datetime import UTC, datetime, timedelta

    start = datetime(1600, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=n * 1237, hours=n % 24) for n in range(400)]
    seconds = np.array([day.timestamp() for day in days])
    found = positions(seconds, np.floor)
    np.testing.assert_allclose(found["day"], [day.hour / 24 for day in days], atol=1e-9)
    np.testing.assert_allclose(found["week"], [(day.weekday() + day.hour / 24) / 7 for day in days], atol=1e-9)
    np.testing.assert_allclose(found["month"], [(day.day - 1 + day.hour / 24) / 31 for day in days], atol=1e-9)
    ordinals = [(datetime(2001, day.month, 1).timetuple().tm_yday + day.day - 2) for day in days]
    np.testing.assert_allclose(
        found["year"], [(n + day.hour / 24) / 365 for n, day in zip(ordinals, days, strict=True)]
    )


def test_yeo_johnson_is_that_of_scipy():
    from scipy.stats import yeojohnson

    x = np.array([-3.0, -0.5, 0.0, 0.7, 20.0])
    for power in (-1.0, 0.0, 0.6, 2.0, 3.0):
        np.testing.assert_allclose(yeo_johnson(x, power), yeojohnson(x, power), rtol=1e-12)


def test_a_missing_number_is_filled_from_the_nearest_rows_that_know_it():
    near = NearestFill(
        columns=["a", "b"],
        filled=["b"],
        means=[0.0, 0.0],
        sds=[1.0, 1.0],
        rows=[[0.0, 1.0], [2.0, 5.0], [9.0, None]],
        k=2,
    )
    found = near.apply({"a": np.array([8.0, NAN]), "b": np.array([NAN, NAN])})["b"]
    assert found.tolist() == [3.0, 0.0]  # the row at 9 has no b; a row that misses everything gets the mean
    assert near.contains_data and not Fill.contains_data


def test_numbers_far_outside_stay_finite():
    far = {"a": np.array([1e308, -1e308])}
    for operation in (
        Log(columns=["a"], units=[1e-300]),
        SmoothBound(columns=["a"]),
        YeoJohnson(columns=["a"], powers=[3.0], lows=[-1e3], highs=[1e3]),
        Products(lefts=["a"], rights=["a"], outputs=["p"]),
        Project(columns=["a"], means=[0.0], components=[[1.0]], outputs=["p"]),
        PiecewiseLinear(columns=["a"], knots=[[0.0, 1.0]], values=[[0.0, 1.0]]),
    ):
        result = operation.apply(far)
        assert all(
            np.isfinite(result[name]).all() for name in result if name == "p" or name not in far or "p" not in result
        )


def test_a_planted_fault_is_seen():
    """The comparison above fails when numpy and ONNX differ."""

    class Wrong(Fill, kind="test_wrong_fill"):
        def apply(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            filled = super().apply(columns)
            return {**filled, "a": filled["a"] + 1e-3}

    del Operation.kinds["test_wrong_fill"]
    operation = Wrong(columns=["a"], values=[7.0])
    (found,) = in_onnx([operation], {"a": np.array([1.0, NAN])}, ["a"])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(found[:, 0], operation.apply({"a": np.array([1.0, NAN])})["a"], rtol=1e-6)


def test_rolling_numbers_are_those_of_numpy():
    x_NT = np.random.default_rng(0).normal(size=(5, 9))
    x_NT[0, 4], x_NT[1, 8] = NAN, NAN
    rolling = WindowRolling(
        columns=["x"],
        widths=[6],
        statistics=["mean", "sd", "min", "max"],
        quantiles=[0.0, 0.3, 1.0],
        outputs=[*"pqrstuv"],
    )
    result = rolling.apply({"x": x_NT})
    past = x_NT[:, 3:]
    due = [np.nanmean(past, 1), np.nanstd(past, 1), np.nanmin(past, 1), np.nanmax(past, 1)]
    for name, numbers in zip("pqrstuv", [*due, *np.nanquantile(past, [0.0, 0.3, 1.0], axis=1)], strict=True):
        np.testing.assert_allclose(result[name], numbers, rtol=1e-12, err_msg=name)


def test_the_shares_of_all_bands_add_up_to_the_whole_variance():
    x_NT = np.random.default_rng(0).normal(3.0, 2.0, (4, 11))
    bands = WindowSpectrum(columns=["x"], width=10, edges=[0.0, 0.15, 0.25, 0.5], outputs=["p", "q", "r"])
    result = bands.apply({"x": x_NT})
    np.testing.assert_allclose(result["p"] + result["q"] + result["r"], 1.0, rtol=1e-12)


def test_a_window_that_is_too_short_is_refused():
    with pytest.raises(DataError, match="column 'a': a window has 4 moments and 5 are looked at"):
        WindowLags(columns=["a"], lags=[5], outputs=["b"]).apply(WINDOWS)
    with pytest.raises(DataError, match="a window has 1 moments and 2 are looked at"):
        WindowDifferences(columns=["a"], lags=[1], outputs=["b"]).apply(NUMBERS)


@pytest.mark.parametrize("cell", [None, "", "1,x:2,3", "1,2:3", "data.ts#3", "/etc/passwd", "1,inf:2,3", "1,1_0:2,3"])
def test_what_is_no_series_is_refused_with_its_row(cell: str | None):
    cells = np.array(["1:2", cell], object)
    with pytest.raises(DataError, match="row 1, field 's'"):
        DecodeSeries(column="s", moments=2, outputs=["p", "q"]).apply({"s": cells})


def test_a_series_of_other_dimensions_is_refused():
    with pytest.raises(DataError, match="3 dimensions where the model takes 2"):
        DecodeSeries(column="s", moments=2, outputs=["p", "q"]).apply({"s": np.array(["1:2:3"], object)})


def test_the_rarer_of_two_classes_keeps_its_digits_however_sure_trees_are():
    # A stump for each of 30 thresholds, so that the sum is how many of them x exceeds. A temperature takes logarithms.
    num = 30
    nodes = {
        "features": [0, -1, -1] * num,
        "thresholds": [each for place in range(num) for each in (float(place), 0.0, 0.0)],
        "lefts": [each for place in range(num) for each in (3 * place + 1, 0, 0)],
        "rights": [each for place in range(num) for each in (3 * place + 2, 0, 0)],
        "nan_left": [False] * (3 * num),
        "leaf_values": [0.0, 0.0, 1.0] * num,
        "roots": [3 * place for place in range(num)],
    }
    trees = TreeEnsemble(answer="probability", tree_outputs=[0] * num, base=[0.0], link="sigmoid", **nodes)
    operations = (trees, Temperature(temperature=3.0))
    x, sums = np.arange(num, dtype=np.float32)[:, np.newaxis] + 0.5, np.arange(1, num + 1)
    due = 1 / (1 + np.exp(sums / 3.0))
    said = run_operations(operations, {"x": x})["probability"]
    np.testing.assert_allclose(said[:, 0], due, rtol=1e-5)
    (shipped,) = in_onnx(operations, {"x": x}, ["probability"])
    np.testing.assert_allclose(shipped[:, 0], due, rtol=1e-5)
