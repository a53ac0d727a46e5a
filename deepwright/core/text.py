"""The catalogue of user texts, in English and Chinese.

Every sentence a user can meet stands in `texts/*.toml` under a key, once per language:

    [table.width]
    en = "{path}, row {row}: {found} fields where the header has {expected}. ..."
    zh = "..."

A test reads the package's source and fails on a key that is missing, unused or not translated.
"""

import os
import tomllib
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "zh")


def language() -> str:
    """The language of user texts: `DEEPWRIGHT_LANG` if set, else the locale's, else English."""
    chosen = os.environ.get("DEEPWRIGHT_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG", "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def text(key: str, /, **values: Any) -> str:
    """The text of `key` in the user's language, with `values` filled in.

    >>> text("test.example", name="deepwright")
    'This is deepwright.'
    """
    entry = catalogue().get(key)
    if entry is None:
        raise KeyError(f"the catalogue has no text {key!r}; add it to core/texts/*.toml in {', '.join(LANGUAGES)}")
    return entry[language()].format(**values)


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every text by its dotted key: {key: {"en": ..., "zh": ...}}."""
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(resources.files("deepwright.core").joinpath("texts").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            _collect(tomllib.loads(file.read_text(encoding="utf-8")), "", entries)
    return entries


def _collect(tree: dict[str, Any], prefix: str, entries: dict[str, dict[str, str]]) -> None:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if all(isinstance(v, str) for v in value.values()):
            if key in entries:
                raise KeyError(f"the catalogue has two texts {key!r}")
            entries[key] = value
        else:
            _collect(value, f"{key}.", entries)
