"""A screen of a short list with an explanation of the row under the cursor: outbox, announcements, organisations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from textual import on
from textual.containers import Container
from textual.widget import Widget

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.filtering import FilterBar, Filtering
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.chrome import ViewLine
from kelmu_tui.widgets.fuzzy import score
from kelmu_tui.widgets.list_source import ListSource
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Sheet

Row = TypeVar("Row")
Result = TypeVar("Result")


class ListScreen(Filtering[Result], Generic[Row, Result]):
    """The list above, the explanation below; subclasses say what the rows are and how they look."""

    def __init__(self) -> None:
        super().__init__()
        self._all: tuple[Row, ...] = ()
        self._matching: tuple[Row, ...] = ()
        self._text = ""
        self._explained: str | None = None

    def body(self) -> Iterable[Widget]:
        """Return the list and the explanation."""
        rows: RowList[Row] = RowList(
            self.columns(),
            self.cells,
            flag=self.flag,
            glyphs=self.face.glyphs,
            on_failure=self.face.task_failed,
            id="rows",
        )
        yield ViewLine()
        yield FilterBar()
        yield Container(rows, Sheet(glyphs=self.face.glyphs, id="preview", can_focus=False), id="split")

    def columns(self) -> Sequence[Column]:
        """Return the columns in the language of now."""
        raise NotImplementedError

    def cells(self, row: Row) -> Mapping[str, Cell]:
        """Return the cells of a row."""
        raise NotImplementedError

    def flag(self, row: Row) -> Cell:
        """Return the sign before a row."""
        del row
        return Cell(" ")

    def key(self, row: Row) -> str:
        """Return the identity of a row."""
        raise NotImplementedError

    def explain(self, row: Row) -> Iterable[Block]:
        """Return what is to be said of the row under the cursor."""
        del row
        return ()

    def explanation_title(self, row: Row) -> str:
        """Return the title of the explanation."""
        del row
        return ""

    def explain_nothing(self) -> Iterable[Block]:
        """Return what is to be said while there is no row."""
        return ()

    def remarks(self) -> Sequence[Piece]:
        """Return what stands at the end of the line above the list."""
        return ()

    def empty_text(self) -> str:
        """Return what stands in place of rows."""
        return ""

    async def fetch(self) -> Sequence[Row]:
        """Read the rows."""
        raise NotImplementedError

    def mounted(self) -> None:
        """Read and show the rows."""
        super().mounted()
        self.set_focus(self.rows)
        self.reload()

    def reload(self) -> None:
        """Read the rows again; the cursor stays on its row."""
        self.face.spawn("list.reload", self._reload())

    async def _reload(self) -> None:
        self._all = tuple(await self.fetch())
        if self.alive:
            self._narrow(keep=True)

    def _narrow(self, *, keep: bool, at: str | None = None) -> None:
        """Show the rows whose cells hold the words of the filter, at the row `at` when it is there."""
        self._matching = self._all if not self._text.strip() else tuple(filter(self._matches, self._all))
        self.rows.show(ListSource(self._matching, self.key), keep=keep, at=at)

    def _matches(self, row: Row) -> bool:
        return score(self._text, " ".join(cell.text for cell in self.cells(row).values())) > 0

    # --- the filter -------------------------------------------------------------------------------------------------

    @property
    def context(self) -> Context:
        """While a filter is typed, letters are text."""
        return Context.FILTER if self.filtering else self.CONTEXT

    def doers(self) -> tuple[object, ...]:
        """Return who knows how to do the actions: the list does the moving and marking."""
        return (self, self.rows, self.face)

    def state(self) -> State:
        """Return what decides over the actions: the marked rows or the one under the cursor."""
        return self.face.state(selected=len(self.rows.targets) if self.alive else 0)

    def filter_text(self) -> str:
        """Return the filter in force."""
        return self._text

    def apply_filter(self, text: str, *, keep: bool = False) -> None:
        """List only what `text` finds."""
        if text != self._text:
            self._text = text
            self._narrow(keep=keep)
            self._update_view()

    def filter_toggled(self) -> None:
        """Show which keys work now."""
        self._update_view()
        self.update_hints()

    def heading(self) -> str:
        """Return what the list is called."""
        return ""

    def _update_view(self) -> None:
        t, rows = self.face.t, self.rows
        number = t.formats.number
        counts = f"{number(rows.count)}/{number(len(self._all))}" if self._text else number(len(self._all))
        left = [(self.heading(), "strong"), (f"  {counts}", "")]
        if self._text and not self.filtering:
            left.append((f"   /{self._text}", "accent"))
        right = [(t("inbox.marked", count=len(rows.marks)), "marked")] if rows.marks else list(self.remarks())
        self.query_one(ViewLine).show(left, right)

    # --- texts ------------------------------------------------------------------------------------------------------

    def retranslate(self) -> None:
        """Render everything in the language of now."""
        super().retranslate()
        t = self.face.t
        self.rows.set_columns(self.columns())
        self.rows.set_texts(loading=t("common.loading"), empty=self.empty_text(), failed=t("common.reading_failed"))
        self._update_view()
        self._explain()

    @on(RowList.Changed)
    @on(RowList.Moved)
    def _row_changed(self) -> None:
        if not self.alive:
            return
        self._update_view()
        self._explain()
        self.update_hints()

    def _explain(self) -> None:
        row: Any = self.rows.current
        sheet = self.query_one("#preview", Sheet)
        before, self._explained = self._explained, self.rows.current_key
        if row is None:
            sheet.show(self.explain_nothing())
        else:
            # What is being read must not jump back to its beginning because something else in the list moved on.
            keep = before == self._explained
            sheet.show(self.explain(row), title=self.explanation_title(row), keep=keep)

    # --- moving -----------------------------------------------------------------------------------------------------

    def action_app_back(self) -> None:
        """Unmark, drop the filter, or leave the screen, unless there is nothing else to go back to."""
        if self.rows.marks:
            self.rows.clear_marks()
        elif self._text:
            self.apply_filter("", keep=True)
        elif self.face.desk is not None and self.face.screen_stack[1:2] == [self]:
            self.say(self.face.t("common.quit_hint", key=self.key_text("app.quit")))
        else:
            self.dismiss(None)
