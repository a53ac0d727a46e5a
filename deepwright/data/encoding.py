"""Which encoding a text is in: found out where it is certain, asked for where it is not."""

import codecs
import itertools
from collections.abc import Callable, Iterable, Iterator

from deepwright.core.errors import AskError, DataError, UsageError

PREVIEW_CHARACTERS = 40
COMMON_SHARE = 0.7
KANA_SHARE = 0.4
SAMPLE_BYTES = 1 << 20
"""How much of the lines beyond ASCII an encoding is guessed from."""

MARKS = (
    codecs.BOM_UTF8,
    codecs.BOM_UTF32_LE,
    codecs.BOM_UTF32_BE,
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
)
WESTERN = ("cp1252", "iso8859-1", "iso8859-15", "cp850")


def find_encoding(data: bytes, path: object, asked: str | None, *, is_whole: bool) -> str:
    """The encoding's name.

    A mark at the start and valid UTF-8 are certain. A few lines that are no UTF-8 among others that are: `utf-8`, and
    those rows are set aside later. is_whole: the bytes end where the file ends.
    Raises AskError with a guess and a preview otherwise, DataError when the asked-for encoding does not fit.
    """
    if asked is not None:
        return _asked(data, path, asked, is_whole)
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    silent = silent_utf16(data)
    if silent is not None:
        preview = data[: 2 * PREVIEW_CHARACTERS].decode(silent, "replace").split("\n")[0].strip()
        raise AskError("encoding.ask", path=path, row=1, guess=silent, preview=preview)
    if _fault(data, "utf-8", is_whole) is None:
        return "utf-8"
    return _by_lines(data.splitlines() if is_whole else data.splitlines()[:-1], path)


def find_encoding_of(blocks: Callable[[], Iterator[bytes]], path: object, asked: str | None) -> str:
    """As `find_encoding`, of a text of any size. blocks: gives it from its start, cut where lines end.

    It is called once more where the text is no UTF-8.
    """
    pieces = blocks()
    head = next(pieces, b"")
    if asked is not None:
        name = _asked(head, path, asked, is_whole=False)
    else:
        name = find_encoding(_ascii(head), path, None, is_whole=True)
        if name != "utf-8":
            return name
    decoder = codecs.getincrementaldecoder(name)("strict")
    before = 0
    for piece, is_last in _with_last(itertools.chain([head], pieces)):
        kept = len(decoder.getstate()[0])
        try:
            if not (name == "utf-8" and piece.isascii() and not kept):
                decoder.decode(piece, final=is_last)
        except UnicodeDecodeError as error:
            if asked is None:
                return _by_lines((line for part in blocks() for line in part.splitlines()), path)
            raise does_not_fit(path, asked, error.start, bytes(error.object), before=before - kept) from None
        before += len(piece)
    return name


def _ascii(head: bytes) -> bytes:
    """What of a head tells its encoding before its letters do: a mark, and zeros between letters."""
    return head if head.startswith(MARKS) or silent_utf16(head) is not None else b""


def _with_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    before = next(pieces)
    for piece in pieces:
        yield before, False
        before = piece
    yield before, True


def _by_lines(lines: Iterable[bytes], path: object) -> str:
    """`utf-8` where most lines beyond ASCII are. Raises AskError otherwise."""
    good, bad, first = 0, 0, 0
    shown, sample, size = b"", [], 0
    for number, line in enumerate(lines, 1):
        if line.isascii():
            continue
        if size < SAMPLE_BYTES:
            sample.append(line)
            size += len(line)
        if _fault(line, "utf-8", True) is None:
            good += 1
        else:
            bad += 1
            if bad == 1:
                first, shown = number, line
    if good and good >= bad:
        return "utf-8"
    guess = guess_encoding(b"\n".join(sample))
    raise AskError("encoding.ask", path=path, row=first, guess=guess, preview=_preview(shown, guess))


def errors_of(encoding: str) -> str:
    """How bytes that do not belong are decoded: in UTF-8 as lone surrogates, by which their row is known."""
    return "surrogateescape" if encoding.startswith("utf-8") else "strict"


def does_not_fit(path: object, encoding: str, offset: int, data: bytes, *, before: int = 0) -> DataError:
    """before: bytes of the file before these."""
    guess = guess_encoding(data[max(0, offset - 400) : offset + 400])
    if guess == codecs.lookup(encoding).name:
        guess = "latin-1"  # which has a character for every byte
    return DataError("encoding.does_not_fit", path=path, offset=before + offset, asked=encoding, guess=guess)


def guess_encoding(data: bytes) -> str:
    """The likeliest of gb18030, shift_jis, cp1251 and cp1252 for bytes that are no UTF-8.

    >>> guess_encoding("数据集的质量".encode("gbk")), guess_encoding("café crème".encode("cp1252"))
    ('gb18030', 'cp1252')
    >>> guess_encoding("データの品質です".encode("shift_jis")), guess_encoding("Москва и область".encode("cp1251"))
    ('shift_jis', 'cp1251')
    """
    for name, is_common in (("shift_jis", _is_kana), ("gb18030", _is_common_hanzi), ("cp1251", _is_cyrillic)):
        if _fault(data, name, False) is not None:
            continue
        letters = [c for c in data.decode(name, "ignore") if not c.isascii()]
        least = KANA_SHARE if name == "shift_jis" else COMMON_SHARE
        is_likely = letters and sum(map(is_common, letters)) >= least * len(letters)
        if is_likely and (name != "cp1251" or _has_runs(data)):
            return name
    return "cp1252"


def is_one_byte(encoding: str) -> bool:
    """Whether every byte is a character, as in cp1252 and latin-1: such a decoding never fails and shows nothing."""
    letters = bytes(range(0x80, 0x100)).decode(encoding, "replace")
    return len(letters) == 128 and letters.count("\N{REPLACEMENT CHARACTER}") < 64


def is_utf8_read_as(encoding: str, cell: str) -> bool:
    """Whether the cell's characters beyond ASCII are UTF-8 that was decoded as a one-byte encoding: `Ã©` for `é`.

    One such letter says it in Western encodings, where no word holds these pairs; elsewhere two must.

    >>> [is_utf8_read_as("cp1252", cell) for cell in ("cafÃ©", "café", "cafe")]
    [True, False, False]
    """
    if cell.isascii():
        return False
    try:
        letters = sum(not c.isascii() for c in cell.encode(encoding).decode("utf-8"))
    except UnicodeError:
        return False
    return letters >= (1 if codecs.lookup(encoding).name in WESTERN else 2)


def _asked(data: bytes, path: object, asked: str, is_whole: bool) -> str:
    try:
        known = codecs.lookup(asked)
    except LookupError:
        raise UsageError("encoding.unknown", found=asked) from None
    if not getattr(known, "_is_text_encoding", True):
        raise UsageError("encoding.unknown", found=asked)
    name = "utf-8-sig" if known.name == "utf-8" else known.name
    fault = _fault(data, name, is_whole)
    if fault is not None:
        raise does_not_fit(path, asked, fault, data)
    return name


def _fault(data: bytes, name: str, is_whole: bool) -> int | None:
    """Where the bytes stop being of this encoding, None when they are of it to the end."""
    try:
        codecs.getincrementaldecoder(name)("strict").decode(data, final=is_whole)
    except UnicodeDecodeError as error:
        return error.start
    return None


def silent_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: in texts that are mostly ASCII every second byte is zero."""
    head = data[:4096]
    if len(head) < 8:
        return None
    even, odd = head[0::2], head[1::2]
    even_share, odd_share = even.count(0) / len(even), odd.count(0) / len(odd)
    if max(even_share, odd_share) < 0.4 or min(even_share, odd_share) > 0.05:
        return None
    return "utf-16-le" if odd_share > even_share else "utf-16-be"


def _is_common_hanzi(c: str) -> bool:
    """Of the 3,755 commonest characters, which GB 2312 holds in rows 16 to 55."""
    code = c.encode("gb18030", "ignore")
    return len(code) == 2 and (0xB0 <= code[0] <= 0xD7 or code[0] in (0xA1, 0xA3)) and code[1] >= 0xA1


def _is_kana(c: str) -> bool:
    return "\u3040" <= c <= "\u30ff"


def _is_cyrillic(c: str) -> bool:
    return "\u0400" <= c <= "\u04ff"


def _has_runs(data: bytes) -> bool:
    """Whether most bytes beyond ASCII stand beside another: so in Russian, hardly in French or German."""
    high = [byte >= 0x80 for byte in data]
    beside = sum(a and b for a, b in itertools.pairwise(high))
    return beside > 0.5 * sum(high)


def _preview(line: bytes, guess: str) -> str:
    return line.decode(guess, "replace").strip()[:PREVIEW_CHARACTERS]
