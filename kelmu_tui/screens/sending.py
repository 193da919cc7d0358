"""One sending: how it stands, its documents, what was taken out of them, its receipt; it follows the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.documents import BEAT
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.screens.sending_acts import SendingActs
from kelmu_tui.screens.sending_blocks import file_blocks
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.database import Changed
from kelmu_tui.store.sendings import UPLOADING, SendingLine
from kelmu_tui.widgets.sheet import Paragraph

if TYPE_CHECKING:
    from textual.timer import Timer

READ_FOR: frozenset[str] = frozenset({"sending", "command", "conflict"})
"""What of the store says something of a sending, by its id."""


class SendingScreen(SendingActs, PageScreen[None]):
    """A sending whole; the first reading is a look, which is logged before, as is one that brings a receipt."""

    CONTEXT: ClassVar[Context] = Context.SENDING
    SECTION: ClassVar[str] = "main.documents"

    def __init__(self, desk: Desk, sending: str) -> None:
        super().__init__()
        self.desk = desk
        self.sending = sending
        self.line: SendingLine | None = None
        self._read = self._barred = False
        self._reading = self._stale = False
        self._beat: Timer | None = None

    # --- what there is ----------------------------------------------------------------------------------------------

    def mounted(self) -> None:
        """Read the sending, and look at the speed from time to time while there is one."""
        super().mounted()
        self._beat = self.set_interval(BEAT, self._look_at_speed, pause=True)
        self.reload()

    def reload(self) -> None:
        """Read it anew; what comes while it is read is seen by one more reading."""
        self._stale = True
        if not self._reading:
            self._reading = True
            self.face.spawn("sending.read", self._load())

    async def _load(self) -> None:
        try:
            while self._stale and self.alive:
                self._stale = False
                await self._look()
        finally:
            self._reading = False

    async def _look(self) -> None:
        try:
            self.line = await self.desk.run(self.desk.sendings.open, self.sending)
            self._barred = False
        except NotAllowed:
            self.line, self._barred = None, True
        self._read = True
        if self.alive:
            self._show()
            self.update_hints()
            self._keep_beat()

    def _keep_beat(self) -> None:
        if self._beat is not None:
            moving = self.line is not None and self.line.state == UPLOADING and self.face.online
            (self._beat.resume if moving and self.face.screen is self else self._beat.pause)()

    def _look_at_speed(self) -> None:
        if self.alive and self.is_current:
            self._show()
            self._keep_beat()

    def store_changed(self, change: Changed) -> None:
        """Bytes went up, the receipt came, or the mandate ended."""
        mine = change.tables & READ_FOR and (not change.keys or self.sending in change.keys)
        if self.alive and (not change.tables or "scope" in change.tables or mine):
            self.reload()

    def on_screen_resume(self) -> None:
        """The screen is on top again."""
        super().on_screen_resume()
        self._keep_beat()

    def update_frame(self) -> None:
        """The connection changed: it waits for it, or goes on."""
        super().update_frame()
        if self.alive and self._read and self.is_current:
            self._show()
            self._keep_beat()

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        if self._read:
            self._show()

    def _show(self) -> None:
        t = self.face.t
        if self.line is None:
            key = self.key_text("app.help")
            said = t("sending_view.closed_text", key=key) if self._barred else t("sending_view.gone")
            self.sheet.show([Paragraph(said, "warn")], title=t("sending_view.sending"))
            return
        name = self.line.customer_name or t("sending_view.nobody")
        title = f"{t('sending_view.sending')} {self.face.glyphs.dot} {name}  {self.line.masked_code}"
        self.sheet.show(file_blocks(self.line, self.face, self.way), title=title, keep=True)

    # --- actions ----------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> SendingLine | None:
        """The sending of the page."""
        return self.line

    def acted(self) -> None:
        """Read it anew."""
        if self.alive:
            self.reload()

    def state(self) -> State:
        """Return what decides over the actions."""
        return self.sendings_state(0 if self.line is None else 1)
