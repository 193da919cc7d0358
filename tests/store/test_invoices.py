"""Heads of invoices in the replica, and judgements in the ledger: what is kept, in which order, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.lists import retention
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.store import expiry, invoices, judgements, lists
from kelmu_tui.store.database import Store
from kelmu_tui.store.invoices import InvoiceHead
from kelmu_tui.store.judgements import About, Judgement
from tests.store.build import NOW, OTHER, OWN, FixedClock, open_store
from tests.store.list_rows import INVOICED, fetch, invoiced

HEAD = InvoiceHead(
    "2-536-2026-10",
    "lms_2025",
    "2026-10",
    date(2026, 11, 16),
    date(2026, 11, 30),
    Decimal("57998.50"),
    198,
    INVOICED,
    "536",
)
CORRECTING = HEAD._replace(
    number="2-536-2026-10-2", sent_on=date(2026, 11, 20), total=Decimal("-12.34"), corrects=HEAD.number
)
OLD_LAW = HEAD._replace(number="1-536-2026-10", kind="lms_pre_2025", list="list_lms_invoice_persons")
ABOUT = About(OWN, "lms_2025", "2026-10")
SAID = Judgement(Verdict.DISPUTED, "Väärä porras", "Kari", NOW)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(tmp_path: Path, clock: FixedClock) -> Iterator[Store]:
    found = open_store(tmp_path / "users" / "one", clock)
    found.attach(OWN)
    yield found
    found.close()


def announce(store: Store, *told: InvoiceHead) -> bool:
    with store.write("replica") as db:
        return invoices.announce(db, told, store.clock.now())


def heads(store: Store) -> list[InvoiceHead]:
    with store.read() as db:
        return invoices.heads(db, store.clock.now())


def judge(store: Store, *keys: str, about: About = ABOUT, said: Judgement = SAID) -> None:
    with store.write() as db:
        judgements.judge(db, about, keys, said)


def said(store: Store, about: About = ABOUT) -> dict[str, Judgement]:
    with store.read() as db:
        return judgements.judgements(db, about, store.clock.now())


# --- heads ----------------------------------------------------------------------------------------------------------


def test_the_first_invoice_of_a_period_stands_before_what_corrects_it(store: Store) -> None:
    assert announce(store, CORRECTING, OLD_LAW, HEAD)
    assert heads(store) == [HEAD, CORRECTING, OLD_LAW]


def test_what_the_backend_tells_takes_the_place_of_all_that_it_told(store: Store) -> None:
    announce(store, HEAD, OLD_LAW)
    changed = HEAD._replace(total=Decimal("0.01"))
    assert announce(store, changed)
    assert heads(store) == [changed]
    assert not announce(store, changed)


@given(st.decimals("-9999999999.99", "9999999999.99", places=2))
def test_sums_are_exact(total: Decimal) -> None:
    assert _kept(HEAD._replace(total=total)).total == total


def _kept(head: InvoiceHead) -> InvoiceHead:
    """Return a head as it comes back from a table in memory."""
    import sqlite3

    from kelmu_tui.store.migrations import statements
    from kelmu_tui.store.schema import INVOICES

    db = sqlite3.connect(":memory:")
    db.execute("ATTACH ':memory:' AS replica")
    for statement in statements(INVOICES):
        db.execute(statement)
    invoices.announce(db, [head], NOW)
    (found,) = invoices.heads(db, NOW)
    db.close()
    return found


def test_a_head_goes_with_the_mandate_of_its_list(store: Store) -> None:
    announce(store, HEAD, OLD_LAW)
    with store.write("replica") as db:
        assert lists.named(db) == {HEAD.list, OLD_LAW.list}
        assert lists.keep_only(db, frozenset({OLD_LAW.list})) == [HEAD.list]
    assert heads(store) == [OLD_LAW]
    with store.write("replica") as db:
        assert lists.any_held(db)
        assert lists.forget_all(db)
        assert not lists.any_held(db)
    assert heads(store) == []


def test_a_head_is_of_one_organisation_and_outlives_the_process(store: Store, clock: FixedClock) -> None:
    announce(store, HEAD)
    store.detach()
    store.attach(OTHER)
    assert heads(store) == []
    store.close()
    again = open_store(store.folder, clock)
    again.attach(OWN)
    assert heads(again) == [HEAD]
    again.close()


def test_a_head_ends_when_it_was_not_told_for_as_long_as_a_list_is_kept(store: Store, clock: FixedClock) -> None:
    announce(store, HEAD)
    clock.at = NOW + retention().kept - timedelta(days=1)
    assert expiry.sweep(store) == 0
    announce(store, HEAD)  # told once more
    clock.at = NOW + retention().kept + timedelta(days=1)
    assert heads(store) == [HEAD]
    clock.at += retention().kept
    assert heads(store) == []
    assert expiry.sweep(store) > 0
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.invoice_head").fetchone() == (0,)
    assert expiry.sweep(store) == 0


def test_a_head_of_a_kind_that_the_program_does_not_know_is_not_told(store: Store) -> None:
    announce(store, HEAD._replace(kind="general_support_2026"), OLD_LAW)
    assert heads(store) == [OLD_LAW]


def test_rows_end_on_their_own_day_beside_heads(store: Store, clock: FixedClock) -> None:
    fetch(store, [invoiced(1, 1)], list_=INVOICED)
    clock.at = NOW + timedelta(days=10)
    announce(store, HEAD)
    clock.at = NOW + retention().kept
    assert expiry.sweep(store) > 0
    with store.read() as db:
        assert lists.copies(db, clock.at) == []
    assert heads(store) == [HEAD]


# --- judgements -----------------------------------------------------------------------------------------------------


def test_a_judgement_is_of_one_invoice_of_one_organisation(store: Store) -> None:
    judge(store, "k1", "k2")
    assert said(store) == {"k1": SAID, "k2": SAID}
    others = (ABOUT._replace(organisation=OTHER), ABOUT._replace(kind="childcare"), ABOUT._replace(period="2026-09"))
    assert all(said(store, other) == {} for other in others)


def test_the_newest_judgement_counts_and_is_taken_back(store: Store) -> None:
    judge(store, "k1", "k2")
    noted = Judgement(Verdict.NOTED, "", "Kari", NOW)
    judge(store, "k1", said=noted)
    with store.write() as db:
        judgements.take_back(db, ABOUT, ["k2", "k3"])
    assert said(store) == {"k1": noted}


def test_a_judgement_outlives_the_process_and_the_replica(store: Store, clock: FixedClock) -> None:
    judge(store, "k1")
    store.destroy_replica()
    store.close()
    again = open_store(store.folder, clock)
    assert said(again) == {"k1": SAID}
    again.close()


def test_a_judgement_ends_with_the_time_of_the_lists(store: Store, clock: FixedClock) -> None:
    judge(store, "k1")
    clock.at = NOW + timedelta(days=1)
    judge(store, "k2", said=SAID._replace(at=clock.at))
    store.clock.hear(NOW + retention().kept)
    assert set(said(store)) == {"k2"}
    assert expiry.sweep(store) == 1
    with store.read() as db:
        assert db.execute("SELECT key FROM main.judgement").fetchall() == [("k2",)]


def test_a_wall_clock_ahead_hides_a_judgement_and_does_not_destroy_it(store: Store, clock: FixedClock) -> None:
    judge(store, "k1")
    clock.at = NOW + 2 * retention().kept
    assert said(store) == {}
    assert expiry.sweep(store) == 0
    store.clock.hear(NOW)
    assert said(store) == {"k1": SAID}
