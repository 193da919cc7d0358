"""Reading lists: any order, filter and place is what sorting the rows in memory gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_tui.domain.lists import ColumnType, Event, ListKind, Period, lists
from kelmu_tui.store import list_fetch, list_pages
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.list_values import PLACES, ListRow, Named, cents, layout
from kelmu_tui.store.lists import Copy
from kelmu_tui.store.words import asked, folded, municipality_ranks, sort_key
from tests.store.build import OWN, open_store
from tests.store.list_rows import INVOICED, LIST, fetch, held, invoiced, published, row

NAMES = ("Virtanen, Aino", "Åberg, Örjan", "äijälä, Eino", "Öman, Åsa", "Virta, Ölkki", "de la Cruz, Ana")
CODES = ("837", "536", "980", "091", "999")
EVENTS = ("paid", "returned", "corrected")


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "users" / "one")
        store.attach(OWN)
        yield store
        store.close()


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Give rows of an invoice's list, few values of each kind so that there are ties."""
    return [
        invoiced(
            number,
            draw(st.integers(1, 6)),
            name=draw(st.sampled_from(NAMES)),
            municipality=draw(st.sampled_from((*CODES, None))),
            period=draw(
                st.sampled_from(
                    ({"from": "2026-10-01", "to": "2026-10-28"}, {"from": "2026-10-01", "to": "2026-10-14"}, None)
                )
            ),
            paid_on=draw(st.sampled_from(("2026-10-30", "2026-09-30", None))),
            days_paid=draw(st.integers(0, 3)),
            amount_eur=draw(st.sampled_from(("0.00", "-0.50", "-12.30", "9.99", "100000.01", "10.00"))),
            event=draw(st.sampled_from(EVENTS)),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


SORTABLE = ("name", "municipality", "period", "paid_on", "days_paid", "amount_eur", "event", "identity_code")
SORTS = st.lists(st.builds(SortKey, st.sampled_from(SORTABLE), st.booleans()), max_size=3).map(tuple)
TEXTS = st.sampled_from(("", "vir", "virt a", "ö", "000001", "900x", "zz", "aino vir", "-- %_"))
QUERIES = st.builds(ListQuery, SORTS, TEXTS, st.sampled_from((None, "837", "091", "405")))


def key(column: str, row_: dict[str, Any]) -> Any:
    value = row_[column]
    if value is None:
        return None
    match column:
        case "name":
            return sort_key(value)
        case "municipality":
            return municipality_ranks().get(value, 10**9)
        case "period":
            return value["from"], value["to"]
        case "amount_eur":
            return Decimal(value)
        case _:
            return value


def in_order(found: list[dict[str, Any]], query: ListQuery) -> list[dict[str, Any]]:
    """Sort and filter in the plainest way."""
    wanted = asked(query.text)
    kept = [
        one
        for one in found
        if query.municipality in (None, one["municipality"])
        and all(
            any(word.startswith(begins) for word in folded(f"{one['name']} {one['identity_code']}"))
            for begins in wanted
        )
    ]
    kept.sort(key=lambda one: (sort_key(one["name"]), one["id"]))
    for column, down in reversed(query.sort):
        there = [one for one in kept if key(column, one) is not None]
        empty = [one for one in kept if key(column, one) is None]
        there.sort(key=lambda one: key(column, one), reverse=down)
        kept = there + empty
    return kept


def fetched(store: Store, found: list[dict[str, Any]]) -> Copy:
    now = held(store, INVOICED)
    return fetch(store, found, list_=INVOICED, version=1 if now is None else now.version + 1)


@settings(max_examples=150, deadline=None)
@given(rows(), QUERIES, st.integers(1, 5))
def test_any_question_is_answered_as_by_sorting_in_memory(
    shared: Store, found: list[dict[str, Any]], query: ListQuery, limit: int
) -> None:
    copy = fetched(shared, found)
    expected = [one["id"] for one in in_order(found, query)]
    with shared.read() as db:
        assert list_pages.count(db, copy, query) == len(expected)
        forwards: list[ListRow] = []
        while part := list_pages.page(db, copy, query, after=forwards[-1].place if forwards else None, limit=limit):
            forwards += part
        assert [one.id for one in forwards] == expected
        assert [one.place for one in forwards] == list(range(1, len(expected) + 1))
        backwards: list[ListRow] = []
        place = len(expected) + 1
        while part := list_pages.page(db, copy, query, before=place, limit=limit):
            backwards[:0] = part
            place = part[0].place
        assert backwards == forwards == list(list_pages.every(db, copy, query))
        for one in found:
            rank = list_pages.rank(db, copy, query, one["id"])
            assert rank == (expected.index(one["id"]) if one["id"] in expected else None)
        assert list_pages.find(db, copy, query, ["i00003", "nobody", "i00001"]) == [
            one for one in forwards if one.id in ("i00003", "i00001")
        ]


@settings(max_examples=60, deadline=None)
@given(rows(), QUERIES)
def test_sums_are_exact(shared: Store, found: list[dict[str, Any]], query: ListQuery) -> None:
    copy = fetched(shared, found)
    kept = in_order(found, query)

    def summed(some: list[dict[str, Any]]) -> dict[str, Decimal]:
        columns = ("amount_eur", "municipal_share_eur")
        return {column: sum((Decimal(one[column]) for one in some), Decimal("0.00")) for column in columns}

    with shared.read() as db:
        assert list_pages.totals(db, copy, query) == (len(kept), summed(kept))
        groups = list_pages.groups(db, copy, query)
    by_code = {
        one["municipality"]: [other for other in kept if other["municipality"] == one["municipality"]] for one in kept
    }
    assert {group.municipality: (group.rows, group.sums) for group in groups} == {
        code: (len(some), summed(some)) for code, some in by_code.items()
    }
    assert [group.rows for group in groups] == sorted((len(some) for some in by_code.values()), reverse=True)


def test_a_row_is_what_came(shared: Store) -> None:
    copy = fetched(shared, [invoiced(1, 2, share_percent=None, period={"from": "2026-10-01", "to": "2026-10-02"})])
    with shared.read() as db:
        (found,) = list_pages.page(db, copy, ListQuery())
    assert found.values == {
        "name": "Virtanen, Aino 2",
        "identity_code": "000002-900X",
        "municipality": "837",
        "period": Period(date(2026, 10, 1), date(2026, 10, 2)),
        "paid_on": date(2026, 10, 30),
        "days_paid": 20,
        "days_accumulated": 320,
        "amount_eur": Decimal("800.10"),
        "share_percent": None,
        "municipal_share_eur": Decimal("240.03"),
        "event": Event.PAID,
    }
    assert (found.id, found.place, found.non_disclosure) == ("i00001", 1, False)


VALUES: dict[ColumnType, tuple[Any, Any]] = {
    ColumnType.TEXT: ("Åberg, Örjan", "Åberg, Örjan"),
    ColumnType.CODE: ("010190-900X", "010190-900X"),
    ColumnType.MUNICIPALITY: ("837", "837"),
    ColumnType.ADDRESS: ("Salainentie 7", "Salainentie 7"),
    ColumnType.INTEGER: (301, 301),
    ColumnType.DATE: ("2026-10-01", date(2026, 10, 1)),
    ColumnType.FLAG: (False, False),
    ColumnType.LANGUAGE: ("sv", "sv"),
    ColumnType.PERIOD: ({"from": "2026-10-01", "to": "2026-10-31"}, Period(date(2026, 10, 1), date(2026, 10, 31))),
    ColumnType.EUROS: ("-0.05", Decimal("-0.05")),
    ColumnType.PERCENT: (40, 40),
    ColumnType.EVENT: ("corrected", Event.CORRECTED),
    ColumnType.PERSONS: ([{"name": "Ek, Bo", "identity_code": "010120A901X"}], (Named("Ek, Bo", "010120A901X"),)),
    ColumnType.SUPPORT_TYPE: ("home_care", "home_care"),
    ColumnType.COUNTRY: ("SE", "SE"),
}


@pytest.mark.parametrize("list_", sorted(lists()))
def test_every_list_of_the_catalogue_can_be_kept_sorted_and_summed(shared: Store, list_: str) -> None:
    columns = lists()[list_].columns
    assert len(columns) <= PLACES
    came = {column.id: VALUES[column.type][0] for column in columns}
    copy = fetch(shared, [{"id": "a", **came}, {"id": "b", **dict.fromkeys(came), "name": "Ö"}], list_=list_)
    with shared.read() as db:
        for column in columns:
            first, second = list_pages.page(db, copy, ListQuery((SortKey(column.id),)))
            assert (first.id, second.id) == ("a", "b")
            assert first.values[column.id] == VALUES[column.type][1]
        euros = [column.id for column in columns if column.type is ColumnType.EUROS]
        assert list_pages.totals(db, copy, ListQuery()).sums == dict.fromkeys(euros, Decimal("-0.05"))
        assert len(list_pages.groups(db, copy, ListQuery())) == (
            2 if any(column.type is ColumnType.MUNICIPALITY for column in columns) else 0
        )
    assert all(lists()[list_].columns[1].id == "identity_code" for list_ in lists())
    assert ListKind.INVOICE in {one.kind for one in lists().values()}


def test_who_lives_where_is_not_kept_under_non_disclosure_and_never_searched(shared: Store) -> None:
    now = held(shared)
    hidden = row(1, non_disclosure=True, address="Piilotie 1")
    copy = fetch(shared, [row(0), hidden], version=1 if now is None else now.version + 1)
    with shared.read() as db:
        one, two = list_pages.page(db, copy, ListQuery())
        assert (one.values["address"], one.values["municipality"]) == ("Salainentie 7", "837")
        assert (two.values["address"], two.values["municipality"]) == (None, None)
        assert (one.non_disclosure, two.non_disclosure) == (False, True)
        assert list_pages.count(db, copy, ListQuery(text="salainentie")) == 0
        assert not db.execute("SELECT 1 FROM replica.list_row WHERE v3 = 'Piilotie 1'").fetchall()


def test_the_copy_that_is_read_is_replaced_under_the_reader(shared: Store) -> None:
    old = fetched(shared, [invoiced(number, number) for number in range(6)])
    query = ListQuery((SortKey("days_paid", descending=True),))
    with shared.read() as db:
        assert len(list_pages.page(db, old, query, limit=2)) == 2
    new = fetched(shared, [invoiced(number, number, days_paid=number) for number in range(4)])
    with shared.read() as db:
        assert [one.id for one in list_pages.page(db, new, query)] == ["i00003", "i00002", "i00001", "i00000"]
        assert list_pages.rank(db, new, query, "i00001") == 2


def test_what_was_computed_is_not_taken_for_another_question(shared: Store) -> None:
    copy = fetched(shared, [invoiced(1, 1, municipality="091"), invoiced(2, 2), invoiced(3, 3)])
    by_day = ListQuery((SortKey("paid_on"),))
    for _ in range(2):
        with shared.read() as db:
            assert list_pages.count(db, copy, by_day) == 3
            assert list_pages.count(db, copy, ListQuery(municipality="837")) == 2
            assert list_pages.count(db, copy, ListQuery(text="000001")) == 1
            assert list_pages.count(db, copy, ListQuery()) == 3


def test_an_order_that_was_not_computed_to_its_end_is_computed_again(shared: Store) -> None:
    copy = fetched(shared, [invoiced(number, number) for number in range(4)])
    query = ListQuery(text="aino")

    def break_off() -> None:
        with shared.read() as db:
            assert list_pages.count(db, copy, query) == 4
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    with shared.read() as db:
        assert len(list_pages.page(db, copy, query)) == 4


@pytest.mark.parametrize("text", ["12.345", "", "x", "1,5", "--1.00", "1.", ".5", "\u0661"])
def test_what_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a sum"):
        cents(text)


@given(st.integers(-(10**9), 10**9))
def test_sums_keep_every_cent(number: int) -> None:
    text = f"{'-' if number < 0 else ''}{abs(number) // 100}.{abs(number) % 100:02d}"
    assert cents(text) == number


def test_a_catalogue_with_other_columns_reads_the_copies_of_before() -> None:
    known = layout(LIST, '["name","went_away","identity_code"]')
    found = known.read(1, ["r1", 0, "Ek, Bo", "what", "010190-900X"])
    assert found.values == {"name": "Ek, Bo", "identity_code": "010190-900X"}
    with pytest.raises(KeyError):
        known.place("went_away")


def test_opening_a_list_walks_its_order_and_sorts_nothing(shared: Store) -> None:
    copy = fetched(shared, [invoiced(number, number) for number in range(4)])
    list_fetch.begin(shared, published(1, list_=INVOICED, period="2026-09"))
    asked_: list[str] = []
    with shared.read() as db:
        db.set_trace_callback(asked_.append)
        list_pages.page(db, copy, ListQuery(), limit=2)
        db.set_trace_callback(None)
        plans = [
            step[3]
            for statement in asked_
            if statement.startswith("SELECT o.place")
            for step in db.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
    assert plans
    assert all(step.startswith("SEARCH") for step in plans), plans


def test_two_orders_are_kept_and_the_one_asked_for_longest_ago_goes(
    shared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = fetched(shared, [invoiced(number, number, days_paid=number % 5) for number in range(20)])
    whole = [one.id for one in page_of(shared, copy, ListQuery())]
    questions = {
        "down": ListQuery((SortKey("name", descending=True),)),
        "days": ListQuery((SortKey("days_paid"),)),
        "one": ListQuery(text="000007"),
    }
    computed: list[str] = []
    compute = list_pages._compute

    def counted(db: Any, copy_: Copy, query: ListQuery, table: str) -> int:
        computed.append(next(name for name, one in questions.items() if one == query))
        return compute(db, copy_, query, table)

    monkeypatch.setattr(list_pages, "_compute", counted)
    answers: dict[str, list[str]] = {}
    for name in ("down", "days", "down", "days", "down", "one", "down", "one", "days"):
        found = [one.id for one in page_of(shared, copy, questions[name])]
        assert answers.setdefault(name, found) == found
    assert computed == ["down", "days", "one", "days"]
    assert answers["down"] == whole[::-1]
    assert answers["one"] == ["i00007"]
    assert len(answers["days"]) == len(whole)


def page_of(store: Store, copy: Copy, query: ListQuery) -> list[ListRow]:
    with store.read() as db:
        return list_pages.page(db, copy, query)
