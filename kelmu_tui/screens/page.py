"""A screen of one page to read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from textual.widget import Widget

from kelmu_tui.screens.base import FramedScreen
from kelmu_tui.widgets.sheet import Sheet

Result = TypeVar("Result")
FAR = 1_000_000


class PageScreen(FramedScreen[Result]):
    """The frame around a page; the moving keys scroll it."""

    def body(self) -> Iterable[Widget]:
        """Return the page."""
        yield Sheet(glyphs=self.face.glyphs, id="page")

    @property
    def sheet(self) -> Sheet:
        """The page."""
        return self.query_one("#page", Sheet)

    def mounted(self) -> None:
        """Let the page have the keys."""
        super().mounted()
        self.set_focus(self.sheet)

    def action_list_down(self) -> None:
        """Scroll a line."""
        self.sheet.scroll_lines(1)

    def action_list_up(self) -> None:
        """Scroll a line back."""
        self.sheet.scroll_lines(-1)

    def action_list_page_down(self) -> None:
        """Scroll a page."""
        self.sheet.scroll_pages(1)

    def action_list_page_up(self) -> None:
        """Scroll a page back."""
        self.sheet.scroll_pages(-1)

    def action_list_top(self) -> None:
        """Go to the beginning."""
        self.sheet.scroll_lines(-FAR)

    def action_list_bottom(self) -> None:
        """Go to the end."""
        self.sheet.scroll_lines(FAR)

    def action_app_back(self) -> None:
        """Leave the page."""
        self.dismiss(None)


class ReadPage(PageScreen[Result]):
    """A page whose content is read beside the screen; what comes while it is read is seen by one more reading."""

    def __init__(self) -> None:
        super().__init__()
        self._reading = self._stale = False

    async def load(self) -> None:
        """Read what the page tells and show it; the widgets may have gone when the reading is over."""
        raise NotImplementedError

    def reload(self) -> None:
        """Read once more."""
        self._stale = True
        if not self._reading:
            self._reading = True
            self.face.spawn("page.read", self._load())

    async def _load(self) -> None:
        try:
            while self._stale and self.alive:
                self._stale = False
                await self.load()
        finally:
            self._reading = False


class LivePage(ReadPage[Result]):
    """A page that is read again when the connection changes and with the app's minute; subclasses say what else."""

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        self.reload()

    def update_frame(self) -> None:
        """The connection changed, or a minute has gone: ages are older."""
        super().update_frame()
        self.reload()
