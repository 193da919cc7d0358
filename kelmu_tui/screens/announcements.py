"""Service announcements: planned breaks, disturbances, information."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from kelmu_tui.actions import Context
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.store.database import Changed
from kelmu_tui.store.rows import AnnouncementLine
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.sheet import Block, Field, Paragraph


class AnnouncementsScreen(ListScreen[AnnouncementLine, None]):
    """The announcements in force and to come."""

    CONTEXT: ClassVar[Context] = Context.ANNOUNCEMENTS
    SECTION: ClassVar[str] = "main.announcements"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    async def fetch(self) -> Sequence[AnnouncementLine]:
        """Read the announcements."""
        lines: Sequence[AnnouncementLine] = await self.desk.run(self.desk.announcements.lines)
        return lines

    def store_changed(self, change: Changed) -> None:
        """An announcement came or went."""
        if not change.tables or change.tables & {"announcement", "scope"}:
            self.reload()

    def key(self, row: AnnouncementLine) -> str:
        """Return the announcement's id."""
        return row.id

    def empty_text(self) -> str:
        """Say that there is nothing."""
        return self.face.t("announcements.empty")

    def heading(self) -> str:
        """Return what the announcements are called."""
        return self.face.t("announcements.heading")

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("kind", t("announcements.column_kind"), 12, good=16),
            Column("when", t("announcements.column_when"), 12, most=28, drop=1),
            Column("title", t("announcements.column_title"), 20, most=70),
        )

    def cells(self, row: AnnouncementLine) -> Mapping[str, Cell]:
        """Return the cells of an announcement."""
        t = self.face.t
        now = row.starts <= self.face.now()
        return {
            "kind": Cell(t.choice("kinds.announcement", row.kind), "warn" if now and row.kind != "information" else ""),
            "when": Cell(self._when(row), "" if now else "dim"),
            "title": Cell(row.title.get(t.language), "strong" if now else ""),
        }

    def flag(self, row: AnnouncementLine) -> Cell:
        """Return the sign of what disturbs now."""
        now = row.starts <= self.face.now()
        return Cell(self.face.glyphs.warning, "warn") if now and row.kind != "information" else Cell(" ")

    def _when(self, row: AnnouncementLine) -> str:
        formats, now = self.face.t.formats, self.face.now()
        start = formats.moment(row.starts, now)
        return start if row.ends is None else f"{start}–{formats.moment(row.ends, now)}"

    def explanation_title(self, row: AnnouncementLine) -> str:
        """Return the title."""
        return row.title.get(self.face.t.language)

    def explain(self, row: AnnouncementLine) -> Iterable[Block]:
        """Return the text."""
        t = self.face.t
        yield Field(t("announcements.column_when"), self._when(row))
        yield Paragraph(row.text.get(t.language))

    def action_list_open(self) -> None:
        """The text stands below the list already; a narrow screen shows it alone."""
        self.set_class(not self.has_class("-reading"), "-reading")
