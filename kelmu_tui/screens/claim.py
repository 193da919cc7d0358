"""One claim: what it says, how it stands, what comes next, payments and history; it follows the feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.claim_acts import ClaimActs
from kelmu_tui.screens.claim_blocks import file_blocks
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.claim_rows import Account, ClaimFile, ClaimLine
from kelmu_tui.store.database import Changed
from kelmu_tui.widgets.sheet import Paragraph

READ_FOR: frozenset[str] = frozenset({"claim", "command", "conflict"})
"""What of the store says something of a claim, by the claim's id."""


class ClaimScreen(ClaimActs, PageScreen[None]):
    """A claim whole; each reading of something new is a look, which is logged before."""

    CONTEXT: ClassVar[Context] = Context.CLAIM
    LEADS_TO_CUSTOMER = True
    SECTION: ClassVar[str] = "main.claims"

    def __init__(self, desk: Desk, claim: str) -> None:
        super().__init__()
        self.desk = desk
        self.claim = claim
        self.file: ClaimFile | None = None
        self._accounts: Sequence[Account] = ()
        self._read = self._barred = False
        self._reading = self._stale = False

    # --- what there is ----------------------------------------------------------------------------------------------

    def mounted(self) -> None:
        """Read the claim."""
        super().mounted()
        self.reload()

    def reload(self) -> None:
        """Read the claim anew; what comes while it is read is seen by one more reading."""
        self._stale = True
        if not self._reading:
            self._reading = True
            self.face.spawn("claim.read", self._load())

    async def _load(self) -> None:
        try:
            while self._stale and self.alive:
                self._stale = False
                await self._look()
        finally:
            self._reading = False

    async def _look(self) -> None:
        claims = self.desk.claims

        def read() -> tuple[ClaimFile | None, Sequence[Account]]:
            return claims.open(self.claim), claims.accounts()

        try:
            self.file, self._accounts = await self.desk.run(read)
            self._barred = False
        except NotAllowed:
            self.file, self._accounts, self._barred = None, (), True
        self._read = True
        if self.alive:
            self._show()
            self.update_hints()

    def store_changed(self, change: Changed) -> None:
        """The claim changed, an own command on it went on its way, or the mandate did."""
        mine = change.tables & READ_FOR and (not change.keys or self.claim in change.keys)
        if self.alive and (not change.tables or "scope" in change.tables or mine):
            self.reload()

    def update_frame(self) -> None:
        """The connection changed, or a minute has gone: days are nearer, and who was at it may be so no more."""
        super().update_frame()
        if not self.alive or not self._read or not self.is_current:
            return
        if self.file is not None and self.file.line.editing is not None:
            self.face.spawn("claim.line", self._look_beside())
        self._show()

    async def _look_beside(self) -> None:
        """See whether somebody else is still at it; the names on the page have been logged already."""
        try:
            lines: Sequence[ClaimLine] = await self.desk.run(self.desk.claims.lines)
        except NotAllowed:
            self.reload()
            return
        found = next((line for line in lines if line.id == self.claim), None)
        if self.alive and self.file is not None and found is not None and found != self.file.line:
            self.file = self.file._replace(line=found)
            self._show()

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        if self._read:
            self._show()

    def _show(self) -> None:
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

    def acted(self) -> None:
        """Read it anew."""
        if self.alive:
            self.reload()

    def state(self) -> State:
        """Return what decides over the actions."""
        return self.claims_state(len(self.chosen))
