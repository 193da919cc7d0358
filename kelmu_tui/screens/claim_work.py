"""Commands on claims as the screens give them: a stack to take back, and the last one to give again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from kelmu_tui.domain.claims.life import ClaimRefused
from kelmu_tui.services.claims import NotOpen
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.outbox import State as CommandState

if TYPE_CHECKING:
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face

MOST_UNDO: Final = 100
REGISTER: Final = "claim-register"
PROLONG: Final = "claim-prolong"
END: Final = "claim-end"


class Again(NamedTuple):
    """A command that can be given to other claims: until when, and for an end why."""

    verb: str
    last: date
    reason: str = ""


class ClaimWork:
    """What was done with claims at a desk; lives as long as the desk.

    Attributes:
        again: the last command that makes sense for other claims too.
    """

    def __init__(self, face: Face, desk: Desk) -> None:
        self._face = face
        self.desk = desk
        self._undo: list[tuple[str, ...]] = []
        self.again: Again | None = None

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._undo)

    def gave(self, commands: Sequence[str], again: Again | None = None) -> None:
        """Keep commands that were given together to be taken back, and have them sent."""
        if not commands:
            return
        self._undo.append(tuple(commands))
        del self._undo[:-MOST_UNDO]
        if again is not None:
            self.again = again
        self.desk.poke()

    async def undo(self) -> None:
        """Take back what was given last, and say what that came to: never sent, cancelled, or too late."""
        if not self._undo:
            return
        last = self._undo.pop()
        try:
            verb, waiting = await self.desk.run(self._standing, last)
            done: int = await self.desk.run(self.desk.claims.take_back, last)
        except StoreError:
            self._undo.append(last)  # once there is room again it can still be taken back
            raise
        except (ClaimRefused, NotOpen):  # Kela was faster than the cancelling of what was registered
            verb, waiting, done = REGISTER, 0, 0
        t, face = self._face.t, self._face
        unsent = min(waiting, done)
        if done:
            self.desk.poke()
        if unsent == len(last):
            face.say(t.choice("claim_view.undone", verb, count=unsent), role="good")
        elif verb == REGISTER and done == len(last):
            face.say(t("claim_view.undone_by_cancel", count=done), role="good")
        elif done:
            face.say(t("claim_view.undone_partly", done=done, count=len(last) - done), role="warn")
        else:
            face.say(t.choice("claim_view.too_late", verb, key=face.key_text(_INSTEAD[verb])), role="warn")

    def _standing(self, commands: Sequence[str]) -> tuple[str, int]:
        """Return of what kind the commands are, and how many of them have not begun to be sent, as far as is seen."""
        lines = [line for line in map(self.desk.outbox.line, commands) if line is not None]
        return lines[0].verb if lines else REGISTER, sum(line.state in _UNSENT for line in lines)


_UNSENT: Final = frozenset({CommandState.QUEUED, CommandState.BLOCKED, CommandState.UNDELIVERABLE})
_INSTEAD: Final = {
    REGISTER: "claims.end",
    "claim-change": "claims.change",
    PROLONG: "claims.end",
    END: "claims.again",
    "claim-cancel": "claims.again",
}
"""What can be done in place of taking back a command that Kela has."""
