"""Exports: logged before a row leaves, flat in memory, whole or not at all, and nothing about the undisclosed."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.api.contract.views import ViewBody
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.platform.saving import NotSaved
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.list_export import InvalidPurpose, clean_purpose, form_of
from kelmu_tui.services.list_files import Form, Writing
from kelmu_tui.services.lists import NotHere
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.list_pages import ListQuery, SortKey
from tests.services.customers import at_work, events, give
from tests.services.exporting import PURPOSE, document, exported, hold, opened, run, sheets, table
from tests.services.signed_in import FIRST, MANDATE
from tests.store.list_rows import LIST, PERIOD, published, row

ENDINGS = tuple(form.value for form in Form)
MUNICIPAL = "list_lms_recipients_municipality"
MANY = 1203
"""More than two pages."""


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return at_work(profile, store)


@pytest.fixture
def municipal(profile: Profile, store: Store) -> Context:
    """Somebody of a municipality, whose list has municipalities and no addresses."""
    give(store, "labour_market_subsidy_material", type="municipality")
    return activate(profile, store, FIRST, SeededIds(2), frozenset({MUNICIPAL}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "vienti"
    made.mkdir(mode=0o700)
    return made


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


# --- what leaves ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
async def test_every_row_leaves_once_and_in_its_order(context: Context, folder: Path, ending: str) -> None:
    hold(context, [row(number) for number in range(MANY)])
    reading = opened(context, ListQuery((SortKey("days_accumulated", descending=True),)))
    heard: list[tuple[int, int]] = []
    path = folder / f"lista.{ending}"
    done = await exported(context, path, reading, hear=lambda *now: heard.append(now))
    assert done == (path, MANY, 0)
    assert heard == [(500, MANY), (1000, MANY), (MANY, MANY)]
    days = [300 + number for number in reversed(range(MANY))]
    if ending == "csv":
        _, headings, rows = table(path)
        found = [int(line[headings.index("Kertyneet päivät")]) for line in rows]
    elif ending == "xlsx":
        _, headings, cells = sheets(path)
        found = [int(line[headings.index("Kertyneet päivät")]) for line in cells]
    else:
        found = [one["days_accumulated"] for one in document(path)[1]]
    assert found == days
    assert left(folder) == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_marked_rows_leave_alone_and_the_file_says_so(context: Context, folder: Path) -> None:
    hold(context, [row(number) for number in range(MANY)])
    marked = frozenset({"r00007", "r01100", "r00002", "r99999"})
    done = await exported(context, folder / "a.json", ids=marked)
    head, rows = document(folder / "a.json")
    assert [one["id"] for one in rows] == ["r01100", "r00002", "r00007"]  # by name
    assert (done.rows, head["rows"], head["marked"]) == (3, 3, True)
    assert events(context.store)[-1]["rows"] == 3


async def test_no_rows_make_a_file_that_says_so(context: Context, folder: Path) -> None:
    hold(context, [row(1)])
    for ending in ENDINGS:
        path = folder / f"a.{ending}"
        assert (await exported(context, path, opened(context, ListQuery(text="zzz")))).rows == 0
    assert table(folder / "a.csv")[2] == sheets(folder / "a.xlsx")[2] == []
    assert document(folder / "a.json")[1] == document(folder / "a.ndjson")[1] == []


# --- the log --------------------------------------------------------------------------------------------------------


async def test_the_log_has_the_purpose_before_the_first_row_is_written(
    context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(context, [row(number) for number in range(3)])
    before: list[dict[str, Any]] = []
    begin = Writing.begin

    def begun(self: Writing) -> None:
        before.extend(events(context.store))
        assert left(folder) == []
        begin(self)

    monkeypatch.setattr(Writing, "begin", begun)
    await exported(context, folder / "a.csv")
    last = before[-1]
    assert (last["view"], last["subject"], last["rows"]) == ("list_export", f"{LIST}/{PERIOD}", 3)
    assert last["reason"] == PURPOSE
    assert ViewBody.model_validate(last).reason == PURPOSE


async def test_what_cannot_be_logged_does_not_leave(
    context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(context, [row(1)])
    reading = opened(context)

    def full(*_: object) -> int:
        raise StoreFull

    monkeypatch.setattr("kelmu_tui.store.views.log", full)
    with pytest.raises(StoreFull):
        await exported(context, folder / "a.csv", reading)
    assert left(folder) == []


def test_a_purpose_is_one_line_and_there_is_one() -> None:
    assert clean_purpose("  a \n b\t\x1b[2J ") == "a b \N{REPLACEMENT CHARACTER}[2J"
    assert clean_purpose("x" * 200) == "x" * 200
    for text in ("", "  \n", "x" * 201):
        with pytest.raises(InvalidPurpose):
            clean_purpose(text)


# --- what hinders it ------------------------------------------------------------------------------------------------


def test_the_ending_or_a_word_says_the_form() -> None:
    assert form_of(Path("A.XLSX")) is Form.XLSX
    assert form_of(Path("a"), "ndjson") is Form.NDJSON
    for path, given in ((Path("a"), None), (Path("a.txt"), None), (Path("a.csv"), "pdf")):
        with pytest.raises(NotSaved, match="ending"):
            form_of(path, given)


async def test_what_is_there_is_not_written_over_and_nothing_is_logged(context: Context, folder: Path) -> None:
    hold(context, [row(1)])
    reading = opened(context)
    there = folder / "a.csv"
    there.write_text("tärkeä")
    with pytest.raises(NotSaved, match="exists"):
        await exported(context, there, reading)
    assert there.read_text() == "tärkeä"
    assert [one["view"] for one in events(context.store)] == ["list_rows"]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_who_takes_the_name_meanwhile_keeps_it(context: Context, folder: Path, ending: str) -> None:
    hold(context, [row(number) for number in range(MANY)])
    path = folder / f"a.{ending}"

    def taken(*_: int) -> None:
        path.write_text("ensin")

    with pytest.raises(NotSaved, match="exists"):
        await exported(context, path, hear=taken)
    assert path.read_text() == "ensin"
    assert left(folder) == [path.name]


def _withdraw(context: Context) -> None:
    context.lists.withdrawn(published(MANY))


def _publish_anew(context: Context) -> None:
    hold(context, [row(1)], version=2)


def _close(context: Context) -> None:
    give(context.store, MANDATE)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("happens", "raised"), [(_withdraw, NotHere), (_publish_anew, NotHere), (_close, NotAllowed)])
async def test_a_list_that_goes_in_the_middle_leaves_nothing(
    context: Context, folder: Path, ending: str, happens: Callable[[Context], None], raised: type[Exception]
) -> None:
    hold(context, [row(number) for number in range(MANY)])
    once = iter((happens,))
    with pytest.raises(raised):
        await exported(context, folder / f"a.{ending}", hear=lambda *_: next(once, lambda _: None)(context))
    assert left(folder) == []


@pytest.mark.parametrize("ending", ENDINGS)
async def test_who_stops_it_finds_nothing(context: Context, folder: Path, ending: str) -> None:
    hold(context, [row(number) for number in range(MANY)])
    begun = asyncio.Event()
    task = asyncio.create_task(exported(context, folder / f"a.{ending}", hear=lambda *_: begun.set()))
    await begun.wait()
    assert len(left(folder)) > 0
    task.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(folder) == []


async def test_a_workbook_stops_while_it_is_put_together(
    context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(context, [row(number) for number in range(10)])
    loop, reached = asyncio.get_running_loop(), asyncio.Event()
    end = Writing.end
    stopped: list[bool] = []

    def ended(self: Writing) -> None:
        loop.call_soon_threadsafe(reached.set)
        waited = asyncio.run_coroutine_threadsafe(cancelled.wait(), loop)
        waited.result(60)
        try:
            end(self)
        except BaseException:
            stopped.append(True)
            raise

    cancelled = asyncio.Event()
    monkeypatch.setattr(Writing, "end", ended)
    task = asyncio.create_task(exported(context, folder / "a.xlsx"))
    await reached.wait()
    task.cancel()
    await asyncio.sleep(0)
    cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped == [True]
    assert left(folder) == []


@pytest.mark.parametrize("ending", ENDINGS)
async def test_what_is_given_up_at_its_very_end_is_gone_too(
    context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    hold(context, [row(number) for number in range(10)])
    loop, reached, given_up = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    end, stop = Writing.end, Writing.stop

    def ended(self: Writing) -> None:
        end(self)
        assert left(folder) == [f"a.{ending}"]
        loop.call_soon_threadsafe(reached.set)
        assert given_up.wait(60)

    def stops(self: Writing) -> None:
        stop(self)
        given_up.set()

    monkeypatch.setattr(Writing, "end", ended)
    monkeypatch.setattr(Writing, "stop", stops)
    task = asyncio.create_task(exported(context, folder / f"a.{ending}"))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(folder) == []


# --- the undisclosed ------------------------------------------------------------------------------------------------


async def test_the_undisclosed_say_so_and_have_no_place(context: Context, folder: Path) -> None:
    hold(context, [row(0), row(1, non_disclosure=True, address="Piilotie 1", municipality="536")])
    for ending in ENDINGS:
        await exported(context, folder / f"a.{ending}", full=True)
        data = (folder / f"a.{ending}").read_bytes()
        assert b"Piilotie" not in data
    _, headings, rows = table(folder / "a.csv")
    said = dict(zip(headings, rows[1], strict=True))
    assert (said["Osoite"], said["Kotikunta"], said["Turvakielto"]) == ("turvakielto", "", "kyllä")
    assert rows[0][headings.index("Turvakielto")] == ""
    hidden = document(folder / "a.json")[1][1]
    assert (hidden["non_disclosure"], hidden["address"], hidden["municipality"]) == (True, None, None)


def _municipal(number: int, municipality: str, *, hidden: bool) -> dict[str, Any]:
    found = row(number, municipality=municipality, non_disclosure=hidden)
    return {name: value for name, value in found.items() if name not in ("address", "reached_on")}


PEOPLE = [
    _municipal(number, municipality, hidden=hidden)
    for number, (municipality, hidden) in enumerate(
        [("837", False), ("837", True), ("536", False), ("536", True), ("980", False)]
    )
]


async def test_neither_filter_nor_order_tells_where_the_undisclosed_live(municipal: Context, folder: Path) -> None:
    hold(municipal, PEOPLE, list_=MUNICIPAL)
    whole = opened(municipal, list_=MUNICIPAL)
    await exported(municipal, folder / "whole.json", whole)
    rows = document(folder / "whole.json")[1]
    assert [one["municipality"] for one in rows] == ["837", None, "536", None, "980"]

    chosen = opened(municipal, ListQuery(municipality="837"), list_=MUNICIPAL)
    done = await exported(municipal, folder / "chosen.csv", chosen)
    head_lines, _, lines = table(folder / "chosen.csv")
    assert (done.rows, done.left_out, len(lines)) == (1, 1, 1)
    assert head_lines["Rivejä"] == "1"
    assert head_lines["Jätetty pois"].startswith("1 turvakiellon alainen rivi")
    assert events(municipal.store)[-1]["rows"] == 1
    marked = frozenset(one["id"] for one in PEOPLE)
    assert (await exported(municipal, folder / "marked.json", chosen, ids=marked)).left_out == 1

    for descending in (False, True):
        query = ListQuery((SortKey("municipality", descending),))
        path = folder / f"{descending}.json"
        await exported(municipal, path, opened(municipal, query, list_=MUNICIPAL))
        hidden = [one["non_disclosure"] for one in document(path)[1]]
        assert hidden == [False, False, False, True, True]


@pytest.mark.parametrize("full", [False, True])
async def test_codes_are_whole_only_when_asked_for_in_the_filter_too(
    context: Context, folder: Path, full: bool
) -> None:
    hold(context, [row(1)])
    for ending in ENDINGS:
        path = folder / f"a.{ending}"
        await exported(context, path, opened(context, ListQuery(text="000001-900X aino")), full=full)
        told = repr(sheets(path)) if ending == "xlsx" else path.read_text(encoding="utf-8")
        assert ("000001-900X" in told) is full
        assert "aino" in told
        assert full or "******-*00X" in told


async def test_units_stay_small_and_nobody_waits_between_them(context: Context, folder: Path) -> None:
    """Rows are asked for a page at a time, and the store is free between two pages."""
    hold(context, [row(number) for number in range(MANY)])
    asked: list[int] = []

    async def counted(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        found = await run(function, *args, **kwargs)
        if isinstance(found, list):
            asked.append(len(found))
        return found

    await exported(context, folder / "a.csv", using=counted)
    assert asked == [500, 500, 203, 0]
