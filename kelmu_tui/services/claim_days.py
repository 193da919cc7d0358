"""Days as they are typed where a claim is prolonged or ended."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from typing import Final

_DAY: Final = re.compile(r"(\d{1,2})\s*\.\s*(\d{1,2})\s*\.?\s*(\d{2}|\d{4})?\s*\.?", re.ASCII)


class InvalidDay(ValueError):
    """There is no such day."""


def read_day(text: str, today: date) -> date:
    """Return the day that is meant by `24.11.2026`, `24.11.26`, `24.11.` (the nearest) or `2026-11-24`.

    Raises:
        InvalidDay: there is none.
    """
    wanted = text.strip()
    found = _DAY.fullmatch(wanted)
    try:
        if found is None:
            return date.fromisoformat(wanted)
        day, month, year = int(found[1]), int(found[2]), found[3]
        if year is not None:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
        near = [_in_year(today.year + shift, month, day) for shift in (-1, 0, 1)]
        return min((one for one in near if one is not None), key=lambda one: abs(one - today))
    except ValueError:
        raise InvalidDay from None


def _in_year(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None  # the 29th of February, three years out of four


def months_later(day: date, months: int) -> date:
    """Return the same day some months later; the last day of a month stays the last one."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    at_end = day.day == calendar.monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if at_end else min(day.day, last))


def end_of_month(day: date) -> date:
    """Return the last day of the month of `day`."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def day_before(day: date) -> date:
    """Return the day before."""
    return day - timedelta(days=1)
