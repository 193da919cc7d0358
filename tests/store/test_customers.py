"""Customers' files: whole as they came, and marked where something changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kelmu_tui.domain.sections import Hidden, Section, looks_kept
from kelmu_tui.store import customer_files, customers, expiry
from kelmu_tui.store.customer_rows import Deduction, Payment, Pending
from kelmu_tui.store.database import Store
from tests.store.build import NOW, OWN, FixedClock, fill, notice, open_store
from tests.store.customer_lines import (
    CODE,
    KEPT,
    PAYMENTS,
    PENDING,
    answer,
    begin,
    down,
    file,
    head,
    held,
    hidden,
    matters,
    payment,
    payments,
    pending,
    person,
    put,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(folder: Path, clock: FixedClock) -> Iterator[Store]:
    found = open_store(folder, clock)
    found.attach(OWN)
    yield found
    found.close()


def news(store: Store) -> frozenset[str]:
    return file(store).sections[PAYMENTS].news


def look(store: Store) -> None:
    with store.write("replica") as db:
        customers.seen(db, "p1", PAYMENTS, store.clock.now())


# --- as it came -----------------------------------------------------------------------------------------------------


def test_a_file_is_what_the_answer_was(store: Store) -> None:
    line = head(hidden_fields=["telephone"], who=person(telephone=None, earlier_codes=["010190A900R"]))
    shown = payments(payment("m2"), payment("m1", tax="5.10"), narrowed=True, hidden_fields=["payee"])
    answer(store, line, matters(pending("a1")), shown, payments(section=Section.CLAIMS), hidden(Section.RECOVERY))
    found = file(store)
    assert (found.purpose, found.case_reference) == ("supplementary_social_assistance", "123/26")
    assert (found.fetched_at, found.expires_at) == (NOW, NOW + KEPT)
    assert found.hidden_fields == {"telephone"}
    assert found.person.earlier_codes == ("010190A900R",)
    assert found.person.household[0].customer == "p2"
    assert list(found.sections) == [PENDING, PAYMENTS, Section.CLAIMS, Section.RECOVERY]
    money = found.sections[PAYMENTS]
    assert (money.state, money.narrowed, money.hidden_fields) == ("shown", True, frozenset({"payee"}))
    assert [row.id for row in money.rows] == ["m2", "m1"]
    first, second = money.rows
    assert isinstance(first, Payment)
    assert isinstance(second, Payment)
    assert (first.gross, first.net) == (Decimal("520.00"), Decimal("500.00"))
    assert first.deductions == (Deduction("recovery", Decimal("20.00")),)
    assert second.tax == Decimal("5.10")
    (matter,) = found.sections[PENDING].rows
    assert isinstance(matter, Pending)
    assert matter.missing == ("Vuokrasopimus",)
    assert found.sections[Section.CLAIMS].state == "none"
    assert found.sections[Section.RECOVERY].hidden is Hidden.LAW


def test_sections_are_waited_for_until_they_come_or_the_asking_ends(store: Store, clock: FixedClock) -> None:
    begin(store, head(), PENDING, PAYMENTS)
    assert {one.state for one in file(store).sections.values()} == {"waiting"}
    put(store, head(), matters(pending("a1")))
    assert [one.state for one in file(store).sections.values()] == ["shown", "waiting"]
    clock.at += customers.PATIENCE
    assert file(store).sections[PAYMENTS].state == "down"
    with store.write("replica") as db:
        assert customers.settle(db, "p1")
        assert not customers.settle(db, "p1")
    clock.at = NOW
    assert file(store).sections[PAYMENTS].state == "down"


def test_what_was_there_is_shown_while_it_is_asked_for_again(store: Store, clock: FixedClock) -> None:
    answer(store, head(), payments(payment("m1")))
    clock.at = NOW + HOUR
    begin(store, head(clock.at))
    waiting = file(store).sections[PAYMENTS]
    assert (waiting.state, waiting.source_at, [row.id for row in waiting.rows]) == ("waiting", NOW, ["m1"])
    with store.write("replica") as db:
        customers.settle(db, "p1")
    assert file(store).sections[PAYMENTS].state == "shown"


def test_a_source_that_is_down_leaves_the_rows_of_before_until_their_own_end(store: Store, clock: FixedClock) -> None:
    answer(store, head(), payments(payment("m1")))
    clock.at = NOW + 11 * HOUR
    answer(store, head(clock.at), down(), down(PENDING))
    stale = file(store).sections[PAYMENTS]
    assert (stale.state, stale.source_at, [row.id for row in stale.rows]) == ("stale", NOW, ["m1"])
    assert file(store).sections[PENDING].state == "down"
    clock.at = NOW + KEPT
    assert PAYMENTS not in file(store).sections, "past its end, though nothing was swept"
    assert expiry.sweep(store) == 1
    ended = file(store).sections[PAYMENTS]
    assert (ended.state, ended.rows, ended.source_at) == ("down", (), None)
    answer(store, head(clock.at), payments(payment("m1")))
    assert file(store).sections[PAYMENTS].state == "shown"


def test_nothing_was_there_is_an_answer_too(store: Store) -> None:
    answer(store, head(), payments())
    answer(store, head(), down())
    assert file(store).sections[PAYMENTS].state == "stale"
    answer(store, head(), hidden(PAYMENTS))
    answer(store, head(), down())
    assert file(store).sections[PAYMENTS].state == "down"


def test_an_answer_of_a_file_that_is_gone_brings_nothing_back(store: Store) -> None:
    begin(store, head())
    with store.write("replica") as db:
        assert customers.forget(db, "p1")
        assert not customers.forget(db, "p1")
    assert not put(store, head(), payments(payment("m1")))
    assert not held(store)


# --- what changed ---------------------------------------------------------------------------------------------------


def test_what_is_new_or_different_is_marked_until_it_was_seen(store: Store) -> None:
    answer(store, head(), payments(payment("m1"), payment("m2")))
    assert news(store) == frozenset()
    again = payments(payment("m3"), payment("m1", "1.00"), payment("m2"))
    answer(store, head(), again)
    assert news(store) == {"m1", "m3"}
    answer(store, head(), again)
    assert news(store) == {"m1", "m3"}, "marks survive a refetch"
    look(store)
    assert news(store) == frozenset()
    answer(store, head(), again)
    assert news(store) == frozenset()


def test_what_is_as_it_was_seen_is_no_news(store: Store) -> None:
    answer(store, head(), payments(payment("m1")))
    answer(store, head(), payments(payment("m1", "1.00")))
    answer(store, head(), payments(payment("m1")))
    assert news(store) == frozenset()


def test_the_first_of_a_kind_is_news_and_a_silent_source_is_not(store: Store) -> None:
    answer(store, head(), payments())
    answer(store, head(), payments(payment("m1")))
    assert news(store) == {"m1"}
    answer(store, head(), down())
    assert news(store) == {"m1"}
    answer(store, head(who=person("p9")), down())
    answer(store, head(who=person("p9")), payments(payment("m1")))
    assert file(store, "p9").sections[PAYMENTS].news == frozenset()


def test_marks_outlive_the_file_but_not_their_own_time(store: Store, clock: FixedClock) -> None:
    answer(store, head(), payments(payment("m1")))
    clock.at = NOW + timedelta(days=3)
    expiry.sweep(store)
    assert not held(store)
    answer(store, head(clock.at), payments(payment("m1"), payment("m2")))
    assert news(store) == {"m2"}
    clock.at += looks_kept()
    expiry.sweep(store)
    answer(store, head(clock.at), payments(payment("m1"), payment("m2"), payment("m3")))
    assert news(store) == frozenset()


# --- lists ----------------------------------------------------------------------------------------------------------


def test_recents_and_search_find_what_may_be_opened(store: Store, clock: FixedClock) -> None:
    answer(store, head(), payments())
    other = person("p3", family_name="Korpi-Ääri", given_names="Helmi", identity_code="020290-901Y")
    answer(store, head(NOW + HOUR, who=other, case_reference=None), payments())
    clock.at = NOW + HOUR

    def found(text: str) -> list[str]:
        with store.read() as db:
            return [one.customer for one in customer_files.search(db, text, clock.at, 10)]

    with store.read() as db:
        recents = customer_files.recents(db, clock.at, 10)
        assert [one.customer for one in recents] == ["p3", "p1"]
        assert recents[1].name == "Virtanen, Aino Örnvik"
        assert recents[1].masked_code == "******-*00P"
        assert recents[1].case_reference == "123/26"
        assert len(customer_files.recents(db, clock.at, 1)) == 1
        assert customer_files.with_code(db, CODE, clock.at) == "p1"
        assert customer_files.with_code(db, "010190A900R", clock.at) is None
    assert found("orn VIR") == ["p1"]
    assert found("aari") == ["p3"]
    assert found("irta") == []
    assert found("  ") == []
    clock.at = NOW + KEPT
    assert found("vir") == []
    with store.read() as db:
        assert [one.customer for one in customer_files.recents(db, clock.at, 10)] == ["p3"]
        assert customer_files.with_code(db, CODE, clock.at) is None


def test_a_code_of_before_finds_the_file(store: Store) -> None:
    answer(store, head(who=person(earlier_codes=["010190A900R"])), payments())
    with store.read() as db:
        assert customer_files.with_code(db, "010190A900R", NOW) == "p1"
        assert customer_files.codes(db, "p1", NOW) == (CODE, "010190A900R")
        assert customer_files.codes(db, "p7", NOW) == ()


def test_related_is_who_has_a_notice_that_is_shown(store: Store) -> None:
    fill(store, [notice("n1")])
    with store.read() as db:
        assert customers.is_related(db, ["010190-900X"])
        assert customers.is_related(db, ["x", "010190-900X"])
        assert not customers.is_related(db, ["010190-900Y"])
        plan = db.execute(
            "EXPLAIN QUERY PLAN SELECT 1 FROM replica.notice AS n JOIN replica.scope AS s"
            " ON s.generation = n.generation WHERE json_extract(n.body, '$.customer.identity_code') IN ('x')"
        ).fetchall()
    assert any("notice_by_code" in row[3] for row in plan)
