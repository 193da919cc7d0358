"""One screen kept in reserve: put together, styled and laid out before the key that asks for it.

Making the widgets of a customer's file known to Textual takes longer than reading the file. What lies in reserve is
always fresh: a screen that was shown is never shown again for something else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from textual.app import App
from textual.screen import Screen
from textual.widget import AwaitMount

Kept = TypeVar("Kept", bound=Screen[Any])


class Reserve(Generic[Kept]):
    """Keeps one screen of a kind, as long as what it was made for holds."""

    def __init__(self, app: App[Any], make: Callable[[], Kept], holds: Callable[[], object]) -> None:
        """Keep what `make` makes; `holds` tells what that is for (desk, language, size), which has to stay the same."""
        self._app = app
        self._make = make
        self._holds = holds
        self._kept: Kept | None = None
        self._made_for: object = None

    def prepare(self) -> None:
        """Put a screen together now, unless a good one is there."""
        if self._good:
            return
        self.drop()
        self._kept, self._made_for = self._make(), self._holds()
        # As `push_screen` does, which finds it running later and does not do it again.
        _, mounted = self._app._get_screen(self._kept)  # noqa: SLF001
        self._app.call_later(self._lay_out, self._kept, mounted)

    def take(self) -> Kept:
        """Return the screen in reserve, or a new one; it is the caller's from now on."""
        if not self._good:
            self.drop()
            return self._make()
        kept, self._kept = self._kept, None
        assert kept is not None
        return kept

    def drop(self) -> None:
        """Take the screen apart, if there is one."""
        kept, self._kept = self._kept, None
        if kept is not None and kept.is_running:
            kept.remove()

    @property
    def _good(self) -> bool:
        kept = self._kept
        return kept is not None and kept.is_running and self._made_for == self._holds()

    async def _lay_out(self, screen: Kept, mounted: AwaitMount) -> None:
        """Give every widget its size and paint it for nobody: most of what a first painting computes is kept."""
        await mounted
        if screen is self._kept:
            screen._refresh_layout(self._app.size)  # noqa: SLF001
            screen._compositor.render_update(full=True)  # noqa: SLF001
