"""What `__all__` promises is there, sorted, and nothing is promised twice."""

import ast
import importlib
from pathlib import Path

import pytest

import deepwright

PACKAGE = Path(deepwright.__file__).parent


def modules_with_promises() -> list[str]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned = [t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
        if "__all__" in assigned:
            found.append(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"))
    return found


def test_the_package_promises_names():
    assert "deepwright" in modules_with_promises()


@pytest.mark.parametrize("name", modules_with_promises())
def test_promised_names_are_sorted_and_exist(name: str):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(set(module.__all__))
    assert [word for word in module.__all__ if getattr(module, word, None) is None] == []
    assert [word for word in module.__all__ if word.startswith("_")] == []


def test_dir_shows_what_is_promised():
    assert set(deepwright.__all__) <= set(dir(deepwright))


def test_a_name_that_is_not_promised_does_not_exist():
    with pytest.raises(AttributeError, match="module 'deepwright' has no attribute 'utils'"):
        deepwright.utils  # noqa: B018


def test_every_promised_name_is_documented():
    for word in deepwright.__all__:
        assert (getattr(deepwright, word).__doc__ or "").strip(), word
