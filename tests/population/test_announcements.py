"""Breaks lie ahead on their weekdays, help is there in three languages."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from kelmu_backend.population.announcements import make_announcements
from kelmu_tui.api.contract import AnnouncementRow
from kelmu_tui.domain.deadlines import HELSINKI_TIME

DAYS = [date(2026, 11, 20) + timedelta(days=n) for n in range(8)] + [date(2027, 3, 26), date(2026, 12, 31)]


@pytest.mark.parametrize("today", DAYS)
def test_breaks_lie_ahead(today: date) -> None:
    rows = {row["id"]: row for row in make_announcements(today)}
    thursday, weekend = rows["break-thursday"], rows["break-weekend"]
    starts, ends = (thursday[key].astimezone(HELSINKI_TIME) for key in ("starts", "ends"))
    assert (starts.weekday(), starts.hour, ends.hour, ends.date()) == (3, 6, 8, starts.date())
    assert timedelta() < starts.date() - today <= timedelta(days=7)
    starts, ends = (weekend[key].astimezone(HELSINKI_TIME) for key in ("starts", "ends"))
    assert (starts.weekday(), ends.weekday()) == (5, 6)
    assert starts.date() > today


def test_rows_are_those_of_the_contract() -> None:
    rows = make_announcements(date(2026, 11, 24))
    kinds = [AnnouncementRow.model_validate({"table": "announcement", **row}).kind.value for row in rows]
    assert set(kinds) == {"break", "disturbance", "information"}
    for row in rows:
        assert set(row["title"]) == set(row["text"]) == {"fi", "sv", "en"}
        assert all(row["title"].values())
        assert all(row["text"].values())


def test_help_names_hours_and_addresses() -> None:
    row = next(row for row in make_announcements(date(2026, 11, 24)) if row["id"] == "information-support")
    for text in row["text"].values():
        for part in ("8–17", "9–15", "tekninentuki@kela.fi", "tiedonvalitys@kela.fi", "020 692 235"):
            assert part in text
