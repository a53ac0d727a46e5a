"""What columns of text show: lengths, scripts, what was spoilt on the way here, and near copies in other parts."""

import unicodedata
from collections import Counter
from collections.abc import Mapping

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, Severity, finding
from deepwright.core.schema import Columns
from deepwright.data.encoding import is_utf8_read_as
from deepwright.data.narrow import listed, text_columns
from deepwright.data.text_alike import near

MOST_TEXTS = 200_000
"""Of a training part, among which near copies are searched for."""
MANY_NEAR = 0.01
MOST_LETTERS = 2_000_000
"""Of a column, by which its scripts are told."""
SCRIPT_SHARE = 0.005
MANY_REPEATED = 0.01
LEAST_CHARACTERS = 12
"""Of the longest text; where all are shorter, equal letters say nothing."""

SCRIPTS = {
    "LATIN": "Latin", "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean",
    "CYRILLIC": "Cyrillic", "GREEK": "Greek", "ARABIC": "Arabic", "HEBREW": "Hebrew", "DEVANAGARI": "Devanagari",
    "THAI": "Thai", "BENGALI": "Bengali", "TAMIL": "Tamil", "TELUGU": "Telugu", "ARMENIAN": "Armenian",
    "GEORGIAN": "Georgian",
}  # fmt: skip
"""The first word of a letter's Unicode name, and the script that it says."""

REPLACED = "\N{REPLACEMENT CHARACTER}"


def text_findings(whole: Dataset) -> tuple[Finding, ...]:
    """Each column of text: lengths, scripts, repeated texts, and characters of a decoding that went wrong."""
    found: list[Finding] = []
    for name in text_columns(whole):
        texts = [text for text in whole.columns[name] if text]
        if texts:
            found += [_lengths(name, texts, len(whole)), *_spoilt(name, texts), *_repeated(name, texts)]
    return tuple(found)


def near_texts(train: Dataset, validation: Dataset, test_inputs: Columns) -> tuple[Finding, ...]:
    """Texts of validation and test that are nearly a training text: what is learned by heart there counts as known."""
    found = []
    parts: Mapping[str, Mapping[str, np.ndarray]] = {"validation": validation.columns, "test": test_inputs}
    for name in text_columns(train):
        known = list(train.columns[name])
        if len(known) > MOST_TEXTS:
            found.append(finding("near_unsearched", "note", name, rows=len(known), limit=MOST_TEXTS))
            continue
        if max((len(text or "") for text in known), default=0) < LEAST_CHARACTERS:
            continue
        for part, columns in parts.items():
            pairs = list(near(known, columns[name]))
            if not pairs:
                continue
            place = max(pairs, key=lambda pair: pair[2])[1]
            share = len(pairs) / len(columns[name])
            severity: Severity = "warning" if share >= MANY_NEAR else "note"
            found.append(
                finding(
                    "near_texts", severity, part, column=name, count=len(pairs), rows=len(columns[name]),
                    share=f"{share:.2%}", row=int(train.origin[place]), text=_shown(known[place]),
                )
            )  # fmt: skip
    return tuple(found)


def _lengths(name: str, texts: list[str], rows: int) -> Finding:
    lengths = np.array([len(text) for text in texts])
    middle, high = np.quantile(lengths, [0.5, 0.95], method="lower")
    return finding(
        "text_lengths", "note", name, rows=rows, empty=rows - len(texts), total=int(lengths.sum()), middle=int(middle),
        high=int(high), most=int(lengths.max()), scripts=listed(scripts(texts)),
    )  # fmt: skip


def scripts(texts: list[str]) -> list[str]:
    """The scripts of the letters, the commonest first, with their shares.

    >>> scripts(["数据 means data"])
    ['Latin 82%', 'Chinese 18%']
    """
    counts: Counter[str] = Counter()
    letters = 0
    for text in texts:
        counts.update(text)
        letters += len(text)
        if letters > MOST_LETTERS:
            break
    found: Counter[str] = Counter()
    for character, count in counts.items():
        if character.isalpha():
            first = unicodedata.name(character, "?").split(" ")[0].split("-")[0]
            found["Latin" if first in ("FULLWIDTH", "FEMININE", "MASCULINE") else SCRIPTS.get(first, "other")] += count
    total = sum(found.values())
    return [f"{script} {n / total:.0%}" for script, n in found.most_common() if n >= SCRIPT_SHARE * total]


def _spoilt(name: str, texts: list[str]) -> list[Finding]:
    found = []
    replaced = [text for text in texts if REPLACED in text]
    if replaced:
        found.append(finding("replaced", "warning", name, count=len(replaced), text=_shown(replaced[0], REPLACED)))
    twice = [text for text in texts if not text.isascii() and _is_read_wrongly(text)]
    if twice:
        found.append(finding("mojibake", "warning", name, count=len(twice), text=_shown(twice[0])))
    return found


def _is_read_wrongly(text: str) -> bool:
    """Whether the text is UTF-8 that was once decoded as Western letters: each character beyond ASCII must be of it."""
    return any(
        is_utf8_read_as(encoding, word)
        for encoding in ("cp1252", "iso8859-1")
        for word in text.split()
        if not word.isascii()
    )


def _repeated(name: str, texts: list[str]) -> list[Finding]:
    extra = len(texts) - len(set(texts))
    if not extra:
        return []
    commonest, count = Counter(texts).most_common(1)[0]
    severity: Severity = "warning" if extra >= MANY_REPEATED * len(texts) else "note"
    return [finding("text_repeated", severity, name, count=extra, rows=len(texts), times=count, text=_shown(commonest))]


def _shown(text: str | None, mark: str = "") -> str:
    """Some forty characters of a text, around a mark; what cannot be seen is left out."""
    start = max(0, (text or "").find(mark) - 20) if mark else 0
    return "".join(c if c.isprintable() else " " for c in (text or "")[start : start + 40])
