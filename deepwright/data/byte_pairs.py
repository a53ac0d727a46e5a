"""Byte pairs: which pairs of tokens to join, learned from how often they stand beside each other."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from deepwright.core.operations.tokens import CHUNK, NUM_BYTES

Pair = tuple[int, int]


def learn_merges(texts: Iterable[str], count: int, min_count: int = 2) -> tuple[Pair, ...]:
    """Up to `count` pairs, each the commonest in the texts as joined so far; of equals, the one of smaller numbers.

    Only what changes is counted anew: a pair's pieces are known, and counts wait in a heap (Sennrich et al. 2016).

    >>> learn_merges(["the then them", "the"], 2)
    ((105, 102), (117, 257))
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(CHUNK.findall(text))
    pieces = [([byte + 1 for byte in piece.encode("utf-8", "surrogatepass")], n) for piece, n in counts.items()]
    totals: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)
    for place, (tokens, times) in enumerate(pieces):
        for pair in pairwise(tokens):
            totals[pair] += times
            places[pair].add(place)
    heap = [(-total, pair) for pair, total in totals.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(merges) < count:
        total, pair = heapq.heappop(heap)
        if -total != totals[pair]:
            continue  # counted anew since
        if -total < min_count:
            break
        number = NUM_BYTES + 1 + len(merges)
        merges.append(pair)
        changed: set[Pair] = set()
        for place in places.pop(pair):
            tokens, times = pieces[place]
            after, gone, new = _joined(tokens, pair, number)
            for each in gone:
                totals[each] -= times
            for each in new:
                totals[each] += times
                places[each].add(place)
            changed.update(gone, new)
            pieces[place] = (after, times)
        del totals[pair]
        changed.discard(pair)
        for each in changed:
            heapq.heappush(heap, (-totals[each], each))
    return tuple(merges)


def _joined(tokens: list[int], pair: Pair, number: int) -> tuple[list[int], list[Pair], list[Pair]]:
    """The tokens with each occurrence of a pair joined, the pairs that this ends, and those that it makes."""
    left, right = pair
    result: list[int] = []
    gone: list[Pair] = []
    new: list[Pair] = []
    place, size = 0, len(tokens)
    while place < size:
        if tokens[place] != left or place + 1 == size or tokens[place + 1] != right:
            result.append(tokens[place])
            place += 1
            continue
        if result:
            gone.append((result[-1], left))
            new.append((result[-1], number))
        if place + 2 < size:
            gone.append((right, tokens[place + 2]))
            new.append((number, tokens[place + 2]))
        result.append(number)
        place += 2
    return result, gone, new
