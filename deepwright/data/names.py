"""Column names: present, different, and not too many."""

from collections import Counter

from deepwright.core.errors import DataError


def check_names(source: object, names: tuple[str, ...], max_columns: int) -> None:
    """Raises DataError for too many, empty or double names."""
    if len(names) > max_columns:
        raise DataError("table.too_many_columns", path=source, found=len(names), limit=max_columns)
    empty = [index for index, name in enumerate(names, 1) if not name.strip()]
    if empty:
        raise DataError("table.empty_name", path=source, columns=", ".join(map(str, empty[:10])), count=len(names))
    double = [name for name, count in Counter(names).items() if count > 1]
    if double:
        raise DataError("table.double_name", path=source, names=", ".join(double[:10]))
