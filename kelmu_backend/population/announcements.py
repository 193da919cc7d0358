"""Service announcements of the demo: breaks ahead, a disturbance, where help is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from kelmu_backend.population.lists import table
from kelmu_backend.population.rows import Row
from kelmu_tui.domain.deadlines import HELSINKI_TIME


def make_announcements(today: date) -> tuple[Row, ...]:
    """Return the rows of `announcement` as of the day `today`."""
    rows = []
    for entry in table("announcements")["announcement"]:
        day = _day(today, entry.get("weekday"), entry.get("week", 0), entry.get("days", 0))
        ends = entry.get("ends")
        rows.append(
            {
                "id": entry["id"],
                "version": 1,
                "kind": entry["kind"],
                "starts": _instant(day, entry["starts"]),
                "ends": None if ends is None else _instant(day + timedelta(days=entry.get("end_days", 0)), ends),
                "title": dict(entry["title"]),
                "text": dict(entry["text"]),
            }
        )
    return tuple(rows)


def _day(today: date, weekday: int | None, week: int, days: int) -> date:
    if weekday is None:
        return today + timedelta(days=days)
    ahead = (weekday - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead + 7 * week)


def _instant(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), HELSINKI_TIME).astimezone(UTC)
