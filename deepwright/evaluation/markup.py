"""HTML and SVG elements whose texts are escaped unless they are markup already."""

import re
from html import escape

OPTION = re.compile(r"(?<![\w-])(--[a-z][\w.]*\w)", re.ASCII)


class Markup(str):
    """Text that is already HTML."""


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """An element: strings are escaped, Markup stands as it is, None is left out, lists are joined.

    An attribute's trailing underscore is dropped and inner ones become hyphens; None and False leave it out.

    >>> tag("td", "a < b", class_="num", data_n=3)
    '<td class="num" data-n="3">a &lt; b</td>'
    """
    written = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        written.append(f" {attribute}" if value is True else f' {attribute}="{escape(str(value))}"')
    return Markup(f"<{name}{''.join(written)}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """Children one after the other."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, list | tuple):
            parts.append(join(*child))
        elif isinstance(child, Markup):
            parts.append(child)
        elif child is not None:
            parts.append(escape(str(child)))
    return Markup("".join(parts))


def prose(words: str) -> Markup:
    """A sentence in which an option, and what stands between backticks, is code; a lone backtick stands as it is.

    >>> prose("`a < b` holds")
    '<code>a &lt; b</code> holds'
    >>> prose("with --seeds 5")
    'with <code class="option">--seeds</code> 5'
    """
    pieces = words.split("`")
    if len(pieces) % 2 == 0:
        return _with_options(words)
    return join([tag("code", piece) if place % 2 else _with_options(piece) for place, piece in enumerate(pieces)])


def _with_options(words: str) -> Markup:
    """An option is never broken over two lines: `--` alone reads as a dash."""
    pieces = OPTION.split(words)
    return join([tag("code", piece, class_="option") if place % 2 else piece for place, piece in enumerate(pieces)])
