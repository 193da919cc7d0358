"""Sendings as the screens give them: those that can be taken back, and where files were chosen last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.sendings import NotPossible
from kelmu_tui.store.errors import StoreError

if TYPE_CHECKING:
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face

MOST_UNDO: Final = 100
HOME: Final = "~/"


class SendingWork:
    """What was sent at a desk; lives as long as the desk.

    Attributes:
        folder: the folder in which files were chosen last, as it is typed; kept nowhere else.
    """

    def __init__(self, face: Face, desk: Desk) -> None:
        self._face = face
        self.desk = desk
        self.folder = HOME
        self._undo: list[str] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._undo)

    def gave(self, sending: str) -> None:
        """Keep a sending to be taken back, and have it sent."""
        self._undo.append(sending)
        del self._undo[:-MOST_UNDO]
        self.desk.poke()

    def ended(self, sending: str) -> None:
        """A sending was taken back otherwise."""
        self._undo = [one for one in self._undo if one != sending]

    async def undo(self) -> None:
        """Take back what was sent last, unless Kela has it."""
        if not self._undo:
            return
        last = self._undo.pop()
        t = self._face.t
        try:
            await self.desk.run(self.desk.sendings.cancel, last)
        except StoreError:
            self._undo.append(last)  # once there is room again it can still be taken back
            raise
        except NotPossible:
            self._face.say(t("sending_view.too_late"), role="warn")
        except NotAllowed:
            self._face.say(t("sending_view.closed"), role="warn")
        else:
            self.desk.poke()
            self._face.say(t("sending_view.cancelled"), role="good")
