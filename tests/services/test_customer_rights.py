"""What a user may see of customers, and what ends with it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from kelmu_tui.domain.capabilities import Allowed, Denied
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.sections import Hidden, Section
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.session import NothingOpens
from kelmu_tui.store import customers, feed
from kelmu_tui.store.database import Store
from kelmu_tui.sync import pull
from tests.services.customers import WIDE, at_work, give
from tests.services.signed_in import FIRST, MANDATE, NOW, SECOND, Time, organisation
from tests.store.customer_lines import (
    PAYMENTS,
    PENDING,
    answer,
    head,
    hidden,
    matters,
    payment,
    payments,
    pending,
    person,
)

CODE = make_identity_code(person().born, "-", 900)
HOUR = timedelta(hours=1)


@pytest.fixture
def context(profile: Profile, store: Store, time: Time) -> Context:
    found = at_work(profile, store)
    line = head(NOW, who=person(identity_code=CODE.value))
    sections = (payments(payment("m1"), at=NOW - HOUR), matters(pending("a1"), at=NOW), hidden(Section.RECOVERY))
    answer(store, line, *sections)
    return found


def lease_until(store: Store, until: datetime) -> None:
    with store.write() as db:
        db.execute("INSERT OR REPLACE INTO secret VALUES ('lease_until', ?)", (until.isoformat(),))


def test_sights_say_what_is_missing_and_what_would_open_it(context: Context, store: Store) -> None:
    assert all(one.hidden is None for one in context.customers.sights().values())
    assert isinstance(context.customers.explain(), Allowed)
    give(store, MANDATE, WIDE, agreement_content=["payments"])
    assert context.customers.sights()[PENDING].hidden is Hidden.AGREEMENT
    assert context.customers.sights()[PAYMENTS].hidden is None
    give(store, MANDATE)
    assert isinstance(context.customers.explain(), Denied)
    with pytest.raises(NotAllowed):
        context.customers.sights()


def test_nothing_is_done_to_the_files_of_another_organisation(context: Context, store: Store) -> None:
    give(store, MANDATE)  # which opens no customers; of the other organisation nothing is known here
    store.detach()
    store.attach(SECOND)
    answer(store, head(NOW, who=person(identity_code=CODE.value)), matters(pending("a1"), at=NOW))
    for unit in (context.customers.hold, lambda: context.customers.open("p1"), lambda: context.customers.search("")):
        with pytest.raises(NotAllowed):
            unit()
    with store.read() as db:
        assert customers.any_held(db)


@pytest.mark.parametrize("way", ["look", "choose", "midnight", "nothing", "nothing_known"])
def test_files_end_with_the_mandate(profile: Profile, context: Context, store: Store, time: Time, way: str) -> None:
    assert context.customers.open("p1") is not None
    match way:
        case "look":
            give(store, MANDATE)
            with pytest.raises(NotAllowed):
                context.customers.peek("p1")
        case "choose":
            at_work(profile, store, MANDATE)
        case "midnight":
            ending = {"mandate": WIDE, "valid_to": "2026-11-23"}
            made = organisation(FIRST, "Pirkanmaa")["grants"][0]
            give(store, grants=[made, made | ending])
            assert context.customers.peek("p1") is not None
            time.at = NOW + 15 * HOUR
            lease_until(store, time.at + HOUR)
            with store.write("replica") as db:
                db.execute("UPDATE replica.customer SET expires = expires * 2")
            with pytest.raises(NotAllowed):
                context.customers.peek("p1")
        case "nothing":
            with pytest.raises(NothingOpens):
                at_work(profile, store, "childcare_support_material")
        case _:
            store.detach()
            with pytest.raises(NothingOpens):
                at_work(profile, store, "childcare_support_material")
            assert store.organisation is None
            store.attach(FIRST)
    with store.read() as db:
        assert not customers.any_held(db)
    give(store, MANDATE, WIDE)
    assert context.customers.open("p1") is None


def test_a_log_that_could_not_be_emptied_is_emptied_by_the_next_pull(
    context: Context, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(store, MANDATE)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "scrub", lambda _: False)  # as when a reader is in the way
        with pytest.raises(NotAllowed):
            context.customers.hold()
    with store.read() as db:
        assert feed.unscrubbed(db)
    pull.follow_up(store)
    with store.read() as db:
        assert not feed.unscrubbed(db)


def test_one_section_ends_with_its_own_right_and_the_others_stay(
    profile: Profile, context: Context, store: Store
) -> None:
    give(store, MANDATE, WIDE, agreement_content=["payments"])
    file = context.customers.open("p1")
    assert file is not None
    assert PENDING not in file.sections
    assert PAYMENTS in file.sections
    give(store, MANDATE, WIDE)
    again = context.customers.open("p1")
    assert again is not None
    assert PENDING not in again.sections, "what is gone does not come back by itself"


def test_what_ended_meanwhile_is_gone_at_the_start(
    profile: Profile, context: Context, store: Store, time: Time
) -> None:
    time.at = NOW + 13 * HOUR
    lease_until(store, time.at + HOUR)
    at_work(profile, store)
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.customer").fetchone() == (0,)


def test_who_may_only_look_customers_up_can_work(profile: Profile, store: Store) -> None:
    context = at_work(profile, store, WIDE)
    assert "notices_inbox" not in context.active.capabilities
    assert context.customers.recents() == ()
