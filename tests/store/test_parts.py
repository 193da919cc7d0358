"""The smaller parts: row writers, traces, details, the log of views, the thread, and what may be imported."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.store import announcements, details, outbox, replica, sweeping, traces, views, words
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreClosed
from kelmu_tui.store.outbox import Draft
from kelmu_tui.store.rows import Query, Sort, TraceLine, View
from kelmu_tui.store.thread import StoreThread
from tests.store.build import NOW, OTHER, OWN, fill, notice, trace

TRANSFERRED = Query(View.TRANSFERRED)


# --- row writers ----------------------------------------------------------------------------------------------------


def index_holds(store: Store, word: bytes) -> bool:
    """Tell whether a word lies anywhere in the pages of the search index, marked as deleted or not."""
    with store.read() as db:
        return any(word in bytes(block) for (block,) in db.execute("SELECT block FROM replica.notice_text_data"))


def test_a_generation_is_swept_in_bounded_steps_with_all_its_words_and_the_others_stay(store: Store) -> None:
    with store.write("replica") as db:
        replica.put_rows(db, 1, [notice(f"n{n}", family=f"Qwörk{n:04d}") for n in range(250)])
        replica.put_rows(db, 2, [notice("n1", family="Jäävä"), trace("t1")])
        sweeping.abandon(db, 1)
    words = [word.encode() for word in ("qwork", "qwork0007")]
    assert index_holds(store, words[0])
    left = []
    while True:
        with store.write("replica") as db:
            assert sweeping.waiting(db)
            done = sweeping.sweep(db, rows=100)
            left.append(db.execute("SELECT count(*) FROM replica.notice WHERE generation = 1").fetchone()[0])
        if done:
            break
        assert len(left) < 100
    assert left[:4] == [150, 50, 0, 0]
    assert not index_holds(store, words[0])
    with store.read() as db:
        assert not sweeping.waiting(db)
        assert db.execute("SELECT generation, id FROM replica.notice").fetchall() == [(2, "n1")]
        found = "SELECT count(*) FROM replica.notice_text WHERE notice_text MATCH 'jaava'"
        assert db.execute(found).fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM replica.trace").fetchone() == (1,)
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.notice_text (notice_text) VALUES ('integrity-check')")


def test_words_that_are_only_marked_still_lie_in_the_index(store: Store) -> None:
    """What the merging is for; without it the test above would pass by itself."""
    with store.write("replica") as db:
        replica.put_rows(db, 1, [notice(f"n{n}", family=f"Qwörk{n:04d}") for n in range(50)])
        replica.put_rows(db, 2, [notice("n1", family="Jäävä")])
    with store.write("replica") as db:
        assert replica.drop_generation(db, 1, 100)
    assert index_holds(store, b"qwork")


def test_after_a_sweep_that_was_undone_single_rows_are_still_erased_at_once(store: Store) -> None:
    with store.write("replica") as db:
        replica.put_rows(db, 1, [notice("n1", family="Qwörk"), notice("n2", family="Jäävä")])
    with suppress(RuntimeError), store.write("replica") as db:
        replica.drop_generation(db, 1, 1)
        raise RuntimeError
    with store.write("replica") as db:
        assert replica.remove(db, 1, "n1")
    assert not index_holds(store, b"qwork")


@pytest.mark.parametrize("others", [0, 1])
def test_a_purge_takes_rows_and_words_at_once(store: Store, others: int) -> None:
    with store.write() as db:
        replica.put_rows(db, 1, [notice(f"n{n}") for n in range(25)])
        replica.put_rows(db, 2, [notice("n1")] * others)
        replica.put_rows(db, 3, [notice("n2", family="Qwörk")])
        sweeping.abandon(db, 3)
        sweeping.purge(db, [1])
        assert not sweeping.waiting(db)
        assert db.execute("SELECT count(*) FROM replica.notice").fetchone() == (others,)
        found = db.execute("SELECT count(*) FROM replica.notice_text WHERE notice_text MATCH 'virtanen'").fetchone()
    assert found == (others,)
    assert not index_holds(store, b"qwork")


def test_versions_guard_every_table(store: Store) -> None:
    with store.write() as db:
        for row in (notice("a", version=3), trace("b", version=3), announcement("c", version=3)):
            assert replica.put_rows(db, 1, [row]) == 1
            assert replica.put_rows(db, 1, [row | {"version": 2}]) == 0
            assert replica.put_rows(db, 1, [row]) == 1
            assert not replica.remove(db, 1, row["id"], 2)
            assert replica.remove(db, 1, row["id"], 3)
            assert not replica.remove(db, 1, row["id"], 3)


def test_a_change_that_touches_no_word_leaves_the_row_and_the_index_in_place(store: Any) -> None:
    def places() -> dict[str, int]:
        with store.read() as db:
            return dict(db.execute("SELECT id, rowid FROM replica.notice ORDER BY rowid"))

    def found(word: str) -> list[int]:
        with store.read() as db:
            return [
                row for (row,) in db.execute("SELECT rowid FROM replica.notice_text WHERE notice_text MATCH ?", (word,))
            ]

    fill(store, [notice("n1", family="Ensimmäinen"), notice("n2", family="Toinen")])
    before = places()
    with store.write("replica") as db:
        changed = notice("n2", family="Toinen", version=2, status="in_progress", assignee="u9")
        assert replica.put_rows(db, 1, [notice("n3", family="Kolmas"), changed]) == 2
    assert places() == before | {"n3": max(before.values()) + 1}
    assert (found("toinen"), found("kolmas")) == ([before["n2"]], [places()["n3"]])
    with store.write("replica") as db:
        renamed = notice("n2", family="Neljäs", version=3)
        assert replica.put_rows(db, 1, [renamed]) == 1
    assert found("toinen") == []
    assert found("neljas") == [places()["n2"]]
    with store.read() as db:
        assert db.execute("SELECT version, status FROM replica.notice WHERE id = 'n2'").fetchall() == [(3, "new")]


def test_the_newest_of_one_batch_wins(store: Store) -> None:
    with store.write() as db:
        replica.put_rows(db, 1, [notice("a", version=2, family="Uusi"), notice("a", version=1, family="Vanha")])
        assert db.execute("SELECT customer FROM replica.notice").fetchall() == [("Uusi, Aino",)]


# --- words ----------------------------------------------------------------------------------------------------------


def test_the_finnish_alphabet_ends_with_its_own_letters() -> None:
    names = ["Öhman", "Zetterberg", "Åkerlund", "Äijälä", "Ahonen", "Wirtanen", "Üs", "Yli"]
    expected = ["Ahonen", "Wirtanen", "Yli", "Üs", "Zetterberg", "Åkerlund", "Äijälä", "Öhman"]
    assert sorted(names, key=words.sort_key) == expected


def test_words_are_folded_alike_however_they_are_written() -> None:
    assert words.folded("ÄIJÄ-Liisa O’Neill") == words.folded("a\u0308ija\u0308 liisa o neill")
    assert words.asked("a A á, b") == ["a", "b"]
    assert len(words.asked(" ".join(map(str, range(100))))) == words.MAX_WORDS


# --- traces ---------------------------------------------------------------------------------------------------------


def test_traces_page_in_both_directions_and_orders(store: Store) -> None:
    fill(
        store,
        [trace(f"t{n:02d}", at=f"2026-11-{10 + n % 7}T09:00:00Z", due=f"2026-12-0{1 + n % 4}") for n in range(20)],
    )
    with store.read() as db:
        for sort in Sort:
            for descending in (False, True):
                query = Query(View.TRANSFERRED, sort=sort, descending=descending)
                whole = traces.trace_page(db, query, limit=100)
                assert len(whole) == traces.trace_count(db, query) == 20
                seen: list[TraceLine] = []
                place = None
                while chunk := traces.trace_page(db, query, after=place, limit=3):
                    seen.extend(chunk)
                    place = traces.trace_key(query, chunk[-1])
                assert seen == whole
                back: list[TraceLine] = []
                place = traces.trace_key(query, whole[-1])
                while chunk := traces.trace_page(db, query, before=place, limit=3):
                    back[:0] = chunk
                    place = traces.trace_key(query, chunk[0])
                assert back == whole[:-1]
                assert [traces.trace_rank(db, query, line.id) for line in whole] == list(range(20))
                assert traces.trace_lines(db, query, ["t03", "x"]) == [line for line in whole if line.id == "t03"]


def test_traces_are_filtered_by_place_kind_and_reason(store: Store) -> None:
    fill(store, [trace("t1"), trace("t2", to_municipality="092", reason="Väärä kunta", kind="immigrant_2_months")])
    with store.read() as db:

        def found(text: str) -> list[str]:
            return sorted(line.id for line in traces.trace_page(db, Query(View.TRANSFERRED, text)))

        assert found("helsing") == ["t1"]
        assert found("vanda") == ["t2"]
        assert found("maahanmuut vaara") == ["t2"]
        assert found("koski") == ["t1", "t2"]
        assert found("zz") == []


def test_a_pending_transfer_is_a_trace_and_a_pending_take_back_ends_one(store: Store) -> None:
    fill(store, [notice("n1", municipality="536"), trace("t1")])
    with store.write() as db:
        payload = {"municipality": "091", "reason": "Muutto"}
        outbox.append(db, Draft("u", OWN, "n1", "transfer", payload, {"by": "Minä"}, 1, "l"), id="c1", now=NOW)
        outbox.append(db, Draft("u", OWN, "t1", "take-back", {}, {"by": "Minä"}, 2, "l"), id="c2", now=NOW)
    with store.read() as db:
        found = {line.id: line for line in traces.trace_page(db, TRANSFERRED)}
    assert {id_: (line.state, line.pending) for id_, line in found.items()} == {
        "n1": ("sent", True),
        "t1": ("taken_back", True),
    }
    assert (found["n1"].from_municipality, found["n1"].to_municipality) == ("536", "091")
    assert found["n1"].to_organisation == OTHER


# --- content --------------------------------------------------------------------------------------------------------


def test_a_notice_is_read_whole(store: Store) -> None:
    row = notice("n1", free_text="Rivi\nToinen", non_disclosure=True)
    row["content"] |= {
        "expenses": [{"text": "Vuokra", "amount": "560.50"}],
        "household": [{"name": "Eero", "relation": "child", "born": 2019}],
        "calculation_from": "2026-11-01",
        "unknown_field_of_tomorrow": 1,
    }
    row["notes"] = [{"at": "2026-11-19T08:00:00Z", "by": "Laura", "text": "Soitettu"}]
    row["origin"] = {"organisation": OTHER, "municipality": "091", "at": "2026-11-17T08:00:00Z", "reason": "Muutto"}
    fill(store, [row])
    with store.write() as db:
        db.execute("INSERT INTO replica.state VALUES ('synced_at', '2026-11-20T07:00:00+00:00')")
    with store.write() as db:
        outbox.append(db, Draft("u", OWN, "n1", "note", {"text": "Oma"}, {"by": "Minä"}, 1, "l"), id="c1", now=NOW)
    with store.read() as db:
        found = details.detail(db, "n1")
        assert details.detail(db, "nobody") is None
    assert found is not None
    assert found.content.expenses[0].amount == Decimal("560.50")
    assert found.content.calculation_from == date(2026, 11, 1)
    assert found.content.household[0].born == 2019
    assert [(note.by, note.text, note.pending) for note in found.notes] == [
        ("Laura", "Soitettu", False),
        ("Minä", "Oma", True),
    ]
    assert found.origin is not None
    assert found.origin.municipality == "091"
    assert found.customer.address is None
    assert found.customer.home_municipality is None
    assert found.data_at == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert found.line.pending


def announcement(id: str, **changes: Any) -> dict[str, Any]:  # noqa: A002
    text = {"fi": "a", "sv": "b", "en": "c"}
    row: dict[str, Any] = {
        "table": "announcement",
        "id": id,
        "version": 1,
        "kind": "break",
        "starts": "2026-11-20T06:00:00Z",
        "ends": None,
        "title": text,
        "text": text,
    }
    return row | changes


def test_announcements_come_by_their_beginning(store: Store) -> None:
    fill(store, [announcement("b", starts="2026-11-21T06:00:00Z"), announcement("a", ends="2026-11-20T08:00:00Z")])
    with store.read() as db:
        found = announcements.announcements(db)
    assert [(line.id, line.title.sv) for line in found] == [("a", "b"), ("b", "b")]


# --- the log of views -----------------------------------------------------------------------------------------------


def event(subject: str | None) -> views.ViewEvent:
    return views.ViewEvent(NOW, "u", OWN, "notice", subject, 1, None)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE view_event SET body = json_set(body, '$.subject', 'other') WHERE number = 2", 2),
        ("UPDATE view_event SET number = 9 WHERE number = 3", 9),
        ("DELETE FROM view_event WHERE number = 2", 3),
        ("UPDATE view_event SET previous = zeroblob(32) WHERE number = 3", 3),
        ("DELETE FROM view_event WHERE number = 1", None),
        ("SELECT 1", None),
    ],
)
def test_the_chain_shows_what_was_done_to_it(store: Store, change: str, found: int | None) -> None:
    for subject in ("a", "b", "c"):
        with store.write() as db:
            views.log(db, event(subject))
    with store.write() as db:
        db.execute(change)
        assert views.verify(db) == found


# --- the thread -----------------------------------------------------------------------------------------------------


async def test_units_run_in_order_on_one_thread_and_failures_travel(store: Store) -> None:
    thread = StoreThread(store)
    names: list[str] = []

    def unit(n: int) -> int:
        names.append(threading.current_thread().name)
        if n == 2:
            raise ZeroDivisionError
        return n

    found = await asyncio.gather(*(thread.run(unit, n) for n in range(4)), return_exceptions=True)
    assert [found[0], found[1], found[3]] == [0, 1, 3]
    assert isinstance(found[2], ZeroDivisionError)
    assert thread.busy == 0
    assert len(set(names)) == 1
    assert names[0].startswith("store")
    thread.close()


async def test_a_cancelled_caller_does_not_cut_a_unit(store: Store) -> None:
    thread = StoreThread(store)
    gate, ran = threading.Event(), []

    def unit() -> None:
        gate.wait(10)
        ran.append(1)

    waiting = asyncio.ensure_future(thread.run(unit))
    await asyncio.sleep(0)
    assert thread.busy == 1
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    await thread.run(lambda: None)
    assert ran == [1]
    assert thread.busy == 0
    thread.close()


async def test_a_unit_that_comes_after_the_end_is_told_so(store: Store) -> None:
    thread = StoreThread(store)
    thread.close()
    with pytest.raises(StoreClosed):
        await thread.run(lambda: None)
    assert thread.busy == 0


# --- imports --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["kelmu_tui.store.notices", "kelmu_tui.services.inbox", "kelmu_tui.store.keys"])
def test_reading_imports_nothing_heavy(module: str) -> None:
    heavy = ("pydantic", "httpx", "asyncio", "textual", "keyring", "argon2", "cryptography", "holidays", "platformdirs")
    script = f"import sys, {module}; print(sorted(set(sys.modules) & set({heavy!r})))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
