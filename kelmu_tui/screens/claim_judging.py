"""The form of a payment claim as it thinks along: what is typed is judged beside it, the newest first, no key waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kelmu_tui.services.claim_judging import Judged, judge
from kelmu_tui.services.claim_typing import read
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.errors import NotShown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face
    from kelmu_tui.services.claim_typing import Read

Look = Callable[[], "tuple[Mapping[str, str], str]"]
"""Gives what the fields hold now, and the payee's code."""


class Judging:
    """Judges what a form holds; while one judgement is being made, only the newest of what follows waits.

    Attributes:
        claim: id of the claim that is changed.
        last: the newest judgement; what it was about is `said`.
    """

    def __init__(self, face: Face, desk: Desk, look: Look, hear: Callable[[Judged], None]) -> None:
        self.claim: str | None = None
        self._face = face
        self._desk = desk
        self._look = look
        self._hear = hear
        self._running = self._stale = False
        self.last = Judged()
        self.said: Read | None = None

    def ask(self) -> None:
        """What the form holds has changed, or what is known of the payee."""
        self._stale = True
        if not self._running:
            self._running = True
            self._face.spawn("claim.judge", self._run())

    async def _run(self) -> None:
        try:
            while self._stale:
                await self.now()
        except (NotAllowed, NotShown):
            return  # the desk is closed by whoever learns it; the form goes with it
        finally:
            self._running = False

    async def now(self) -> Judged:
        """Judge what the form holds at this moment.

        Raises:
            NotAllowed, NotShown: claims may not be made (any more).
        """
        self._stale = False
        values, payee = self._look()
        said = read(values, payee, self._face.today())
        basis, claims = values.get("basis", ""), self._desk.claims
        judged: Judged = await self._desk.run(judge, claims, said, payee, basis, self.claim)
        if not self._stale:
            self.last, self.said = judged, said
            self._hear(judged)
        return judged
