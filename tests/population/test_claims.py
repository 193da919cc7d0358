"""The claims of the demo: every state, sums and days that fit the customers' files, and rules that allow each one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from kelmu_backend.claims import judging, reading, record
from kelmu_backend.customers import making, people
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import account, claim, claim_event, claim_payment
from kelmu_backend.database.customer_tables import customer_row, person
from kelmu_backend.database.engine import Database
from kelmu_backend.population import World, advance_claims, claims, fill, generate, known_of
from kelmu_backend.population.claim_stories import taken
from kelmu_backend.population.staff import find_organisation
from kelmu_tui.api import contract
from kelmu_tui.domain import catalogue
from kelmu_tui.domain.claims.accounts import parse_account
from kelmu_tui.domain.claims.catalogue import claimants, end_reasons
from kelmu_tui.domain.claims.facts import Facts
from kelmu_tui.domain.claims.kept import closed_kept
from kelmu_tui.domain.claims.life import OPEN, Rejection, Status
from kelmu_tui.domain.claims.rules import check
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.organisations import OrganisationType, social_care_organiser
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import database_url as both
from tests.backend.conftest import postgresql
from tests.population.conftest import NOW

__all__ = ["both", "postgresql"]  # fixtures: a test runs on both engines

SEEDS = (1, 2, 77)
NEXT = {row["id"]: set(row["next"]) for row in catalogue.table("claims.toml")["status"]}


def made(folder: Path, world: World) -> Database:
    """Return a record with a world and all its claims."""
    database = Database(f"sqlite:///{folder / 'record' / 'kelmu.db'}")
    database.migrate()
    fill(database, world)
    finish(database)
    return database


def finish(database: Database) -> int:
    """Make all claims; return in how many steps."""
    steps = 1
    while advance_claims(database, SeededIds(steps)).more:
        steps += 1
    return steps


@pytest.fixture(scope="module", params=SEEDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    found = made(tmp_path_factory.mktemp("claims"), generate(request.param, NOW, people=1200, notices=300))
    yield found
    found.dispose()


def all_of(database: Database, table: Any) -> list[Row[Any]]:
    with database.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)).all())


def test_every_county_helsinki_and_aland_has_accounts_that_pass_every_check(filled: Database) -> None:
    found = Counter(row.organisation for row in all_of(filled, account))
    expected = {o.business_id for o in all_of(filled, tables.organisation) if OrganisationType(o.type) in claimants()}
    assert set(found) == expected
    assert set(found.values()) == {2, 3}
    ibans = [row.iban for row in all_of(filled, account)]
    assert [parse_account(iban) for iban in ibans] == ibans
    assert len(set(ibans)) == len(ibans)
    assert all(iban[4:6] == "90" for iban in ibans)  # of no bank


def test_every_state_is_there_also_for_whoever_tries_the_demo(filled: Database) -> None:
    by_organisation: dict[str, Counter[str]] = defaultdict(Counter)
    for row in all_of(filled, claim):
        by_organisation[row.organisation][row.status] += 1
    for key in ("county:08", "municipality:091"):
        states = by_organisation[find_organisation(key).business_id]
        assert set(states) == {status.value for status in Status}, key
    wellbeing = [o.business_id for o in all_of(filled, tables.organisation) if o.type == "wellbeing_county"]
    assert all(by_organisation[one] for one in wellbeing)


def test_a_claim_fits_its_organisation_and_the_contract(filled: Database) -> None:
    ibans = defaultdict(set)
    for one in all_of(filled, account):
        ibans[one.organisation].add(one.iban)
    homes = {row.id: row.municipality for row in all_of(filled, person)}
    names = defaultdict(set)
    for user in all_of(filled, tables.app_user):
        names[user.name].add(user.id)
    rows = all_of(filled, claim)
    assert len({row.id for row in rows}) == len(rows) > 100
    for row in rows:
        assert row.account in ibans[row.organisation]
        if homes[row.person]:
            assert social_care_organiser(homes[row.person]).business_id == row.organisation
        assert row.registered_by in names
        assert row.handler in names
    with filled.read() as connection:
        for organisation in sorted(ibans):
            for told in reading.page(connection, organisation, "", 1000):
                kind = contract.ClaimRecord if told["table"] == "claim" else contract.AccountRow
                assert kind.model_validate(told).id == told["id"]


def test_histories_follow_the_states_of_the_catalogue(filled: Database) -> None:
    events = defaultdict(list)
    for one in all_of(filled, claim_event):
        events[one.claim].append(one)
    paid = Counter(one.claim for one in all_of(filled, claim_payment))
    step = {"register": "registered", "cancel": "cancelled"}
    for row in all_of(filled, claim):
        own = events[row.id]
        assert row.version == len(own)
        assert [event.at for event in own] == sorted({event.at for event in own})
        assert own[0].at == row.registered_at
        assert own[-1].at <= NOW
        states = [step.get(event.what, event.what) for event in own if event.what != "paid"]
        assert states[0] == "registered"
        assert states[-1] == row.status
        assert all(after in NEXT[before] for before, after in pairwise(states)), states
        assert sum(event.what == "paid" for event in own) == paid[row.id]
        assert all((event.by is None) == (event.what not in ("register", "cancel")) for event in own)
        assert (row.closed_at is None) == (row.status in {status.value for status in OPEN})
        assert row.closed_at is None or NOW - closed_kept() < row.closed_at <= NOW
        assert (row.rejection in list(Rejection)) == (row.status == "rejected")
        assert (row.end_reason in end_reasons()) == (row.status == "ended")
        assert (row.decided_on is not None) == ("in_force" in states or "rejected" in states)
        assert (row.hearing_until is not None) == ("hearing" in states)
        assert (row.next_at is not None) == (row.closed_at is None)
        assert row.next_at is None or row.next_at > NOW


def test_what_is_paid_is_what_the_customers_payments_say(filled: Database) -> None:
    """Whoever looks a customer up sees the claim that the register has, and the payments that it took its part of."""
    paid: dict[str, dict[Any, Decimal]] = defaultdict(dict)
    for one in all_of(filled, claim_payment):
        paid[one.claim][one.on] = one.amount
    for row in all_of(filled, claim):
        own = paid[row.id]
        total = sum(own.values(), Decimal(0))
        assert all(amount > 0 for amount in own.values())
        assert total <= row.amount if row.last else all(amount <= row.amount for amount in own.values())
        assert not own or row.status in ("in_force", "ended")
        assert row.end_reason != "assistance_recovered" or total == row.amount
        with filled.write() as connection:
            making.fill(connection, known_of, row.person, NOW)
        with filled.read() as connection:
            rows = connection.execute(select(customer_row).where(customer_row.c.person == row.person)).all()
        shown = {one.id: one.body for one in rows if one.section == "claims"}
        assert (row.id in shown) == (row.status != "cancelled")
        if row.id not in shown:
            continue
        told = shown[row.id]
        status = {"ended": {"ended", "paid"}, "in_force": {"in_force"}, "rejected": {"rejected"}}
        assert told["status"] in status.get(row.status, {"received"})
        assert (told["basis"], told["benefit"], told["claimant_id"]) == (row.basis, row.benefit, row.organisation)
        assert told["received"] == local_date(row.registered_at).isoformat()
        assert told["period_from"] == row.first.isoformat()
        assert told["amount"] is None or Decimal(told["amount"]) == row.amount
        payments = {one.day: one.body for one in rows if one.section == "payments" and one.benefit == row.benefit}
        for day, amount in own.items():
            assert taken(payments[day]) == amount
            assert payments[day]["status"] == "paid"


def test_the_rules_allow_every_claim_on_the_day_on_which_it_was_made(filled: Database) -> None:
    types = {row.business_id: OrganisationType(row.type) for row in all_of(filled, tables.organisation)}
    late = 0
    for row in all_of(filled, claim):
        day = local_date(row.registered_at)
        with filled.read() as connection:
            payee = people.by_id(connection, row.person)
            household = people.others_of(connection, payee)
            loaded = connection.execute(reading.WITH_PAYEE.where(claim.c.id == row.id)).one()
            content = record.content_of(loaded)
        facts = _facts(payee, household, row.organisation, day)
        said = check(content, facts, types[row.organisation], day)
        assert said.blocking == (), (row.id, said.blocking)
        expected = record.arrival(content, payee.family_name, day)
        assert (row.payment_day, row.late) == expected
        late += row.late
    assert late < len(all_of(filled, claim)) / 2


def _facts(payee: Row[Any], household: Any, organisation: str, day: Any) -> Facts:
    """Return what was known on a day, from the rows that Kela's systems held then."""
    made: dict[str, list[Any]] = defaultdict(list)
    for one in known_of(payee, household, day):
        made[one["section"]].append(one["body"])
    return Facts(
        payee.family_name,
        tuple(judging._payment(one) for one in made["payments"]),
        tuple(judging._decision(one) for one in made["decisions"]),
        None,
        None,
        payee.died if payee.died is not None and payee.died <= day else None,
        day,
    )


# --- how they come --------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_claims_in_any_number_of_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name, chunk in (("one", 7), ("two", 50)):
        monkeypatch.setattr(claims, "CHUNK", chunk)
        database = made(tmp_path / name, generate(4, NOW, people=300, notices=60))
        found.append(([tuple(row) for row in all_of(database, claim)], len(all_of(database, claim_event))))
        database.dispose()
    assert found[0] == found[1]
    assert found[0][0]


def test_they_come_through_the_feed_and_nothing_of_them_is_left(both: str) -> None:
    database = Database(both)
    fill(database, generate(4, NOW, people=300, notices=60))
    with database.read() as connection:
        before = connection.execute(select(tables.head.c.seq)).scalar_one()
        assert claims.missing(connection) is not None
    change = None
    while (step := advance_claims(database)).more:
        change = step.change or change
    assert change is not None
    assert change.seq > before
    assert all(scope.startswith("claims:") for scope in change.scopes)
    assert not advance_claims(database).more
    with database.read() as connection:
        assert claims.missing(connection) is None
        entries = {
            (row.scope, row.aggregate): row.version
            for row in connection.execute(select(tables.feed).where(tables.feed.c.scope.startswith("claims:")))
        }
        rows = connection.execute(select(claim)).all()
        numbers = connection.execute(select(account)).all()
    assert entries == {(f"claims:{one.organisation}", one.id): one.version for one in (*rows, *numbers)}
    database.dispose()


def test_the_next_day_goes_on_where_the_first_one_stopped(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'record' / 'kelmu.db'}")
    database.migrate()
    fill(database, generate(4, NOW, people=300, notices=60))
    advance_claims(database)
    with database.read() as connection:
        progress = claims.missing(connection)
    assert progress is not None
    assert datetime.fromisoformat(progress.now) == NOW
    finish(database)
    assert all(NOW - timedelta(days=3000) < row.registered_at <= NOW for row in all_of(database, claim))
    database.dispose()
