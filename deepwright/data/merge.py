"""Merge: sources of any kinds as one table, below each other or beside each other by keys."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from deepwright.core.errors import RecipeError
from deepwright.core.families import Source
from deepwright.core.part import option
from deepwright.data.interpret import Interpreted
from deepwright.data.raw import Raw
from deepwright.data.table import Table


class Merge(Interpreted, kind="merge"):
    """Several sources as one: `append` puts rows below each other, `left` and `inner` put columns beside by keys.

    A join looks up: the keys of the later sources must be different in every row, so no row is ever multiplied.

    >>> from deepwright.data.table import Table
    >>> Merge(sources=(Table(path="orders.csv"), Table(path="people.csv")), how="left", on=("person",)).how
    'left'
    """

    sources: tuple[Source, ...] = option((), "the sources, in order; each with its own options")
    how: Literal["append", "left", "inner"] = option(
        "append", "append: rows; left: columns by keys, rows without a match stay; inner: they are set aside"
    )
    on: tuple[str, ...] = option((), "the key columns of a join, by name in all the sources")
    suffix: str | None = option(None, "added to a joined column whose name is taken; none: such names are refused")

    def read(self, target: str | None) -> Raw:
        from deepwright.data.append import append
        from deepwright.data.join import join

        self._require_whole()
        raws = [source.read(target) for source in self.sources]
        options = raws[0].options.replace(**_said([raw.options for raw in raws], super().reading))
        raws = [replace(raw, options=options) for raw in raws]
        if self.how == "append":
            return append(raws, " + ".join(raw.source for raw in raws))
        whole: Raw = raws[0]
        for right in raws[1:]:
            whole = join(whole, right, self.on, keeps_unmatched=self.how == "left", suffix=self.suffix)
        return whole

    @property
    def reading(self) -> Table:
        """What is said of the cells by the merge and by each of its sources."""
        inner = [
            source if isinstance(source, Table) else getattr(source, "reading", Table()) for source in self.sources
        ]
        return Table(**_said(inner, super().reading))

    def _require_whole(self) -> None:
        if len(self.sources) < 2:
            raise RecipeError("merge.few", found=len(self.sources))
        if (self.how == "append") == bool(self.on):
            raise RecipeError("merge.on", how=self.how, on=", ".join(self.on))
        for place, source in enumerate(self.sources):
            for name in ("test", "validation"):
                if getattr(source, name, None) is not None:
                    raise RecipeError("merge.inner_part", where=f"source.sources.{place}.{name}")


def _said(options: Sequence[Table], own: Table) -> dict[str, Any]:
    """What the merged cells are interpreted by: what any source says, and the merge itself."""
    types = dict(_typed(own))
    decided = set(types)
    for name, type_ in (entry for table in options for entry in _typed(table)):
        if name not in decided and types.setdefault(name, type_) != type_:
            raise RecipeError("merge.types", column=name, first=types[name], second=type_)
    return {
        "types": tuple(f"{name}={type_}" for name, type_ in types.items()),
        "missing": tuple(dict.fromkeys(word for table in (*options, own) for word in table.missing)),
        "map": "; ".join(filter(None, dict.fromkeys(table.map for table in (*options, own)))) or None,
    }


def _typed(table: Table) -> list[tuple[str, str]]:
    """What `types` says, as column and type."""
    return [(name, type_) for name, _, type_ in (entry.rpartition("=") for entry in table.types)]
