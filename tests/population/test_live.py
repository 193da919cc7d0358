"""Live arrivals: endless, repeatable, visible at once, and in the feed."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.population import World, arrivals, deliver, fill, generate
from kelmu_backend.population.staff import find_organisation
from kelmu_tui.api.contract import NoticeRow
from kelmu_tui.domain.deadlines import due_on
from kelmu_tui.domain.notices import Kind, Status
from kelmu_tui.domain.organisations import artificial_id
from kelmu_tui.domain.transfer import recipient
from tests.population.conftest import NOW


def test_the_same_start_gives_the_same_notices() -> None:
    sources = [arrivals(1, NOW), arrivals(1, NOW)]
    moments = [NOW + timedelta(seconds=20 * n) for n in range(30)]
    assert [sources[0].next(at) for at in moments] == [sources[1].next(at) for at in moments]


def test_another_start_gives_others() -> None:
    first, second = arrivals(1, NOW), arrivals(1, NOW + timedelta(seconds=1))
    ids = [{source.next(NOW).notice["id"] for _ in range(20)} for source in (first, second)]
    assert not ids[0] & ids[1]


def test_they_are_visible_at_once_and_go_to_who_receives_them() -> None:
    source = arrivals(2, NOW)
    kinds = set()
    for n in range(200):
        now = NOW + timedelta(seconds=20 * n)
        row = source.next(now).notice
        NoticeRow.model_validate({"table": "notice", **row})
        kind = Kind(row["kind"])
        kinds.add(kind)
        holder = recipient(kind, row["municipality"], now.date())
        assert holder is not None
        assert row["organisation"] == holder.business_id
        assert row["created"] == row["arrived"] == now
        assert row["due"] == due_on(kind, row["urgent"], now)
        assert (row["status"], row["version"], row["assignee"]) == (Status.NEW, 1, None)
    assert kinds == set(Kind) - {Kind.REDUCED_BASIC_AMOUNT}


def test_only_the_wanted_organisations() -> None:
    wanted = [find_organisation(key).business_id for key in ("municipality:478", "municipality:508")]
    source = arrivals(1, NOW, wanted)
    found = [source.next(NOW).notice for _ in range(40)]
    assert {row["organisation"] for row in found} == set(wanted)
    assert {row["kind"] for row in found if row["organisation"] == wanted[1]} == {Kind.IMMIGRANT}
    assert Kind.IMMIGRANT not in {row["kind"] for row in found if row["organisation"] == wanted[0]}


def test_strangers_are_refused() -> None:
    with pytest.raises(KeyError):
        arrivals(1, NOW, [artificial_id("96", 1)])
    with pytest.raises(ValueError, match="receives"):
        arrivals(1, NOW, [])


def test_live_people_are_not_those_of_the_population(world: World) -> None:
    codes = {person.identity_code for person in world.people}
    source = arrivals(world.seed, NOW)
    live = [source.next(NOW).notice["customer"]["identity_code"] for _ in range(300)]
    assert len(set(live)) == 300
    assert not codes & set(live)


def test_a_delivered_notice_stands_in_the_feed(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/record/kelmu.db")
    database.migrate()
    head = fill(database, generate(1, NOW, people=20, notices=10))
    source = arrivals(1, NOW)
    changes = []
    for n in range(5):
        with database.write() as connection:
            arrival = source.next(NOW + timedelta(seconds=n))
            change = deliver(connection, arrival)
            changes.append(change)
            entry = connection.execute(select(tables.feed).where(tables.feed.c.aggregate == arrival.notice["id"])).one()
            published = connection.execute(
                select(tables.notice.c.published).where(tables.notice.c.id == arrival.notice["id"])
            ).scalar_one()
        assert (entry.scope, entry.seq, entry.version, entry.op) == (
            f"notices:{arrival.notice['organisation']}",
            change.seq,
            1,
            "up",
        )
        assert change.scopes == {entry.scope}
        assert published is True
    assert changes[0].seq == head + 1
    assert all(later.seq == earlier.seq + 1 for earlier, later in pairwise(changes))
    database.dispose()
