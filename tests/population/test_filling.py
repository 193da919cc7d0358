"""A population in the record: whole or not at all, with a feed that tells what is published and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Table, func, select

from kelmu_backend import notices
from kelmu_backend.database import claim_tables, customer_tables, tables
from kelmu_backend.database.engine import Database
from kelmu_backend.population import AlreadyFilled, Bundle, Crowd, World, advance, claims, fill, generate
from kelmu_backend.population.accounts import make_accounts
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import database_url as record
from tests.backend.conftest import postgresql
from tests.population.conftest import NOW

__all__ = ["postgresql", "record"]  # fixtures: these tests run on both engines


@pytest.fixture
def database(record: str) -> Iterator[Database]:
    found = Database(record)
    yield found
    found.dispose()


@pytest.fixture(scope="module")
def small() -> World:
    return generate(9, NOW, people=300, notices=400)


def _count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_everything_is_there(database: Database, small: World) -> None:
    fill(database, small)
    bundles: list[Bundle] = list(small.notices())
    staff = small.staff
    for table, expected in (
        (tables.organisation, len(staff.organisations)),
        (tables.agreement, len(staff.agreements)),
        (tables.app_user, len(staff.users)),
        (tables.grant, len(staff.grants)),
        (tables.supervisor, len(staff.supervisors)),
        (claim_tables.account, len(list(make_accounts(9, staff.organisations)))),
        (tables.announcement, len(small.announcements)),
        (customer_tables.person, sum(1 + len(home.members) for home in small.homes)),
        (
            customer_tables.person_code,
            sum(len(one.codes) for home in small.homes for one in (home.person, *home.members)),
        ),
        (tables.notice, 400),
        (tables.note, sum(len(bundle.notes) for bundle in bundles)),
        (tables.trace, sum(len(bundle.traces) for bundle in bundles)),
    ):
        assert _count(database, table) == expected, table.name


def test_the_feed_tells_what_is_published(database: Database, small: World) -> None:
    head = fill(database, small)
    with database.read() as connection:
        entries = connection.execute(select(tables.feed).order_by(tables.feed.c.seq)).all()
        held = connection.execute(select(tables.notice)).all()
        left = connection.execute(select(tables.trace)).all()
        accounts = connection.execute(select(claim_tables.account)).all()
        assert connection.execute(select(tables.head.c.seq)).scalar_one() == head
    assert [entry.seq for entry in entries] == list(range(1, head + 1))
    assert {entry.op for entry in entries} == {"up"}
    expected = {(f"notices:{row.organisation}", row.id, row.version) for row in held if row.published}
    expected |= {(f"traces:{row.organisation}", row.notice, row.version) for row in left}
    expected |= {(f"claims:{row.organisation}", row.id, 1) for row in accounts}
    expected |= {("announcements", row["id"], 1) for row in small.announcements}
    assert {(entry.scope, entry.aggregate, entry.version) for entry in entries} == expected
    for row in held:
        assert row.published is (row.arrived <= NOW)
    assert any(not row.published for row in held)


def test_what_is_read_back_is_what_was_made(database: Database, small: World) -> None:
    fill(database, small)
    with database.read() as connection:
        rows = {row.id: row._asdict() for row in connection.execute(select(tables.notice))}
    for bundle in small.notices():
        row = rows[bundle.notice["id"]]
        assert {key: row[key] for key in bundle.notice} == bundle.notice


def test_due_notices_are_published_later(database: Database, small: World) -> None:
    head = fill(database, small)
    coming = min(b.notice["arrived"] for b in small.notices() if b.notice["arrived"] > NOW)
    with database.write() as connection:
        assert notices.publish_due(connection, NOW) is None
        change = notices.publish_due(connection, coming)
    assert change is not None
    assert change.seq == head + 1


def test_a_full_record_is_left_alone(database: Database, small: World) -> None:
    fill(database, small)
    with pytest.raises(AlreadyFilled):
        fill(database, small)
    assert _count(database, tables.notice) == 400


def test_a_crowd_follows_the_first(database: Database, small: World) -> None:
    fill(database, replace(small, crowd=Crowd(9, local_date(NOW), 500, 0)))
    before = _count(database, customer_tables.person)
    first = advance(database)
    assert first is not None
    then = _count(database, customer_tables.person)
    while advance(database):
        pass
    assert before + first.done < then < before + 500 < _count(database, customer_tables.person)
    assert _count(database, customer_tables.person_code) >= _count(database, customer_tables.person)


def test_a_failure_half_way_leaves_nothing(database: Database, small: World) -> None:
    def fail(stage: str, _done: int, _total: int) -> None:
        if stage == "notices":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(database, small, fail)
    empty = (tables.organisation, tables.notice, tables.feed, tables.head, tables.meta)
    for table in (*empty, customer_tables.person, customer_tables.person_code):
        assert _count(database, table) == 0
    fill(database, small)
    assert _count(database, tables.notice) == 400


def test_progress_is_told(database: Database, small: World) -> None:
    told: list[tuple[str, int, int]] = []
    fill(database, small, lambda *step: told.append(step))
    assert [stage for stage, _, _ in told] == ["people", "organisations", "notices", "done"]
    assert told[-1] == ("done", 400, 400)


def test_epoch_is_new_and_the_seed_is_kept(database: Database, small: World) -> None:
    fill(database, small, ids=SeededIds(5))
    with database.read() as connection:
        meta = {row.key: row.value for row in connection.execute(select(tables.meta))}
    assert json.loads(meta.pop(claims.KEY))["seed"] == 9  # some are still missing
    assert meta == {"epoch": SeededIds(5).new(), "low": "0", "seed": "9"}
