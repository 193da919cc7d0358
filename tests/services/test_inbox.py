"""The inbox service: what it saves, refuses, undoes and logs, on the real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from kelmu_tui.domain.capabilities import NOTICE_TRANSFER, NOTICES_INBOX
from kelmu_tui.domain.notices import MAX_REASON, Refusal, Status
from kelmu_tui.domain.organisations import OrganisationType, social_care_organiser
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.services.announcements import Announcements
from kelmu_tui.services.inbox import CannotUndo, Inbox, NotAllowed
from kelmu_tui.store import outbox, replica, views
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.store.errors import StoreUnavailable
from kelmu_tui.store.rows import ActiveOrganisation, ActiveSession, NoticeLine, Outcome, Query, Sort, TraceLine, View
from tests.store.build import NOW, OTHER, OWN, FixedClock, fill, notice, open_store, trace

_OWNER = social_care_organiser("837")
SESSION = ActiveSession(
    "user-1",
    "Laura Koski",
    ActiveOrganisation(OWN, _OWNER.name, OrganisationType.WELLBEING_COUNTY, "08", _OWNER.municipalities),
    frozenset({NOTICES_INBOX, NOTICE_TRANSFER}),
    "device",
    "lease-1",
)
ALL = Query(View.ALL)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(tmp_path: Path, clock: FixedClock) -> Iterator[Store]:
    store = open_store(tmp_path / "one", clock)
    store.attach(OWN)
    yield store
    store.close()


@pytest.fixture
def inbox(store: Store, clock: FixedClock) -> Inbox:
    return Inbox(store, SESSION, clock, RandomIds())


def commands(store: Store) -> list[outbox.Command]:
    with store.read() as db:
        return outbox.pending(db, OWN)


def line(inbox: Inbox, id_: str) -> NoticeLine:
    (found,) = inbox.lines(ALL, [id_])
    assert isinstance(found, NoticeLine)
    return found


def events(store: Store) -> list[tuple[str, str | None, int]]:
    with store.read() as db:
        assert views.verify(db) is None
        return list(
            db.execute("SELECT body ->> 'view', body ->> 'subject', body ->> 'rows' FROM view_event ORDER BY number")
        )


def sent(store: Store, outcome: Outcome) -> None:
    with store.write() as db:
        for id_ in outcome.commands:
            assert outbox.freeze(db, id_) is not None


# --- commands -------------------------------------------------------------------------------------------------------


def test_a_command_is_saved_whole_and_shown_at_once(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1", version=4)])
    heard: list[Changed] = []
    store.listen(heard.append)
    outcome = inbox.take(["n1"])
    (command,) = commands(store)
    assert outcome == Outcome("take", (command.id,), ("n1",), ())
    assert (command.user, command.organisation, command.aggregate, command.verb) == ("user-1", OWN, "n1", "take")
    assert (command.base_version, command.lease, command.payload) == (4, "lease-1", {})
    assert command.label == {
        "customer": "Virtanen, Aino",
        "kind": "social_work_need",
        "urgent": False,
        "due": "2026-11-27",
        "by": "Laura Koski",
        "municipality": "837",
    }
    shown = line(inbox, "n1")
    assert (shown.status, shown.assignee, shown.assignee_name) == (Status.IN_PROGRESS, "user-1", "Laura Koski")
    assert shown.pending
    assert shown.version == 4
    assert heard == [Changed(frozenset({"command"}), frozenset({"n1"}))]
    assert inbox.counts()[View.MINE] == 1


def test_a_second_command_builds_on_the_first_pending_one(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1")])
    inbox.take(["n1"])
    assert inbox.release(["n1"]).done == ("n1",)
    assert inbox.release(["n1"]).refused == (("n1", Refusal.NOT_TAKEN),)
    inbox.handle(["n1"])
    assert inbox.take(["n1"]).refused == (("n1", Refusal.ALREADY_HANDLED),)
    verbs = [(command.verb, command.after) for command in commands(store)]
    ids = [command.id for command in commands(store)]
    assert verbs == [("take", None), ("release", ids[0]), ("handle", ids[1])]


def test_bulk_saves_what_the_rules_allow_and_names_the_rest(store: Store, inbox: Inbox) -> None:
    fill(store, [notice(f"n{n:03d}", assignee="other" if n % 2 else None) for n in range(450)])
    wanted = [f"n{n:03d}" for n in range(450)]
    outcome = inbox.take([*wanted, "n000", "nobody"])
    assert outcome.done == tuple(wanted[::2])
    assert len(outcome.commands) == 225
    assert dict(outcome.refused) == {
        **dict.fromkeys(wanted[1::2], Refusal.ALREADY_TAKEN),
        "nobody": Refusal.TRANSFERRED,
    }


def test_what_changes_nothing_is_not_sent(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1", status="opened"), notice("n2")])
    assert inbox.open("n1").done == ()
    assert inbox.open("n2").done == ("n2",)
    assert inbox.open("n2").done == ()
    assert [command.aggregate for command in commands(store)] == ["n2"]


def test_notes_are_cleaned_and_judged(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1")])
    inbox.note(["n1"], "soitettu\x1b]52;c;x\x07\r\nhuomenna")
    (command,) = commands(store)
    assert command.payload["text"] == "soitettu\ufffd]52;c;x\ufffd\nhuomenna"
    assert inbox.note(["n1"], " \n").refused == (("n1", Refusal.TEXT_MISSING),)
    assert inbox.note(["n1"], "x" * 1001).refused == (("n1", Refusal.TEXT_TOO_LONG),)
    detail = inbox.read("n1")
    assert detail is not None
    assert [(note.by, note.pending) for note in detail.notes] == [("Laura Koski", True)]


def test_targets_are_those_legal_for_all(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1"), notice("n2", municipality="536"), notice("n3", kind="immigrant_2_months")])
    one = [target.municipality for target in inbox.targets(["n1"])]
    both = [target.municipality for target in inbox.targets(["n1", "n2"])]
    assert "536" in one
    assert "837" not in one
    assert not {"536", "837"} & set(both)
    assert set(both) < set(one)
    mixed = inbox.targets(["n1", "n3"])
    assert {target.municipality for target in mixed} == {"091"}, "only Helsinki holds both kinds"
    assert inbox.targets([]) == inbox.targets(["nobody"]) == ()


@pytest.mark.parametrize(
    ("municipality", "reason", "refusal"),
    [
        ("837", "Muutto", Refusal.SAME_RECIPIENT),
        ("999", "Muutto", Refusal.ILLEGAL_TARGET),
        ("091", "  ", Refusal.REASON_MISSING),
        ("091", "x" * (MAX_REASON + 1), Refusal.TEXT_TOO_LONG),
    ],
)
def test_a_transfer_that_the_rules_refuse_is_not_saved(
    store: Store, inbox: Inbox, municipality: str, reason: str, refusal: Refusal
) -> None:
    fill(store, [notice("n1")])
    outcome = inbox.transfer(["n1"], municipality, reason)
    assert (outcome.done, outcome.refused) == ((), (("n1", refusal),))
    assert commands(store) == []


def test_a_transfer_to_another_county_leaves_a_trace_and_inside_moves_the_team(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1"), notice("n2")])
    outcome = inbox.transfer(["n1"], "091", "Muutto")
    assert outcome.arguments == (("municipality", "091"), ("reason", "Muutto"))
    assert inbox.lines(ALL, ["n1"]) == []
    (found,) = inbox.page(Query(View.TRANSFERRED))
    assert isinstance(found, TraceLine)
    assert (found.id, found.to_organisation, found.pending) == ("n1", OTHER, True)
    assert commands(store)[0].label["to_organisation"] == OTHER
    inbox.transfer(["n2"], "536", "Väärä tiimi")
    assert line(inbox, "n2").municipality == "536"
    assert inbox.count(Query(View.ALL, "nokia")) == 1
    assert inbox.counts()[View.TRANSFERRED] == 1
    assert inbox.take(["n1"]).refused == (("n1", Refusal.TRANSFERRED),)


def test_only_an_unopened_transfer_can_be_taken_back(store: Store, inbox: Inbox) -> None:
    fill(store, [trace("t1"), trace("t2", state="opened"), trace("t3", state="taken_back"), notice("n1")])
    outcome = inbox.take_back(["t1", "t2", "t3", "n1"])
    assert outcome.done == ("t1",)
    assert dict(outcome.refused) == {
        "t2": Refusal.ALREADY_OPENED,
        "t3": Refusal.TRANSFERRED,
        "n1": Refusal.NOT_TRANSFERRED,
    }
    (command,) = commands(store)
    assert (command.verb, command.base_version) == ("take-back", 2)


def test_mandates_open_the_commands(store: Store, clock: FixedClock) -> None:
    fill(store, [notice("n1")])
    inbox = Inbox(store, SESSION._replace(capabilities=frozenset({NOTICES_INBOX})), clock, RandomIds())
    with pytest.raises(NotAllowed):
        inbox.transfer(["n1"], "091", "Muutto")
    with pytest.raises(NotAllowed):
        inbox.take_back(["n1"])
    assert inbox.take(["n1"]).done == ("n1",)
    closed = Inbox(store, SESSION._replace(capabilities=frozenset()), clock, RandomIds())
    with pytest.raises(NotAllowed):
        closed.read("n1")
    with pytest.raises(NotAllowed):
        closed.take(["n1"])
    assert events(store) == []


# --- undo -----------------------------------------------------------------------------------------------------------


def test_undo_drops_what_was_never_sent(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1"), notice("n2")])
    gives: list[Callable[[], Outcome]] = [
        lambda: inbox.take(["n1", "n2"]),
        lambda: inbox.transfer(["n1"], "091", "Muutto"),
        lambda: inbox.note(["n1"], "x"),
    ]
    for give in gives:
        outcome = give()
        undone = inbox.undo(outcome)
        assert (undone.verb, undone.done, undone.commands) == ("undo", outcome.done, ())
    assert commands(store) == []
    assert [line(inbox, id_).status for id_ in ("n1", "n2")] == [Status.NEW, Status.NEW]


@pytest.mark.parametrize(
    ("verb", "reverse", "before"),
    [("take", "release", {}), ("release", "take", {"status": "in_progress", "assignee": "user-1"}),
     ("handle", "reopen", {}), ("reopen", "handle", {"status": "handled"})],
)  # fmt: skip
def test_undo_reverses_what_is_on_its_way(
    store: Store, inbox: Inbox, verb: str, reverse: str, before: dict[str, str]
) -> None:
    fill(store, [notice("n1", **before)])
    outcome = getattr(inbox, verb)(["n1"])
    sent(store, outcome)
    undone = inbox.undo(outcome)
    assert undone.done == ("n1",)
    assert len(undone.commands) == 1
    assert [command.verb for command in commands(store)] == [verb, reverse]


def test_undo_of_a_sent_transfer_takes_it_back_or_moves_it_home(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1"), notice("n2", municipality="980")])
    away, inside = inbox.transfer(["n1"], "091", "Muutto"), inbox.transfer(["n2"], "536", "Väärä tiimi")
    for outcome in (away, inside):
        sent(store, outcome)
        assert inbox.undo(outcome).done == outcome.done
    assert [(c.aggregate, c.verb) for c in commands(store)] == [
        ("n1", "transfer"), ("n2", "transfer"), ("n1", "take-back"), ("n2", "transfer"),
    ]  # fmt: skip
    assert (line(inbox, "n1").municipality, line(inbox, "n2").municipality) == ("837", "980")


def test_undo_with_another_command_behind_reverses_instead_of_dropping(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1")])
    outcome = inbox.take(["n1"])
    inbox.note(["n1"], "x")
    inbox.undo(outcome)
    assert [command.verb for command in commands(store)] == ["take", "note", "release"]


def test_a_note_on_its_way_cannot_be_undone(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1")])
    outcome = inbox.note(["n1"], "x")
    sent(store, outcome)
    with pytest.raises(CannotUndo) as caught:
        inbox.undo(outcome)
    assert caught.value.verb == "note"


# --- log before show ------------------------------------------------------------------------------------------------


def test_content_is_shown_only_after_its_event(store: Store, inbox: Inbox, clock: FixedClock) -> None:
    fill(store, [notice("n1"), notice("n2")])
    inbox.log_list(Query(View.MINE), 12)
    assert inbox.preview("n1") is not None
    assert inbox.preview("n1") is not None
    assert inbox.read("n1") is not None
    assert inbox.preview("n2") is not None
    clock.at = NOW + timedelta(minutes=6)
    assert inbox.preview("n2") is not None
    assert inbox.read("nobody") is None
    expected = [("list:mine", None, 12), ("preview", "n1", 1), ("notice", "n1", 1), ("preview", "n2", 1)]
    assert events(store) == [*expected, ("preview", "n2", 1)]


def test_without_a_log_nothing_is_shown(store: Store, inbox: Inbox) -> None:
    fill(store, [notice("n1")])
    assert inbox.count(ALL) == 1
    store.db.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable) as caught:
        inbox.read("n1")
    assert caught.value.reason == "read_only"
    with pytest.raises(StoreUnavailable):
        inbox.preview("n1")
    store.db.execute("PRAGMA query_only = OFF")
    assert inbox.read("n1") is not None
    assert events(store) == [("notice", "n1", 1)]


# --- lists ----------------------------------------------------------------------------------------------------------


def test_lists_know_the_user_and_the_finnish_day(store: Store, inbox: Inbox, clock: FixedClock) -> None:
    clock.at = NOW.replace(day=26, hour=22, minute=30)  # already the 27th in Finland
    rows = [notice("n1"), notice("n2", due="2026-11-28"), notice("n3", assignee="user-1", status="in_progress")]
    fill(store, rows)
    assert [found.id for found in inbox.page(Query(View.DUE_TODAY))] == sorted(
        ["n1", "n3"], key=lambda id_: inbox.rank(Query(View.DUE_TODAY), id_) or 0
    )
    assert [found.id for found in inbox.page(Query(View.MINE))] == ["n3"]
    assert inbox.count(Query(View.DUE_TODAY, day=date(2026, 11, 1))) == 0
    query = Query(View.ALL, sort=Sort.CUSTOMER, descending=True)
    first, second, third = inbox.page(query, limit=3)
    assert inbox.page(query, after=inbox.key(query, first), limit=1) == [second]
    assert inbox.page(query, before=inbox.key(query, third), limit=1) == [second]


def test_announcements_end(store: Store, clock: FixedClock) -> None:
    text = {"fi": "a", "sv": "b", "en": "c"}
    base = {"table": "announcement", "version": 1, "kind": "break", "title": text, "text": text}
    with store.write() as db:
        db.execute("INSERT INTO replica.scope (name, generation) VALUES ('announcements', 3)")
        rows = (
            {"id": "old", "starts": "2026-11-19T04:00:00Z", "ends": "2026-11-19T06:00:00Z"},
            {"id": "now", "starts": "2026-11-20T04:00:00Z", "ends": "2026-11-20T09:00:00Z"},
            {"id": "next", "starts": "2026-11-26T04:00:00Z", "ends": None},
        )
        replica.put_rows(db, 3, [base | row for row in rows])
    service = Announcements(store, clock)
    assert [found.id for found in service.all()] == ["old", "now", "next"]
    assert [found.id for found in service.lines()] == ["now", "next"]
    assert [found.id for found in service.current()] == ["now"]
