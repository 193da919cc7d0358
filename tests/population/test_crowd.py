"""A crowd too large to wait for: some at a time, the same ones whatever interrupts, nobody twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from kelmu_backend.customers import people as looked
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import person, person_code
from kelmu_backend.database.engine import Database
from kelmu_backend.population import Crowd, advance, crowd, fill, generate, world
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import parse_identity_code
from tests.population.conftest import NOW

TODAY = local_date(NOW)
SIZE = crowd.CHUNK * 2 + 50

Made = Callable[..., Database]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Made]:
    """Makes records that wait for a crowd."""
    made: list[Database] = []

    def make(size: int = SIZE, day: date = TODAY) -> Database:
        found = Database(f"sqlite:///{tmp_path}/{len(made)}/kelmu.db")
        made.append(found)
        found.migrate()
        with found.write() as connection:
            crowd.begin(connection, Crowd(3, day, size, 0))
        return found

    yield make
    for one in made:
        one.dispose()


class Interrupted(Exception):
    """The process was killed."""


class Dying:
    """A database whose process dies before its transaction is through."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> AbstractContextManager[Connection]:
        return self._database.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._database.write() as connection:
            yield connection
            raise Interrupted


def _everybody(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        people = connection.execute(select(person).order_by(person.c.id)).all()
        codes = connection.execute(select(person_code).order_by(person_code.c.code)).all()
    return [tuple(row) for row in (*people, *codes)]


def _finish(database: Database) -> list[Crowd]:
    steps = []
    while left := advance(database):
        steps.append(left)
    return steps


def test_all_come_and_then_nothing_is_left_to_do(record: Made) -> None:
    database = record()
    assert [left.done for left in _finish(database)] == [crowd.CHUNK, crowd.CHUNK * 2]
    everybody = _everybody(database)
    assert len(everybody) > 2 * SIZE
    assert advance(database) is None
    assert _everybody(database) == everybody


def test_whoever_dies_half_way_goes_on_where_it_was(record: Made) -> None:
    whole, broken = record(), record()
    _finish(whole)
    advance(broken)
    before = _everybody(broken)
    with pytest.raises(Interrupted):
        advance(Dying(broken))
    assert _everybody(broken) == before
    _finish(broken)
    assert _everybody(broken) == _everybody(whole)


def test_the_day_of_the_first_start_counts(record: Made) -> None:
    then, now = record(crowd.CHUNK, date(2025, 1, 15)), record(crowd.CHUNK)
    _finish(then)
    _finish(now)
    with then.read() as connection:
        assert max(connection.execute(select(person.c.born)).scalars()) <= date(2025, 1, 15)
    assert _everybody(then) != _everybody(now)


def test_a_code_that_somebody_has_is_not_given_again(record: Made) -> None:
    first, second = record(crowd.CHUNK), record(crowd.CHUNK)
    _finish(first)
    with first.read() as connection:
        wanted = connection.execute(select(person_code.c.code).order_by(person_code.c.code)).scalars().all()[:40]
    with second.write() as connection:
        owner = {
            "id": "before",
            "identity_code": wanted[0],
            "family_name": "Ennen",
            "given_names": "Oli",
            "sex": "f",
            "born": date(1990, 1, 1),
            "language": "fi",
            "non_disclosure": False,
            "seed": 1,
        }
        connection.execute(insert(person), owner)
        taken = [{"code": code, "person": "before", "valid_to": None} for code in wanted]
        connection.execute(insert(person_code), taken)
    _finish(second)
    with second.read() as connection:
        held = {row.code: row.person for row in connection.execute(select(person_code))}
        people = connection.execute(select(person)).all()
        with first.read() as other:
            assert len(people) == 1 + len(other.execute(select(person.c.id)).all())
    assert {held[code] for code in wanted} == {"before"}
    for row in people:
        assert held[row.identity_code] == row.id
        if row.id != "before":
            code = parse_identity_code(row.identity_code, today=TODAY, artificial=True)
            assert code.born == row.born


def test_two_processes_make_nobody_twice(record: Made) -> None:
    database = record()

    class Behind:
        """A database in which another process was faster between looking and writing."""

        def read(self) -> AbstractContextManager[Connection]:
            return database.read()

        def write(self) -> AbstractContextManager[Connection]:
            advance(database)
            return database.write()

    left = advance(Behind())
    assert left is not None
    assert left.done == crowd.CHUNK
    _finish(database)
    alone = record()
    _finish(alone)
    assert _everybody(database) == _everybody(alone)


def test_who_is_found_lives_with_whom_they_should(record: Made) -> None:
    database = record(crowd.CHUNK)
    _finish(database)
    with database.read() as connection:
        codes = connection.execute(select(person_code.c.code).where(person_code.c.valid_to.is_(None))).scalars().all()
        together = 0
        for code in codes[:100]:
            found = looked.find(connection, code=code, customer=None)
            assert found.person is not None
            assert {other.address for other in found.others} <= {found.person.address}
            together += bool(found.others)
    assert together > 20


def test_a_large_population_begins_with_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "FIRST", 100)
    large, exact = (generate(3, NOW, people=size, notices=50) for size in (1_000_000, 100))
    assert large.people == exact.people
    assert large.crowd == Crowd(3, TODAY, 999_900, 0)
    for number, one in enumerate((large, exact)):
        database = Database(f"sqlite:///{tmp_path}/{number}/kelmu.db")
        database.migrate()
        fill(database, one)
        with database.read() as connection:
            assert crowd.missing(connection) == (large.crowd if one is large else None)
            assert connection.execute(select(tables.notice.c.id)).first() is not None
        database.dispose()
