"""One notice whole: reading it tells the team that it was opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.commands import Commands
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.notice_text import title, trace, trace_title, whole
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.store.database import Changed
from kelmu_tui.store.rows import NoticeDetail, NoticeLine, Query, TraceLine, View
from kelmu_tui.widgets.sheet import Paragraph


class NoticeScreen(Commands, PageScreen[None]):
    """A notice, or the trace of one that was given away."""

    CONTEXT: ClassVar[Context] = Context.NOTICE
    SECTION: ClassVar[str] = "main.inbox"

    def __init__(self, desk: Desk, id: str) -> None:  # noqa: A002
        super().__init__()
        self.desk = desk
        self.notice = id
        self._found: NoticeDetail | TraceLine | None = None
        self._opened = False

    def mounted(self) -> None:
        """Read the notice."""
        super().mounted()
        self.reload()

    def reload(self) -> None:
        """Read the notice (again)."""
        self.face.spawn("notice.read", self._read(self.notice))

    async def _read(self, id: str) -> None:  # noqa: A002
        inbox, run = self.desk.inbox, self.desk.run
        found: NoticeDetail | TraceLine | None = await run(inbox.read, id)
        if found is None:
            traces = await run(inbox.lines, Query(View.TRANSFERRED), (id,))
            found = traces[0] if traces else None
        if not self.alive or id != self.notice:
            return
        keep, self._found = self._found is not None, found
        self._show(keep=keep)
        if isinstance(found, NoticeDetail) and not self._opened:
            self._opened = True
            outcome = await run(inbox.open, id)
            if outcome.done:
                self.desk.poke()

    def _show(self, *, keep: bool) -> None:
        t, glyphs, face, sheet = self.face.t, self.face.glyphs, self.face, self.sheet
        match self._found:
            case None:
                sheet.show([Paragraph(t("inbox.notice_gone"), "warn")], title=t("inbox.notice_gone_title"))
            case TraceLine():
                sheet.show(trace(self._found, t, face.now()), title=trace_title(self._found, t, glyphs), keep=keep)
            case NoticeDetail():
                blocks = whole(self._found, t, glyphs, face.now(), face.today())
                sheet.show(blocks, title=title(self._found, t, glyphs), keep=keep)

    def retranslate(self) -> None:
        """Render the notice in the language of now."""
        super().retranslate()
        if self._found is not None:
            self._show(keep=True)

    def state(self) -> State:
        """Return what decides over the actions: they are about this notice."""
        work = self.face.work
        return self.face.state(
            selected=1,
            can_undo=work is not None and work.can_undo,
            can_repeat=work is not None and work.last is not None,
        )

    def selected(self) -> tuple[str, ...]:
        """Return this notice's id."""
        return (self.notice,)

    def lines_of(self, ids: Sequence[str]) -> list[NoticeLine]:
        """Return this notice's row."""
        found = self._found
        return [found.line] if isinstance(found, NoticeDetail) and found.line.id in ids else []

    def commanded(self) -> None:
        """Show what came of a command."""
        self.reload()

    def store_changed(self, change: Changed) -> None:
        """Show what changed in this notice."""
        if not change.keys or self.notice in change.keys:
            self.reload()

    def _go(self, steps: int) -> None:
        """Show the next or previous notice of the list below."""
        from kelmu_tui.screens.inbox import InboxScreen

        below = self.face.screen_stack[-2] if len(self.face.screen_stack) > 1 else None
        if not isinstance(below, InboxScreen):
            return
        below.rows.step(steps)
        key = below.rows.current_key
        if key is not None and key != self.notice:
            self.notice, self._found, self._opened = key, None, False
            self.reload()

    def action_notice_next(self) -> None:
        """Show the next notice of the list."""
        self._go(1)

    def action_notice_previous(self) -> None:
        """Show the previous notice of the list."""
        self._go(-1)
