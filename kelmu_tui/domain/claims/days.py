"""Payment days of benefits, and by when a claim has to reach Kela for one of them.

All days are Finnish calendar days; whoever has an instant takes `deadlines.local_date` of it first, so that a claim of
half past midnight in Finland is of the new day, whatever the zone of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import MAXYEAR, date, timedelta
from typing import Final

from kelmu_tui.domain.benefits import REGULAR, benefits, payment_day_of
from kelmu_tui.domain.claims.catalogue import rules
from kelmu_tui.domain.claims.content import Content

_BY_SURNAME = "by_surname"

EARLIEST: Final = date(1900, 1, 1)
"""No day of a claim lies before it (assumption): earlier ones are slips of the keyboard."""
YEARS_AHEAD: Final = 20


def latest_day(today: date) -> date:
    """Return the last day that a claim may name (assumption): later ones are slips of the keyboard too."""
    return date(today.year + YEARS_AHEAD, 12, 31)


def latest_arrival(payment_day: date) -> date:
    """Return the last day on which a claim can reach Kela for a payment day: two weeks before it.

    The two weeks are calendar days (assumption: the pages say weeks). A payment day itself is a banking day, moved by
    `benefits.payment_day_of` where banks are closed, so the two weeks run from the day on which the money moves. The
    day reached may well be a Saturday, a Sunday or a holiday, such as 24 December for 7 January: it stays, since
    Kelmu takes claims on every day of the year. Who sends it by letter has to reckon with the working day before.
    """
    return payment_day - timedelta(days=rules()["two_weeks"].days)


def has_payment_day(benefit: str, surname: str) -> bool | None:
    """Tell whether a benefit has a day of the month on which it is paid; None when that takes an unknown surname."""
    known = benefits().get(benefit)
    if known is None or not (known.payment_day in REGULAR or known.payment_day.isdigit()):
        return False
    return None if known.payment_day == _BY_SURNAME and not surname.strip() else True


def payment_days(benefit: str, surname: str, first: date, last: date | None) -> Iterator[date]:
    """Yield the payment days of a benefit from `first` to `last`, both included; without an end where there is none.

    Nothing comes of a benefit without a day of the month, of one that is paid by surname while that is not known, and
    for days on which the benefit does not exist.
    """
    known = benefits().get(benefit)
    if known is None or not has_payment_day(benefit, surname):
        return
    year, month = first.year, first.month
    while year < MAXYEAR and (last is None or (year, month) <= (last.year, last.month)):
        day = payment_day_of(known, year, month, surname.strip())
        if day is not None and first <= day and (last is None or day <= last) and known.exists_on(day):
            yield day
        year, month = year + month // 12, month % 12 + 1


def first_day_reached(benefit: str, surname: str, first: date, last: date | None, arrives: date) -> date | None:
    """Return the first payment day from `first` to `last` for which `arrives` is early enough, None without one."""
    try:
        reached = arrives + timedelta(days=rules()["two_weeks"].days)
    except OverflowError:
        return None
    return next(payment_days(benefit, surname, max(first, reached), last), None)


def next_reached(content: Content, surname: str, arrives: date) -> date | None:
    """Return the first payment day of a claim's time that it reaches when it arrives on a day, None without one."""
    return first_day_reached(content.benefit, surname, content.first, content.last, arrives)


def first_meant(content: Content, surname: str) -> date | None:
    """Return the first payment day of a claim's time, None when it has none or when none can be told."""
    return next(payment_days(content.benefit, surname, content.first, content.last), None)


def months_after(day: date, count: int) -> date:
    """Return the same day of a later month, its last day where that one is shorter; never past the calendar."""
    number = day.year * 12 + day.month - 1 + count
    year, month = divmod(number, 12)
    if year > date.max.year:
        return date.max
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
