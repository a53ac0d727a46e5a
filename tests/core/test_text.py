"""The catalogue speaks English and Chinese."""

import pytest

from deepwright.core.text import LANGUAGES, catalogue, language, text


@pytest.mark.parametrize(
    ("deepwright_lang", "lc_all", "lang", "expected"),
    [
        ("zh", "en_US.UTF-8", "en_US.UTF-8", "zh"),
        ("en", "zh_CN.UTF-8", "zh_CN.UTF-8", "en"),
        (None, "zh_CN.UTF-8", "en_US.UTF-8", "zh"),
        (None, None, "zh_TW.UTF-8", "zh"),
        (None, None, "ZH", "zh"),
        (None, None, "C", "en"),
        (None, None, None, "en"),
        (None, "", "zh_CN.UTF-8", "zh"),
    ],
)
def test_the_language_is_the_chosen_one_then_the_locales(
    monkeypatch: pytest.MonkeyPatch, deepwright_lang: str | None, lc_all: str | None, lang: str | None, expected: str
):
    for name, value in (("DEEPWRIGHT_LANG", deepwright_lang), ("LC_ALL", lc_all), ("LANG", lang)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert language() == expected


def test_texts_are_filled_in_in_both_languages(monkeypatch: pytest.MonkeyPatch):
    assert text("test.example", name="a {b}") == "This is a {b}."
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    assert text("test.example", name="a") == "这是 a。"


def test_a_missing_text_says_where_to_add_it():
    with pytest.raises(KeyError, match=r"no text 'test.none'; add it to core/texts/\*.toml in en, zh"):
        text("test.none")


def test_a_missing_value_is_an_error_and_not_a_hole():
    with pytest.raises(KeyError, match="name"):
        text("test.example")


def test_every_entry_is_a_text_in_every_language():
    assert all(set(entry) == set(LANGUAGES) for entry in catalogue().values())
