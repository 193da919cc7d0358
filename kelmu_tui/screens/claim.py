"""One claim: what it says, how it stands, what comes next, payments and history; it follows the feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.claim_acts import ClaimActs
from kelmu_tui.screens.claim_blocks import file_blocks
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.record_page import RecordPage
from kelmu_tui.store.claim_rows import Account, ClaimFile, ClaimLine
from kelmu_tui.widgets.sheet import Paragraph


class ClaimScreen(RecordPage, ClaimActs):
    """A claim whole; each reading of something new is a look, which is logged before."""

    CONTEXT: ClassVar[Context] = Context.CLAIM
    LEADS_TO_CUSTOMER = True
    SECTION: ClassVar[str] = "main.claims"
    READ_FOR: ClassVar[frozenset[str]] = frozenset({"claim", "command", "conflict"})

    def __init__(self, desk: Desk, claim: str) -> None:
        super().__init__(desk, claim)
        self.file: ClaimFile | None = None
        self._accounts: Sequence[Account] = ()

    # --- what there is ----------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Read the claim, and what the organisation calls its accounts."""
        claims = self.desk.claims

        def read() -> tuple[ClaimFile | None, Sequence[Account]]:
            return claims.open(self.subject), claims.accounts()

        self.file, self._accounts = await self.desk.run(read)

    def forget(self) -> None:
        """Keep nothing of the claim."""
        self.file, self._accounts = None, ()

    def update_frame(self) -> None:
        """The connection changed, or a minute has gone: days are nearer, and who was at it may be so no more."""
        super().update_frame()
        if self.alive and self.is_current and self.file is not None and self.file.line.editing is not None:
            self.reload()

    def show_record(self) -> None:
        """Put the claim on the page."""
        t = self.face.t
        if self.file is None:
            said = t("claim_view.closed_text", key=self.key_text("app.help")) if self._barred else t("claim_view.gone")
            self.sheet.show([Paragraph(said, "warn")], title=t("claim_view.claim"))
            return
        line = self.file.line
        title = f"{t('claim_view.claim')} {self.face.glyphs.dot} {line.name}  {line.masked_code}"
        self.sheet.show(file_blocks(self.file, self._accounts, self.face), title=title, keep=True)

    # --- actions ----------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> Sequence[ClaimLine]:
        """The claim of the page."""
        return () if self.file is None else (self.file.line,)

    def state(self) -> State:
        """Return what decides over the actions."""
        return self.claims_state(len(self.chosen))
