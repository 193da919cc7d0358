"""Finding by a few letters, without regard to case and diacritics: `ylo` finds Ylöjärvi, `aht` finds Ähtäri."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Return `text` without case and diacritics."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def score(query: str, text: str) -> int:
    """Return how well every word of `query` is found in `text`; 0 when one is not found at all."""
    folded = fold(text)
    total = 0
    for word in fold(query).split():
        found = _word_score(word, folded)
        if not found:
            return 0
        total += found
    return total or 1


def _word_score(word: str, text: str) -> int:
    if text.startswith(word):
        return 100
    place = text.find(word)
    if place > 0:
        return 80 if not text[place - 1].isalnum() else 60
    if len(word) < 2:
        return 0
    # Scattered letters count when they begin a word and lie close together.
    start = text.find(word[0])
    while start >= 0:
        if start == 0 or not text[start - 1].isalnum():
            end = _spread(word, text, start)
            if end is not None and end - start <= 3 * len(word):
                return max(1, 40 - (end - start))
        start = text.find(word[0], start + 1)
    return 0


def _spread(word: str, text: str, start: int) -> int | None:
    """Return where the letters of `word`, begun at `start`, end; None when they do not all follow."""
    place = start
    for letter in word[1:]:
        place = text.find(letter, place + 1)
        if place < 0:
            return None
    return place
