"""One sending: how it stands, its documents, what was taken out of them, its receipt; it follows the store."""

from __future__ import annotations

from typing import ClassVar

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.beating import Beating
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.record_page import RecordPage
from kelmu_tui.screens.sending_acts import SendingActs
from kelmu_tui.screens.sending_blocks import file_blocks
from kelmu_tui.store.sendings import UPLOADING, SendingLine
from kelmu_tui.widgets.sheet import Paragraph


class SendingScreen(Beating, RecordPage, SendingActs):
    """A sending whole; the first reading is a look, which is logged before, as is one that brings a receipt."""

    CONTEXT: ClassVar[Context] = Context.SENDING
    SECTION: ClassVar[str] = "main.documents"
    READ_FOR: ClassVar[frozenset[str]] = frozenset({"sending", "command", "conflict"})

    def __init__(self, desk: Desk, sending: str) -> None:
        super().__init__(desk, sending)
        self.line: SendingLine | None = None

    # --- what there is ----------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Read the sending."""
        self.line = await self.desk.run(self.desk.sendings.open, self.subject)

    def forget(self) -> None:
        """Keep nothing of the sending."""
        self.line = None

    def moving(self) -> bool:
        """Tell whether its documents go up."""
        return self.line is not None and self.line.state == UPLOADING

    def beat(self) -> None:
        """Show the speed of now."""
        self.show_record()

    def show_record(self) -> None:
        """Put the sending on the page, and look at the speed while there is one."""
        self.keep_beat()
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

    def state(self) -> State:
        """Return what decides over the actions."""
        return self.sendings_state(0 if self.line is None else 1)
