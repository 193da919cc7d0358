"""For whom to work: the organisations of the session, and why some of them are closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on

from kelmu_tui.actions import Context
from kelmu_tui.screens.closed import explain_closed
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.services.known import doors
from kelmu_tui.services.session import KnownOrganisation, KnownSession
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.chrome import Top
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Field


class OrganisationsScreen(ListScreen[KnownOrganisation, str]):
    """Answers the business ID of the organisation chosen."""

    CONTEXT: ClassVar[Context] = Context.ORGANISATIONS

    def __init__(self, session: KnownSession, current: str | None, *, must_choose: bool = False) -> None:
        """Offer the organisations of `session`; with `must_choose` there is no way back."""
        super().__init__()
        self._session = session
        self._current = current
        self._must_choose = must_choose

    async def fetch(self) -> Sequence[KnownOrganisation]:
        """Return the organisations, usable ones first."""
        usable = {o.organisation.business_id for o in self._session.usable(self.face.today(), doors())}
        return sorted(
            self._session.organisations,
            key=lambda o: (
                o.organisation.business_id not in usable,
                o.organisation.name.get(self.face.t.language),
            ),
        )

    def top(self) -> Top:
        """Say what is to be done."""
        return Top(title=self.face.t("organisations.title"), language=self.face.t.language.upper())

    def key(self, row: KnownOrganisation) -> str:
        """Return the business ID."""
        return row.organisation.business_id

    def heading(self) -> str:
        """Return the question."""
        return self.face.t("organisations.choose")

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("name", t("organisations.column_name"), 20, most=44),
            Column("type", t("organisations.column_type"), 14, most=24, drop=2),
            Column("open", t("organisations.column_open"), 10, most=20, drop=1),
        )

    def cells(self, row: KnownOrganisation) -> Mapping[str, Cell]:
        """Return the cells of an organisation."""
        t = self.face.t
        usable = bool(doors() & row.capabilities(self.face.today()).names)
        return {
            "name": Cell(row.organisation.name.get(t.language), "" if usable else "closed"),
            "type": Cell(t.choice("kinds.organisation", row.organisation.type), "dim"),
            "open": Cell(
                t("organisations.open") if usable else t("organisations.closed"), "good" if usable else "warn"
            ),
        }

    def flag(self, row: KnownOrganisation) -> Cell:
        """Return the sign of the organisation one works for now."""
        return Cell(self.face.glyphs.online if self.key(row) == self._current else " ", "good")

    def explanation_title(self, row: KnownOrganisation) -> str:
        """Return the name and the business ID."""
        return f"{row.organisation.name.get(self.face.t.language)}  {row.organisation.business_id}"

    def explain(self, row: KnownOrganisation) -> Iterable[Block]:
        """Say what is open, or why nothing is."""
        t, open_now = self.face.t, row.capabilities(self.face.today())
        if doors() & open_now.names:
            names = [t.choice("organisations.capability", name) for name in sorted(open_now.names)]
            yield Field(t("organisations.opens"), "\n".join(names))
        else:
            yield from explain_closed(row, self.face)

    @on(RowList.Opened)
    def _chosen(self, message: RowList.Opened) -> None:
        row = self.rows.current
        if row is None:
            return
        if doors() & row.capabilities(self.face.today()).names:
            self.dismiss(message.key)
        else:
            self.say(self.face.t("organisations.closed_hint"), role="warn")

    def action_app_back(self) -> None:
        """Leave things as they are, when that is possible."""
        if self._must_choose and not self.filter_text():
            self.say(self.face.t("common.quit_hint", key=self.key_text("app.quit")))
        else:
            super().action_app_back()
