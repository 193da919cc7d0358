"""A list that the backend has: read page by page while one moves down, online only, kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from textual import on

from kelmu_tui.api.errors import ApiError
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.services.known import SHUT_OUT, NotSupervisor
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList

NEAR: Final = 20
"""Rows before the last one at which the next page is asked for."""
AWAY: Final = frozenset({"unreachable", "timeout"})

Row = TypeVar("Row")
Page = tuple[Sequence[Row], str | None]
"""Rows, and what continues them."""
Hindrance = ApiError | NotSupervisor


def hindrance_text(problem: Hindrance, t: Translator) -> str:
    """Return why the log of look-ups cannot be read, as a sentence that says what to do next."""
    if isinstance(problem, NotSupervisor):
        return t("look_ups.not_supervisor")
    if problem.code in AWAY:
        return t("look_ups.offline")
    return t.choice("errors.api", problem.code, t("errors.api.internal"))


def supervision_text(problem: Hindrance, t: Translator) -> str:
    """Return the same for what supervisors read: what is missing there is no mandate."""
    if isinstance(problem, ApiError) and problem.code in SHUT_OUT:
        return t("look_ups.not_supervisor")
    return hindrance_text(problem, t)


class PagedScreen(ListScreen[Row, None]):
    """Subclasses read the pages; a reading that fails leaves what was shown, and says why."""

    def __init__(self) -> None:
        super().__init__()
        self._next: str | None = None
        self._under_way = 0
        self._turn = 0
        self.hindered: Hindrance | None = None

    async def page(self, cursor: str | None) -> Page[Row]:
        """Read a page, the first one without a cursor.

        Raises:
            ApiError, NotSupervisor: it cannot be read.
        """
        raise NotImplementedError

    def why(self, problem: Hindrance) -> str:
        """Return the words for what hinders a reading."""
        return hindrance_text(problem, self.face.t)

    async def fetch(self) -> Sequence[Row]:
        """Read the first page."""
        self._turn += 1
        turn = self._turn
        self._under_way += 1
        try:
            rows, following = await self.page(None)
        except (ApiError, NotSupervisor) as problem:
            if turn == self._turn:
                self._hinder(problem)
            return self._all
        finally:
            self._under_way -= 1
        if turn != self._turn:
            return self._all
        self.hindered, self._next = None, following
        return rows

    async def _reload(self) -> None:
        await super()._reload()
        if self.alive:
            self.say_empty()
            self._update_view()

    def _hinder(self, problem: Hindrance) -> None:
        self.hindered = problem
        if self.alive:
            self.say(self.why(problem), role="alarm")

    def empty_text(self) -> str:
        """Return what stands in place of rows: that there are none, or why they could not be read."""
        return self.no_rows() if self.hindered is None else self.why(self.hindered)

    def no_rows(self) -> str:
        """Return what is said when there are none."""
        return ""

    def say_empty(self) -> None:
        """Show what stands in place of rows now."""
        t = self.face.t
        self.rows.set_texts(loading=t("common.loading"), empty=self.empty_text(), failed=t("common.reading_failed"))
        self._explain()

    def remarks(self) -> Sequence[Piece]:
        """Say that there is more than what has been read."""
        return [] if self._next is None else [(self.face.t("look_ups.more_follow"), "dim")]

    # --- going on ---------------------------------------------------------------------------------------------------

    @on(RowList.Moved)
    def _moved_on(self) -> None:
        if self.alive:
            self._go_on()

    def _go_on(self) -> None:
        """Read the next page when the cursor is near the end of what there is."""
        if self._next is None or self._under_way:
            return
        keys = [self.key(row) for row in self._matching]
        key = self.rows.current_key
        if key is None or key not in keys or len(keys) - keys.index(key) <= NEAR:
            self._under_way += 1
            self.face.spawn("list.more", self._read_on(self._next))

    async def _read_on(self, cursor: str) -> None:
        turn = self._turn
        try:
            rows, following = await self.page(cursor)
        except (ApiError, NotSupervisor) as problem:
            if turn == self._turn and self.alive:
                self.say(self.why(problem), role="alarm")
            return
        finally:
            self._under_way -= 1
        if turn != self._turn or not self.alive:
            return
        known = {self.key(row) for row in self._all}
        self._all = (*self._all, *(row for row in rows if self.key(row) not in known))
        self._next = None if following == cursor else following
        self._narrow(keep=True)
        self._update_view()

    def action_list_down(self) -> None:
        """Move to the next row, or go on to read where there is none yet."""
        self.rows.action_list_down()
        self._go_on()

    def action_list_page_down(self) -> None:
        """Move one screen down, and go on to read at the end."""
        self.rows.action_list_page_down()
        self._go_on()

    def action_list_bottom(self) -> None:
        """Go to the last row that was read, and go on to read."""
        self.rows.action_list_bottom()
        self._go_on()

    def action_look_ups_fetch(self) -> None:
        """Read from the beginning once more."""
        self.reload()
