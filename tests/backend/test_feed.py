"""The feed: nothing missed, nothing split, nothing told to those who may not see it."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from kelmu_backend import feed, policy
from kelmu_backend.database import tables
from kelmu_backend.feed import Entry
from kelmu_backend.keys import Signer
from kelmu_backend.policy import claims_scope, follows_scope, notices_scope, sendings_scope, traces_scope
from kelmu_backend.problems import ProblemError
from kelmu_tui.api.contract import NoticeRow, ProblemCode
from kelmu_tui.domain.organisations import Organisation

from .conftest import INBOX, LOOK_UP, A, B, World, grant, notice_row

NOTICES, TRACES = notices_scope(A.business_id), traces_scope(A.business_id)
FOLLOWS = follows_scope(A.business_id, "aino")
CLAIMS = claims_scope(A.business_id)
SENDINGS = sendings_scope(A.business_id, "aino")
LETTER = {"fi": "a", "sv": "b", "en": "c"}


async def test_without_a_cursor_everything_is_granted_and_nothing_told(world: World) -> None:
    world.add(notice_row(1))
    answer = await world.changes()
    assert (answer.kind, answer.changes, answer.more) == ("reset", [], False)
    assert answer.granted == ["announcements", NOTICES, SENDINGS, TRACES]
    assert answer.seq == answer.head == 1
    again = await world.changes(answer.cursor)
    assert (again.kind, again.changes, again.seq) == ("delta", [], 1)


@pytest.mark.parametrize(
    ("user", "organisation", "scopes"),
    [
        ("viewer", A, ["announcements", CLAIMS, follows_scope(A.business_id, "viewer")]),
        ("lookalike", A, ["announcements"]),
        (
            "bo",
            B,
            [
                "announcements",
                notices_scope(B.business_id),
                sendings_scope(B.business_id, "bo"),
                traces_scope(B.business_id),
            ],
        ),
    ],
)
async def test_scopes_follow_the_mandates(
    world: World, user: str, organisation: Organisation, scopes: list[str]
) -> None:
    assert (await world.changes(user=user, organisation=organisation)).granted == scopes


@pytest.mark.parametrize(("user", "organisation"), [("nobody", A), ("aino", B)])
async def test_without_any_grant_there_is_no_feed(world: World, user: str, organisation: Organisation) -> None:
    answer = await world.get("/v1/changes", user, organisation)
    assert (answer.status_code, answer.json()["code"]) == (403, "organisation_not_allowed")
    foreign = await world.client.get("/v1/changes", headers=world.headers(user) | {"Kelmu-Organisation": "7777777-7"})
    assert {**foreign.json(), "request_id": None} == {**answer.json(), "request_id": None}
    assert world.audited() == [("feed.changes", None, "organisation_not_allowed")] * 2


async def test_pages_never_split_a_sequence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = await world.changes()
    world.add(*(notice_row(n) for n in range(1, 4)))
    world.add(*(notice_row(n) for n in range(4, 12)))
    world.add(notice_row(12))
    monkeypatch.setattr(feed, "PAGE", 5)
    pages = []
    cursor, more = start.cursor, True
    while more:
        answer = await world.changes(cursor)
        pages.append((answer.seq, [change.id for change in answer.changes]))
        cursor, more = answer.cursor, answer.more
    assert [len(ids) for _, ids in pages] == [11, 1]
    assert [seq for seq, _ in pages] == [2, 3]
    assert sorted(n for _, ids in pages for n in ids) == [f"n{n:04d}" for n in range(1, 13)]


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=8), limit=st.integers(1, 6))
def test_any_page_size_tells_each_entry_once(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int
) -> None:
    from kelmu_backend.database.engine import Database
    from kelmu_tui.platform.ids import SeededIds

    database = Database(f"sqlite:///{tmp_path_factory.mktemp('feed') / 'kelmu.db'}")
    database.migrate()
    with database.write() as connection:
        feed.ensure(connection, SeededIds(1))
        for number, size in enumerate(sizes):
            feed.record(connection, [Entry("s", f"{number}-{n}", 1) for n in range(size)])
    with pytest.MonkeyPatch.context() as patch, database.read() as connection:
        patch.setattr(feed, "PAGE", limit)
        told: list[str] = []
        seq, more = 0, True
        while more:
            entries, more = feed.page(connection, ["s"], seq)
            assert {e.seq for e in entries} == set(range(seq + 1, entries[-1].seq + 1))
            for number in {e.seq for e in entries}:
                assert sum(e.seq == number for e in entries) == sizes[number - 1]
            told += [e.aggregate for e in entries]
            seq = entries[-1].seq
    database.dispose()
    assert len(told) == len(set(told)) == sum(sizes)


async def test_stale_cursors_start_anew(world: World) -> None:
    world.add(notice_row(1))
    start = await world.changes()
    ahead = feed.Cursor(start.epoch, 99, A.business_id, frozenset(start.granted), 1).seal(world.core.cursors, "aino")
    other_epoch = feed.Cursor("old", 1, A.business_id, frozenset(start.granted), 1).seal(world.core.cursors, "aino")
    foreign_key = feed.Cursor(start.epoch, 1, A.business_id, frozenset(), 1).seal(Signer(b"x" * 32, "cursor"), "aino")
    other_organisation = (await world.changes(user="bo", organisation=B)).cursor
    other_user = (await world.changes(user="bertta")).cursor
    for cursor in (
        ahead,
        other_epoch,
        foreign_key,
        other_organisation,
        other_user,
        "x",
        "ä",
        "AAAA",
        start.cursor[:-2],
    ):
        assert (await world.changes(cursor)).kind == "reset", cursor
    with world.database.write() as connection:
        feed.new_epoch(connection, world.config.ids)
    anew = await world.changes(start.cursor)
    assert (anew.kind, anew.epoch == start.epoch) == ("reset", False)


async def test_a_cursor_behind_dropped_removals_starts_anew(world: World) -> None:
    world.add(notice_row(1))
    start = await world.changes()
    await world.command("n0001", "transfer", 1, body={"municipality": "049", "reason": "Muutto"})
    after = await world.changes(start.cursor)
    assert [change.op for change in after.changes] == ["rm", "up"]
    with world.database.write() as connection:
        assert feed.compact(connection, keep=1) == 0
        assert feed.compact(connection, keep=0) == 1
    assert (await world.changes(start.cursor)).kind == "reset"
    assert (await world.changes(after.cursor)).kind == "delta"


async def test_revoked_and_added_scopes(world: World) -> None:
    world.add(notice_row(1))
    start = await world.changes()
    with world.database.write() as connection:
        policy.replace_grants(connection, "aino", [grant(LOOK_UP, A)])
    world.add(notice_row(2))
    less = await world.changes(start.cursor)
    assert (less.kind, less.changes, less.added) == ("delta", [], [CLAIMS, FOLLOWS])
    assert (less.granted, less.revoked) == (["announcements", CLAIMS, FOLLOWS], [NOTICES, SENDINGS, TRACES])
    assert less.session_revision == start.session_revision + 1
    with world.database.write() as connection:
        policy.replace_grants(connection, "aino", [grant(INBOX, A)])
    world.add(notice_row(3))
    more = await world.changes(less.cursor)
    # What is added has to be filled; its deltas begin with the next answer.
    assert (more.changes, more.added, more.revoked) == ([], [NOTICES, SENDINGS, TRACES], [CLAIMS, FOLLOWS])
    world.add(notice_row(4))
    assert [c.id for c in (await world.changes(more.cursor)).changes] == ["n0004"]
    with world.database.write() as connection:
        policy.replace_grants(connection, "aino", [])
    assert (await world.get("/v1/changes", cursor=more.cursor)).status_code == 403


async def test_a_notice_is_nowhere_before_its_time(world: World) -> None:
    start = await world.changes()
    world.add(notice_row(1, published=False, arrived=world.clock.now() + timedelta(hours=1)))
    world.publish()
    assert not (await world.changes(start.cursor)).changes
    assert [line["line"] for line in await world.snapshot(NOTICES)] == ["start", "end"]
    assert (await world.get("/v1/notices/n0001")).status_code == 404
    world.pass_by(minutes=59, seconds=59)
    world.publish()
    assert not (await world.changes(start.cursor)).changes
    world.pass_by(seconds=1)
    world.publish()
    assert [c.id for c in (await world.changes(start.cursor)).changes] == ["n0001"]
    assert (await world.get("/v1/notices/n0001")).status_code == 200


async def test_answers_with_customers_are_audited_and_others_are_not(world: World) -> None:
    start = await world.changes()
    await world.changes(start.cursor)
    assert world.audited() == []
    world.add(notice_row(1), notice_row(2))
    await world.changes(start.cursor)
    [row] = [row for row in world.all(tables.audit) if row["action"] == "feed.changes"]
    assert (row["user"], row["rows"], row["organisation"], row["mandate"]) == ("aino", 2, A.business_id, None)
    await world.snapshot(NOTICES)
    assert world.all(tables.audit)[-1]["rows"] == 2


async def test_snapshot_is_ordered_whole_and_resumable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add(*(notice_row(n) for n in range(1, 8)))
    world.add(notice_row(8, organisation=B.business_id, municipality="049"))
    await world.command("n0002", "note", 1, body={"text": "Soitettu"})
    monkeypatch.setattr("kelmu_backend.pull.SNAPSHOT_PAGE", 3)
    start, *rows, end = await world.snapshot(NOTICES)
    assert (start["count"], start["scope"], start["head"], end["head"]) == (7, NOTICES, 3, 3)
    parsed = [NoticeRow.model_validate(line["row"]) for line in rows]
    assert [row.id for row in parsed] == [f"n{n:04d}" for n in range(1, 8)]
    assert [len(row.notes) for row in parsed] == [0, 1, 0, 0, 0, 0, 0]
    resumed = await world.snapshot(NOTICES, after="n0005")
    assert [line["row"]["id"] for line in resumed[1:-1]] == ["n0006", "n0007"]


async def test_snapshot_without_its_mandate_any_more_has_no_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add(*(notice_row(n) for n in range(1, 8)))
    monkeypatch.setattr("kelmu_backend.pull.SNAPSHOT_PAGE", 3)
    real = policy.access
    asked = 0

    def ends(*arguments: object) -> object:
        nonlocal asked
        asked += 1
        found = real(*arguments)  # type: ignore[arg-type]
        if asked == 2:
            raise ProblemError(ProblemCode.MANDATE_MISSING)
        return found

    monkeypatch.setattr(policy, "access", ends)
    lines = await world.snapshot(NOTICES)
    assert [line["line"] for line in lines] == ["start", "row", "row", "row"]


@pytest.mark.parametrize(
    ("user", "scope", "status"),
    [
        ("aino", notices_scope(B.business_id), 404),
        ("aino", "nothing", 404),
        ("viewer", NOTICES, 403),
        ("viewer", "announcements", 200),
        ("aino", "bad scope", 422),
    ],
)
async def test_snapshot_scopes(world: World, user: str, scope: str, status: int) -> None:
    assert (await world.get("/v1/snapshot", user, scope=scope)).status_code == status


async def test_announcements_reach_everybody(world: World) -> None:
    start = await world.changes(user="viewer")
    row = {"id": "a1", "version": 1, "kind": "break", "starts": world.clock.now(), "title": LETTER, "text": LETTER}
    with world.database.write() as connection:
        connection.execute(insert(tables.announcement), row)
        feed.record(connection, [Entry(policy.ANNOUNCEMENTS, "a1", 1)])
    [change] = (await world.changes(start.cursor, "viewer")).changes
    assert change.row is not None
    assert change.row.table == "announcement"
    assert len(await world.snapshot("announcements", "viewer")) == 3
    session = (await world.get("/v1/session", "viewer")).json()
    assert [a["id"] for a in session["announcements"]] == ["a1"]


async def test_a_row_that_is_gone_without_trace_is_told_as_removed(world: World) -> None:
    world.add(notice_row(1))
    start = await world.changes()
    await world.command("n0001", "take", 1)
    with world.database.write() as connection:
        connection.execute(delete(tables.notice))
    [change] = (await world.changes(start.cursor)).changes
    assert (change.op, change.row) == ("rm", None)


async def test_non_disclosure_is_absent_everywhere(world: World) -> None:
    customer = notice_row(1)["customer"] | {"non_disclosure": True}
    world.add(notice_row(1, customer=customer))
    start = await world.changes()
    texts = [(await world.get("/v1/notices/n0001")).text, str(await world.snapshot(NOTICES))]
    taken = await world.command("n0001", "take", 1)
    assert taken.status_code == 200
    texts.append((await world.get("/v1/changes", cursor=start.cursor)).text)
    texts.append((await world.command("n0001", "release", 1)).text)
    for text in texts:
        assert "Virta" in text
        for hidden in ("Koskikatu", "0400 000000", "home_municipality", "address"):
            assert hidden not in text


async def test_a_waiting_poll_is_woken_by_a_commit(world: World) -> None:
    world.add(notice_row(1))
    start = await world.changes()
    waiting = asyncio.ensure_future(world.changes(start.cursor, wait=20))
    await world.until_waiting()
    assert (await world.command("n0001", "take", 1, "bertta")).status_code == 200
    assert [change.id for change in (await waiting).changes] == ["n0001"]


async def test_a_waiting_poll_hears_of_other_processes_and_of_grants(world: World) -> None:
    from kelmu_backend.wakeups import Wakeups

    wakeups = Wakeups(world.core)
    await wakeups.look()
    start = await world.changes()
    waiting = asyncio.ensure_future(world.changes(start.cursor, wait=20))
    await world.until_waiting()
    with world.database.write() as connection:
        policy.replace_grants(connection, "aino", [grant(LOOK_UP, A)])
    assert await wakeups.look()
    assert (await waiting).revoked == [NOTICES, SENDINGS, TRACES]
    assert not await wakeups.look()


async def test_own_commits_are_no_news_from_others(world: World) -> None:
    from kelmu_backend.wakeups import Wakeups

    wakeups = Wakeups(world.core)
    await wakeups.look()
    world.add(notice_row(1))
    assert await wakeups.look()
    await world.command("n0001", "take", 1)
    assert not await wakeups.look()


async def test_a_poll_does_not_wait_for_others_changes(world: World) -> None:
    start = await world.changes()
    waiting = asyncio.ensure_future(world.changes(start.cursor, wait=20))
    await world.until_waiting()
    world.add(notice_row(1, organisation=B.business_id, municipality="049"))
    await world.command("n0001", "take", 1, "bo", B)
    assert not waiting.done()
    world.core.hub.close()
    answer = await waiting
    assert (answer.changes, answer.seq) == ([], 2)


async def test_writers_at_once_lose_nothing_for_a_reader(world: World) -> None:
    """A cursor reader beside concurrent writers sees every row: the reason for the one counter."""
    start = await world.changes()

    def write(first: int) -> None:
        for number in range(first, first + 25):
            world.add(notice_row(number))

    writers = [threading.Thread(target=write, args=(1000 * n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    seen: set[str] = set()
    cursor = start.cursor
    while any(writer.is_alive() for writer in writers):
        answer = await world.changes(cursor)
        seen |= {change.id for change in answer.changes}
        cursor = answer.cursor
    seen |= {change.id for change in (await world.changes(cursor)).changes}
    assert len(seen) == 100


async def test_agreement_that_ends_closes_the_scopes(world: World) -> None:
    start = await world.changes()
    with world.database.write() as connection:
        connection.execute(update(tables.agreement).values(valid_to=world.clock.now().date()))
    world.pass_by(days=1)
    assert (await world.changes(start.cursor)).revoked == [NOTICES, SENDINGS, TRACES]
