"""The rows of one list: filter, several keys to sort by, sums, groups, marks, and from a row to the customer.

The list holds a window of the rows, so that a hundred thousand open as fast as a hundred. What is read is one copy:
when that is withdrawn, replaced or over, the screen says so and shows nothing of another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.widget import Widget

from kelmu_tui.actions import Context, State
from kelmu_tui.domain.lists import ColumnType, KelaList, read_period
from kelmu_tui.screens.arranging import Arranging
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.exports import Exports
from kelmu_tui.screens.filtering import FilterBar
from kelmu_tui.screens.list_people import look_up
from kelmu_tui.screens.list_words import copied_text, list_columns, period_text, progress_text, row_cells, sums_text
from kelmu_tui.screens.placed_source import PlacedSource
from kelmu_tui.screens.whole_codes import WholeCodes
from kelmu_tui.screens.words import municipality_name
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import NotHere, Reading
from kelmu_tui.store.database import Changed
from kelmu_tui.store.list_pages import Group, ListQuery, Totals
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.terminal import clipboard
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.chrome import Caption, ViewLine
from kelmu_tui.widgets.list_source import ListSource
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList


class ListRowsScreen(Arranging):
    """One period of a list."""

    CONTEXT: ClassVar[Context] = Context.LIST_ROWS
    SECTION: ClassVar[str] = "main.lists"
    LEADS_TO_CUSTOMER = True

    def __init__(self, desk: Desk, one: KelaList, period: str) -> None:
        super().__init__()
        self.desk = desk
        self.list = one
        self.period = period
        self.reading: Reading | None = None
        self.totals: Totals | None = None
        self._lost: NotHere | NotAllowed | None = None
        self._opening = False
        self._groups: tuple[str, list[Group]] | None = None
        self._codes = WholeCodes(self, lambda: self.rows.refresh())

    def body(self) -> Iterable[Widget]:
        """Return the head, the filter and the rows."""
        yield ViewLine()
        yield Caption("", role="dim", id="totals")
        yield FilterBar()
        rows: RowList[ListRow] = RowList(
            self._columns(),
            self._cells,
            flag=self._flag,
            glyphs=self.face.glyphs,
            on_failure=self.face.task_failed,
            id="rows",
        )
        yield rows

    def mounted(self) -> None:
        """Open the list."""
        super().mounted()
        self.set_focus(self.rows)
        self._open_wanted()

    @property
    def context(self) -> Context:
        """While a filter is typed, letters are text."""
        return Context.FILTER if self.filtering else Context.LIST_ROWS

    def doers(self) -> tuple[object, ...]:
        """Return who knows how to do the actions: the list does the moving and marking."""
        return (self, self.rows, self.face)

    def state(self) -> State:
        """Return what decides over the actions: the marked rows or the one under the cursor."""
        return self.face.state(selected=len(self.rows.targets) if self.alive else 0)

    # --- what is read -----------------------------------------------------------------------------------------------

    def _open_wanted(self) -> None:
        if not self._opening:
            self._opening = True
            self.face.spawn("lists.open", self._open())

    async def _open(self) -> None:
        """Open what is asked for now; what was asked for meanwhile comes next, and nothing in between."""
        opened: ListQuery | None = None
        try:
            while self.alive and self._lost is None and opened is not self.query_now:
                opened = self.query_now
                await self._open_one(opened)
        except (NotHere, NotAllowed) as problem:
            self._lose(problem)
        finally:
            self._opening = False

    async def _open_one(self, query: ListQuery) -> None:
        lists, before = self.desk.lists, self.reading
        same = before is not None and (before.query.text, before.query.municipality) == (query.text, query.municipality)
        if before is not None and same:
            reading = lists.resorted(before, *query.sort)
        else:
            reading = await self.desk.run(lists.open, self.list.id, self.period, query)
            if before is not None and before.copy.number != reading.copy.number:
                raise NotHere
        if query is not self.query_now or not self.alive:
            return
        self.reading = reading
        source: PlacedSource[ListRow] = PlacedSource(
            self.desk.run,
            lambda **where: lists.page(reading, **where),
            lambda ids: lists.find(reading, ids),
            reading.rows,
            self._lose,
        )
        self.rows.show(source, keep=before is not None)
        self._update_view()
        if not same:
            self.totals = None
            self._show_totals(reading, await self.desk.run(lists.totals, reading))

    def _show_totals(self, reading: Reading, totals: Totals) -> None:
        if self.alive and self.reading is reading:
            self.totals = totals
            self._update_view()

    def _lose(self, problem: NotHere | NotAllowed) -> None:
        """Show nothing any more: what was read is not here now."""
        if self._lost is None and self.alive:
            self._lost, self.reading, self.totals = problem, None, None
            self.rows.show(ListSource[ListRow]((), lambda row: row.id))
            self._say_texts()
            self._update_view()
            if not self._exports.tells_of((self.list.id, self.period)):  # which says more: that nothing was saved
                self.say(self._lost_text(), role="warn")

    def _lost_text(self) -> str:
        t = self.face.t
        return t("lists.not_any_more") if isinstance(self._lost, NotAllowed) else t("lists.gone")

    def update_frame(self) -> None:
        """Show how far an export is, now that the screen is seen."""
        super().update_frame()
        self._exports.told = self._update_view
        self._update_view()

    @property
    def _exports(self) -> Exports:
        return self.face.exports(self.desk)

    def store_changed(self, change: Changed) -> None:
        """Lists changed: see whether this one is still here."""
        if "list_view" in change.tables or not change.tables:
            self.views_changed()
        if not change.tables & {"list", "scope"} and change.tables:
            return
        if self.alive and self.reading is not None and (not change.keys or self.list.id in change.keys):
            self.rows.update()

    def change_query(self, query: ListQuery) -> None:
        """List something else; the cursor stays on its row when that is there too."""
        if query != self.query_now:
            self.query_now = query
            self._say_texts()
            self._update_view()
            self._open_wanted()

    # --- texts ------------------------------------------------------------------------------------------------------

    def retranslate(self) -> None:
        """Render every text in the language of now."""
        super().retranslate()
        self.rows.set_columns(self._columns())
        self._say_texts()
        self._update_view()

    def _columns(self) -> tuple[Column, ...]:
        return list_columns(self.list, self.face.t, self.columns_now)

    def arranged(self) -> None:
        """Show the columns and the view of now."""
        if self.alive:
            self.rows.set_columns(self._columns())
            self._update_view()

    def resized(self) -> None:
        """Other columns may have room."""
        super().resized()
        self.call_after_refresh(self.arranged)

    def _say_texts(self) -> None:
        t = self.face.t
        empty = t("lists.no_rows")
        if self._lost is not None:
            empty = self._lost_text()
        elif self.query_now.filtered:
            empty = t("lists.nothing_fits")
        self.rows.set_texts(loading=t("common.loading"), empty=empty, failed=t("common.reading_failed"))

    def _update_view(self) -> None:
        if not self.alive:
            return
        t, query = self.face.t, self.query_now
        # The name is the longest: it gives way to what else has to be known.
        left: list[Piece] = [(f"{period_text(self.period, t)}  ", ""), (self.list.name.get(t.language), "strong")]
        right: list[Piece] = []
        if self.view_text:
            right.append((f"  {self.view_text}", "strong"))
        progress = self._exports.progress((self.list.id, self.period))
        if progress is not None:
            right.append((f"  {progress_text(progress, t)}", "accent"))
        if query.municipality is not None:
            right.append((f"  {municipality_name(query.municipality, t.language)}", "accent"))
        if query.text and not self.filtering:
            right.append((f"  /{query.text}", "accent"))
        if self.rows.marks:
            right.append((f"  {t('inbox.marked', count=len(self.rows.marks))}", "marked"))
        self.query_one(ViewLine).show(left, right)
        self.query_one("#totals", Caption).show(f"  {self.face.glyphs.dot}  ".join(self._summary()))

    def _summary(self) -> Iterable[str]:
        """Yield how many rows there are, their sums, and how they are sorted."""
        t, reading = self.face.t, self.reading
        if reading is not None:
            number = t.formats.number
            if reading.query.filtered:
                yield t("lists.rows_of", shown=number(reading.rows), total=number(reading.copy.rows))
            else:
                yield t("lists.rows", count=reading.rows)
                yield t("lists.person_count", count=reading.copy.persons)
            if self.totals is not None:
                yield from sums_text(self.list, self.totals.sums, t)
        if self.query_now.sort:
            yield t("inbox.sorted_by", what=self.sorted_by(self.query_now.sort))
        fitting, chosen = self.rows.fitting, len(self.columns_now) or len(self.list.columns)
        if 0 < fitting < chosen:
            yield t("lists.columns_of", shown=fitting, total=chosen)

    def _cells(self, row: ListRow) -> dict[str, Cell]:
        return row_cells(self.list, row, self.face.t, codes=self._codes.shown)

    def _flag(self, row: ListRow) -> Cell:
        return Cell(self.face.glyphs.urgent, "warn") if row.non_disclosure else Cell(" ")

    @on(RowList.Changed)
    @on(RowList.Moved)
    def _rows_changed(self) -> None:
        if self.alive:
            self._update_view()
            self.update_hints()

    # --- the filter -------------------------------------------------------------------------------------------------

    def filter_hint(self) -> str:
        """Return what can be filtered by."""
        return self.face.t("lists.filter_hint")

    def filter_text(self) -> str:
        """Return the words of the filter."""
        return self.query_now.text

    def apply_filter(self, text: str, *, keep: bool = False) -> None:
        """List the rows that have words beginning so."""
        del keep
        self.change_query(replace(self.query_now, text=text))

    def filter_toggled(self) -> None:
        """Show which keys work now."""
        self._update_view()
        self.update_hints()

    # --- actions ----------------------------------------------------------------------------------------------------

    @on(RowList.Opened)
    def _opened(self) -> None:
        row: ListRow | None = self.rows.current
        if row is not None:
            look_up(self, self.list, row)

    def action_lists_groups(self) -> None:
        """Show how many rows each municipality has, and choose one."""
        if not any(one.type is ColumnType.MUNICIPALITY for one in self.list.columns):
            self.say(self.face.t("lists.no_municipalities"), role="warn")
        elif self.reading is not None:
            self.face.spawn("lists.groups", self._choose_group(self.reading))

    async def _choose_group(self, reading: Reading) -> None:
        from kelmu_tui.screens.choose import ChooseScreen
        from kelmu_tui.screens.list_choices import municipality_choices

        t, text = self.face.t, reading.query.text
        if reading.query.municipality is None or self._groups is None or self._groups[0] != text:
            try:
                self._groups = (text, await self.desk.run(self.desk.lists.groups, reading))
            except (NotHere, NotAllowed) as problem:
                self._lose(problem)
                return
        if not self.alive or not self.is_current:
            return
        choices = municipality_choices(self.list, self._groups[1], t)

        def chosen(key: str | None) -> None:
            if key is not None:
                self.change_query(replace(self.query_now, municipality=key or None))

        current = self.query_now.municipality or ""
        self.face.push_screen(ChooseScreen(t("lists.choose_municipality"), choices, current, wide=True), chosen)

    def action_lists_copy(self) -> None:
        """Hand the marked rows, or the one under the cursor, to the terminal's clipboard."""
        if self.reading is not None:
            self.face.spawn("lists.copy", self._copy(self.reading, self.rows.targets))

    async def _copy(self, reading: Reading, ids: tuple[str, ...]) -> None:
        t, lists = self.face.t, self.desk.lists
        try:
            text = copied_text(self.list, await self.desk.run(lists.find, reading, ids), t, self.columns_now)
            clipboard.sequence(text)  # what would not arrive does not leave and is not logged
            await self.desk.run(lists.leaving, reading, "list_copy", len(ids))
        except clipboard.TooLong:
            self.say(t("customer_view.too_long"), role="warn")
        except (NotHere, NotAllowed) as problem:
            self._lose(problem)
        else:
            self.face.send_copy(text)
            self.say(t("customer_view.sent"), role="good")

    def action_lists_export(self) -> None:
        """Export the marked rows, or all that are listed, to a file; or stop that."""
        if self.reading is not None:
            from kelmu_tui.screens.export_list import export_rows

            export_rows(self.face, self._exports, self.reading, self.rows.marks, self.shown_columns)

    def action_lists_code(self) -> None:
        """Show the identity codes whole for a while, or hide them again."""
        self._codes.toggle()

    def action_lists_compare(self) -> None:
        """Hold the period against the one before it."""
        from kelmu_tui.screens.differences import DifferencesScreen

        before = read_period(self.period).next(-1).key
        self.face.push_screen(DifferencesScreen(self.desk, self.list, before, self.period))

    def action_app_back(self) -> None:
        """Undo step by step: an export, the marks, the filter; then leave."""
        if self._exports.cancel((self.list.id, self.period)):
            return
        if self.rows.marks:
            self.rows.clear_marks()
        elif self.query_now.filtered:
            self.change_query(replace(self.query_now, text="", municipality=None))
        else:
            self.dismiss(None)
