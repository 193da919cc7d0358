"""What the rules compute, computed another way: day by day, with fractions, by counting."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from kelmu_tui.domain.lists import Period


def percent_by_hand(model: str, day: int) -> int:
    """Return the percentage of an accumulated day."""
    if model == "pre_2025":
        return 0 if day <= 300 else 50 if day <= 1000 else 70
    for limit, percent in ((100, 0), (200, 10), (300, 20), (400, 30), (700, 40)):
        if day <= limit:
            return percent
    return 50


def exact_share(model: str, amount: Decimal, days: int, accumulated: int) -> Fraction:
    """Return the share before it is rounded."""
    a_day = Fraction(amount) / days
    first = accumulated - days + 1
    return sum((a_day * percent_by_hand(model, day) / 100 for day in range(first, accumulated + 1)), Fraction(0))


def share_by_hand(model: str, amount: Decimal, days: int, accumulated: int) -> Decimal:
    """Return the share in whole cents, half a cent away from zero."""
    exact = exact_share(model, abs(amount), days, accumulated)
    cents = Decimal(floor(exact * 100 + Fraction(1, 2)))
    return (-cents if amount < 0 else cents) / 100


def weekdays_by_hand(period: Period) -> int:
    """Return how many days of a period are Monday to Friday."""
    days = (period.first + timedelta(days=n) for n in range((period.last - period.first).days + 1))
    return sum(day.isoweekday() <= 5 for day in days)


def shifted(day: date, days: int) -> date:
    """Return the day so many days later."""
    return day + timedelta(days=days)
