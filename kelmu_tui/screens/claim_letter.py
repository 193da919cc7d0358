"""The letter of a claim being written, for what goes in writing only; showing it is logged as what leaves is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kelmu_tui.screens.claim_pages import ClaimTextScreen, Kind
from kelmu_tui.services.inbox import NotAllowed

if TYPE_CHECKING:
    from kelmu_tui.domain.claims.content import Partial
    from kelmu_tui.screens.desk import Desk


class DraftLetterScreen(ClaimTextScreen):
    """What was typed so far as a letter on a basis of the user's choice; what is not known is left open in it."""

    def __init__(self, desk: Desk, subject: str, partial: Partial, basis: str, payee: str) -> None:
        """Write the letter.

        Args:
            subject: id of the draft or of the claim, for the log.
            payee: name of the payee, empty while it is not known.
        """
        super().__init__(desk, subject, Kind.LETTER)
        self._partial = partial
        self._basis = basis
        self._payee = payee

    async def _leaving(self) -> str | None:
        from kelmu_tui.services.claim_letter import Sender, advice, letter, on_basis

        t, organisation = self.face.t, self.desk.session.organisation
        try:
            await self.desk.run(self.desk.claims.log_letter, self._claim)
        except NotAllowed:
            return None
        sender = Sender(organisation.name.get(t.language), organisation.business_id, self.face.today())
        draft = on_basis(self._partial, self._basis)
        self._advice = advice(draft, t)
        return letter(draft, self._payee, sender, t)
