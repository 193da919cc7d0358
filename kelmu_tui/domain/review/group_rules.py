"""The rules that judge rows together: those of a person, and those of an information request.

`Groups` is fed the rows one by one and keeps of each what these rules need; asking takes O(n log n).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Final, NamedTuple

from kelmu_tui.domain.lists import Event, Period
from kelmu_tui.domain.review.facts import Shape
from kelmu_tui.domain.review.findings import Earlier, Finding
from kelmu_tui.domain.review.rows import Row, TreatmentRow

GROUP_RULES: Final[Mapping[Shape, frozenset[str]]] = {
    Shape.UNEMPLOYMENT: frozenset({"duplicate", "overlap", "returned_without_paid"}),
    Shape.CHILDCARE: frozenset({"duplicate", "overlap", "returned_without_paid"}),
    Shape.TREATMENT_ABROAD: frozenset({"duplicate", "reimbursed_too_much"}),
}
"""The rules of each shape by their id."""


class Placed(NamedTuple):
    """A finding and the place in the invoice of the row where it is told."""

    position: int
    finding: Finding


class _Entry(NamedTuple):
    """What is kept of a row; rows of earlier invoices have positions below zero."""

    position: int
    id: str
    track: str
    event: Event | None
    period: Period | None
    paid_on: date | None
    amount: Decimal | None

    @property
    def payment(self) -> tuple[object, ...]:
        """What two rows of a person have in common that tell of the same payment."""
        return self[2:]


class _Cover:
    """Periods, to be asked whether one of them holds another period whole."""

    def __init__(self, periods: Iterable[Period]) -> None:
        ordered = sorted(periods)
        self._firsts = [period.first for period in ordered]
        self._lasts = list(accumulate((period.last for period in ordered), max))

    def holds(self, period: Period) -> bool:
        """Tell whether one of the periods begins no later and ends no earlier."""
        begun = bisect_right(self._firsts, period.first)
        return begun > 0 and self._lasts[begun - 1] >= period.last


class Groups:
    """The rows seen so far, by person, and those of treatment abroad by request."""

    def __init__(self, shape: Shape, earlier: Earlier | None, invoice: Period) -> None:
        self._timed = shape is not Shape.TREATMENT_ABROAD
        self._since = invoice.first if earlier is None else earlier.since
        # Most people have one row, and a list for each would be as many objects to look through for rubbish again.
        self._persons: dict[str, _Entry | list[_Entry]] = {}
        self._treatments: dict[int, TreatmentRow] = {}
        for number, row in enumerate(() if earlier is None else earlier.rows, 1):
            self.add(-number, row)

    def add(self, position: int, row: Row) -> None:
        """Take in the row at a position of the invoice."""
        if isinstance(row, TreatmentRow):
            self._treatments[position] = row
        if row.identity_code is not None:
            entry = _Entry(position, row.id, row.track, row.event, row.period, row.paid_on, row.amount)
            held = self._persons.setdefault(row.identity_code, entry)
            if isinstance(held, list):
                held.append(entry)
            elif held is not entry:
                self._persons[row.identity_code] = [held, entry]

    def findings(self) -> Iterator[Placed]:
        """Yield what the rows together tell, in no order; ask once."""
        for held in self._persons.values():
            once = entries = held if isinstance(held, list) else [held]
            # Most people have one payment, which can be neither twice nor over another, nor come back.
            if len(entries) == 1 and entries[0].event is Event.PAID:
                continue
            if len(entries) > 1:
                once, again = _apart(entries)
                yield from _duplicates(again)
                for entry in (entry for same in again for entry in same[1:]):
                    self._treatments.pop(entry.position, None)
            if self._timed:
                yield from self._times(once)
        yield from _reimbursed_too_much(self._treatments)

    def _times(self, entries: list[_Entry]) -> Iterator[Placed]:
        tracks: dict[str, list[_Entry]] = {}
        for entry in entries:
            tracks.setdefault(entry.track, []).append(entry)
        for group in tracks.values():
            paid = sorted(
                (entry.period, entry) for entry in group if entry.period is not None and entry.event is Event.PAID
            )
            back = [
                (entry.period, entry)
                for entry in group
                if entry.period is not None and entry.event in (Event.RETURNED, Event.CORRECTED)
            ]
            yield from _overlaps(*_kept(paid, [period for period, _ in back]))
            cover = _Cover(period for period, _ in paid)
            for period, entry in back:
                # Of a time from before the invoices at hand nobody can say that nothing was paid.
                if entry.position >= 0 and period.first >= self._since and not cover.holds(period):
                    finding = Finding("returned_without_paid", (entry.id,), "period", None, period)
                    yield Placed(entry.position, finding)


def _apart(entries: list[_Entry]) -> tuple[list[_Entry], list[list[_Entry]]]:
    """Return each payment once, and the rows of those that are there again.

    Of a payment that is not known whole nobody can say that it is the same.
    """
    once: list[_Entry] = []
    payments: dict[tuple[object, ...], list[_Entry]] = {}
    for entry in entries:
        same = [] if None in entry.payment else payments.setdefault(entry.payment, [])
        if not same:
            once.append(entry)
        same.append(entry)
    return once, [same for same in payments.values() if len(same) > 1]


def _duplicates(again: list[list[_Entry]]) -> Iterator[Placed]:
    for same in again:
        here = [entry.position for entry in same if entry.position >= 0]
        if here:
            yield Placed(here[0], Finding("duplicate", tuple(entry.id for entry in same)))


def _kept(paid: list[tuple[Period, _Entry]], back: list[Period]) -> tuple[list[tuple[Period, _Entry]], _Cover]:
    """Return the payments that did not come back whole, and the times of which something else came back."""
    left = Counter(back)
    kept = []
    for period, entry in paid:
        if left[period]:
            left[period] -= 1
        else:
            kept.append((period, entry))
    return kept, _Cover(left.elements())


def _overlaps(paid: list[tuple[Period, _Entry]], back: _Cover) -> Iterator[Placed]:
    """Yield the payments for a time that was paid before; `paid` is in the order of time."""
    longest: tuple[Period, _Entry] | None = None
    for period, entry in paid:
        if longest is not None and period.first <= longest[0].last:
            twice = Period(period.first, min(period.last, longest[0].last))
            pair = sorted((longest[1], entry))
            if pair[1].position >= 0 and not back.holds(twice):
                position = pair[0].position if pair[0].position >= 0 else pair[1].position
                finding = Finding("overlap", (pair[0].id, pair[1].id), "period", None, twice)
                yield Placed(position, finding)
        if longest is None or period.last > longest[0].last:
            longest = (period, entry)


def _reimbursed_too_much(treatments: Mapping[int, TreatmentRow]) -> Iterator[Placed]:
    """Yield the requests of which more was reimbursed than comparable treatment costs less its client fee."""
    requests: dict[str, list[int]] = {}
    for position, row in treatments.items():
        # A row without a request stands alone.
        requests.setdefault(row.request_ref if row.request_ref is not None else f"\0{position}", []).append(position)
    for positions in requests.values():
        rows = [treatments[position] for position in positions]
        limit = next((limit for limit in map(_limit, rows) if limit is not None), None)
        paid = sum((row.reimbursed for row in rows if row.reimbursed is not None), Decimal("0.00"))
        here = [position for position in positions if position >= 0]
        if here and limit is not None and paid > limit:
            finding = Finding("reimbursed_too_much", tuple(row.id for row in rows), "reimbursed_eur", limit, paid)
            yield Placed(here[0], finding)


def _limit(row: TreatmentRow) -> Decimal | None:
    """Return the most that could be reimbursed, None where the row does not tell, or where its fee cannot be."""
    if row.cost is None or row.fee is None or not 0 <= row.fee <= row.cost:
        return None
    return row.cost - row.fee
