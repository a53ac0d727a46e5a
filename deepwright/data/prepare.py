"""Prepare: from input columns to the tensors that a network or a baseline takes."""

from collections.abc import Sequence

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError
from deepwright.core.families import Form, Tensor
from deepwright.core.operations import Join, Level, MissingFlag, OneHot, Operation, Stack
from deepwright.core.recipe import Prepare
from deepwright.core.step import Fitted, require_part
from deepwright.data.missing import number_columns


def fit_prepare(train: Dataset, prepare: Prepare, form: Form) -> tuple[Fitted, tuple[Tensor, ...]]:
    """The operations from the input columns to the tensors of `form` (see `families.Form`), and those tensors.

    Each step learns from the training part as the steps before it left it. Columns of long text are not used.
    Raises DataError when no input column can be used, LeakError on any part but train.
    """
    require_part(train, "train", "prepare")
    categories = prepare.encoder.fit(train)
    levels = [op for op in categories.operations if isinstance(op, Level)]
    numbers = number_columns(train)
    if not numbers and not levels:
        raise DataError("prepare.no_inputs", columns=", ".join(f"{f.name} ({f.type})" for f in train.schema.inputs))
    if form == "ordinal":
        columns = (*numbers, *(level.column for level in levels))
        stack = Stack(columns=columns, output="x")
        return categories.then(Fitted((stack,))), (Tensor("x", len(columns)),)
    imputed = prepare.imputer.fit(train)
    filled = Dataset(
        {**imputed.apply(train.columns)}, train.schema, train.part, train.origin, train.hashes, train.source
    )
    fitted = imputed.then(prepare.scaler.fit(filled)).then(categories)
    flags = [name for op in imputed.operations if isinstance(op, MissingFlag) for name in op.outputs]
    stacked = (*numbers, *flags)
    last, tensors = _mixed(stacked, levels) if form == "mixed" else _flat(stacked, levels)
    return fitted.then(Fitted(last)), tensors


def _mixed(numbers: Sequence[str], levels: Sequence[Level]) -> tuple[tuple[Operation, ...], tuple[Tensor, ...]]:
    operations: list[Operation] = []
    tensors: list[Tensor] = []
    if numbers:
        operations.append(Stack(columns=tuple(numbers), output="numbers"))
        tensors.append(Tensor("numbers", len(numbers)))
    if levels:
        columns = tuple(level.column for level in levels)
        operations.append(Stack(columns=columns, output="categories", dtype="int64"))
        num_codes = tuple(len(level.levels) + 1 for level in levels)  # one more for missing, unseen and rare
        tensors.append(Tensor("categories", len(columns), "int64", num_codes))
    return tuple(operations), tuple(tensors)


def _flat(numbers: Sequence[str], levels: Sequence[Level]) -> tuple[tuple[Operation, ...], tuple[Tensor, ...]]:
    num_levels = tuple(len(level.levels) for level in levels)
    columns = tuple(level.column for level in levels)
    x = (Tensor("x", len(numbers) + sum(num_levels)),)
    if not levels:
        return (Stack(columns=tuple(numbers), output="x"),), x
    if not numbers:
        return (OneHot(columns=columns, num_levels=num_levels, output="x"),), x
    names = _free_names({*numbers, *columns})
    return (
        Stack(columns=tuple(numbers), output=names[0]),
        OneHot(columns=columns, num_levels=num_levels, output=names[1]),
        Join(tensors=names, output="x"),
    ), x


def _free_names(taken: set[str]) -> tuple[str, str]:
    """Names for the two tensors between columns and `x` that no column has."""
    mark = ""
    while {f"numbers{mark}", f"one_hot{mark}"} & taken:
        mark += "'"
    return f"numbers{mark}", f"one_hot{mark}"
