"""Interpret: what every source of cells lets the user say about them."""

from deepwright.core.families import Source
from deepwright.core.part import option
from deepwright.data.table import Table


class Interpreted(Source):
    """A source whose cells are typed by us, as those of a table are."""

    map: str | None = option(None, "values to rename per column: 'income:<=50K.=<=50K,>50K.=>50K; sex:F=female'")
    types: tuple[str, ...] = option((), "types that overrule inference: 'zip=category' (or number, text, timestamp)")
    missing: tuple[str, ...] = option((), "further texts that mean missing, besides an empty cell and a lone ?")

    @property
    def reading(self) -> Table:
        """The same said in the options of a table, which go with the cells."""
        return Table(map=self.map, types=self.types, missing=self.missing)
