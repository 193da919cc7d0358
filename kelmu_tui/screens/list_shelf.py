"""The lists of the organisation: what is published and what is here, fetching it, and why the others are closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

from textual import on

from kelmu_tui.actions import Context
from kelmu_tui.domain.capabilities import Denied, mandates
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import KelaList, read_period
from kelmu_tui.screens.closed import ADDRESSES
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.exports import Exports
from kelmu_tui.screens.fetches import Fetches, Which
from kelmu_tui.screens.list_words import period_text, progress_text, short_period
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.database import Changed
from kelmu_tui.store.lists import Entry
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Field, Gap, Paragraph


class Shelved(NamedTuple):
    """A row of the shelf: a period of an open list, an open list without any, or a closed list."""

    list: KelaList
    entry: Entry | None = None
    denied: Denied | None = None

    @property
    def which(self) -> Which:
        """The list and the period, which is empty without one."""
        return self.list.id, "" if self.entry is None else self.entry.period


class ListsScreen(ListScreen[Shelved, None]):
    """One row for each list and period; nobody's name stands here, so nothing of it is a look at people."""

    CONTEXT: ClassVar[Context] = Context.LISTS
    SECTION: ClassVar[str] = "main.lists"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.known_at: datetime | None = None
        self._read = self._asked = False

    async def fetch(self) -> Sequence[Shelved]:
        """Read what is published and here, what is closed, and since when that is known."""
        lists = self.desk.lists

        def read() -> tuple[Sequence[Shelved], datetime | None]:
            entries: dict[str, list[Entry]] = {}
            for entry in lists.shelf():
                entries.setdefault(entry.list, []).append(entry)
            opened: list[Shelved] = []
            closed: list[Shelved] = []
            for one, verdict in lists.offers():
                if isinstance(verdict, Denied):
                    closed.append(Shelved(one, denied=verdict))
                else:
                    opened += [Shelved(one, entry) for entry in entries.get(one.id, ())] or [Shelved(one)]
            return (*opened, *closed), lists.told()

        found: Sequence[Shelved]
        try:
            found, self.known_at = await self.desk.run(read)
        except NotAllowed:
            return ()  # another organisation is at work by now, and this screen on its way out
        return found

    def mounted(self) -> None:
        """Show what is known; once it is there the backend is asked for what is new."""
        super().mounted()
        self._fetches.told = self._told

    def _freshen(self) -> None:
        """Ask what is published as soon as there is a connection, unless that was told a moment ago."""
        # Once: from the clock's ticks an idle screen would go on asking for as long as it is open.
        if not self._asked and self._read and self.alive and self.face.online:
            self._asked = True
            self._fetches.freshen(self.known_at)

    async def _reload(self) -> None:
        before: Shelved | None = self.rows.current if self.alive else None
        await super()._reload()
        self._read = True
        self._freshen()
        if before is None or not self.alive or any(row.which == before.which for row in self._all):
            return
        # A list stays under the cursor when its first period comes, or its last one goes.
        same = next((row for row in self._all if row.list.id == before.list.id), None)
        if same is not None:
            self._narrow(keep=True, at=self.key(same))

    @property
    def _fetches(self) -> Fetches:
        return self.face.fetches(self.desk)

    @property
    def _exports(self) -> Exports:
        return self.face.exports(self.desk)

    def _export_told(self) -> None:
        if self.alive:
            self.rows.update()

    def _told(self, over: bool) -> None:
        """A fetch looks different: the rows are painted anew, and read anew when it is over."""
        if self.alive and over:
            self.reload()
        elif self.alive:
            self.rows.update()

    def store_changed(self, change: Changed) -> None:
        """A list came, went or was published."""
        if not change.tables or change.tables & {"list", "scope"}:
            self.reload()

    def update_frame(self) -> None:
        """Show whether the backend answers, as far as it concerns the list."""
        super().update_frame()
        self._exports.told = self._export_told
        if self.alive:
            self._update_view()
            self.rows.update()
            self._freshen()

    def key(self, row: Shelved) -> str:
        """Return list and period."""
        return "/".join(row.which)

    def heading(self) -> str:
        """Return what the screen is called."""
        return self.face.t("lists.heading")

    def empty_text(self) -> str:
        """Say that there are none."""
        return self.face.t("lists.empty")

    def remarks(self) -> Sequence[Piece]:
        """Say of when it is known what is published."""
        t, fetches = self.face.t, self._fetches
        if fetches.refreshing:
            return ((t("lists.asking"), "accent"),)
        at = None if self.known_at is None else t.formats.moment(self.known_at, self.face.now())
        if self.face.online:
            return () if at is None else ((t("lists.known_at", at=at), "dim"),)
        return ((t("lists.offline_never") if at is None else t("lists.offline_at", at=at), "warn"),)

    # --- rows -------------------------------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("name", t("lists.column_name"), 20, good=36, most=60),
            Column("period", t("lists.column_period"), 8, good=10, most=22),
            Column("published", t("lists.column_published"), 8, good=10, most=12, align="right", drop=2),
            Column("rows", t("lists.column_rows"), 7, most=10, align="right", drop=1),
            Column("state", t("lists.column_state"), 14, good=24, most=40),
        )

    def cells(self, row: Shelved) -> Mapping[str, Cell]:
        """Return the cells of a row."""
        t, entry = self.face.t, row.entry
        role = "" if entry is not None and entry.copy is not None else "dim"
        cells = {"name": Cell(row.list.name.get(t.language), role), "state": self._state(row)}
        if entry is None:
            return cells
        told = entry.publication or entry.copy
        cells["period"] = Cell(period_text(entry.period, t), role, short_period(entry.period, year=True))
        if told is not None:
            cells["published"] = Cell(t.formats.relative_date(local_date(told.published_at), self.face.today()), "dim")
            cells["rows"] = Cell(t.formats.number(told.rows), role)
        return cells

    def _state(self, row: Shelved) -> Cell:
        t, entry = self.face.t, row.entry
        if row.denied is not None:
            return Cell(t("lists.closed"), "dim")
        if entry is None:
            return Cell(t("lists.none_published") if self.known_at is not None else t("lists.not_known"), "dim")
        progress = self._fetches.progress(row.which)
        if progress is not None:
            number = t.formats.number
            rows = t("lists.progress", done=number(progress.done), total=number(progress.total))
            percent = t.formats.percent(progress.percent)
            return Cell(f"{percent}  {rows}", "accent", percent)
        leaving = self._exports.progress(row.which)
        if leaving is not None:
            return Cell(progress_text(leaving, t), "accent", t.formats.percent(leaving.percent))
        if entry.copy is not None:
            if entry.outdated:
                return Cell(t("lists.anew"), "warn")
            return Cell(t("lists.here", at=t.formats.moment(entry.copy.fetched_at, self.face.now())), "good")
        if entry.publication is not None and entry.publication.withdrawn:
            return Cell(t("lists.withdrawn"), "warn")
        if self._fetches.problem(row.which):
            return Cell(t("lists.failed"), "alarm")
        if entry.staged:
            return Cell(t("lists.part_here", count=entry.staged), "warn")
        return Cell(t("lists.not_here"), "dim")

    def flag(self, row: Shelved) -> Cell:
        """Return the sign of what is under way or published anew."""
        glyphs = self.face.glyphs
        if self._fetches.progress(row.which) is not None or self._exports.progress(row.which) is not None:
            return Cell(glyphs.busy, "accent")
        anew = row.entry is not None and row.entry.outdated
        return Cell(glyphs.new, "accent") if anew else Cell(" ")

    # --- the explanation --------------------------------------------------------------------------------------------

    def explanation_title(self, row: Shelved) -> str:
        """Return list and period."""
        name, period = row.list.name.get(self.face.t.language), row.which[1]
        return f"{name}  {period_text(period, self.face.t)}" if period else name

    def explain(self, row: Shelved) -> Iterable[Block]:
        """Say what is known of the period, what can be done, or why the list is closed."""
        if row.denied is not None:
            yield from self._explain_closed(row.denied)
            return
        yield from self._explain_state(row)
        t, entry = self.face.t, row.entry
        if entry is None:
            return
        told = entry.publication or entry.copy
        if told is not None:
            yield Field(t("lists.column_published"), t.formats.instant(told.published_at))
            yield Field(t("lists.column_rows"), t.formats.number(told.rows))
            yield Field(t("lists.version"), t.formats.number(told.version))
        if entry.copy is not None:
            yield Field(t("lists.persons"), t.formats.number(entry.copy.persons))
            yield Field(t("lists.fetched_at"), t.formats.instant(entry.copy.fetched_at))
            yield Field(t("lists.kept_until"), t.formats.instant(entry.copy.expires_at))

    def _explain_state(self, row: Shelved) -> Iterable[Block]:
        t, entry = self.face.t, row.entry
        fetch = self.key_text("lists.fetch")
        if entry is None:
            yield Paragraph(t("lists.none_published_text", key=self.key_text("main.sync")), "dim")
        elif self._fetches.progress(row.which) is not None:
            yield Paragraph(t("lists.fetching_text", key=fetch), "accent")
        elif entry.copy is not None:
            if entry.outdated:
                yield Paragraph(t("lists.anew_text", key=fetch), "warn")
            yield Paragraph(t("lists.here_text", key=self.key_text("list.open")), "dim")
        elif entry.publication is not None and entry.publication.withdrawn:
            yield Paragraph(t("errors.api.list_withdrawn"), "warn")
        elif code := self._fetches.problem(row.which):
            if code != "store":
                yield Paragraph(t.choice("errors.api", code, t("errors.api.internal")), "alarm")
            yield Paragraph(t("lists.again_text", key=fetch), "dim")
        elif entry.staged:
            yield Paragraph(t("lists.part_here_text", key=fetch), "warn")
        else:
            yield Paragraph(t("lists.not_here_text", key=fetch), "dim")

    def _explain_closed(self, denied: Denied) -> Iterable[Block]:
        t = self.face.t
        yield Paragraph(t.choice("errors.reason", denied.reason), "warn")
        yield Gap()
        if denied.mandates:
            names = "\n".join(mandates()[name].name.get(t.language) for name in denied.mandates)
            yield Field(t("organisations.needed"), names)
        yield Field(t("organisations.addresses"), "\n".join(ADDRESSES))

    # --- actions ----------------------------------------------------------------------------------------------------

    @on(RowList.Opened)
    def _opened(self) -> None:
        row: Shelved | None = self.rows.current
        if row is None:
            return
        if row.entry is not None and row.entry.copy is not None:
            from kelmu_tui.screens.list_rows import ListRowsScreen

            self.face.push_screen(ListRowsScreen(self.desk, row.list, row.entry.period))
        else:
            self.say(self._why_not(row), role="warn")

    def _why_not(self, row: Shelved) -> str:
        t = self.face.t
        if row.denied is not None:
            return t.choice("errors.reason", row.denied.reason)
        if row.entry is None:
            return t("lists.none_published_text", key=self.key_text("main.sync"))
        if row.entry.publication is not None and row.entry.publication.withdrawn:
            return t("errors.api.list_withdrawn")
        return t("lists.not_here_text", key=self.key_text("lists.fetch"))

    def action_lists_fetch(self) -> None:
        """Fetch the period under the cursor, or stop fetching it."""
        row: Shelved | None = self.rows.current
        if row is None or self._cancel():
            return
        publication = None if row.entry is None else row.entry.publication
        if row.entry is not None and row.entry.copy is not None and not row.entry.outdated:
            self.say(self.face.t("lists.already_here", key=self.key_text("list.open")))
        elif row.entry is None or publication is None or publication.withdrawn:
            self.say(self._why_not(row), role="warn")
        elif not self.face.online:
            self.say(self.face.t("actions.why.offline"), role="warn")
        else:
            self._fetches.begin(row.which, done=row.entry.staged or 0, total=publication.rows)

    def _cancel(self) -> bool:
        """Stop the fetch or the export under the cursor; False when there is none."""
        row: Shelved | None = self.rows.current
        if row is None:
            return False
        if self._exports.cancel(row.which):
            return True
        if not self._fetches.cancel(row.which):
            return False
        self.say(self.face.t("lists.stopped", key=self.key_text("lists.fetch")))
        return True

    def action_lists_compare(self) -> None:
        """Hold the period under the cursor against the one before it."""
        row: Shelved | None = self.rows.current
        if row is None or row.entry is None or row.entry.copy is None:
            self.say(self.face.t("actions.why.nothing_selected") if row is None else self._why_not(row), role="warn")
            return
        from kelmu_tui.screens.differences import DifferencesScreen

        before = read_period(row.entry.period).next(-1).key
        self.face.push_screen(DifferencesScreen(self.desk, row.list, before, row.entry.period))

    def action_lists_export(self) -> None:
        """Export the period under the cursor to a file, or stop that."""
        row: Shelved | None = self.rows.current
        if row is None or row.entry is None or row.entry.copy is None:
            self.say(self.face.t("actions.why.nothing_selected") if row is None else self._why_not(row), role="warn")
            return
        from kelmu_tui.screens.export_list import export_copy

        export_copy(self.face, self._exports, row.entry.copy)

    def action_main_sync(self) -> None:
        """Ask the backend what is published, besides all else."""
        if self.face.online:
            self._fetches.refresh()
        self.face.action_main_sync()

    def action_app_back(self) -> None:
        """Stop the fetch or the export under the cursor, then leave as every list is left."""
        if not self._cancel():
            super().action_app_back()
