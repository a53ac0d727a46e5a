"""What every part must do, whatever its family."""

import inspect
import json
from typing import Any

from deepwright.core.errors import RecipeError
from deepwright.core.part import Part, allowed


def plain_data_bring_it_back(part: Part) -> None:
    family = type(part).__mro__[_depth(part)]
    for defaults in (True, False):
        again = family.parse(json.loads(json.dumps(part.dump(defaults=defaults))))  # type: ignore[attr-defined]
        assert again == part, f"{again!r} is not {part!r}"
        assert again.hash == part.hash


def _depth(part: Part) -> int:
    """How far up its family's base class stands."""
    bases = type(part).__mro__
    return next(i for i, base in enumerate(bases) if getattr(base, "family", "") and not getattr(base, "kind", ""))


def every_option_is_explained(part: Part) -> None:
    for name, field in type(part).model_fields.items():
        help_text = field.description or ""
        assert len(help_text) > 3, f"option {name} has no help"
        assert "\n" not in help_text, f"the help of option {name} is not one line"
        assert allowed(type(part), name), f"option {name} has no type in words"


def it_says_what_it_is_in_one_sentence(part: Part) -> None:
    sentence = inspect.cleandoc(type(part).__dict__.get("__doc__") or "").split("\n\n")[0].replace("\n", " ")
    assert sentence.endswith((".", ":")), f"the docstring begins with no sentence: {sentence!r}"
    assert 10 < len(sentence) < 300, sentence


def any_other_option_changes_the_hash(part: Part) -> None:
    values = {name: getattr(part, name) for name in type(part).model_fields}
    for name, value in values.items():
        other = type(part).model_construct(
            **{**values, name: _another(value, type(part).model_fields[name].annotation)}
        )
        assert other.hash != part.hash, f"option {name} is not in the hash"


def _another(value: Any, annotation: Any) -> Any:
    """A value that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, tuple):
        return (*value, *(value[:1] or (0,)))
    if isinstance(value, Part):
        others = [kind for name, kind in type(value).kinds.items() if name != value.kind]
        return others[0].model_construct() if others else None
    assert value is None, f"no other value is known for {value!r} ({annotation})"
    return 1


def where_a_search_looks_is_allowed(part: Part) -> None:
    for name, field in type(part).model_fields.items():
        extra = field.json_schema_extra
        search = extra.get("search") if isinstance(extra, dict) else None
        numbers = [bound for bound in search or () if isinstance(bound, int | float)]
        for bound in numbers:
            try:
                part.replace(**{name: bound})
            except RecipeError as error:
                raise AssertionError(f"a search of {name} would try {bound}: {error}") from None


def methods_have_their_familys_arguments(part: Part) -> None:
    """A caller may name any argument as the family does."""
    family = type(part).__mro__[_depth(part)]
    for name, method in inspect.getmembers(family, inspect.isfunction):
        if name.startswith("_") or getattr(Part, name, None) is method:
            continue
        theirs = list(inspect.signature(method).parameters)
        ours = list(inspect.signature(getattr(type(part), name)).parameters)
        assert ours[: len(theirs)] == theirs, f"{name} takes {ours}, its family {theirs}"
