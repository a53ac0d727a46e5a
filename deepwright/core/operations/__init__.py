"""Operations: the closed, versioned list of what was fitted, as plain data.

One class per file group; each has `apply` in numpy and `graph` in ONNX. A bundle is: operations > tensors > graph.
"""

from deepwright.core.operations.answers import Constant, Linear, TreeEnsemble
from deepwright.core.operations.columns import Fill, Level, MissingFlag, Standardise
from deepwright.core.operations.operation import Operation, load_operations, run_operations
from deepwright.core.operations.tensors import Join, OneHot, Stack

__all__ = [
    "Constant",
    "Fill",
    "Join",
    "Level",
    "Linear",
    "MissingFlag",
    "OneHot",
    "Operation",
    "Stack",
    "Standardise",
    "TreeEnsemble",
    "load_operations",
    "run_operations",
]
