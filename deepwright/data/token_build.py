"""Token stores built once: named by a hash of the texts and of what cuts them, checked by hash, opened ever after."""

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deepwright.core.dataset import column_bytes
from deepwright.core.disk import lock
from deepwright.core.errors import ResourceError
from deepwright.core.operations import TextTokens
from deepwright.core.text import text
from deepwright.data.token_store import TokenStore, open_tokens, write_tokens
from deepwright.data.tokenizers import encoded

BYTES_PER_TOKEN, BYTES_PER_OFFSET = 4, 8
SAMPLE_TEXTS = 200


def build_tokens(
    texts: np.ndarray, operation: TextTokens, folder: str | Path, *, say: Callable[[str], object] | None = None
) -> TokenStore:
    """The tokens of object [N] texts, uncut, in a store below `folder`; or the one that stands there, once checked.

    A missing text has none. What a killed process left is written anew, to the same bytes. say: takes a sentence on
    the size before anything is written; None: standard error.

    Raises ResourceError where the disk has no room, DataError for a store whose bits are not as they were written.
    """
    address = hashlib.sha256(operation.hash.encode() + column_bytes(texts)).hexdigest()[:32]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / address
    with lock(folder / f".{address}.lock"):
        if place.exists():
            return open_tokens(place)
        _make_room(texts, operation, folder, say or _to_stderr)
        return write_tokens(encoded(operation, texts), place)


def _make_room(texts: np.ndarray, operation: TextTokens, folder: Path, say: Callable[[str], object]) -> None:
    """Say about how large the store will be, by a sample of the texts. Raises ResourceError where it has no room."""
    step = max(1, len(texts) // SAMPLE_TEXTS)
    sample = [text_ for text_ in texts[::step] if text_]
    characters = sum(map(len, sample))
    tokens = sum(len(operation.encode(text_)) for text_ in sample)
    total = sum(len(text_) for text_ in texts if text_)
    wanted = round(BYTES_PER_TOKEN * total * tokens / max(1, characters)) + BYTES_PER_OFFSET * (len(texts) + 1)
    free = shutil.disk_usage(folder).free
    say(text("tokens.size", path=folder, texts=len(texts), mib=f"{wanted / 2**20:.1f}", free=free >> 20))
    if wanted > free:
        raise ResourceError("tokens.no_room", path=folder, wanted=wanted, free=free)


def _to_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr)
