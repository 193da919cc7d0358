"""What stands in the form of a sending, held while the desk below changes: in memory alone, for it names somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kelmu_tui.screens.drafting import Typing

if TYPE_CHECKING:
    from collections.abc import Callable

    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face
    from kelmu_tui.screens.sending_form import Begin

DOCUMENTS: Final = "documents"
"""What the form of a sending has in the place of a command on notices."""


class SendingTyping(Typing):
    """One form; `look` gives what stands in it, as another form begins with it.

    Attributes:
        held: what stood in it when the form was taken away.
        given: it has been sent, or is about to be: nobody is offered it again.
    """

    def __init__(self, face: Face, desk: Desk, look: Callable[[], Begin]) -> None:
        super().__init__(face, desk, DOCUMENTS, [], None)
        self._look = look
        self.held: Begin | None = None
        self.given = False

    @property
    def text(self) -> str:
        """What would be lost: whose documents they are, and which."""
        begin = self.held or self._look()
        return " ".join((begin.code, begin.values.get("customer", ""), *(str(one.path) for one in begin.files))).strip()

    async def flush(self) -> None:
        """Hold what stands there."""
        self.held = self._look()
