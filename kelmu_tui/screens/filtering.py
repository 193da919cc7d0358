"""The instant filter of a list: a field that opens above it and narrows it while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from textual.containers import Horizontal
from textual.timer import Timer

from kelmu_tui.screens.base import FramedScreen
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual.widgets import Input

    from kelmu_tui.widgets.text_field import LineField

FILTER_SECONDS: Final = 0.02
"""The list follows the typing at this distance, so that a fast word is one reading and not five."""
MAX_FILTER: Final = 100

Result = TypeVar("Result")


class FilterBar(Horizontal):
    """The field with its sign; it takes no room while it is closed, and is made when it is first opened."""

    DEFAULT_CSS = """
    FilterBar { display: none; height: 1; }
    FilterBar.-open { display: block; }
    FilterBar > Caption { width: 2; margin: 0 0 0 1; }
    """

    async def open(self, value: str, hint: str) -> None:
        """Let a filter be typed, beginning with `value`."""
        from kelmu_tui.widgets.text_field import LineField

        if not self.children:
            await self.mount(Caption("/", role="key"), LineField(id="filter", max_length=MAX_FILTER))
        field = self.query_one(LineField)
        field.value, field.placeholder = value, hint
        field.cursor_position = len(value)
        self.add_class("-open")
        self.screen.set_focus(field)


class Filtering(FramedScreen[Result]):
    """A screen with a `RowList(id="rows")` and a `FilterBar`."""

    filtering = False
    _filter_timer: Timer | None = None

    @property
    def rows(self) -> RowList[Any]:
        """The list."""
        return self.query_one("#rows", RowList)

    def filter_text(self) -> str:
        """Return the filter in force."""
        raise NotImplementedError

    def apply_filter(self, text: str, *, keep: bool = False) -> None:
        """List only what `text` finds."""
        raise NotImplementedError

    def filter_toggled(self) -> None:
        """The field was opened or closed."""
        raise NotImplementedError

    def filter_hint(self) -> str:
        """Return what stands in the empty field."""
        return self.face.t("common.filter_hint")

    @property
    def _field(self) -> LineField:
        from kelmu_tui.widgets.text_field import LineField

        return self.query_one("#filter", LineField)

    async def action_list_filter(self) -> None:
        """Type words that the rows must contain."""
        self.filtering = True
        await self.query_one(FilterBar).open(self.filter_text(), self.filter_hint())
        self.filter_toggled()

    def retranslate(self) -> None:
        """Render the frame and the filter in the language of now."""
        super().retranslate()
        if self.filtering:
            self._field.placeholder = self.filter_hint()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Follow the typing."""
        if event.input.id == "filter" and self.filtering:
            if self._filter_timer is not None:
                self._filter_timer.stop()
            self._filter_timer = self.set_timer(FILTER_SECONDS, self._follow)

    def _follow(self) -> None:
        if self.filtering and self.alive:
            self.apply_filter(self._field.value.strip())

    def action_dialog_accept(self) -> None:
        """Keep the filter and go back to the list."""
        self._follow()
        self._close()

    def action_dialog_cancel(self) -> None:
        """Drop the filter."""
        self._close()
        self.apply_filter("", keep=True)

    def action_dialog_clear(self) -> None:
        """Empty the filter."""
        self._field.value = ""

    def _close(self) -> None:
        self.filtering = False
        self.query_one(FilterBar).remove_class("-open")
        self.set_focus(self.rows)
        self.filter_toggled()
