"""What is typed into the form of a payment claim, kept at every pause: after a crash it is found among the drafts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from kelmu_tui.screens.drafting import CLAIM, Typing
from kelmu_tui.services.inbox import NotAllowed

if TYPE_CHECKING:
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face


class ClaimTyping(Typing):
    """The fields of one form.

    Attributes:
        claim: id of the claim that is changed.
        draft: id of the draft, None before there is one.
        payee, name: whose benefit it is; empty while that is not known.
        kept_at: when the draft was kept last.
        base: texts of the claim that is changed, as far as the user knows what others have made of it.
        lost: the mandate has ended, and with it the draft: it was about somebody.
    """

    def __init__(self, face: Face, desk: Desk, claim: str | None, draft: str | None) -> None:
        super().__init__(face, desk, CLAIM, [] if draft is None else [draft], None)
        self.claim = claim
        self.draft = draft
        self.payee = ""
        self.name = ""
        self.kept_at: datetime | None = None
        self.base: Mapping[str, str] | None = None
        self.lost = False
        self._whole: tuple[str, str, Mapping[str, str]] = ("", "", {})
        self._begun: Mapping[str, str] = {}
        self._saving = asyncio.Lock()
        self._own = draft is not None

    def begin(self, values: Mapping[str, str]) -> None:
        """Take these as what nobody has typed: left like this there is nothing to be kept."""
        filled = {name: text for name, text in values.items() if text}
        self._now = self._kept = self._begun = filled
        self._whole = (self.payee, self.name, filled)

    @property
    def text(self) -> str:
        """What the user wrote, as far as it goes."""
        return " ".join(text for name, text in self._now.items() if self._begun.get(name) != text)

    @property
    def kept(self) -> bool:
        """Whether there is a draft to be found again."""
        return self.draft is not None

    async def flush(self) -> None:
        """Keep what is typed now; what is again as it began is no draft, and without a mandate there is none (`lost`).

        Raises:
            StoreError: the disk says no.
        """
        async with self._saving:
            try:
                await self._keep()
            except NotAllowed:
                self.lost, self.draft, self.kept_at = True, None, None
                self.ids.clear()

    async def _keep(self) -> None:
        payee, name, now = whole = (self.payee, self.name, self._now)
        if whole == self._whole:
            return
        claims = self._desk.claims
        if not now or (now == self._begun and not self._own):
            if self.draft is not None:
                await self._desk.run(claims.drop_draft, self.draft)
            self.draft, self.kept_at = None, None
        else:
            about = partial(claims.save_draft, claim=self.claim, payee=payee, name=name, base=self.base)
            keep = partial(about, values=dict(now))
            self.draft = await self._desk.run(keep, self.draft)
            self.kept_at = self._face.now()
        self._kept, self._whole, self.lost = now, whole, False
        self.ids[:] = [] if self.draft is None else [self.draft]

    async def drop(self) -> None:
        """Destroy the draft.

        Raises:
            StoreError: the disk says no.
        """
        self.close()
        async with self._saving:
            if self.draft is not None:
                await self._desk.run(self._desk.claims.drop_draft, self.draft)
                self.draft = None
                self.ids.clear()
