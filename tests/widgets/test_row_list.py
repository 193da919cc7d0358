"""RowList on a result in memory that counts how it is read and can be held back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.row_reader import ListState
from tests.widgets.support import Recorder, picture, shows, until


@dataclass(frozen=True)
class Item:
    """A row: sorted by `number`."""

    number: int
    text: str


@dataclass
class Items:
    """A sorted result in memory."""

    items: list[Item]
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reads: int = 0
    counts: int = 0
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    def key(self, row: Item) -> str:
        return f"k{row.number}"

    async def page(
        self, limit: int, *, after: Item | None = None, before: Item | None = None, last: bool = False
    ) -> Sequence[Item]:
        await self.gate.wait()
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        if after is not None:
            return [item for item in self.items if item.number > after.number][:limit]
        if before is not None:
            return [item for item in self.items if item.number < before.number][-limit:]
        return self.items[-limit:] if last else self.items[:limit]

    async def find(self, keys: Sequence[str]) -> Sequence[Item]:
        await self.gate.wait()
        wanted = set(keys)
        return [item for item in self.items if self.key(item) in wanted]

    async def count(self) -> int:
        self.counts += 1
        return len(self.items)


COLUMNS = (
    Column("number", "Number", 8, align="right"),
    Column("text", "Text", 20, most=40),
    Column("extra", "Extra", 12, drop=1),
)


def numbers(count: int, step: int = 10) -> list[Item]:
    return [Item(n * step, f"row {n * step}") for n in range(count)]


class ListApp(App[None]):
    """One list and nothing else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "list_down"),
        Binding("k", "list_up"),
        Binding("pagedown", "list_page_down"),
        Binding("pageup", "list_page_up"),
        Binding("g", "list_top"),
        Binding("G", "list_bottom"),
        Binding("x", "list_mark"),
        Binding("X", "list_mark_range"),
        Binding("asterisk", "list_mark_all"),
        Binding("enter", "list_open"),
    ]

    def __init__(self, source: Items, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.source = source
        self.failures: list[BaseException] = []
        self.heard: list[tuple[str, str | None]] = []

    def compose(self) -> ComposeResult:
        yield RowList(
            COLUMNS,
            lambda row: {
                "number": Cell(str(row.number), "dim"),
                "text": Cell(row.text),
                "extra": Cell("extra", "warn"),
            },
            flag=lambda row: Cell("!", "alarm") if row.number % 30 == 0 else Cell(" "),
            on_failure=lambda _name, failure: self.failures.append(failure),
        )

    def on_mount(self) -> None:
        self.theme = "ansi-dark"
        self.list.set_texts(loading="wait", empty="nothing", failed="broken")
        self.list.show(self.source)

    @property
    def list(self) -> RowList[Item]:
        return self.query_one(RowList)

    def on_row_list_moved(self, message: RowList.Moved) -> None:
        self.heard.append(("moved", message.key))

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        self.heard.append(("opened", message.key))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("action_list_"):
            return getattr(self.list, name)
        raise AttributeError(name)


async def ready(pilot: Any) -> RowList[Item]:
    rows: RowList[Item] = pilot.app.list
    await until(pilot, lambda: rows.state is ListState.READY and not rows.busy, "the list")
    await pilot.pause()
    return rows


async def test_shows_rows_below_a_header_and_opens_the_one_under_the_cursor() -> None:
    app = ListApp(Items(numbers(100)))
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        lines = picture(app)
        assert "Number" in lines[0]
        assert lines[1].startswith("▌ !")
        assert "row 0" in lines[1]
        assert "row 220" in lines[23]
        await pilot.press("j", "enter")
        await until(pilot, lambda: ("opened", "k10") in app.heard)
        assert rows.count == 100


@pytest.mark.parametrize("count", [100, 100_000])
async def test_reads_a_few_pieces_however_long_the_result_is(count: int) -> None:
    source = Items(numbers(count))
    app = ListApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        assert source.reads <= 3
        assert len(rows.rows) <= 300
        assert rows.count == count


async def test_moving_reads_nothing_from_the_source_and_never_waits() -> None:
    source = Items(numbers(5000))
    app = ListApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        source.gate.clear()
        for _ in range(30):
            await pilot.press("j")
        assert where(rows) == "k300"
        source.gate.set()


async def test_steps_beyond_the_rows_at_hand_are_taken_when_they_arrive() -> None:
    source = Items(numbers(5000))
    app = ListApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        at_hand = len(rows.rows)
        source.gate.clear()
        for _ in range(at_hand // 20):
            await pilot.press("pagedown")
        source.gate.set()
        await until(pilot, lambda: not rows.busy)
        steps = at_hand // 20 * 22
        assert steps > at_hand
        assert where(rows) == f"k{steps * 10}"


async def test_the_window_is_bounded_and_both_ends_are_reached() -> None:
    source = Items(numbers(4000))
    app = ListApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        for _ in range(100):
            await pilot.press("pagedown")
            await until(pilot, lambda: not rows.busy)
        assert where(rows) == "k22000"
        assert len(rows.rows) <= 1300
        await pilot.press("G")
        await until(pilot, lambda: where(rows) == "k39990")
        await pilot.press("g")
        await until(pilot, lambda: where(rows) == "k0")
        await pilot.press("k")
        assert where(rows) == "k0"


async def test_new_rows_are_counted_and_shown_only_when_asked() -> None:
    source = Items(numbers(100))
    app = ListApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        await pilot.press(*"jjjjj")
        before = picture(app)
        source.items = sorted([*source.items, Item(5, "new a"), Item(55, "new b"), Item(2000, "new c")], key=_number)
        rows.update()
        await until(pilot, lambda: rows.fresh == 3)
        await pilot.pause()
        assert picture(app) == before
        rows.update()
        await until(pilot, lambda: not rows.busy)
        assert rows.fresh == 3
        rows.reveal()
        await shows(pilot, "new a", "new b")
        assert rows.fresh == 0
        assert where(rows) == "k50"
        assert rows.count == 103


async def test_rows_that_leave_give_the_cursor_to_the_next_and_changed_rows_show_their_change() -> None:
    source = Items(numbers(60))
    app = ListApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        await pilot.press(*"jjj")
        source.items = [replace(i, text="other") if i.number == 40 else i for i in source.items if i.number != 30]
        rows.update()
        await shows(pilot, "other")
        assert where(rows) == "k40"
        assert rows.fresh == 0
        source.items = [item for item in source.items if item.number <= 20]
        rows.update()
        await until(pilot, lambda: where(rows) == "k20")
        source.items = []
        rows.update()
        await shows(pilot, "nothing")
        assert where(rows) is None
        assert ("moved", None) in app.heard


async def test_marks_are_kept_by_key_and_dropped_with_their_rows() -> None:
    source = Items(numbers(60))
    app = ListApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        assert targets(rows) == ["k0"]
        await pilot.press("x", "j", "j", "X")
        assert marked(rows) == {"k0", "k10", "k20", "k30"}
        source.items = [item for item in source.items if item.number != 10]
        rows.update()
        await until(pilot, lambda: marked(rows) == {"k0", "k20", "k30"})
        assert targets(rows) == ["k0", "k20", "k30"]
        await pilot.press("asterisk")
        await until(pilot, lambda: len(marked(rows)) == 59)
        await pilot.press("asterisk")
        assert not marked(rows)


async def test_a_resize_to_a_tiny_terminal_and_back_keeps_place_and_marks() -> None:
    app = ListApp(Items(numbers(500)))
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await ready(pilot)
        await pilot.press("x", "x", *["j"] * 38)
        await pilot.resize_terminal(40, 12)
        await until(pilot, lambda: rows.size.height == 12)
        await pilot.pause()
        assert any(line.startswith("▌") and "row 400" in line for line in picture(app))
        assert "Extra" not in picture(app)[0]
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: rows.size.height == 24)
        assert where(rows) == "k400"
        assert marked(rows) == {"k0", "k10"}


async def test_hostile_text_is_shown_literally_on_one_line() -> None:
    hostile = "[b]x[/] \x1b[2J\x1b]52;c;aGk=\x07 \u202eevil\nnext\ttab 日本語 👩‍👩‍👧 [@click=app.quit]y[/]"
    app = ListApp(Items([Item(1, hostile), Item(2, "a" * 500), Item(3, "")]))
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        lines = picture(app)
        assert "[b]x[/]" in lines[1]
        assert not any(character in "".join(lines) for character in "\x1b\x07\u202e\n\t")
        assert "…" in lines[2]
        assert all(len(strip) for strip in lines)


async def test_a_failed_reading_is_told_and_later_readings_recover() -> None:
    source = Items(numbers(5), failure=RuntimeError("no"))
    app = ListApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "broken")
        assert len(app.failures) == 1
        source.failure = None
        app.list.update()
        await shows(pilot, "row 40")


async def test_bytes_of_moves_and_pages_stay_within_the_budget() -> None:
    app = ListApp(Items(numbers(1000)), driver_class=Recorder)
    async with app.run_test(size=(80, 24), headless=False) as pilot:
        await ready(pilot)
        Recorder.take()
        await pilot.press("j")
        await until(pilot, lambda: Recorder.written)
        await pilot.pause()
        move = len(Recorder.take().encode())
        for _ in range(21):
            await pilot.press("j")
        await pilot.pause()
        Recorder.take()
        await pilot.press("j")
        await until(pilot, lambda: Recorder.written)
        await pilot.pause()
        scroll = len(Recorder.take().encode())
        await pilot.press("pagedown")
        await until(pilot, lambda: Recorder.written)
        await pilot.pause()
        page = len(Recorder.take().encode())
    assert (move <= 300, scroll <= 3500, page <= 4000) == (True, True, True), (move, scroll, page)


def where(rows: RowList[Item]) -> str | None:
    return rows.current_key


def marked(rows: RowList[Item]) -> set[str]:
    return set(rows.marks)


def targets(rows: RowList[Item]) -> list[str]:
    return list(rows.targets)


def _number(item: Item) -> int:
    return item.number
