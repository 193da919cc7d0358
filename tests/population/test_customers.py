"""The people of a population as a look-up finds them: who lives with whom, and what is rare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, Table, func, select

from kelmu_backend.customers import people as looked
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import person, person_code
from kelmu_backend.database.engine import Database
from kelmu_backend.population import AlreadyFilled, World, arrivals, arrive, fill, generate, known_of
from kelmu_backend.population.rare import LONG_NAME, REACH
from kelmu_backend.population.staff import find_organisation
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import parse_identity_code
from tests.population.conftest import NOW

TODAY = local_date(NOW)
KINDS = frozenset(
    {"died", "guardian", "interpreter_language", "non_disclosure", "earlier_code", "long_name", "long_pension"}
)


@pytest.fixture(scope="module")
def record(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The default population in a record, to read."""
    found = _empty(tmp_path_factory.mktemp("customers"))
    fill(found, world)
    yield found
    found.dispose()


@pytest.fixture(scope="module")
def rows(record: Database) -> dict[str, Row[Any]]:
    """All people by id."""
    with record.read() as connection:
        return {row.id: row for row in connection.execute(select(person))}


@pytest.fixture(scope="module")
def codes(record: Database) -> list[Row[Any]]:
    with record.read() as connection:
        return list(connection.execute(select(person_code)))


def _empty(folder: Path) -> Database:
    found = Database(f"sqlite:///{folder}/record/kelmu.db")
    found.migrate()
    return found


def _count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _homes(rows: dict[str, Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in rows.values():
        if row.household is not None:
            found.setdefault(row.household, []).append(row)
    return found


def _relation(row: Row[Any], other: Row[Any], home: list[Row[Any]]) -> str:
    return looked.relation(row.born, other.born, [one.born for one in home if one.id != row.id], TODAY)


def _paid_since(row: Row[Any]) -> date:
    found = [one["day"] for one in known_of(row, [], TODAY) if one["section"] == "payments"]
    return min(found, default=TODAY)


def _rare(row: Row[Any], asked: str) -> set[str]:
    """Return what is rare about somebody whom a notice calls by the code `asked`."""
    applies = {
        "died": row.died,
        "guardian": row.guardian,
        "interpreter_language": row.interpreter_language,
        "non_disclosure": row.non_disclosure,
        "earlier_code": asked != row.identity_code,
        "long_name": len(row.family_name) >= LONG_NAME,
        "long_pension": _paid_since(row) < date(TODAY.year - 20, TODAY.month, 1),
    }
    return {kind for kind, found in applies.items() if found}


def test_everybody_is_there(world: World, rows: dict[str, Row[Any]]) -> None:
    assert len(rows) == sum(1 + len(home.members) for home in world.homes)
    assert [home.person for home in world.homes[:5000]] == list(world.people)
    assert all(row.filled is None for row in rows.values())


def test_the_customer_of_every_notice_is_somebody(
    record: Database, rows: dict[str, Row[Any]], codes: list[Row[Any]]
) -> None:
    owners = {row.code: rows[row.person] for row in codes}
    with record.read() as connection:
        notices = connection.execute(select(tables.notice.c.customer_code, tables.notice.c.customer)).all()
    assert len(notices) == 1200
    for code, customer in notices:
        row = owners[code]
        shown = {
            "family_name": row.family_name,
            "given_names": row.given_names,
            "language": row.language,
            "non_disclosure": row.non_disclosure,
            "home_municipality": row.municipality,
            "address": row.address,
            "telephone": row.telephone,
        }
        assert customer == {"identity_code": code} | {key: found for key, found in shown.items() if found is not None}


def test_codes_are_valid_artificial_and_unique(rows: dict[str, Row[Any]], codes: list[Row[Any]]) -> None:
    assert len({row.code for row in codes}) == len(codes)
    present = {row.person: row.code for row in codes if row.valid_to is None}
    assert present == {row.id: row.identity_code for row in rows.values()}
    for found in codes:
        code = parse_identity_code(found.code, today=TODAY, artificial=True)
        assert code.born == rows[found.person].born
        assert (int(found.code[7:10]) % 2 == 1) is (rows[found.person].sex == "m")


def test_households_are_what_the_notices_tell(world: World, rows: dict[str, Row[Any]], codes: list[Row[Any]]) -> None:
    owners = {row.code: rows[row.person] for row in codes}
    homes = _homes(rows)
    relations = Counter[str]()
    for home in world.homes:
        row = owners[home.person.identity_code]
        told = sorted((one.name, one.relation, one.born) for one in home.person.household)
        with_them = homes.get(row.household, [])
        others = [one for one in with_them if one.id != row.id]
        assert told == sorted(
            (f"{one.given_names} {one.family_name}".strip(), _relation(row, one, with_them), one.born.year)
            for one in others
        )
        relations.update(relation for _, relation, _ in told)
    assert min(relations[kind] for kind in ("spouse", "child", "parent")) > 50


def test_households_agree_both_ways_and_share_a_home(rows: dict[str, Row[Any]]) -> None:
    mirror = {"spouse": "spouse", "child": "parent", "parent": "child", "other": "other"}
    for home in _homes(rows).values():
        assert len(home) > 1
        assert len({(row.municipality, row.address, row.non_disclosure) for row in home}) == 1
        for row in home:
            assert row.born <= TODAY
            for other in home:
                if other is not row:
                    assert _relation(other, row, home) == mirror[_relation(row, other, home)]


def test_nobody_under_a_non_disclosure_order_has_an_address(rows: dict[str, Row[Any]]) -> None:
    hidden = [row for row in rows.values() if row.non_disclosure]
    assert len(hidden) > 50
    assert {(row.address, row.telephone, row.municipality) for row in hidden} == {(None, None, None)}
    assert all(row.address and row.municipality for row in rows.values() if not row.non_disclosure)


def test_every_rare_kind_stands_in_the_inboxes(
    record: Database, rows: dict[str, Row[Any]], codes: list[Row[Any]]
) -> None:
    owners = {row.code: rows[row.person] for row in codes}
    inboxes: dict[str, set[str]] = {}
    for key in REACH:
        found = tables.notice.c.organisation == find_organisation(key).business_id, tables.notice.c.published
        with record.read() as connection:
            noticed = connection.execute(select(tables.notice.c.customer_code).where(*found)).scalars()
            inboxes[key] = set().union(*(_rare(owners[code], code) for code in noticed))
    assert set().union(*inboxes.values()) == KINDS
    assert inboxes["county:08"] >= KINDS - {"interpreter_language"}


@pytest.mark.parametrize("seed", [2, 3])
def test_other_seeds_have_every_rare_kind_too(seed: int) -> None:
    world = generate(seed, NOW)
    people = {person.identity_code: person for person in world.people}
    reach = {find_organisation(key).business_id for key in REACH}
    noticed = [
        people[bundle.notice["customer"]["identity_code"]]
        for bundle in world.notices()
        if bundle.notice["organisation"] in reach and bundle.notice["arrived"] <= NOW
    ]
    assert any(one.died for one in noticed)
    assert any(one.guardian for one in noticed)
    assert any(one.renewal for one in noticed)
    assert any(one.long_pension for one in noticed)
    assert any(one.interpreter for one in noticed)
    assert any(one.non_disclosure for one in noticed)
    assert any(len(one.family_name) >= LONG_NAME for one in noticed)


def test_what_is_rare_stays_rare(rows: dict[str, Row[Any]], codes: list[Row[Any]]) -> None:
    for few in (
        [row for row in rows.values() if row.died],
        [row for row in rows.values() if row.guardian],
        [row for row in codes if row.valid_to],
    ):
        assert 3 < len(few) < 0.02 * len(rows)


def test_nobody_died_or_got_another_code_before_the_last_notice(world: World) -> None:
    latest: dict[str, date] = {}
    for bundle in world.notices():
        code = bundle.notice["customer"]["identity_code"]
        latest[code] = max(local_date(bundle.notice["created"]), latest.get(code, date.min))
    changed = [(one.died, one) for one in world.people if one.died]
    changed += [(one.renewal.since, one) for one in world.people if one.renewal]
    assert len(changed) > 10
    for day, one in changed:
        assert latest.get(one.identity_code, TODAY - timedelta(days=301)) < day < TODAY


def test_a_long_pension_was_paid_every_month(rows: dict[str, Row[Any]]) -> None:
    long = [row for row in rows.values() if "long_pension" in _rare(row, row.identity_code)]
    assert long
    for row in long:
        paid = [
            one["body"]["period_from"]
            for one in known_of(row, [], TODAY)
            if one["section"] == "payments" and one["benefit"].startswith("national_pension")
        ]
        assert len(paid) == len(set(paid))
        assert len(paid) >= 240 or row.died


def test_ids_come_from_the_seed() -> None:
    def ids(seed: int) -> list[str]:
        world = generate(seed, NOW, people=40, notices=0)
        return [row["id"] for home in world.customers() for row in home.people]

    assert ids(4) == ids(4)
    assert not set(ids(4)) & set(ids(5))


def test_notices_are_the_same_whoever_lives_with_the_customer(world: World) -> None:
    """Members take codes after everybody else, from chance of their own."""
    firsts = {home.person.identity_code for home in world.homes}
    members = {member.identity_code for home in world.homes for member in home.members}
    assert not firsts & members
    assert {bundle.notice["customer"]["identity_code"] for bundle in world.notices()} <= firsts


def test_a_persona_is_a_customer(record: Database, rows: dict[str, Row[Any]]) -> None:
    with record.read() as connection:
        personas = connection.execute(
            select(tables.app_user).where(tables.app_user.c.persona, tables.app_user.c.identity_code.is_not(None))
        ).all()
        assert personas
        for persona in personas:
            found = looked.find(connection, code=persona.identity_code, customer=None)
            assert found.person is not None
            assert f"{found.person.given_names} {found.person.family_name}" == persona.name
            assert len(found.others) == 2


def test_a_second_filling_changes_nothing(tmp_path: Path) -> None:
    database = _empty(tmp_path)
    assert _count(database, person) == 0
    small = generate(6, NOW, people=30, notices=20)
    fill(database, small)
    before = _count(database, person), _count(database, person_code)
    with pytest.raises(AlreadyFilled):
        fill(database, generate(7, NOW, people=30, notices=20))
    assert (_count(database, person), _count(database, person_code)) == before
    database.dispose()


def test_who_arrives_is_somebody_and_lives_with_somebody(tmp_path: Path) -> None:
    database = _empty(tmp_path)
    fill(database, generate(6, NOW, people=30, notices=20))
    source = arrivals(6, NOW)
    for second in range(30):
        with database.write() as connection:
            arrive(connection, source, NOW + timedelta(seconds=second))
    with database.read() as connection:
        delivered = connection.execute(select(tables.notice).where(tables.notice.c.created >= NOW)).all()
        homes = 0
        for notice in delivered:
            found = looked.find(connection, code=notice.customer_code, customer=None)
            assert found.person is not None
            assert found.person.family_name == notice.customer["family_name"]
            assert len(found.others) == len(notice.content["household"])
            homes += bool(found.others)
    assert homes > 3
    database.dispose()


def test_codes_of_earlier_arrivals_are_not_taken_again(tmp_path: Path) -> None:
    """A clock that is put back gives a start that there has been before."""
    database = _empty(tmp_path)
    fill(database, generate(6, NOW, people=30, notices=0))
    for _ in range(2):
        with database.write() as connection:
            arrive(connection, arrivals(6, NOW), NOW)
    with database.read() as connection:
        customers = connection.execute(select(tables.notice.c.customer_code)).scalars().all()
    assert len(set(customers)) == len(customers) == 2
    database.dispose()
