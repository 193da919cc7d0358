"""Words for searching and keys for sorting: foreign text folded in one way, on writing and on asking.

The index keeps what this module wrote, so a change here needs a new `schema.REPLICA_VERSION`.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.notices import Kind
from kelmu_tui.domain.organisations import municipalities

MAX_WORDS: Final = 12
"""Words of a filter that count; more only cost time."""
_WORD: Final = re.compile(r"[^\W_]+")
# In the Finnish alphabet å, ä and ö are letters of their own after z; other marks only settle ties, so they go.
_COMMON_MARKS: Final = (("ä", "a"), ("ö", "o"), ("å", "a"), ("é", "e"), ("ü", "u"))
"""The marked letters of most names here: replacing them is ten times faster than decomposing the text."""
_ALPHABET: Final = str.maketrans({"å": "{", "ä": "|", "æ": "|", "ö": "}", "ø": "}", "ü": "y", "ß": "ss"})


def folded(text: str) -> list[str]:
    """Return the words of `text` without case and marks: letters and digits, in order."""
    text = text.casefold()
    if not text.isascii():
        for marked, plain in _COMMON_MARKS:
            text = text.replace(marked, plain)
        if not text.isascii():
            text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return _WORD.findall(text)


def sort_key(text: str) -> str:
    """Return a key that sorts names by the Finnish alphabet in byte order."""
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_ALPHABET)
        if text.isascii():
            return text
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text


def asked(text: str) -> list[str]:
    """Return the beginnings of words that a filter asks for, without repetitions."""
    return list(dict.fromkeys(folded(text)))[:MAX_WORDS]


@cache
def kind_ranks() -> Mapping[str, int]:
    """Return the place of each kind in the catalogue."""
    return {kind.value: rank for rank, kind in enumerate(Kind)}


@cache
def municipality_ranks() -> Mapping[str, int]:
    """Return the place of each municipality (code) in the Finnish alphabet."""
    ordered = sorted(municipalities().values(), key=lambda m: (sort_key(m.name.fi), m.code))
    return {municipality.code: rank for rank, municipality in enumerate(ordered)}


@cache
def _municipality_words() -> tuple[tuple[int, tuple[str, ...]], ...]:
    ranks = municipality_ranks()
    return tuple(
        (ranks[code], tuple(folded(f"{m.name.fi} {m.name.sv} {m.name.en}"))) for code, m in municipalities().items()
    )


@cache
def _kind_words() -> tuple[tuple[int, tuple[str, ...]], ...]:
    ranks = kind_ranks()
    return tuple(
        (ranks[row["id"]], tuple(folded(f"{row['code']} {row['fi']} {row['sv']} {row['en']}")))
        for row in catalogue.table("notices.toml")["notice"]
    )


class Named(NamedTuple):
    """What the beginning of a word names in any of the three languages: ranks of kinds, municipalities, urgency."""

    kinds: tuple[int, ...]
    municipalities: tuple[int, ...]
    urgent: bool


@cache
def named(beginning: str) -> Named:
    """Return what a folded `beginning` of a word names."""
    return Named(
        _having(_kind_words(), beginning),
        _having(_municipality_words(), beginning),
        any(word.startswith(beginning) for word in URGENT),
    )


def _having(known: tuple[tuple[int, tuple[str, ...]], ...], beginning: str) -> tuple[int, ...]:
    return tuple(sorted(rank for rank, words in known if any(word.startswith(beginning) for word in words)))


URGENT: Final = ("kiireellinen", "bradskande", "urgent")


def tie(id: str) -> int:  # noqa: A002
    """Return 63 bits of `id` that settle equal places in an order."""
    return int.from_bytes(blake2b(id.encode(), digest_size=8).digest()) >> 1


def notice_words(row: Mapping[str, Any]) -> str:
    """Return the folded words of a notice (the wire's JSON) for the index: the customer's name and the free texts.

    Where a person lives is never among them, under non-disclosure or not.
    """
    customer, content = row["customer"], row["content"]
    text = f"{customer['family_name']} {customer['given_names']}"
    if content.get("free_text"):
        text += " " + content["free_text"]
    for note in row.get("notes") or ():
        text += " " + note["text"]
    if row.get("origin"):
        text += " " + row["origin"]["reason"]
    return " ".join(dict.fromkeys(folded(text)))
