"""Every example in a docstring does what it says."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

import deepwright

PACKAGE = Path(deepwright.__file__).parent


def modules_with_examples() -> list[str]:
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
    return [".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for p in paths]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_hold(name: str):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_a_planted_wrong_example_fails():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "planted", None, None)
    assert doctest.DocTestRunner(verbose=False).run(wrong, out=lambda _: None).failed == 1


def test_every_kind_of_operation_and_metric_shows_numbers():
    """Parts that compute something by hand carry an example (STYLE 13)."""
    tree = ast.parse((PACKAGE / "core" / "operations" / "columns.py").read_text(encoding="utf-8"))
    kinds = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    with_examples = [node.name for node in kinds if ">>> " in (ast.get_docstring(node) or "")]
    assert {"Fill", "Standardise", "Level"} <= set(with_examples)
