"""Lines that are taken as they are painted look as Textual would have made them, and no line is painted in vain."""

from __future__ import annotations

from typing import ClassVar

import pytest
from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip

from kelmu_tui.terminal.filter import SafeText
from kelmu_tui.widgets.line_cache import LineCache
from kelmu_tui.widgets.painted import Roled

WIDTH, HEIGHT = 30, 6


class Lines(Roled):
    """Lines of three roles, the second with what may not travel; it counts what is painted."""

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.painted: list[int] = []
        self.word = "ääkköset"

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        evil = "\x1b]0;x\x07" if y == 1 else ""
        return self.strip([(f"{y} {self.word} ", "plain"), (evil + "日本", "dim"), ("!", "alarm")], self.size.width)


class Page(App[None]):
    """A widget with nothing around its lines, and one with a border and padding."""

    CSS: ClassVar[str] = f"""
    Lines {{ width: {WIDTH}; height: {HEIGHT}; background: #203040; }}
    #framed {{ border: solid green; padding: 0 1; }}
    """

    def compose(self) -> ComposeResult:
        yield Lines("bare")
        yield Lines("framed")

    def get_line_filters(self) -> list[LineFilter]:
        return [SafeText()]


def segments(strips: list[Strip]) -> list[list[Segment]]:
    return [list(strip) for strip in strips]


def painted_by(cache: StylesCache, widget: Lines, crop: Region) -> list[Strip]:
    widget._styles_cache = cache
    return widget.render_lines(crop)


@pytest.mark.parametrize("which", ["bare", "framed"])
@pytest.mark.parametrize(
    "crop", [Region(0, 0, WIDTH, HEIGHT), Region(0, 2, WIDTH, 3), Region(5, 1, 9, 4)], ids=["whole", "lines", "columns"]
)
async def test_lines_look_as_textual_makes_them(which: str, crop: Region) -> None:
    async with (app := Page()).run_test():
        widget = app.query_one(f"#{which}", Lines)
        assert isinstance(widget._styles_cache, LineCache)
        ours, theirs = painted_by(LineCache(), widget, crop), painted_by(StylesCache(), widget, crop)
        assert segments(ours) == segments(theirs)
        assert [strip.cell_length for strip in ours] == [crop.width] * crop.height
        assert "\x1b" not in "".join(segment.text for line in segments(ours) for segment in line)


async def test_a_line_is_painted_anew_when_it_is_said_to_have_changed_and_only_then() -> None:
    async with (app := Page()).run_test():
        widget, whole = app.query_one("#bare", Lines), Region(0, 0, WIDTH, HEIGHT)
        before = segments(painted_by(LineCache(), widget, whole))
        widget.painted.clear()
        assert segments(widget.render_lines(whole)) == before
        assert widget.painted == []
        widget.word = "sanat"
        widget._styles_cache.set_dirty(Region(0, 3, WIDTH, 1))
        after = segments(widget.render_lines(whole))
        assert widget.painted == [3]
        assert [y for y in range(HEIGHT) if after[y] != before[y]] == [3]
        widget.refresh()
        widget.render_lines(whole)
        assert widget.painted == [3, *range(HEIGHT)]


async def test_a_width_of_its_own_for_each_painting() -> None:
    async with (app := Page()).run_test() as pilot:
        widget = app.query_one("#bare", Lines)
        widget.styles.width = WIDTH - 10
        await pilot.pause()
        lines = widget.render_lines(Region(0, 0, WIDTH - 10, HEIGHT))
        assert [strip.cell_length for strip in lines] == [WIDTH - 10] * HEIGHT
