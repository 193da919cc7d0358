"""Frame, sheets, lists to pick from and fields, each on a bare screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widget import Widget

from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import (
    Caption,
    HintLine,
    KeyHint,
    MessageBar,
    Remark,
    Section,
    Top,
    TopLine,
    title_rule,
)
from kelmu_tui.widgets.glyphs import ASCII, UNICODE
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.sheet import Block, Field, Gap, Heading, Paragraph, Sheet, Spans
from kelmu_tui.widgets.text_field import LineField
from tests.widgets.support import Recorder, gone, picture, shows, until

HOSTILE = "[b]x[/] \x1b[2J\x1b]0;t\x07 \u202eevil"
TOP = Top(
    title="Pirkanmaan hyvinvointialue",
    sign="●",
    connection="synkronoitu 12:04",
    role="good",
    queue="↑2",
    conflicts="×1",
    language="FI",
    sections=(Section("1", "Saapuneet", "42", active=True), Section("6", "Lähetetyt"), Section("7", "Tiedotteet")),
)


class Bare(App[None]):
    """Widgets one below the other."""

    def __init__(self, make: Callable[[], Iterable[Widget]], **options: Any) -> None:
        super().__init__(**options)
        self._make = make

    def compose(self) -> ComposeResult:
        yield from self._make()

    def on_mount(self) -> None:
        self.theme = "ansi-dark"


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
async def test_the_top_lines_fit_every_width(width: int) -> None:
    app = Bare(lambda: [TopLine()])
    async with app.run_test(size=(width, 8)) as pilot:
        app.query_one(TopLine).show(TOP)
        await shows(pilot, "Pirkan", "1 Saapuneet 42")
        lines = picture(app)
        assert all(len(line) == width for line in lines)
        assert "FI" in lines[0]
        assert "●" in lines[0]
        assert ("synkronoitu" in lines[0]) == (width >= 50)
        assert "↑2" in lines[0]
        assert ("Tiedotteet" in lines[1]) == (width >= 60)


async def test_only_the_line_that_changed_is_painted() -> None:
    app = Bare(lambda: [TopLine()], driver_class=Recorder)
    async with app.run_test(size=(80, 8), headless=False) as pilot:
        line = app.query_one(TopLine)
        line.show(TOP)
        await shows(pilot, "Saapuneet")
        await pilot.pause()
        Recorder.take()
        line.show(TOP)
        await pilot.pause()
        assert Recorder.take() == ""
        line.show(TOP._replace(connection="synkronoitu 12:05"))
        await until(pilot, lambda: Recorder.written)
        await pilot.pause()
        assert 0 < len(Recorder.take()) < 200


async def test_a_message_stands_in_the_rule_wraps_and_goes() -> None:
    app = Bare(lambda: [MessageBar(), HintLine()])
    async with app.run_test(size=(40, 8)) as pilot:
        bar = app.query_one(MessageBar)
        await until(pilot, lambda: picture(app)[0] == "─" * 40)
        bar.say(Remark("Kaksi siirretty.", "good", "u kumoa"), seconds=None)
        await shows(pilot, "Kaksi siirretty.", "u kumoa")
        bar.say(Remark("pitkä " * 30 + HOSTILE), seconds=None)
        await until(pilot, lambda: bar.size.height == 3)
        assert "\x1b" not in "".join(picture(app))
        bar.clear()
        await until(pilot, lambda: bar.size.height == 1 and picture(app)[0] == "─" * 40)
        bar.say(Remark("hetki"), seconds=0.01)
        await until(pilot, lambda: bar.message is None)


async def test_hints_end_with_the_number_of_the_rest() -> None:
    app = Bare(lambda: [HintLine()])
    async with app.run_test(size=(40, 4)) as pilot:
        app.query_one(HintLine).show([KeyHint("t", "siirrä"), KeyHint("a", "ota", usable=False)], "+6")
        await shows(pilot, "t siirrä  a ota")
        assert picture(app)[0].rstrip().endswith("+6")


def test_a_title_rule_fills_its_width_and_is_cut() -> None:
    for glyphs in (UNICODE, ASCII):
        for width in (10, 20, 80):
            line = title_rule("Sosiaalityön tarve", width, glyphs, right="+3")
            assert sum(len(text) for text, _ in line) == width


async def test_a_sheet_wraps_scrolls_and_says_how_much_is_left() -> None:
    app = Bare(lambda: [Sheet()])
    async with app.run_test(size=(40, 8)) as pilot:
        sheet = app.query_one(Sheet)
        blocks: list[Block] = [
            Heading("Otsikko"),
            Field("Nimi", HOSTILE),
            Field("Kotitalous", "yksi\nkaksi"),
            Spans((("aaa", "strong"), ("  bbb", ""), ("  " + "c" * 50, "warn"))),
            Gap(),
            *(Paragraph(f"rivi {number}", indent=2) for number in range(10)),
        ]
        sheet.show(blocks, title="Ilmoitus")
        await shows(pilot, "Ilmoitus", "[b]x[/]", "kaksi")
        assert "+" in picture(app)[0]
        assert "\x1b" not in "".join(picture(app))
        sheet.scroll_pages(1)
        await gone(pilot, "Otsikko")
        sheet.scroll_lines(100)
        await shows(pilot, "rivi 9")
        assert "+" not in picture(app)[0]
        sheet.show(blocks, title="Ilmoitus", keep=True)
        assert sheet.offset_lines > 0
        sheet.show(blocks[:2], title="Ilmoitus")
        await shows(pilot, "Otsikko")


async def test_a_sheet_paints_only_the_lines_that_differ() -> None:
    app = Bare(lambda: [Sheet()], driver_class=Recorder)
    async with app.run_test(size=(80, 20), headless=False) as pilot:
        sheet = app.query_one(Sheet)
        lines = [Paragraph(f"rivi {number} " + "x" * 50) for number in range(15)]
        sheet.show(lines)
        await shows(pilot, "rivi 14")
        await pilot.pause()
        Recorder.take()
        sheet.show([*lines[:7], Paragraph("muuttui"), *lines[8:]], keep=True)
        await shows(pilot, "muuttui")
        await pilot.pause()
        assert 0 < len(Recorder.take()) < 150


async def test_a_pick_list_narrows_points_and_keeps_its_key() -> None:
    app = Bare(lambda: [PickList((Column("n", "", 10, most=20), Column("h", "", 10, drop=1)), empty="ei mitään")])
    pointed: list[str | None] = []
    async with app.run_test(size=(60, 4)) as pilot:
        picks = app.query_one(PickList)
        choices = [Choice(str(n), (name, "alue"), "") for n, name in enumerate(("Nokia", "Ylöjärvi", "Ypäjä", "Oulu"))]
        picks.offer(choices)
        await shows(pilot, "Nokia")
        picks.move(1)
        picks.offer([*choices, Choice("9", ("Akaa", "alue"))])
        assert picks.current is not None
        pointed.append(picks.current.key)
        picks.search("yp")
        assert [choice.key for choice in picks.matches] == ["2"]
        picks.search("zz")
        await shows(pilot, "ei mitään")
        picks.search("")
        picks.move(10)
        await shows(pilot, "Akaa")
        picks.move(-10)
        await shows(pilot, "Nokia")
    assert pointed == ["1"]


async def test_fields_take_no_control_characters_and_cut_instead_of_refusing() -> None:
    app = Bare(lambda: [LineField(max_length=10), BlockField(limit=12, breaks=True), Caption("x", right="1/2")])
    async with app.run_test(size=(60, 10)) as pilot:
        line, block = app.query_one(LineField), app.query_one(BlockField)
        line.focus()
        await pilot.pause()
        app.post_message(events.Paste("ab\x1b[2Jc\ndefghijklmn"))
        await until(pilot, lambda: len(line.value) == 10)
        assert "\x1b" not in line.value
        assert "\n" not in line.value
        block.focus()
        await pilot.pause()
        app.post_message(events.Paste("yksi\r\nkaksi\x07kolme"))
        await until(pilot, lambda: block.text.startswith("yksi\nkaksi"))
        assert len(block.text) == 12
        await pilot.press("x", "enter")
        assert len(block.text) == 12
        await pilot.press("backspace", "y")
        assert block.text.endswith("y")


async def test_fields_never_blink() -> None:
    app = Bare(lambda: [LineField("abc"), BlockField("abc", limit=9, breaks=False)], driver_class=Recorder)
    async with app.run_test(size=(60, 10), headless=False) as pilot:
        for field in (app.query_one(LineField), app.query_one(BlockField)):
            field.focus()
            await pilot.pause()
            assert field.cursor_blink is False
