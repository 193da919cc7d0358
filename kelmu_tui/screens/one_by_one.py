"""Keys one by one: whoever knows the way types ahead, and no key may reach a screen that was not meant."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from textual import events
from textual.timer import Timer

from kelmu_tui.screens.base import KeyDone, KeyedScreen
from kelmu_tui.terminal.guard import GuardedApp

KEY_SECONDS: Final = 2.0
"""A key that has had no end after this long does not keep the others waiting any more."""


class OneByOne(GuardedApp, inherit_bindings=False):
    """The app as it hands on keys."""

    def __init__(self, **options: Any) -> None:
        """Make the app; the options are those of `GuardedApp`."""
        super().__init__(**options)
        self._held: deque[events.Key] = deque()
        self._key_guard: Timer | None = None
        self._changing = False

    async def on_event(self, event: events.Event) -> None:
        """Hand keys on one by one, each when the one before has had all its effect.

        Whoever knows the way types ahead; a key must not reach the list below while a dialog is being opened.
        """
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._key_guard is not None or self._changing:
            self._held.append(event)
        else:
            self._forward(event)

    def _forward(self, event: events.Key) -> None:
        self._key_guard = self.set_timer(KEY_SECONDS, self._release)
        target = self.focused or self.screen
        target._forward_event(event)  # noqa: SLF001 - as Textual's own App.on_event does
        if not target.post_message(KeyDone()):
            self._release()

    def key_done(self) -> None:
        """The last key has had its effect, or a screen has become ready: the next key may come."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        if self._key_guard is not None and not (isinstance(screen, KeyedScreen) and not screen.ready):
            self._release()

    def on_key_done(self, event: KeyDone) -> None:
        """The screen at the very bottom has no keys of ours."""
        event.stop()
        self.key_done()

    def _release(self) -> None:
        if self._key_guard is not None:
            self._key_guard.stop()
            self._key_guard = None
        if self._held and not self._changing:
            self._forward(self._held.popleft())

    @contextmanager
    def keys_held(self) -> Iterator[None]:
        """Hold keys back while one desk takes the place of another: what is typed must not become commands."""
        self._changing = True
        try:
            yield
        finally:
            self.call_later(self._let_go)  # behind what is still to be put on the screen

    def _let_go(self) -> None:
        self._changing = False
        if self._key_guard is None:
            self._release()

    def forget_keys(self) -> None:
        """Drop the keys that wait: they were meant for what is not there any more."""
        self._held.clear()
