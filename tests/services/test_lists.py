"""Lists: what may be fetched, every look logged before any row, and what ends with a mandate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from kelmu_tui.domain.capabilities import Allowed, Denied, Reason
from kelmu_tui.domain.lists import retention
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.list_looks import SITTING
from kelmu_tui.services.lists import NotHere
from kelmu_tui.store import expiry, list_fetch, views
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import LeaseEnded, StoreFull
from kelmu_tui.store.list_compare import Fit, Kind
from kelmu_tui.store.list_fetch import Incomplete
from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.lists import Publication, copies
from tests.services.customers import WIDE, at_work, events, give, grant
from tests.services.signed_in import FIRST, MANDATE, NOW, SECOND, Time
from tests.store.list_rows import INVOICED, LIST, PERIOD, published, row

ROWS = [row(number) for number in range(6)]
SUBJECT = f"{LIST}/{PERIOD}"


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return at_work(profile, store)


def fetch(context: Context, rows: list[dict[str, Any]] | None = None, **changes: Any) -> Publication:
    rows = ROWS if rows is None else rows
    publication = published(len(rows), **changes)
    lists = context.lists
    lists.finish(lists.take(lists.begin(publication), rows))
    return publication


def logged(store: Store) -> list[tuple[str, str, int]]:
    return [(event["view"], event["subject"], event["rows"]) for event in events(store)]


# --- what may be fetched --------------------------------------------------------------------------------------------


def test_every_list_is_offered_or_tells_why_not(context: Context) -> None:
    offers = {offer.list.id: offer.verdict for offer in context.lists.offers()}
    assert len(offers) == 12
    assert isinstance(offers[LIST], Allowed)
    closed = offers[INVOICED]
    assert isinstance(closed, Denied)
    assert closed.reason is Reason.ORGANISATION_TYPE
    missing = offers["list_treatment_abroad_reimbursements"]
    assert isinstance(missing, Denied)
    assert missing == (Reason.NO_MANDATE, ("treatment_abroad_reimbursements",))


def test_a_mandate_opens_a_list_only_for_the_organisations_of_the_list(context: Context, store: Store) -> None:
    give(store, WIDE, type="aland_joint_authority")
    closed = next(offer.verdict for offer in context.lists.offers() if offer.list.id == LIST)
    assert closed == Denied(Reason.ORGANISATION_TYPE, ())
    assert context.lists.hold() == frozenset()


def test_what_is_not_open_is_not_fetched_and_not_announced(context: Context) -> None:
    with pytest.raises(NotAllowed):
        context.lists.begin(published(1, list_=INVOICED))
    context.lists.announce([published(6), published(1, list_=INVOICED)], [LIST, INVOICED])
    assert [(one.list, one.period) for one in context.lists.shelf()] == [(LIST, PERIOD)]


def test_what_is_withdrawn_is_not_fetched(context: Context) -> None:
    with pytest.raises(NotHere):
        context.lists.begin(published(6, withdrawn=True))


def test_a_fetch_ends_with_the_mandate(context: Context, store: Store) -> None:
    lists = context.lists
    under_way = lists.take(lists.begin(published(6)), ROWS[:3])
    give(store, MANDATE)
    for step in (lambda: lists.take(under_way, ROWS[3:]), lambda: lists.finish(under_way)):
        with pytest.raises(NotAllowed):
            step()
    expiry.erase_lists(store)
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.list_row").fetchone() == (0,)


def test_too_few_rows_are_none(context: Context) -> None:
    lists = context.lists
    with pytest.raises(Incomplete):
        lists.finish(lists.take(lists.begin(published(7)), ROWS))
    with pytest.raises(NotHere):
        lists.open(LIST, PERIOD)


def test_a_cancelled_fetch_is_not_on_the_shelf(context: Context) -> None:
    lists = context.lists
    under_way = lists.take(lists.begin(published(6)), ROWS[:3])
    assert [one.staged for one in lists.shelf()] == [3]
    lists.cancel(under_way)
    assert lists.shelf() == ()


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_look_is_logged_before_rows_and_once_in_a_sitting(context: Context, store: Store, time: Time) -> None:
    fetch(context)
    assert events(store) == []
    reading = context.lists.open(LIST, PERIOD)
    assert logged(store) == [("list_rows", SUBJECT, 6)]
    assert events(store)[0]["user"] == "u1"
    rows = context.lists.page(reading, limit=2)
    rows += context.lists.page(reading, after=rows[-1].place)
    assert [one.id for one in rows] == [one["id"] for one in ROWS]
    context.lists.page(context.lists.resorted(reading, SortKey("reached_on", descending=True)))
    assert len(events(store)) == 1
    time.at = NOW + SITTING
    context.lists.page(reading)
    assert logged(store)[1:] == [("list_rows", SUBJECT, 6)]


def test_a_filter_is_another_look(context: Context, store: Store) -> None:
    fetch(context)
    context.lists.open(LIST, PERIOD)
    reading = context.lists.open(LIST, PERIOD, ListQuery(text="000003"))
    assert [one.id for one in context.lists.page(reading)] == ["r00003"]
    assert logged(store) == [("list_rows", SUBJECT, 6), ("list_rows:filtered", SUBJECT, 1)]


LOOKS: dict[str, Callable[[Context], object]] = {
    "open": lambda context: context.lists.open(LIST, PERIOD),
    "compare": lambda context: context.lists.compare(LIST, PERIOD, PERIOD),
}


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_is_shown_that_could_not_be_logged(
    context: Context, store: Store, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    fetch(context)

    def full(db: Any, event: views.ViewEvent) -> int:
        raise StoreFull

    monkeypatch.setattr(views, "log", full)
    with pytest.raises(StoreFull):
        LOOKS[look](context)


@pytest.mark.parametrize("look", ["page", "find", "differences", "totals", "leaving"])
def test_nothing_more_is_read_when_the_next_look_cannot_be_logged(
    context: Context, store: Store, time: Time, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    fetch(context)
    lists = context.lists
    reading, comparing = lists.open(LIST, PERIOD), lists.compare(LIST, PERIOD, PERIOD)
    time.at = NOW + SITTING

    def full(db: Any, event: views.ViewEvent) -> int:
        raise StoreFull

    monkeypatch.setattr(views, "log", full)
    reads: dict[str, Callable[[], object]] = {
        "page": lambda: lists.page(reading),
        "find": lambda: lists.find(reading, ["r00001"]),
        "differences": lambda: lists.differences(comparing, Kind.CAME),
        "totals": lambda: lists.totals(reading),
        "leaving": lambda: lists.leaving(reading),
    }
    with pytest.raises(StoreFull):
        reads[look]()


def test_rows_that_leave_are_logged(context: Context, store: Store) -> None:
    fetch(context)
    reading = context.lists.open(LIST, PERIOD)
    context.lists.leaving(reading)
    context.lists.leaving(reading, "list_copy", 1)
    assert logged(store)[1:] == [("list_export", SUBJECT, 6), ("list_copy", SUBJECT, 1)]


def test_events_are_what_the_backend_takes(context: Context, store: Store) -> None:
    from kelmu_tui.api.contract.views import ViewBody

    fetch(context)
    context.lists.open(LIST, PERIOD, ListQuery(text="aino"))
    context.lists.compare(LIST, PERIOD, PERIOD)
    read = [ViewBody.model_validate(event) for event in events(store)]
    assert [one.subject for one in read] == [SUBJECT] * 3
    assert all(one.data_at is not None for one in read)


def test_what_was_read_is_not_taken_for_what_came_in_its_place(context: Context) -> None:
    lists = context.lists
    fetch(context)
    reading, comparing = lists.open(LIST, PERIOD), lists.compare(LIST, PERIOD, PERIOD)
    fetch(context, ROWS[:2], version=2)
    for read in (lambda: lists.page(reading), lambda: lists.differences(comparing, Kind.CAME)):
        with pytest.raises(NotHere):
            read()
    assert lists.open(LIST, PERIOD).rows == 2


@pytest.mark.parametrize("way", ["told", "announced", "over", "mandate"])
def test_reading_ends_when_the_list_is_withdrawn_or_over(context: Context, store: Store, time: Time, way: str) -> None:
    lists = context.lists
    publication = fetch(context)
    reading = lists.open(LIST, PERIOD)
    match way:
        case "told":
            lists.withdrawn(publication)
        case "announced":
            lists.announce([publication._replace(withdrawn=True)], [LIST])
        case "over":
            time.at = NOW + retention().kept
            with store.write("replica") as db:
                db.execute("INSERT INTO replica.state VALUES ('lease_until', ?)", ((time.at + SITTING).isoformat(),))
        case _:
            give(store, MANDATE)
    with pytest.raises(NotAllowed if way == "mandate" else NotHere):
        lists.page(reading)
    with pytest.raises(NotAllowed if way == "mandate" else NotHere):
        lists.open(LIST, PERIOD)


def test_nothing_is_read_after_the_lease(context: Context, store: Store, time: Time) -> None:
    fetch(context)
    reading = context.lists.open(LIST, PERIOD)
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.state VALUES ('lease_until', ?)", (NOW.isoformat(),))
    time.at = NOW + timedelta(seconds=1)
    for read in (lambda: context.lists.page(reading), context.lists.shelf, lambda: context.lists.counts(LIST)):
        with pytest.raises(LeaseEnded):
            read()


def test_sums_groups_and_places_are_those_of_the_reading(context: Context) -> None:
    fetch(context, [*ROWS, row(6, municipality="536")])
    lists = context.lists
    reading = lists.open(LIST, PERIOD, ListQuery(municipality="837"))
    assert lists.totals(reading) == (6, {})
    assert [(group.municipality, group.rows) for group in lists.groups(reading)] == [("837", 6)]
    assert (lists.rank(reading, "r00004"), lists.rank(reading, "r00006")) == (4, None)
    assert [one.id for one in lists.find(reading, ["r00006", "r00002"])] == ["r00002"]


# --- comparing ------------------------------------------------------------------------------------------------------


def test_comparing_is_a_look_at_both_periods(context: Context, store: Store) -> None:
    fetch(context, [row(1), row(2), row(3)], period="2026-09")
    fetch(context, [row(2), row(3, days_accumulated=1), row(4), row(5)])
    comparing = context.lists.compare(LIST, "2026-09", PERIOD)
    assert comparing.found == ((2, 2), (1, 1), (1, 1), 1)
    assert logged(store) == [("list_compare", f"{LIST}/2026-09", 4), ("list_compare", SUBJECT, 4)]
    found = context.lists.differences(comparing, Kind.CAME)
    assert [one.id for one in found] == ["r00004", "r00005"]
    assert context.lists.find_differences(comparing, Kind.WENT, ["r00001"])[0].after is None
    assert len(events(store)) == 2
    counts = [(one.period, one.rows, one.came, one.went, one.changed) for one in context.lists.counts(LIST)]
    assert counts == [("2026-09", 3, None, None, None), (PERIOD, 4, 2, 1, 1)]


def test_only_neighbours_compared_whole_count_for_the_year(context: Context) -> None:
    fetch(context, [row(1)], period="2026-08")
    fetch(context, [row(2)])
    context.lists.compare(LIST, "2026-08", PERIOD)
    fetch(context, [row(1)], period="2026-09")
    context.lists.compare(LIST, "2026-09", PERIOD, ("address",))
    assert context.lists.counts(LIST)[-1].came is None


def test_what_is_not_here_is_not_compared(context: Context) -> None:
    fetch(context)
    with pytest.raises(NotHere):
        context.lists.compare(LIST, "2026-09", PERIOD)


def test_differences_are_narrowed_and_that_is_another_look(context: Context, store: Store, time: Time) -> None:
    fetch(context, [row(1), row(2), row(3, municipality="536")], period="2026-09")
    fetch(context, [row(2), row(3, municipality="837", days_accumulated=1), row(4), row(5, municipality="536")])
    lists = context.lists
    whole = lists.compare(LIST, "2026-09", PERIOD)
    named = lists.narrowed(whole, Fit("000004"))
    assert named.shown == {Kind.CAME: (1, 1), Kind.WENT: (0, 0), Kind.CHANGED: (0, 0)}
    assert [one.id for one in lists.differences(named, Kind.CAME)] == ["r00004"]
    assert lists.find_differences(named, Kind.CAME, ["r00004", "r00005"]) == lists.differences(named, Kind.CAME)
    here = lists.narrowed(whole, Fit(municipality="536"))
    assert [one.id for one in lists.differences(here, Kind.CAME)] == ["r00005"]
    # Who has moved is found by either place.
    assert [one.id for one in lists.differences(here, Kind.CHANGED)] == ["r00003"]
    assert [(one.place, one.id) for one in lists.differences(whole, Kind.CAME)] == [(1, "r00004"), (2, "r00005")]
    filtered = [one for one in logged(store) if one[0] == "list_compare:filtered"]
    assert filtered == [
        ("list_compare:filtered", f"{LIST}/{period}", rows) for rows in (1, 2) for period in ("2026-09", PERIOD)
    ]
    time.at = NOW + SITTING
    lists.differences(here, Kind.CAME)
    assert logged(store)[-1] == ("list_compare:filtered", SUBJECT, 2)


# --- another organisation -------------------------------------------------------------------------------------------


def test_nothing_is_done_to_the_lists_of_another_organisation(context: Context, store: Store) -> None:
    lists = context.lists
    publication = fetch(context)
    under_way = lists.begin(published(6, period="2026-11"))
    reading, comparing = lists.open(LIST, PERIOD), lists.compare(LIST, PERIOD, PERIOD)
    units: dict[str, Callable[[], object]] = {
        "hold": lists.hold,
        "shelf": lists.shelf,
        "counts": lambda: lists.counts(LIST),
        "announce": lambda: lists.announce([], [LIST]),
        "begin": lambda: lists.begin(published(6, period="2026-11")),
        "take": lambda: lists.take(under_way, ROWS),
        "finish": lambda: lists.finish(under_way),
        "cancel": lambda: lists.cancel(under_way),
        "withdrawn": lambda: lists.withdrawn(publication),
        "open": lambda: lists.open(LIST, PERIOD),
        "page": lambda: lists.page(reading),
        "leaving": lambda: lists.leaving(reading),
        "compare": lambda: lists.compare(LIST, PERIOD, PERIOD),
        "narrowed": lambda: lists.narrowed(comparing, Fit("aino")),
        "differences": lambda: lists.differences(comparing, Kind.CAME),
    }
    store.detach()
    store.attach(SECOND)
    # What is there belongs to whoever works for the other organisation, with mandates of their own.
    list_fetch.finish(store, list_fetch.put_rows(store, list_fetch.begin(store, publication), ROWS))
    before = rows_there(store)
    for name, unit in units.items():
        with pytest.raises(NotAllowed):
            unit()
        assert rows_there(store) == before, name
    assert len(events(store)) == 3


def rows_there(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as db:
        found: list[tuple[Any, ...]] = db.execute(
            "SELECT list, period, version, state, rows FROM replica.list_copy"
            " UNION ALL SELECT list, period, version, '', rows FROM replica.list_count"
        ).fetchall()
    return found


# --- mandates -------------------------------------------------------------------------------------------------------


LIST_TABLES = ("list_row", "list_order", "list_copy", "list_count", "list_publication")


def left(store: Store) -> dict[str, int]:
    """Return how many rows there are in the tables of lists, where there are any."""
    with store.read() as db:
        found = {name: db.execute(f"SELECT count(*) FROM replica.{name}").fetchone()[0] for name in LIST_TABLES}
    return {name: count for name, count in found.items() if count}


def test_lists_go_with_their_mandate_at_the_next_start(profile: Profile, context: Context, store: Store) -> None:
    fetch(context)
    give(store, MANDATE)
    again = activate(profile, store, FIRST, SeededIds(3), OPENERS)
    assert again.lists.shelf() == ()
    expiry.erase_lists(store)
    assert left(store) == {}


def test_a_mandate_that_ends_by_date_takes_the_lists(context: Context, store: Store) -> None:
    fetch(context)
    own, tomorrow = context.active.organisation.business_id, (NOW + timedelta(days=1)).date()
    context.session.hold(own, tomorrow)
    assert "list_row" in left(store)
    give(store, WIDE, grants=[grant(MANDATE), grant(WIDE, valid_to=NOW.date().isoformat())])
    context.session.hold(SECOND, tomorrow)
    assert "list_row" in left(store)
    context.session.hold(own, tomorrow)
    with store.read() as db:
        assert copies(db, NOW) == []
    expiry.erase_lists(store)
    assert left(store) == {}
