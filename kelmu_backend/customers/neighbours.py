"""Neighbouring identity codes: what somebody would try who tries codes one after another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from kelmu_tui.domain.identifiers import CHECK_CHARACTERS, IdentityCode

REACH: Final = 3
"""Individual numbers on each side that count as neighbours."""
_SIGNS: Final = {18: "+", 19: "-YXWVU", 20: "ABCDEF"}


def neighbours(code: IdentityCode) -> frozenset[str]:
    """Return the codes next to `code`: the same day with a number close by, the days around with the same number.

    A code that differs by its sign alone is one too: who changes the sign each time tries codes all the same.
    """
    number = int(code.value[7:10])
    places = [(code.born, number + step) for step in range(-REACH, REACH + 1)]
    places += [(code.born + timedelta(days=step), number) for step in (-1, 1)]
    return frozenset(found for day, one in places for found in _codes(day, one)) - {code.value}


def _codes(born: date, number: int) -> Iterator[str]:
    if not 0 <= number <= 999:
        return
    digits = f"{born:%d%m%y}{number:03d}"
    check = CHECK_CHARACTERS[int(digits) % 31]
    for sign in _SIGNS.get(born.year // 100, ""):
        yield f"{digits[:6]}{sign}{digits[6:]}{check}"
