"""Table: the options of a table of rows and columns, from a file or handed over in Python."""

from typing import TYPE_CHECKING, Literal

from deepwright.core.errors import UsageError
from deepwright.core.families import Source
from deepwright.core.part import option

if TYPE_CHECKING:
    from deepwright.data.raw import Raw


class Table(Source, kind="table"):
    """CSV, TSV, Parquet or JSON, or frames and arrays in Python. Every cell is read as text and typed by us.

    >>> Table(path="adult.csv", types=("zip=category",)).types
    ('zip=category',)
    """

    path: str | None = option(
        None, "the file; a folder, a glob or an archive: its tables, one below the other; none: rows come from Python"
    )
    member: str | None = option(None, "which members of an archive are read, by name or glob; none: all its tables")
    validation: str | None = option(None, "a validation file of your own; none: the validation part is split off")
    test: str | None = option(None, "a test file of your own; none: the test part is split off")
    columns: tuple[str, ...] = option((), "column names of a file without header row; none: the first row has them")
    delimiter: str | None = option(
        None,
        "what separates fields, or `tab`, or `space` for one or several; none: found out, and the finding says how",
    )
    encoding: str | None = option(None, "of the text; none: utf-8 (utf-16 by its mark), and asked for when it is not")
    map: str | None = option(None, "values to rename per column: 'income:<=50K.=<=50K,>50K.=>50K; sex:F=female'")
    types: tuple[str, ...] = option((), "types that overrule inference: 'zip=category' (or number, text, timestamp)")
    missing: tuple[str, ...] = option((), "further texts that mean missing, besides an empty cell and a lone ?")
    quote: Literal["double", "single", "none"] = option("double", "what encloses fields that hold separators")
    escape: Literal["double", "backslash"] = option("double", "a quote in a quoted field: doubled, or after \\")
    joined: Literal["ask", "keep"] = option("ask", "a quoted cell whose lines look like rows: ask, or keep it")
    nested: Literal["refuse", "dots"] = option("refuse", "an object within a JSON object: refuse, or columns as a.b")
    comment: str | None = option(None, "lines before the header that begin so are skipped; none: no such lines")
    decimal: Literal[".", ","] = option(".", "the decimal mark of numbers")
    thousands: Literal[",", ".", " ", "'"] | None = option(None, "the mark between thousands; none: there is none")
    dates: Literal["day_first", "month_first"] | None = option(None, "how 01/02/2024 reads; none: only ISO dates")
    memory: Literal["auto", "hold", "stream"] = option(
        "auto",
        "hold: all rows; stream: one CSV file is read through, and what needs all rows at once learns on a sample; "
        "auto: stream what does not fit",
    )
    max_columns: int = option(10_000, "a file with more columns is refused", low=1, high=10_000_000)

    def read(self, target: str | None) -> "Raw":
        """Raises UsageError without a path: then rows are handed over in Python, to `collect`."""
        from deepwright.data.files import read_path
        from deepwright.data.given import with_validation

        if self.path is None:
            raise UsageError("collect.no_source")
        whole = read_path(self.path, self)
        return whole if self.validation is None else with_validation(whole, read_path(self.validation, self))
