"""The catalogue of user texts is whole: every key used exists in both languages, every entry is used."""

import ast
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deepwright.core import errors
from deepwright.core.text import LANGUAGES, catalogue

PACKAGE = Path(errors.__file__).parents[1]
SOURCES = sorted(PACKAGE.rglob("*.py"))
ERRORS = {n for n, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.PracticeError)}
ONLY_IN_A_DOCTEST = {"test.example"}


@dataclass(frozen=True)
class Use:
    """One place that names a text. given: the values it fills in, None where they cannot be read off the source."""

    key: str
    place: str
    given: frozenset[str] | None


def uses(tree: ast.AST, place: str) -> Iterator[Use]:
    """The texts that a source names in `text(...)`, `SomeError(...)`, `finding(...)` and `Sentence(key=...)`."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = {keyword.arg for keyword in call.keywords}
        values = None if None in given else frozenset(str(word) for word in given)
        if (name == "text" or name in ERRORS) and call.args:
            keys, prefix = literals(call.args[0]), ""
        elif name == "finding" and call.args:
            keys, prefix = literals(call.args[0]), "finding."
            values = None if values is None else values | {"where"}
        elif name == "Sentence":
            keys, prefix = [k for word in call.keywords if word.arg == "key" for k in literals(word.value)], ""
            values = sentence_values(call)
        else:
            continue
        for key in keys:
            yield Use(prefix + key, f"{place}:{call.lineno}", values)


def literals(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def sentence_values(call: ast.Call) -> frozenset[str] | None:
    for word in call.keywords:
        if word.arg == "values":
            if not isinstance(word.value, ast.Dict) or not all(isinstance(k, ast.Constant) for k in word.value.keys):
                return None
            return frozenset(str(k.value) for k in word.value.keys if isinstance(k, ast.Constant))
    return frozenset()


def words_in(tree: ast.AST) -> set[str]:
    """Every literal text of a source; a rule named in `finding(...)` counts as its key."""
    words = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return words | {f"finding.{word}" for word in words}


def placeholders(text: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}


TREES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
USES = [use for place, tree in TREES.items() for use in uses(tree, place)]


def missing(found: list[Use]) -> list[str]:
    return [f"{use.place} {use.key}" for use in found if use.key not in catalogue()]


def unfilled(found: list[Use]) -> list[str]:
    """Uses that do not give a value which their text shows."""
    known = [use for use in found if use.key in catalogue() and use.given is not None]
    return [
        f"{use.place} {use.key} lacks {', '.join(sorted(lacking))}"
        for use in known
        if (lacking := placeholders(catalogue()[use.key]["en"]) - (use.given or frozenset()))
    ]


def test_sources_and_uses_were_found():
    assert len(SOURCES) > 20 and len(USES) > 50


def test_every_text_that_the_code_names_is_in_the_catalogue():
    assert missing(USES) == []


def test_every_entry_of_the_catalogue_is_used():
    words = set().union(*(words_in(tree) for tree in TREES.values()))
    assert sorted(set(catalogue()) - words - ONLY_IN_A_DOCTEST) == []


def test_every_use_fills_in_what_its_text_shows():
    assert unfilled(USES) == []


def test_every_text_stands_in_every_language_with_the_same_values():
    for key, entry in catalogue().items():
        assert set(entry) == set(LANGUAGES), key
        assert placeholders(entry["en"]) == placeholders(entry["zh"]), key
        assert entry["en"].strip() and entry["zh"].strip(), key


def test_a_sentence_in_chinese_is_chinese():
    english = [key for key, entry in catalogue().items() if is_sentence(entry["en"]) and not is_chinese(entry["zh"])]
    assert english == []


def is_sentence(text: str) -> bool:
    """Whether there are several words beside the values."""
    words = "".join(literal for literal, *_ in string.Formatter().parse(text)).split()
    return sum(word.isalpha() and len(word) > 1 for word in words) > 2


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("raise DataError('no.such', a=1)", ["x.py:1 no.such"]),
        ("text('core.did_you_mean' if near else 'no.other', word=1)", ["x.py:1 no.other"]),
        ("finding('nothing', 'note', 'here')", ["x.py:1 finding.nothing"]),
        ("Sentence(key='no.sentence', values={})", ["x.py:1 no.sentence"]),
        ("raise ValueError('no.such')", []),
    ],
)
def test_a_planted_missing_text_is_found(source: str, expected: list[str]):
    assert missing(list(uses(ast.parse(source), "x.py"))) == expected


def test_a_planted_missing_value_is_found():
    found = list(uses(ast.parse("raise ResourceError('disk.locked', path=1)"), "x.py"))
    assert unfilled(found) == ["x.py:1 disk.locked lacks pid"]
    assert unfilled(list(uses(ast.parse("raise ResourceError('disk.locked', **values)"), "x.py"))) == []
