"""What a collection of images shows: odd sizes and kinds, images of one colour, repeated and near ones."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from deepwright.core.image import Facts
from deepwright.core.report import Finding, finding
from deepwright.core.seal import TEST
from deepwright.core.text import text
from deepwright.data.image_alike import looks_of, near_pairs
from deepwright.data.labels import SEPARATORS, one_form
from deepwright.data.leakage import OWN_TEST_LIMIT

SHOWN = 5
FAR = 8.0
"""Times the usual number of pixels, or that part of it: an image of another size than the rest."""
RARE = 0.01
"""Share of images of one kind up to which they are odd."""
MANY_ALIKE = 0.05
"""Share of images with one that looks the same from which looks do not tell images of this collection apart."""
FLAT = 2
"""Grey levels between the darkest and the lightest point of a picture of one colour."""


def image_findings(source: str, names: Sequence[str], facts: Sequence[Facts], part: np.ndarray) -> tuple[Finding, ...]:
    """names, facts: [N]. part: int8 [N], -1 where none is given."""
    found = [_sizes(source, names, facts), _kinds(source, names, facts), _one_colour(source, names, facts)]
    found += _repeated(source, names, facts, part)
    found.append(_no_test(facts, part))
    found.append(_near(source, names, facts, part))
    return tuple(each for each in found if each is not None)


def conflicting(facts: Sequence[Facts | None], labels: np.ndarray, part: np.ndarray) -> np.ndarray:
    """bool [N]: images that stand with the same pixels under different labels. Of a test part no label is looked at.

    Several labels in a cell are the same in any order.
    """
    seen: dict[str, set[str]] = defaultdict(set)
    for each, label, place in zip(facts, labels, part, strict=True):
        if each is not None and label is not None and place != TEST:
            seen[each.pixels].add(_in_any_order(label))
    return np.array(
        [f is not None and p != TEST and len(seen[f.pixels]) > 1 for f, p in zip(facts, part, strict=True)], bool
    )


def _in_any_order(label: str) -> str:
    for separator in SEPARATORS:
        label = one_form(label, separator) or label
    return label


def _sizes(source: str, names: Sequence[str], facts: Sequence[Facts]) -> Finding | None:
    sizes = Counter((each.width, each.height) for each in facts)
    (width, height), count = sizes.most_common(1)[0]
    area = np.array([each.width * each.height for each in facts], float)
    far = np.flatnonzero(np.abs(np.log(area / np.median(area))) >= math.log(FAR)).tolist()
    if not far:
        if len(sizes) == 1:
            return finding("images_one_size", "note", source, width=width, height=height, count=count)
        widths, heights = ([getattr(each, side) for each in facts] for side in ("width", "height"))
        return finding(
            "images_sizes", "note", source, sizes=len(sizes), width=int(np.median(widths)), least_width=min(widths),
            most_width=max(widths), height=int(np.median(heights)), least_height=min(heights), most_height=max(heights),
        )  # fmt: skip
    shown = _listed([f"{names[i]} ({facts[i].width} x {facts[i].height})" for i in far])
    return finding(
        "images_far_size", "warning", source, count=len(far), of=len(facts), shown=shown, width=width, height=height,
        usual=count,
    )  # fmt: skip


def _kinds(source: str, names: Sequence[str], facts: Sequence[Facts]) -> Finding | None:
    kinds = Counter((each.format, each.mode) for each in facts)
    (format_, mode), count = kinds.most_common(1)[0]
    odd = [
        f"{name} ({each.format}, {each.mode})"
        for name, each in zip(names, facts, strict=True)
        if kinds[each.format, each.mode] <= max(1, RARE * len(facts)) and (each.format, each.mode) != (format_, mode)
    ]
    if odd:
        return finding(
            "images_odd_kind", "warning", source, count=len(odd), shown=_listed(odd), format=format_, mode=mode,
            usual=count,
        )  # fmt: skip
    if len(kinds) > 1:
        shown = _listed([f"{kind[0]} {kind[1]} ({num})" for kind, num in kinds.most_common()])
        return finding("images_kinds", "note", source, shown=shown)
    return None


def _one_colour(source: str, names: Sequence[str], facts: Sequence[Facts]) -> Finding | None:
    looks = looks_of([each.look for each in facts]).reshape(len(facts), -1)
    flat = np.flatnonzero(looks.max(axis=1).astype(int) - looks.min(axis=1) <= FLAT).tolist()
    if not flat:
        return None
    return finding("images_one_colour", "warning", source, count=len(flat), shown=_listed([names[i] for i in flat]))


def _repeated(source: str, names: Sequence[str], facts: Sequence[Facts], part: np.ndarray) -> list[Finding]:
    """Groups of the same pixels: within a part, and across parts."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(facts):
        groups[each.pixels].append(place)
    twins = [group for group in groups.values() if len(group) > 1]
    crossing = [group for group in twins if len(set(part[group].tolist())) > 1]
    found = []
    if twins:
        shown = _listed([" = ".join(names[i] for i in group[:3]) for group in twins], 3)
        extra = sum(len(group) - 1 for group in twins)
        found.append(finding("images_repeated", "warning", source, count=extra, groups=len(twins), shown=shown))
    if crossing:
        shown = _listed([_across(group, names, part) for group in crossing], 3)
        found.append(finding("images_in_two_parts", "warning", source, count=len(crossing), shown=shown))
    return found


def _no_test(facts: Sequence[Facts], part: np.ndarray) -> Finding | None:
    """A given test part that repeats too many images of the others is no test, as with rows of a table."""
    known = {each.pixels for each, place in zip(facts, part, strict=True) if place != TEST}
    tested = [each.pixels in known for each, place in zip(facts, part, strict=True) if place == TEST]
    count = sum(tested)
    if count <= OWN_TEST_LIMIT * len(tested):
        return None
    return finding("overlap", "blocking", "test", count=count, rows=len(tested), share=f"{count / len(tested):.2%}")


def _near(source: str, names: Sequence[str], facts: Sequence[Facts], part: np.ndarray) -> Finding | None:
    pairs = near_pairs(looks_of([each.look for each in facts]))
    if pairs is not None and len(pairs):
        pairs = pairs[[facts[i].pixels != facts[j].pixels for i, j in pairs.tolist()]]
    is_many = pairs is None or (len(facts) >= 200 and len(np.unique(pairs)) > MANY_ALIKE * len(facts))
    if is_many:
        return finding("images_alike", "note", source, of=len(facts))
    if pairs is None or not len(pairs):
        return None
    crossing = pairs[part[pairs[:, 0]] != part[pairs[:, 1]]]
    first = np.concatenate([crossing, pairs])[:3].tolist()
    shown = _listed(
        [
            _across(pair, names, part) if part[pair[0]] != part[pair[1]] else " ~ ".join(names[i] for i in pair)
            for pair in first
        ]
    )
    return finding("images_near", "warning", source, pairs=len(pairs), crossing=len(crossing), shown=shown)


def _across(group: Sequence[int], names: Sequence[str], part: np.ndarray) -> str:
    """One image of each part."""
    first: dict[int, int] = {}
    for place in group:
        first.setdefault(int(part[place]), place)
    return " = ".join(f"{names[place]} ({_word(which)})" for which, place in sorted(first.items()))


def _word(part: int) -> str:
    if part == 0:
        return text("word.part_train")
    if part == 1:
        return text("word.part_validation")
    return text("word.part_test") if part == TEST else text("word.part_none")


def _listed(entries: Sequence[str], limit: int = SHOWN) -> str:
    return ", ".join(entries[:limit]) + (", ..." if len(entries) > limit else "")
