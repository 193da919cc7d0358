"""The inbox: views, instant filter, sort, marks, commands in bulk, and the preview beside or below the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from textual import on
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget

from kelmu_tui.actions import Action, Context, State
from kelmu_tui.domain.notices import Status
from kelmu_tui.domain.organisations import OrganisationType
from kelmu_tui.screens import panes
from kelmu_tui.screens.commands import Commands
from kelmu_tui.screens.desk import Desk, InboxLine
from kelmu_tui.screens.filtering import FilterBar, Filtering
from kelmu_tui.screens.inbox_source import InboxSource
from kelmu_tui.screens.notice_text import preview, title, trace, trace_title
from kelmu_tui.screens.words import (
    due_cell,
    flag_cell,
    initials,
    kind_name,
    municipality_name,
    organisation_name,
    short_name,
)
from kelmu_tui.store.database import Changed
from kelmu_tui.store.rows import NoticeDetail, NoticeLine, Query, Sort, TraceLine, View
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.chrome import ViewLine
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Paragraph, Sheet

PREVIEW_SECONDS: Final = 0.12
"""The preview waits this long for the cursor to rest: every look at a notice is logged."""
TABLES: Final = frozenset({"notice", "trace", "command", "conflict", "scope"})
"""Tables whose changes concern the list."""


class InboxScreen(Commands, Filtering[None]):
    """Kela's notices of the organisation."""

    CONTEXT: ClassVar[Context] = Context.INBOX
    SECTION: ClassVar[str] = "main.inbox"
    LIFTS_CURTAIN = True

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.query_now = Query(View.UNHANDLED)
        self._total = 0
        self._preview_of: str | None = None
        self._preview: NoticeDetail | TraceLine | None = None
        self._preview_timer: Timer | None = None
        self._reading_pane = False

    def body(self) -> Iterable[Widget]:
        """Return the view's line, the filter, the list and the preview."""
        yield ViewLine()
        yield FilterBar()
        rows: RowList[InboxLine] = RowList(
            self._columns(),
            self._cells,
            flag=lambda line: flag_cell(line, self.face.glyphs),
            glyphs=self.face.glyphs,
            on_failure=self.face.task_failed,
            id="rows",
        )
        yield Container(rows, Sheet(glyphs=self.face.glyphs, id="preview", can_focus=False), id="split")

    def mounted(self) -> None:
        """Show the first view."""
        super().mounted()
        self.set_focus(self.rows)
        self._show_query()

    @property
    def context(self) -> Context:
        """While a filter is typed, letters are text."""
        return Context.FILTER if self.filtering else Context.INBOX

    def state(self) -> State:
        """Return what decides over the actions: the marked rows or the one under the cursor."""
        work = self.face.work
        selected = len(self.rows.targets) if self.alive else 0
        return self.face.state(
            selected=selected,
            can_undo=work is not None and work.can_undo,
            can_repeat=work is not None and work.last is not None,
        )

    def selected(self) -> tuple[str, ...]:
        """Return the ids a command is about."""
        return self.rows.targets

    def lines_of(self, ids: Sequence[str]) -> list[NoticeLine]:
        """Return the rows of `ids` that are at hand."""
        wanted = set(ids)
        return [row for row in self.rows.rows if row.id in wanted and isinstance(row, NoticeLine)]

    def expect(self, ids: Iterable[str]) -> None:
        """Show them in their place when they come."""
        if self.alive:
            self.rows.expect(ids)

    def commanded(self) -> None:
        """A command was given: marks have served, the list shows what came of it."""
        self.rows.clear_marks()
        self.rows.reveal()

    def left_over(self, ids: Sequence[str]) -> None:
        """Leave marked what the command was not saved for, so that giving it again does nothing twice."""
        self.rows.keep_marks(ids)

    def doers(self) -> tuple[object, ...]:
        """Return who knows how to do the actions: the list does the moving and marking."""
        return (self, self.rows, self.face)

    # --- texts ------------------------------------------------------------------------------------------------------

    def retranslate(self) -> None:
        """Render every text in the language of now."""
        super().retranslate()
        self.rows.set_columns(self._columns())
        self._say_empty()
        self._update_view()
        self._show_preview()

    def _columns(self) -> tuple[Column, ...]:
        t = self.face.t
        if self.query_now.view is View.TRANSFERRED:
            return (
                Column("due", t("inbox.column_due"), 9, align="right"),
                Column("kind", t("inbox.column_kind"), 10, good=21),
                Column("to", t("inbox.column_to"), 12, good=20, most=40),
                Column("at", t("inbox.column_at"), 12, drop=2),
                Column("state", t("inbox.column_state"), 12, most=28, drop=1),
            )
        # In a municipality or in Helsinki all notices have the same place: the room is better used.
        one_place = self.desk.session.organisation.type is not OrganisationType.WELLBEING_COUNTY
        return (
            Column("due", t("inbox.column_due"), 9, align="right"),
            Column("kind", t("inbox.column_kind"), 10, good=20, most=21),
            Column("customer", t("inbox.column_customer"), 12, good=18, most=32),
            Column("municipality", t("inbox.column_municipality"), 10, good=11, most=16, drop=3 if one_place else 1),
            Column("assignee", t("inbox.column_assignee"), 7, most=18, drop=2),
        )

    def _cells(self, line: InboxLine) -> Mapping[str, Cell]:
        t = self.face.t
        cells = {"due": due_cell(line, t, self.face.today())}
        if isinstance(line, TraceLine):
            to = municipality_name(line.to_municipality, t.language)
            holder = organisation_name(line.to_organisation, t.language)
            cells["kind"] = Cell(kind_name(line, t))
            cells["to"] = Cell(to if to == holder else f"{to}, {holder}")
            cells["at"] = Cell(t.formats.moment(line.at, self.face.now()), "dim")
            cells["state"] = Cell(t.choice("states.trace", line.state), "dim")
            return cells
        strong = "strong" if line.status is Status.NEW else ""
        mine = line.assignee == self.desk.session.user_id
        cells["kind"] = Cell(kind_name(line, t), strong)
        cells["customer"] = Cell(line.customer, "warn" if line.non_disclosure else strong)
        cells["municipality"] = Cell(municipality_name(line.municipality, t.language))
        name = short_name(line.assignee_name) or self.face.glyphs.none
        cells["assignee"] = Cell(name, "accent" if mine else "dim", initials(line.assignee_name))
        return cells

    def _say_empty(self) -> None:
        t, query = self.face.t, self.query_now
        status = self.desk.status()
        if query.text:
            empty = t("inbox.nothing_found", text=query.text)
        elif status.synced_at is None:
            empty = t("inbox.not_filled")
        else:
            empty = t.choice("inbox.empty", query.view)
        self.rows.set_texts(loading=t("common.loading"), empty=empty, failed=t("common.reading_failed"))

    def update_frame(self) -> None:
        """Show the present state in the frame and beside the filter."""
        super().update_frame()
        if self.alive:
            self._update_view()

    def _update_view(self) -> None:
        t, query, rows = self.face.t, self.query_now, self.rows
        number = t.formats.number
        shown = number(rows.count)
        # The view's own count goes on while a filter hides the rest; before it is there, the last that was listed.
        total = self.face.counts.views.get(query.view, self._total)
        counts = f"{shown}/{number(total)}" if query.text else shown
        left: list[Piece] = [(t.choice("inbox.view", query.view), "strong"), (f"  {counts}", "")]
        arrow = self.face.glyphs.down if query.descending else self.face.glyphs.up
        left.append((f"   {t('inbox.sorted_by', what=t.choice('inbox.sort', query.sort))} {arrow}", "dim"))
        if query.text and not self.filtering:
            left.append((f"   /{query.text}", "accent"))
        right: list[Piece] = []
        if rows.marks:
            right.append((t("inbox.marked", count=len(rows.marks)), "marked"))
        if rows.fresh:
            key = self.key_text("inbox.show_new")
            new = t("inbox.fresh", count=rows.fresh)
            right.append((f"  {new} ({key})" if key else f"  {new}", "good"))
        self.query_one(ViewLine).show(left, right)

    # --- what is listed ---------------------------------------------------------------------------------------------

    def _show_query(self, *, keep: bool = False, at: str | None = None) -> None:
        self.rows.set_columns(self._columns())
        self._say_empty()
        self.rows.show(InboxSource(self.desk, self.query_now), keep=keep, at=at)
        self._update_view()

    def change_query(self, query: Query, *, keep: bool = False) -> None:
        """List something else; with `keep` the cursor stays on its notice when that is there too."""
        if query != self.query_now:
            self.query_now = query
            self._show_query(keep=keep)

    async def go_to(self, id: str) -> bool:  # noqa: A002
        """Put the cursor on a notice, in the present list or in the first that has it; False when none has."""
        for query in (self.query_now, Query(View.ALL), Query(View.TRANSFERRED)):
            if await self.desk.run(self.desk.inbox.lines, query, (id,)):
                keep, self.query_now = query == self.query_now, query
                self._show_query(keep=keep, at=id)
                return True
        return False

    def store_changed(self, change: Changed) -> None:
        """The store changed: the rows on the screen are read again."""
        if self.alive and (not change.tables or change.tables & TABLES):
            self.rows.update()

    @on(RowList.Changed)
    def _rows_changed(self) -> None:
        if not self.alive:
            return
        self.face.curtain.lift()
        if not self.query_now.text:
            self._total = self.rows.count
        self._say_empty()
        self._update_view()
        self.update_hints()
        # The row under the cursor may have changed under the same key.
        self._want_preview(changed=True)

    @on(RowList.Moved)
    def _rows_moved(self) -> None:
        self._want_preview()

    @on(RowList.Opened)
    def _rows_opened(self, message: RowList.Opened) -> None:
        self.open_notice(message.key)

    # --- the preview ------------------------------------------------------------------------------------------------

    def _want_preview(self, *, changed: bool = False) -> None:
        if not self.alive:
            return
        key = self.rows.current_key
        if key is None:
            self._preview, self._preview_of = None, None
            self._show_preview()
        elif key != self._preview_of or changed:
            if self._preview_timer is not None:
                self._preview_timer.stop()
            self._preview_timer = self.set_timer(PREVIEW_SECONDS, self._load_preview)

    def _load_preview(self) -> None:
        if not self.alive:
            return
        sheet = self.query_one("#preview", Sheet)
        line = self.rows.current
        # A preview nobody can see must not be logged as a look.
        if line is not None and sheet.display and sheet.size.height > 0:
            self.face.spawn("inbox.preview", self._read_preview(line))

    async def _read_preview(self, line: InboxLine) -> None:
        detail: NoticeDetail | TraceLine | None
        detail = line if isinstance(line, TraceLine) else await self.desk.run(self.desk.inbox.preview, line.id)
        if self.alive and self.rows.current_key == line.id:
            same = self._preview_of == line.id
            self._preview, self._preview_of = detail, line.id
            self._show_preview(keep=same)

    def _show_preview(self, *, keep: bool = False) -> None:
        sheet, t, glyphs, found = self.query_one("#preview", Sheet), self.face.t, self.face.glyphs, self._preview
        if found is None:
            sheet.show((), title=t("inbox.preview_empty"))
        elif isinstance(found, TraceLine):
            sheet.show(trace(found, t, self.face.now()), title=trace_title(found, t, glyphs), keep=keep)
        else:
            blocks = tuple(preview(found, t, glyphs, self.face.now(), self.face.today()))
            sheet.show(blocks or (Paragraph(""),), title=title(found, t, glyphs), keep=keep)

    def resized(self) -> None:
        """The preview may have become visible."""
        super().resized()
        self.call_after_refresh(self._want_preview, changed=self._preview is None)

    # --- the filter -------------------------------------------------------------------------------------------------

    def filter_hint(self) -> str:
        """Return what can be filtered by."""
        return self.face.t("inbox.filter_hint")

    def filter_text(self) -> str:
        """Return the words of the filter."""
        return self.query_now.text

    def apply_filter(self, text: str, *, keep: bool = False) -> None:
        """List the notices that have words beginning so."""
        self.change_query(self.query_now._replace(text=text), keep=keep)

    def filter_toggled(self) -> None:
        """Show which keys work now."""
        self._update_view()
        self.update_hints()

    # --- choosing what is listed ------------------------------------------------------------------------------------

    def action_inbox_views(self) -> None:
        """Choose a view."""
        from kelmu_tui.screens.choose import ChooseScreen
        from kelmu_tui.widgets.picker import Choice

        t = self.face.t
        counts = self.face.counts.views
        choices = [
            Choice(view.value, (t.choice("inbox.view", view), t.formats.number(counts[view]) if view in counts else ""))
            for view in View
        ]

        def chosen(key: str | None) -> None:
            if key is not None:
                self.change_query(self.query_now._replace(view=View(key), text=""))

        self.face.push_screen(ChooseScreen(t("inbox.choose_view"), choices, self.query_now.view.value), chosen)

    def action_inbox_sort(self) -> None:
        """Choose what the list is sorted by; the same again turns the order around."""
        from kelmu_tui.screens.choose import ChooseScreen
        from kelmu_tui.widgets.picker import Choice

        t, query = self.face.t, self.query_now
        choices = [Choice(sort.value, (t.choice("inbox.sort", sort), "")) for sort in Sort]

        def chosen(key: str | None) -> None:
            if key is not None:
                down = not query.descending if key == query.sort.value else Sort(key) is Sort.ARRIVED
                self.change_query(self.query_now._replace(sort=Sort(key), descending=down), keep=True)

        self.face.push_screen(ChooseScreen(t("inbox.choose_sort"), choices, query.sort.value), chosen)

    def action_inbox_show_new(self) -> None:
        """Show the new rows."""
        self.rows.reveal()

    def action_inbox_pane(self) -> None:
        """Let the moving keys scroll the preview, or move in the list again."""
        self._reading_pane = not self._reading_pane and self.query_one("#preview", Sheet).display
        self.query_one("#preview", Sheet).set_class(self._reading_pane, "-active")

    def action_inbox_preview(self) -> None:
        """Hide the preview, or show it again: more rows, fewer bytes, and nothing to read over a shoulder."""
        split = self.query_one("#split")
        split.toggle_class("-list-alone")
        if split.has_class("-list-alone") and self._reading_pane:
            self.action_inbox_pane()
        self.call_after_refresh(self._want_preview, changed=True)

    async def perform(self, action: Action) -> None:
        """Moving keys go to the pane that is being read."""
        if not (self._reading_pane and panes.scroll(self.query_one("#preview", Sheet), action.id)):
            await super().perform(action)

    def action_app_back(self) -> None:
        """Undo the view step by step: the pane, the marks, the filter."""
        if self._reading_pane:
            self.action_inbox_pane()
        elif self.rows.marks:
            self.rows.clear_marks()
        elif self.query_now.text:
            self.change_query(self.query_now._replace(text=""), keep=True)
        else:
            self.say(self.face.t("common.quit_hint", key=self.key_text("app.quit")))
