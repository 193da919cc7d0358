"""An identity code while it is being typed: what is wrong with it and at which character, as early as that is sure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from kelmu_tui.domain.identifiers import (
    CHECK_CHARACTERS,
    CodeFault,
    IdentityCode,
    InvalidIdentityCode,
    parse_identity_code,
)
from kelmu_tui.domain.text import REPLACEMENT

LENGTH: Final = 11
_SIGNS: Final = "-+YXWVUABCDEF"
_DAYS: Final = slice(0, 2)
_MONTHS: Final = slice(2, 4)


class Wrong(StrEnum):
    """What is wrong with a code that is not whole yet, or with one that is."""

    DIGIT = "digit"
    """A digit belongs here."""
    DAY = "day"
    MONTH = "month"
    SIGN = "sign"
    """No sign of a century."""
    LAST = "last"
    """No check character."""
    LONG = "long"
    DATE = "date"
    FUTURE = "future"
    INDIVIDUAL = "individual"
    ARTIFICIAL = "artificial"
    CHECK = "check"


class Typed(NamedTuple):
    """How a code stands.

    Attributes:
        text: what counts of what was typed.
        code: when it is whole and right.
        wrong, at: what is wrong, and at which character of `text`, counted from 1; None while it may become right.
    """

    text: str
    code: IdentityCode | None = None
    wrong: Wrong | None = None
    at: int = 0

    @property
    def missing(self) -> int:
        """How many characters are to come."""
        return max(0, LENGTH - len(self.text))


def examine(text: str, today: date, clean: Callable[[str], IdentityCode]) -> Typed:
    """Say how a code stands.

    Args:
        clean: mends what was pasted and checks it whole (`Customers.clean_code`).
    """
    kept = mended(text)
    at, wrong = _first_wrong(kept)
    if wrong is not None:
        return Typed(kept, None, wrong, at)
    if len(kept) < LENGTH:
        if len(kept) > 6:
            return _date_so_far(kept, today)
        return Typed(kept)
    try:
        return Typed(kept, clean(kept))
    except InvalidIdentityCode as error:
        return Typed(kept, None, *_PLACES.get(error.fault, (Wrong.CHECK, LENGTH)))


_PLACES: Final = {
    CodeFault.FORMAT: (Wrong.CHECK, LENGTH),
    CodeFault.DATE: (Wrong.DATE, 1),
    CodeFault.FUTURE: (Wrong.FUTURE, 7),
    CodeFault.INDIVIDUAL: (Wrong.INDIVIDUAL, 8),
    CodeFault.ARTIFICIAL: (Wrong.ARTIFICIAL, 8),
    CodeFault.CHECK: (Wrong.CHECK, LENGTH),
}
"""Where to look for each fault of a code of the right form."""


def mended(text: str) -> str:
    """Return what was typed or pasted without spaces and invisible characters, in capitals, hyphens as hyphens."""
    folded = unicodedata.normalize("NFKC", text)
    # Fields show a sign in place of the invisible characters that come with what is pasted.
    kept = (c for c in folded if not c.isspace() and c != REPLACEMENT and unicodedata.category(c) not in ("Cf", "Cc"))
    return "".join("-" if c == "\u2212" or unicodedata.category(c) == "Pd" else c for c in kept).upper()


def _first_wrong(text: str) -> tuple[int, Wrong | None]:
    for place, character in enumerate(text):
        wrong = _wrong(text, place, character)
        if wrong is not None:
            return place + 1, wrong
    return 0, None


def _wrong(text: str, place: int, character: str) -> Wrong | None:
    if place >= LENGTH:
        return Wrong.LONG
    if place == 6:
        return None if character in _SIGNS else Wrong.SIGN
    if place == 10:
        return None if character in CHECK_CHARACTERS else Wrong.LAST
    if not (character.isascii() and character.isdigit()):
        return Wrong.DIGIT
    if place in (0, 1) and not _may_be(text[_DAYS][: place + 1], 31):
        return Wrong.DAY
    if place in (2, 3) and not _may_be(text[_MONTHS][: place - 1], 12):
        return Wrong.MONTH
    return None


def _may_be(digits: str, most: int) -> bool:
    """Tell whether a number of two digits that begins so lies between 1 and `most`."""
    return any(1 <= int(digits + rest) <= most for rest in ([""] if len(digits) == 2 else "0123456789"))


def _date_so_far(text: str, today: date) -> Typed:
    """Check the date once the century is known; the rest is made up, since only faults of the date are told."""
    try:
        parse_identity_code(f"{text[:7]}9000", today=today)
    except InvalidIdentityCode as error:
        if error.fault in (CodeFault.DATE, CodeFault.FUTURE):
            return Typed(text, None, *_PLACES[error.fault])
    return Typed(text)
