"""Looking at the speed from time to time, while something goes up that can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kelmu_tui.screens.base import FramedScreen

if TYPE_CHECKING:
    from textual.timer import Timer

BEAT: Final = 1.0
"""Seconds between two looks at the speed."""


class Beating(FramedScreen[None]):
    """A screen that paints anew what is on its way: the store says how far it is, and not how fast."""

    _beat: Timer | None = None

    def moving(self) -> bool:
        """Tell whether something that is shown goes up."""
        raise NotImplementedError

    def beat(self) -> None:
        """Paint anew what is on its way."""
        raise NotImplementedError

    def mounted(self) -> None:
        """Have the time told, from when something goes up."""
        super().mounted()
        self._beat = self.set_interval(BEAT, self._look_at_speed, pause=True)

    def keep_beat(self) -> None:
        """Go on looking at the speed, or stop: what is shown, the connection or the screen on top is another."""
        if self._beat is not None:
            on = self.face.online and self.face.screen is self and self.moving()
            (self._beat.resume if on else self._beat.pause)()

    def _look_at_speed(self) -> None:
        if self.alive and self.is_current:
            self.beat()
            self.keep_beat()
