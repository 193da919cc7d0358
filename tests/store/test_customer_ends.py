"""Nothing of a customer's file is shown from its end on, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.domain.capabilities import Agreement, Grant, MandateKind, capabilities
from kelmu_tui.domain.organisations import Organisation, OrganisationType, social_care_organiser
from kelmu_tui.domain.sections import Section, Sight, person_hides, sight
from kelmu_tui.platform.paths import Profile
from kelmu_tui.store import connection, customers, expiry, feed, lease, schema
from kelmu_tui.store.changes import Changed
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import LeaseEnded
from kelmu_tui.store.keys import DemoKeys
from tests.store.build import NOW, OWN, FixedClock, fill, notice, open_store
from tests.store.conftest import OpenStore
from tests.store.customer_lines import (
    KEPT,
    PAYMENTS,
    PENDING,
    answer,
    begin,
    down,
    file,
    head,
    held,
    matters,
    payment,
    payments,
    pending,
    person,
    put,
)
from tests.store.list_rows import LIST_TABLES
from tests.support.raw import opened_with

HOUR = timedelta(hours=1)
ON = date(2026, 11, 20)
COUNTY = social_care_organiser("837")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(folder: Path, clock: FixedClock) -> Iterator[Store]:
    found = open_store(folder, clock)
    found.attach(OWN)
    yield found
    found.close()


def test_nothing_is_returned_from_its_end_on_swept_or_not(store: Store, clock: FixedClock) -> None:
    answer(store, head(), payments(payment("m1")))
    heard: list[Changed] = []
    store.listen(heard.append)
    clock.at = NOW + KEPT - timedelta(microseconds=1)
    assert held(store)
    clock.at = NOW + KEPT
    assert not held(store)
    with lease.within(store) as db:
        assert not db.execute("SELECT * FROM replica.customer").fetchall()
        assert not db.execute("SELECT * FROM replica.customer_section").fetchall()
    assert [(*change.tables, *change.keys) for change in heard] == [("customer", "p1")]
    assert expiry.sweep(store) == 0


def test_nothing_leaves_after_the_lease(store: Store, clock: FixedClock) -> None:
    answer(store, head(), payments(payment("m1")))
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.state VALUES ('lease_until', ?)", ((NOW + HOUR).isoformat(),))
    clock.at = NOW + 2 * HOUR
    with pytest.raises(LeaseEnded), lease.within(store):
        pass


@pytest.mark.parametrize("way", ["time", "stale", "forgotten", "shut_out", "mandate", "protected"])
def test_nothing_of_an_ended_file_lies_on_in_the_pages(store: Store, clock: FixedClock, way: str) -> None:
    key = DemoKeys(store.folder, Profile("demo", store.folder, store.folder)).key(f"replica-{OWN}.db")
    needles = [b"neula-name", b"neula-office"]

    def lying() -> list[str]:
        return opened_with(store.folder, key, needles)

    who = person(family_name="neula-name", address="neula-name")
    answer(store, head(who=who), matters(pending("a", office="neula-office")))
    answer(store, head(who=person("p2")), payments(payment("m1")))
    assert lying()
    match way:
        case "time":
            clock.at = NOW + KEPT
            expiry.sweep(store)
        case "stale":
            clock.at = NOW + HOUR
            answer(store, head(clock.at, who=person()), down(PENDING))
            needles = [b"neula-office"]
            assert lying()
            clock.at = NOW + KEPT
            expiry.sweep(store)
            assert file(store).sections[PENDING].state == "down"
        case "forgotten":
            with store.write("replica") as db:
                customers.forget(db, "p1")
        case "shut_out":
            with store.write("replica") as db:
                assert "customer" in feed.shut_out(db).tables
                assert feed.unscrubbed(db)
        case "mandate":
            with store.write("replica") as db:
                assert set(customers.govern(db, None, frozenset())) == {"p1", "p2"}
        case _:
            begin(store, head(who=person(address=None, non_disclosure=True)), PENDING)
    if way not in ("time", "stale"):
        store.scrub()
    assert lying() == []


# --- mandates -------------------------------------------------------------------------------------------------------


def sights(
    *mandates: str, kind: OrganisationType = OrganisationType.WELLBEING_COUNTY, content: tuple[str, ...] | None = None
) -> tuple[dict[Section, Sight], frozenset[str]]:
    organisation = Organisation(OWN, COUNTY.name, kind, "06", ("837",))
    grants = [Grant(mandate, MandateKind.MANDATE_TO_ACT, OWN, OWN, (), date(2026, 1, 1)) for mandate in mandates]
    agreement = Agreement(OWN, date(2025, 1, 1), content=content)
    opened = capabilities(grants, organisation, agreement, ON)
    return {section: sight(opened, agreement, section) for section in Section}, person_hides(opened)


WIDE, NARROW = "benefit_viewing_and_claims", "integration_services_benefits"


def govern(store: Store, found: tuple[dict[Section, Sight], frozenset[str]]) -> list[str]:
    with store.write("replica") as db:
        return customers.govern(db, *found)


def test_the_same_mandates_leave_everything(store: Store) -> None:
    answer(store, head(), payments(payment("m1")), matters(pending("a")))
    wide = sights(WIDE)
    assert govern(store, wide) == []
    assert set(file(store).sections) == {PENDING, PAYMENTS}
    with store.read() as db:
        assert customers.governed_by(db) == customers.sights_print(*wide)
        assert customers.sights_print(*wide) != customers.sights_print(*sights(WIDE, content=("payments",)))


def test_a_section_ends_with_what_opened_it(store: Store) -> None:
    answer(store, head(), payments(payment("m1")), matters(pending("a")))
    assert govern(store, sights(WIDE, content=("payments",))) == ["p1"]
    assert set(file(store).sections) == {PAYMENTS}
    answer(store, head(), payments(payment("m1"), payment("m2")), matters(pending("a"), pending("b")))
    assert file(store).sections[PENDING].news == frozenset(), "looks at what may not be seen are forgotten too"
    assert file(store).sections[PAYMENTS].news == {"m2"}


def test_a_narrower_mandate_ends_what_it_does_not_show(store: Store) -> None:
    who = person(address=None, telephone=None)
    bare: dict[str, Any] = {"deductions": None, "payee": None, "account": None, "gross": None}
    answer(store, head(who=who), payments(payment("m1", **bare)), matters(pending("a")))
    answer(store, head(who=person("p2")), payments(payment("m1", **bare)))
    answer(store, head(who=who.model_copy(update={"customer": "p3"})), payments(payment("m1")))
    municipality = sights(NARROW, kind=OrganisationType.MUNICIPALITY)
    assert set(govern(store, municipality)) == {"p1", "p2", "p3"}
    assert set(file(store).sections) == {PAYMENTS}, "housing allowance is not of this mandate"
    assert not held(store, "p2"), "the address is not shown any more"
    assert PAYMENTS not in file(store, "p3").sections, "nor the payee"


# --- other versions, other processes --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_a_replica_of_a_version_before_gets_the_tables_and_keeps_its_rows(
    folder: Path, opened: OpenStore, version: int
) -> None:
    store = opened()
    store.attach(OWN)
    fill(store, [notice("n1")])
    for table in ("customer", "customer_section", "customer_look", "follow", "follow_seen", *LIST_TABLES):
        store.db.execute(f"DROP TABLE replica.{table}")
    store.db.execute("DROP INDEX replica.notice_by_code")
    if version == 1:
        store.db.execute("DROP INDEX replica.notice_expiry")
        store.db.execute("ALTER TABLE replica.notice DROP COLUMN expires")
    store.db.execute(f"PRAGMA replica.user_version = {version}")
    store.close()
    again = opened()
    again.attach(OWN)
    assert again.incidents == ()
    assert again.db.execute("PRAGMA replica.user_version").fetchone() == (schema.REPLICA_VERSION,)
    with again.read() as db:
        assert db.execute("SELECT id FROM replica.notice").fetchall() == [("n1",)]
        assert customers.is_related(db, ["010190-900X"])
    answer(again, head(), payments(payment("m1")))
    assert held(again)
    assert connection.sound(again.db, "replica")


def test_another_terminal_sees_the_file_and_its_end(opened: OpenStore) -> None:
    one, other = opened(), opened()
    for store in (one, other):
        store.attach(OWN)
    answer(one, head(), payments(payment("m1")))
    assert other.poll()
    assert file(other).sections[PAYMENTS].rows[0].id == "m1"
    with other.write("replica") as db:
        customers.forget(db, "p1")
    assert not put(one, head(), payments(payment("m1")))
    assert not held(one)
