"""Operations: the closed, versioned list of what was fitted, as plain data.

One class per file group; each has `apply` in numpy and `graph` in ONNX. A bundle is: operations > tensors > graph.
"""

from deepwright.core.operations.answers import Constant, Linear, Temperature, TreeEnsemble
from deepwright.core.operations.bounds import Bound, OutsideFlag, Require, SetMissing
from deepwright.core.operations.branch import Branch, unfolded
from deepwright.core.operations.calendar import Calendar
from deepwright.core.operations.columns import Drop, Fill, FillText, Level, MissingFlag, Standardise
from deepwright.core.operations.extraction import Products, Project
from deepwright.core.operations.images import CentreCrop, DecodeImage, FlattenPixels, ScalePixels
from deepwright.core.operations.isolation import IsolationFlag
from deepwright.core.operations.levels import HashBucket, Indicators, Rank
from deepwright.core.operations.neighbours import LinearFill, NearestFill
from deepwright.core.operations.operation import Operation, load_operations, run_operations
from deepwright.core.operations.rows import Kernel, Nearest
from deepwright.core.operations.scales import Log, PiecewiseLinear, SmoothBound, YeoJohnson
from deepwright.core.operations.series import DecodeSeries
from deepwright.core.operations.tensors import Join, OneHot, Stack
from deepwright.core.operations.texts import NormaliseText, Tfidf
from deepwright.core.operations.tokens import BytePairTokens, ByteTokens, CharacterTokens, TextTokens, WordTokens
from deepwright.core.operations.windows import (
    WindowDifferences,
    WindowLags,
    WindowResample,
    WindowRolling,
    WindowSpectrum,
)

__all__ = [
    "Bound",
    "Branch",
    "BytePairTokens",
    "ByteTokens",
    "Calendar",
    "CentreCrop",
    "CharacterTokens",
    "Constant",
    "DecodeImage",
    "DecodeSeries",
    "Drop",
    "Fill",
    "FillText",
    "FlattenPixels",
    "HashBucket",
    "Indicators",
    "IsolationFlag",
    "Join",
    "Kernel",
    "Level",
    "Linear",
    "LinearFill",
    "Log",
    "MissingFlag",
    "Nearest",
    "NearestFill",
    "NormaliseText",
    "OneHot",
    "Operation",
    "OutsideFlag",
    "PiecewiseLinear",
    "Products",
    "Project",
    "Rank",
    "Require",
    "ScalePixels",
    "SetMissing",
    "SmoothBound",
    "Stack",
    "Standardise",
    "Temperature",
    "TextTokens",
    "Tfidf",
    "TreeEnsemble",
    "WindowDifferences",
    "WindowLags",
    "WindowResample",
    "WindowRolling",
    "WindowSpectrum",
    "WordTokens",
    "YeoJohnson",
    "load_operations",
    "run_operations",
    "unfolded",
]
