"""Months and banking days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from kelmu_tui.domain.deadlines import is_working_day


def month_after(day: date, count: int) -> date:
    """Return the first day of the month `count` months after that of `day`."""
    months = day.year * 12 + day.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def last_of(day: date) -> date:
    """Return the last day of the month of `day`."""
    return month_after(day, 1) - timedelta(days=1)


def before(day: date, days: int) -> date:
    """Return the banking day that lies `days` days before `day`, or the nearest one before that."""
    return banking(day - timedelta(days=days))


def after(day: date, days: int) -> date:
    """Return the banking day that lies `days` days after `day`, or the nearest one before that."""
    return banking(day + timedelta(days=days))


def banking(day: date) -> date:
    """Return `day`, or the last day before it on which banks are open."""
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day


def months(start: date, end: date) -> Iterator[date]:
    """Yield the first days of the months from that of `start` to that of `end`."""
    month = start.replace(day=1)
    while month <= end:
        yield month
        month = month_after(month, 1)
