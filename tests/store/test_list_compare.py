"""Two periods held against each other: the same as comparing them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_tui.store import list_compare, lists
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_compare import ALL, Difference, Fit, Kind, Pair
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.store.lists import Copy
from kelmu_tui.store.words import sort_key
from tests.store.build import OWN, open_store
from tests.store.list_rows import INVOICED, LIST, fetch, held, invoiced, row

BEFORE, AFTER = "2026-09", "2026-10"


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "users" / "one")
        store.attach(OWN)
        yield store
        store.close()


def fetched(store: Store, found: list[dict[str, Any]], period: str, list_: str = LIST) -> Copy:
    now = held(store, list_, period)
    return fetch(store, found, list_=list_, period=period, version=1 if now is None else now.version + 1)


def everything(store: Store, pair: Pair, kind: Kind, limit: int = 3, fit: Fit = ALL) -> list[Difference]:
    found: list[Difference] = []
    with store.read() as db:
        while part := list_compare.page(db, pair, kind, fit, after=found[-1].place if found else None, limit=limit):
            found += part
        backwards: list[Difference] = []
        place = len(found) + 1
        while part := list_compare.page(db, pair, kind, fit, before=place, limit=limit):
            backwards[:0] = part
            place = part[0].place
        assert backwards == found
        assert list_compare.find(db, pair, kind, [one.id for one in found], fit) == found
    return found


COMPARED = ("name", "municipality", "address", "days_accumulated", "reached_on", "last_paid_until")


@st.composite
def months(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give two months of a list of recipients: every person once, ids of each month's own."""

    def month(letter: str) -> list[dict[str, Any]]:
        people = sorted(draw(st.sets(st.integers(1, 8))))
        return [
            row(
                person,
                id=f"{letter}{number}",
                name=draw(st.sampled_from((f"Virta {person}", f"Äijö {person}"))),
                address=draw(st.sampled_from(("Kuja 1", None))),
                days_accumulated=draw(st.integers(300, 301)),
            )
            for number, person in enumerate(people)
        ]

    return month("a"), month("b")


@settings(max_examples=120, deadline=None)
@given(months(), st.sampled_from((None, ("days_accumulated",), ("address", "name"))))
def test_recipients_are_compared_as_in_memory(
    shared: Store, both: tuple[list[dict[str, Any]], list[dict[str, Any]]], columns: tuple[str, ...] | None
) -> None:
    pair = Pair(fetched(shared, both[0], BEFORE), fetched(shared, both[1], AFTER), columns)
    old, new = ({one["identity_code"]: one for one in month} for month in both)
    compared = COMPARED if columns is None else columns
    by_name = [code for code, one in sorted(new.items(), key=lambda item: (sort_key(item[1]["name"]), item[1]["id"]))]
    gone = [code for code, one in sorted(old.items(), key=lambda item: (sort_key(item[1]["name"]), item[1]["id"]))]
    came = [new[code]["id"] for code in by_name if code not in old]
    went = [old[code]["id"] for code in gone if code not in new]
    changed = [
        (old[code]["id"], new[code]["id"], tuple(c for c in compared if old[code][c] != new[code][c]))
        for code in by_name
        if code in old and any(old[code][c] != new[code][c] for c in compared)
    ]
    with shared.read() as db:
        found = list_compare.compare(db, pair)
    assert found.came == (len(came), len(came))
    assert found.went == (len(went), len(went))
    assert found.changed == (len(changed), len(changed))
    assert found.same == len(old.keys() & new.keys()) - len(changed)
    assert [one.after.id for one in everything(shared, pair, Kind.CAME) if one.after and not one.before] == came
    assert [one.before.id for one in everything(shared, pair, Kind.WENT) if one.before and not one.after] == went
    assert [
        (one.before.id, one.after.id, one.columns)
        for one in everything(shared, pair, Kind.CHANGED)
        if one.before and one.after
    ] == [(was, now, tuple(c for c in compared if c in differing)) for was, now, differing in changed]


@st.composite
def invoices(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give two months behind an invoice: a person may have several rows."""

    def month(letter: str) -> list[dict[str, Any]]:
        return [
            invoiced(
                number,
                draw(st.integers(1, 3)),
                id=f"{letter}{number:02d}",
                paid_on=draw(st.sampled_from(("2026-10-15", None))),
                amount_eur=draw(st.sampled_from(("1.00", "2.00"))),
            )
            for number in range(draw(st.integers(0, 6)))
        ]

    return month("a"), month("b")


def values(one: dict[str, Any]) -> tuple[Any, ...]:
    return (one["paid_on"] or "", one["amount_eur"])


@settings(max_examples=120, deadline=None)
@given(invoices())
def test_several_rows_of_a_person_are_matched_in_the_order_of_their_values(
    shared: Store, both: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    pair = Pair(fetched(shared, both[0], BEFORE, INVOICED), fetched(shared, both[1], AFTER, INVOICED))
    people: list[dict[str, list[dict[str, Any]]]] = [{}, {}]
    for month, by_person in zip(both, people, strict=True):
        for one in sorted(month, key=lambda one: (values(one), one["id"])):
            by_person.setdefault(one["identity_code"], []).append(one)
    old, new = people
    pairs = {
        (was and was["id"], now and now["id"])
        for code in old.keys() & new.keys()
        for was, now in zip_longest(old[code], new[code])
        if was is None or now is None or values(was) != values(now)
    }
    concerned = {
        code for code in old.keys() & new.keys() if list(map(values, old[code])) != list(map(values, new[code]))
    }
    with shared.read() as db:
        found = list_compare.compare(db, pair)
    assert found.came.persons == len(new.keys() - old.keys())
    assert found.came.rows == sum(len(new[code]) for code in new.keys() - old.keys())
    assert found.went.persons == len(old.keys() - new.keys())
    assert found.went.rows == sum(len(old[code]) for code in old.keys() - new.keys())
    assert found.changed == (len(concerned), len(pairs))
    assert found.same == len(old.keys() & new.keys()) - len(concerned)
    listed = everything(shared, pair, Kind.CHANGED)
    assert {(one.before and one.before.id, one.after and one.after.id) for one in listed} == pairs
    assert len(listed) == len(pairs)


def test_what_changed_tells_before_and_after(shared: Store) -> None:
    old = fetched(shared, [row(1, days_accumulated=300)], BEFORE)
    new = fetched(shared, [row(1, days_accumulated=320, municipality="536")], AFTER)
    (found,) = everything(shared, Pair(old, new), Kind.CHANGED)
    assert found.columns == ("municipality", "days_accumulated")
    assert found.before is not None
    assert found.after is not None
    assert (found.before.values["days_accumulated"], found.after.values["days_accumulated"]) == (300, 320)


def test_periods_are_compared_anew_when_one_was_published_anew(shared: Store) -> None:
    old = fetched(shared, [row(1), row(2)], BEFORE)
    new = fetched(shared, [row(2)], AFTER)
    assert [one.id for one in everything(shared, Pair(old, new), Kind.WENT)] == ["r00001"]
    again = fetched(shared, [row(1)], AFTER)
    assert [one.id for one in everything(shared, Pair(old, again), Kind.WENT)] == ["r00002"]
    assert [one.id for one in everything(shared, Pair(old, again, ("address",)), Kind.WENT)] == ["r00002"]


def test_different_lists_and_strange_columns_are_not_compared(shared: Store) -> None:
    one, other = fetched(shared, [row(1)], AFTER), fetched(shared, [invoiced(1, 1)], AFTER, INVOICED)
    with shared.read() as db:
        with pytest.raises(ValueError, match="different lists"):
            list_compare.compare(db, Pair(one, other))
        with pytest.raises(KeyError):
            list_compare.compare(db, Pair(one, one, ("amount_eur",)))


@pytest.mark.parametrize(
    "fit", [Fit("0000"), Fit("00000"), Fit("aino 3"), Fit("nobody"), Fit("", "837"), Fit("4", "837")]
)
def test_what_fits_is_what_memory_finds(shared: Store, fit: Fit) -> None:
    old = [invoiced(number, number % 7) for number in range(21)]
    new = [
        invoiced(number, number % 6, days_paid=20 + number % 2, municipality=("837", "536")[number % 2])
        for number in range(3, 25)
    ]
    pair = Pair(fetched(shared, old, BEFORE, INVOICED), fetched(shared, new, AFTER, INVOICED))

    def fits(one: Difference) -> bool:
        return any(side is not None and _fits(side, fit) for side in (one.before, one.after))

    for kind in Kind:
        expected = [one for one in everything(shared, pair, kind) if fits(one)]
        found = everything(shared, pair, kind, fit=fit)
        assert [(one.id, one.columns) for one in found] == [(one.id, one.columns) for one in expected]
        assert [one.place for one in found] == list(range(1, len(found) + 1))
        with shared.read() as db:
            number = list_compare.shown(db, pair, fit)[kind]
        persons = {(one.after or one.before).values["identity_code"] for one in expected}  # type: ignore[union-attr]
        assert number == (len(persons), len(expected))


def _fits(row_: ListRow, fit: Fit) -> bool:
    texts = (
        f"{row_.values['name']} {row_.values['identity_code']}".casefold().replace("-", " ").replace(",", " ").split()
    )
    words = all(any(text.startswith(word) for text in texts) for word in fit.text.casefold().split())
    return words and fit.municipality in (None, row_.values["municipality"])


def test_counts_of_changes_are_noted_once(shared: Store) -> None:
    now = fetched(shared, [row(1)], AFTER)
    with shared.write("replica") as db:
        assert not lists.count_changes(db, LIST, AFTER, now.version - 1, (1, 2, 3))
        assert lists.count_changes(db, LIST, AFTER, now.version, (1, 2, 3))
        assert not lists.count_changes(db, LIST, AFTER, now.version, (1, 2, 3))
        assert lists.counts(db, LIST)[-1] == (AFTER, 1, 1, 1, 2, 3)


@pytest.mark.parametrize("list_", [LIST, INVOICED])
def test_no_statement_walks_one_period_for_each_row_of_the_other(shared: Store, list_: str) -> None:
    make = row if list_ == LIST else lambda number: invoiced(number, number // 2)
    pair = Pair(fetched(shared, [make(1), make(2)], BEFORE, list_), fetched(shared, [make(3)], AFTER, list_))
    with shared.read() as db:
        sides = list_compare._sides(db, pair)
        list_compare.compare(db, pair)
        statements = [
            list_compare._came(sides),
            list_compare._went(sides),
            list_compare._changed(sides, repeated=list_ == INVOICED),
        ]
        plans = [[step[3] for step in db.execute(f"EXPLAIN QUERY PLAN {text}", given_)] for text, given_ in statements]
    inner = [step for step in plans[2] if step.startswith("SEARCH") and "AUTOMATIC" in step]
    assert len(inner) == (1 if list_ == LIST else 3)
    assert all("LIST SUBQUERY" in " ".join(plan) for plan in plans[:2])
