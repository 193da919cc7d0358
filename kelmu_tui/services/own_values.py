"""What stands in the wanted columns of a table, typed; what is wrong is told by row and column, never by value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from kelmu_tui.domain.identifiers import InvalidIdentityCode, parse_identity_code
from kelmu_tui.domain.own_files import Wanted, limits
from kelmu_tui.domain.review import Answer
from kelmu_tui.domain.text import clean, is_safe
from kelmu_tui.services.own_files import Columns, sheet_number
from kelmu_tui.services.own_table import Cell, OwnFileProblem, Row, Table, text_of

MOST_REFERENCE: Final = 64
"""Letters of a reference."""
_SIGN: Final = "-\N{MINUS SIGN}"
_SPACES: Final = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009\t", " ") | {"\u2019": "'"})
_CURRENCY: Final = re.compile(r"\A(?:€|eur)|(?:€|eur|euroa|euro)\Z", re.IGNORECASE)
_PLAIN: Final = re.compile(r"([0-9]+)(?:[.,]([0-9]+))?\Z", re.ASCII)
_GROUPED: Final = re.compile(
    r"([0-9]{1,3}(?P<sign>[ '.,])[0-9]{3}(?:(?P=sign)[0-9]{3})*)(?:(?!(?P=sign))[.,]([0-9]+))?\Z", re.ASCII
)
_MOST_DIGITS: Final = 10
_EXACT: Final = 10**15
"""From here on the numbers of a workbook are not exact."""


HEARD: Final = 2000
"""Rows between two words of how far the reading is."""

Hear = Callable[[int], None]


def _no_one(row: int) -> None:
    """Hear nothing."""


class Wrong(StrEnum):
    """Why a row is not taken."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    AMBIGUOUS = "ambiguous"
    DECIMALS = "decimals"
    NEGATIVE = "negative"
    TOO_MUCH = "too_much"
    DISAGREES = "disagrees"


class RowProblem(NamedTuple):
    """A row that is not taken.

    Attributes:
        row, column: counted from 1.
        field: of what is wanted, the one that is wrong.
        other: row of the same reference that says something else.
    """

    row: int
    column: int
    field: str
    wrong: Wrong
    other: int | None = None


class Answers(NamedTuple):
    """The answers of a file.

    Attributes:
        good: by reference; a reference that stands there twice with different sums is not among them.
        problems: the first ones of the rows that are not taken.
        wrong: how many rows are not taken.
        doubled: how many rows repeat what another says.
    """

    good: dict[str, Answer]
    problems: tuple[RowProblem, ...]
    wrong: int
    doubled: int

    @property
    def taken(self) -> int:
        """How many answers there are to take."""
        return len(self.good)


class Residents(NamedTuple):
    """The people of a file.

    Attributes:
        problems: the first ones of the rows without a valid identity code.
        wrong: how many of them there are.
    """

    codes: frozenset[str]
    problems: tuple[RowProblem, ...]
    wrong: int

    @property
    def taken(self) -> int:
        """How many people there are to take."""
        return len(self.codes)


class _Unread(ValueError):
    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong.value)
        self.wrong = wrong


# --- answers --------------------------------------------------------------------------------------------------------


def read_answers(table: Table, columns: Columns, hear: Hear = _no_one) -> Answers:
    """Return the county's answers in a table.

    Args:
        hear: hears at times which row is being read; what it raises ends the reading.

    Raises:
        OwnFileProblem: it cannot be read to its end, has no headings, no rows, or more answers than are kept.
    """
    found = _Collected()
    for number, row in _filled(table, columns, Wanted.ANSWERS, hear):
        found.take(number, row, columns.places)
    good = {ref: answer for ref, (answer, _) in found.seen.items() if ref not in found.disputed}
    return Answers(good, tuple(sorted(found.problems)), found.wrong, found.doubled)


class _Collected:
    """What was read so far."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[Answer, int]] = {}
        self.disputed: set[str] = set()
        self.problems: list[RowProblem] = []
        self.wrong = 0
        self.doubled = 0

    def take(self, number: int, row: Row, places: tuple[int, ...]) -> None:
        at = dict(zip(Wanted.ANSWERS.fields, places, strict=True))
        field = "ref"
        try:
            ref = reference(_cell(row, at[field]))
            field = "cost"
            cost = euros(_cell(row, at[field]))
            field = "fee"
            answer = Answer(cost, euros(_cell(row, at[field])))
        except _Unread as unread:
            self._refuse(RowProblem(number, at[field] + 1, field, unread.wrong))
            return
        before = self.seen.get(ref)
        if before is None:
            if len(self.seen) == limits().answers:
                raise OwnFileProblem("too_many", row=number)
            self.seen[ref] = answer, number
        elif before[0] == answer:
            self.doubled += 1
        else:
            if ref not in self.disputed:
                self.disputed.add(ref)
                self._refuse(RowProblem(before[1], at["ref"] + 1, "ref", Wrong.DISAGREES, number))
            self._refuse(RowProblem(number, at["ref"] + 1, "ref", Wrong.DISAGREES, before[1]))

    def _refuse(self, problem: RowProblem) -> None:
        self.wrong += 1
        if len(self.problems) < limits().problems:
            self.problems.append(problem)


def reference(cell: Cell) -> str:
    """Return the reference in a cell; a number of a workbook loses what spreadsheets add to it."""
    if isinstance(cell, int | float) and not (0 <= cell < _EXACT and float(cell).is_integer()):
        raise _Unread(Wrong.UNREADABLE)
    text = text_of(cell)
    if not text:
        raise _Unread(Wrong.MISSING)
    if isinstance(cell, bool) or len(text) > MOST_REFERENCE or not is_safe(text):
        raise _Unread(Wrong.UNREADABLE)
    return clean(text)


def euros(cell: Cell) -> Decimal:
    """Return the euros in a cell, exactly and in whole cents; not negative."""
    if isinstance(cell, bool):
        raise _Unread(Wrong.UNREADABLE)
    if isinstance(cell, int | float):
        if not -_EXACT < cell < _EXACT:  # neither is what is no number
            raise _Unread(Wrong.TOO_MUCH if abs(cell) >= _EXACT else Wrong.UNREADABLE)
        # A spreadsheet counts in binary fractions and shows 15 digits of them: those are what its reader sees.
        return _whole_cents(Decimal(f"{cell:.15g}"))
    text = _CURRENCY.sub("", cell.strip()).strip()
    if not text:
        raise _Unread(Wrong.UNREADABLE if cell.strip() else Wrong.MISSING)
    negative = text[0] in _SIGN
    found = _decimal(_CURRENCY.sub("", text[negative:].strip()).strip())
    return _whole_cents(-found if negative else found)


def _decimal(text: str) -> Decimal:
    """Return a number as people write it, with a decimal comma or point, and with or without parted thousands."""
    text = text.translate(_SPACES)
    plain = _PLAIN.match(text)
    if plain is not None:
        whole, cents = plain[1], plain[2] or ""
        if len(cents) == 3 and len(whole) <= 3 and whole[0] != "0":
            raise _Unread(Wrong.AMBIGUOUS)  # thousands to some, thousandths to others
        return Decimal(f"{whole}.{cents or 0}")
    grouped = _GROUPED.match(text)
    if grouped is None:
        raise _Unread(Wrong.UNREADABLE)
    return Decimal(f"{grouped[1].replace(grouped['sign'], '')}.{grouped[3] or 0}")


def _whole_cents(value: Decimal) -> Decimal:
    if value < 0:
        raise _Unread(Wrong.NEGATIVE)
    if value >= 10**_MOST_DIGITS:
        raise _Unread(Wrong.TOO_MUCH)
    cents = value.quantize(Decimal("0.01"))
    if cents != value:
        raise _Unread(Wrong.DECIMALS)
    return cents.copy_abs()


# --- residents ------------------------------------------------------------------------------------------------------


def read_residents(
    table: Table, columns: Columns, hear: Hear = _no_one, *, today: date, artificial: bool = True
) -> Residents:
    """Return the identity codes in a table; they are kept nowhere.

    Args:
        hear: as `read_answers`.
        today, artificial: as `parse_identity_code`.

    Raises:
        OwnFileProblem: as `read_answers`.
    """
    place, codes, problems, wrong = columns.places[0], set(), list[RowProblem](), 0
    for number, row in _filled(table, columns, Wanted.RESIDENTS, hear):
        text = text_of(_cell(row, place)).upper()
        if text in codes:
            continue
        try:
            codes.add(parse_identity_code(text, today=today, artificial=artificial).value)
        except InvalidIdentityCode:
            wrong += 1
            if len(problems) < limits().problems:
                problems.append(
                    RowProblem(number, place + 1, "identity_code", Wrong.UNREADABLE if text else Wrong.MISSING)
                )
    return Residents(frozenset(codes), tuple(problems), wrong)


# --- rows -----------------------------------------------------------------------------------------------------------


def _filled(table: Table, columns: Columns, wanted: Wanted, hear: Hear) -> Iterator[tuple[int, Row]]:
    """Yield the rows under the headings that are not empty, with their numbers."""
    sheet = table.sheets[columns.sheet]
    _need_headings(sheet.top[columns.row - 1], columns, wanted)
    any_row = False
    try:
        for number, row in sheet.rows(columns.row):
            if number % HEARD == 0:
                hear(number)
            if any(map(text_of, row)):
                any_row = True
                yield number, row
    except OwnFileProblem as problem:
        problem.sheet = sheet_number(table, sheet)
        raise
    if not any_row:
        raise OwnFileProblem("no_rows", sheet=sheet_number(table, sheet))


def _need_headings(row: Row, columns: Columns, wanted: Wanted) -> None:
    """Refuse a first row that is one of the others, which would be lost as headings."""
    cells = [_cell(row, place) for place in columns.places]
    if wanted is Wanted.RESIDENTS:
        text = text_of(cells[0]).upper()
        data = len(text) == 11 and text[:6].isdigit() and text[7:10].isdigit()
    else:
        data = any(_is_sum(cell) for cell in cells[1:])
    if data:
        raise OwnFileProblem("no_headings", row=columns.row)


def _is_sum(cell: Cell) -> bool:
    try:
        euros(cell)
    except _Unread as unread:
        return unread.wrong not in (Wrong.MISSING, Wrong.UNREADABLE)
    return True


def _cell(row: Row, place: int) -> Cell:
    return row[place] if place < len(row) else ""
