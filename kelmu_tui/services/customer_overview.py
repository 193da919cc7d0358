"""What a customer's file says at a glance: what runs, what waits, what is paid next; computed from the sections.

Values only. Whatever a section does not show is not guessed at: who asks looks at the section's state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from kelmu_tui.domain.sections import Section
from kelmu_tui.store.customer_rows import Claim, Decision, File, Medicine, Payment, Pending, Recovery, SectionRow

GOES_ON: Final = frozenset({"granted", "adjusted"})
"""Outcomes after which a benefit is paid."""
OPEN_CLAIMS: Final = frozenset({"waiting", "received", "in_force"})
OPEN_RECOVERIES: Final = frozenset({"open", "in_instalments", "at_enforcement", "appealed"})

Row = TypeVar("Row", bound=SectionRow)


class Period(NamedTuple):
    """From its first to its last day; None has no end."""

    start: date
    end: date | None


class Running(NamedTuple):
    """A benefit that runs now, by its newest decision; `amount` is per `per`, None where it is not told."""

    benefit: str
    since: date
    until: date | None
    amount: Decimal | None
    per: str


class NextPayment(NamedTuple):
    """What is paid on the next payment day: of each benefit, and in all."""

    day: date
    payments: tuple[Payment, ...]
    total: Decimal


class Summed(NamedTuple):
    """Payments of a benefit or of a month in all.

    Attributes:
        key: the id of the benefit, or the first day of the month.
        gross: None when it may not be seen of every payment.
    """

    key: str
    payments: int
    gross: Decimal | None
    net: Decimal


def rows_of(file: File, section: Section, kind: type[Row]) -> tuple[Row, ...]:
    """Return the rows that a section shows now, none when it shows nothing."""
    found = file.sections.get(section)
    return () if found is None else tuple(row for row in found.rows if isinstance(row, kind))


def tells(file: File, section: Section) -> bool:
    """Tell whether a section has been answered, so that the absence of a row means that there is none."""
    found = file.sections.get(section)
    return found is not None and found.state in ("shown", "none", "stale")


def running(file: File, today: date) -> tuple[Running, ...]:
    """Return the benefits that run on a day, the one that began last first.

    Of each benefit the newest decision that covers the day counts: a discontinuation ends what was granted before.
    """
    newest: dict[str, Decision] = {}
    for row in sorted(rows_of(file, Section.DECISIONS, Decision), key=lambda row: (row.decided, row.id)):
        start = row.valid_from or row.decided
        if start <= today and not (row.outcome in GOES_ON and row.valid_to is not None and row.valid_to < today):
            if row.outcome == "rejected":
                continue  # a refusal of something more does not end what was granted
            newest[row.benefit] = row
    found = [
        Running(row.benefit, row.valid_from or row.decided, row.valid_to, row.amount, row.per)
        for row in newest.values()
        if row.outcome in GOES_ON and row.per != "once"
    ]
    return tuple(sorted(found, key=lambda one: one.since, reverse=True))


def pending(file: File) -> tuple[Pending, ...]:
    """Return what is pending, what has waited longest first."""
    return tuple(sorted(rows_of(file, Section.PENDING, Pending), key=lambda row: (row.received, row.id)))


def next_payment(file: File, today: date) -> NextPayment | None:
    """Return what is paid next, today included; None when nothing is planned."""
    planned = [
        row for row in rows_of(file, Section.PAYMENTS, Payment) if row.status == "planned" and row.paid_on >= today
    ]
    if not planned:
        return None
    day = min(row.paid_on for row in planned)
    of_day = tuple(row for row in planned if row.paid_on == day)
    return NextPayment(day, of_day, sum((row.net for row in of_day), Decimal(0)))


def last_decision(file: File) -> Decision | None:
    """Return the newest decision."""
    return max(rows_of(file, Section.DECISIONS, Decision), key=lambda row: (row.decided, row.id), default=None)


def open_claims(file: File) -> tuple[Claim, ...]:
    """Return the claims that are on the customer's payments now."""
    return tuple(row for row in rows_of(file, Section.CLAIMS, Claim) if row.status in OPEN_CLAIMS)


def open_recoveries(file: File) -> tuple[Recovery, ...]:
    """Return what is being recovered."""
    return tuple(row for row in rows_of(file, Section.RECOVERY, Recovery) if row.status in OPEN_RECOVERIES)


def medicine(file: File, year: int) -> Medicine | None:
    """Return the medicine costs of a year."""
    return next((row for row in rows_of(file, Section.MEDICINE, Medicine) if row.year == year), None)


# --- payments over time ---------------------------------------------------------------------------------------------


def _made(payments: Iterable[Payment]) -> Iterator[Payment]:
    """Yield the payments that count in sums: what came back was not received."""
    return (row for row in payments if row.status != "returned")


def by_benefit(payments: Iterable[Payment]) -> tuple[Summed, ...]:
    """Return the sums of each benefit, the largest first."""
    found = _summed((row.benefit, row) for row in _made(payments))
    return tuple(sorted(found, key=lambda one: (-one.net, one.key)))


def by_month(payments: Iterable[Payment]) -> tuple[Summed, ...]:
    """Return the sums of each month of payment, the newest first; months without payments are left out."""
    found = _summed((row.paid_on.replace(day=1).isoformat(), row) for row in _made(payments))
    return tuple(sorted(found, key=lambda one: one.key, reverse=True))


def _summed(pairs: Iterable[tuple[str, Payment]]) -> list[Summed]:
    found: dict[str, list[Payment]] = defaultdict(list)
    for key, row in pairs:
        found[key].append(row)
    return [
        Summed(key, len(rows), _gross(rows), sum((row.net for row in rows), Decimal(0))) for key, rows in found.items()
    ]


def _gross(rows: Iterable[Payment]) -> Decimal | None:
    """Return the gross sum; None when one of it is not told."""
    total = Decimal(0)
    for row in rows:
        if row.gross is None:
            return None
        total += row.gross
    return total


def periods(file: File) -> dict[str, list[Period]]:
    """Return for which periods each benefit was paid, by its id; by decisions where payments are not told.

    The benefit whose period ends last comes first.
    """
    found: dict[str, list[Period]] = defaultdict(list)
    if tells(file, Section.PAYMENTS):
        for row in _made(rows_of(file, Section.PAYMENTS, Payment)):
            found[row.benefit].append(Period(row.period_from, row.period_to))
    else:
        for decision in rows_of(file, Section.DECISIONS, Decision):
            if decision.outcome in GOES_ON and decision.valid_from is not None:
                found[decision.benefit].append(Period(decision.valid_from, decision.valid_to))
    return dict(sorted(found.items(), key=lambda pair: max(one.end or date.max for one in pair[1]), reverse=True))
