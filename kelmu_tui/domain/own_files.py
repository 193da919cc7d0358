"""The organisation's own files: what is wanted of them, and which of their headings mean it.

Facts stand in `own_files.toml`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.lists import lists

ABROAD: Final = "list_treatment_abroad_reimbursements"
"""The list whose rows are held against the county's own answers, and whose column names fit as headings."""
_UNIT: Final = re.compile(r" (eur|euro|euroa|euros|e)\Z")
_MIB: Final = 1024 * 1024


class Wanted(StrEnum):
    """What a file is read for."""

    ANSWERS = "answers"
    RESIDENTS = "residents"

    @property
    def fields(self) -> tuple[str, ...]:
        """What has to stand in its columns."""
        return FIELDS[self]


FIELDS: Final[Mapping[Wanted, tuple[str, ...]]] = MappingProxyType(
    {Wanted.ANSWERS: ("ref", "cost", "fee"), Wanted.RESIDENTS: ("identity_code",)}
)


class Limits(NamedTuple):
    """How much is read at the most.

    Attributes:
        size, unpacked, memory: bytes of a file, of what a workbook unfolds into, and of addresses for reading one.
        seconds: for reading a workbook.
        letters: in a cell.
        sheets: that are looked at.
        searched: first rows, among which the headings are looked for.
        answers: kept for an organisation.
        problems: listed; the rest is counted.
    """

    size: int
    unpacked: int
    memory: int
    seconds: int
    rows: int
    columns: int
    letters: int
    sheets: int
    searched: int
    answers: int
    problems: int


class Doubled(ValueError):
    """Two headings mean the same field; `column` is the place of the second one."""

    def __init__(self, field: str, column: int) -> None:
        super().__init__(field)
        self.field = field
        self.column = column


@cache
def limits() -> Limits:
    """Return how much is read."""
    found = dict(_table()["limits"])
    del found["source"]
    size, unpacked, memory = (found.pop(name) * _MIB for name in ("mebibytes", "unpacked", "memory"))
    return Limits(size, unpacked, memory, **found)


@cache
def kept() -> timedelta:
    """Return how long an answer is kept since the last file that gave it."""
    return timedelta(days=_table()["retention"]["days"])


def normalised(heading: str) -> str:
    """Return a heading without capitals, accents, punctuation and the unit of its sums."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", heading.casefold()) if not unicodedata.combining(letter)
    )
    words = " ".join(re.findall(r"[^\W_]+", plain))
    return _UNIT.sub("", words)


def guess_columns(headings: Sequence[str], wanted: Wanted) -> tuple[int, ...] | None:
    """Return the places of what is wanted, in the order of its fields; None when a heading is missing.

    Raises:
        Doubled: two headings mean the same field.
    """
    found = [place_of(field, headings) for field in wanted.fields]
    places = tuple(place for place in found if place is not None)
    return places if len(places) == len(found) else None


def place_of(field: str, headings: Sequence[str]) -> int | None:
    """Return the place of the heading that means a field: a name of it, or else a word for it; None without one.

    Raises:
        Doubled: two of them do.
    """
    names, words = _headings(field)
    for fitting in (
        [place for place, heading in enumerate(headings) if heading.strip() in names],
        [place for place, heading in enumerate(headings) if normalised(heading) in words],
    ):
        if len(fitting) > 1:
            raise Doubled(field, fitting[1])
        if fitting:
            return fitting[0]
    return None


@cache
def _headings(field: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of a field and the normalised words for it."""
    found = _table()["field"][field]
    column = lists()[ABROAD].column(found["column"])
    assert column is not None
    names = frozenset({field, column.id, column.name.fi, column.name.sv, column.name.en})
    return names, frozenset(map(normalised, [*names, *found["words"]]))


@cache
def _table() -> dict[str, Any]:
    return catalogue.table("own_files.toml")
