"""Identity codes that are shown whole for a while: nobody leaves them on a screen by accident."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from textual.timer import Timer

    from kelmu_tui.screens.base import KeyedScreen

SECONDS: Final = 30.0
"""How long they are shown."""


class WholeCodes:
    """Whether the codes of a screen are shown whole now."""

    def __init__(self, screen: KeyedScreen[Any], refresh: Callable[[], object]) -> None:
        self._screen = screen
        self._refresh = refresh
        self._timer: Timer | None = None

    @property
    def shown(self) -> bool:
        """Whether they are."""
        return self._timer is not None

    def toggle(self) -> None:
        """Show them for a while, or hide them again."""
        if self._timer is None:
            self._timer = self._screen.set_timer(SECONDS, self._hide)
            self._refresh()
        else:
            self._hide()

    def _hide(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._screen.alive:
            self._refresh()
