"""The app's base: everything that keeps data inside and the terminal whole, in one place.

It overrides a few private methods of Textual, which is pinned to one version; a test checks that they are there.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen

from kelmu_tui.terminal.clipboard import sequence
from kelmu_tui.terminal.crash import Report, Reporter, sentence
from kelmu_tui.terminal.driver import QuietDriver, driver_for
from kelmu_tui.terminal.environment import TerminalProfile
from kelmu_tui.terminal.filter import SafeText
from kelmu_tui.terminal.hang_up import HangUp
from kelmu_tui.terminal.one_size import OneSize
from kelmu_tui.terminal.timers import SureTimers

CRASHED = 70
"""Exit code after an error of our own (EX_SOFTWARE)."""


class Panicked(Exception):
    """Textual gave up with a message that may hold anything; only the fact is kept."""


class FirstScreen(OneSize, Screen[None]):
    """The empty screen below all others."""


class GuardedApp(SureTimers, App[int]):
    """An app whose painted text is safe, whose crashes tell no values, and which leaves when the terminal does.

    Attributes:
        crash: the report of the first error, None while all is well.
        at_the_end: done on any thread when the process ends without unwinding.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False

    def __init__(self, *, reporter: Reporter, profile: TerminalProfile, translate: Callable[..., str]) -> None:
        super().__init__(driver_class=driver_for(profile))
        self.profile = profile
        self.crash: Report | None = None
        self._reporter = reporter
        self._say = translate
        self._net = SafeText()
        self.at_the_end: Callable[[], object] | None = None
        self._hang_up = HangUp(lambda code: self.exit(code, return_code=code), end=self._end_at_once)

    def get_default_screen(self) -> Screen[Any]:
        """Return the screen that is there before the first of ours."""
        return FirstScreen(id="_default")

    # --- what goes out ----------------------------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's filters and the net behind them."""
        return [*super().get_line_filters(), self._net]

    def copy_to_clipboard(self, text: str) -> None:
        """Do nothing: no widget hands personal data to the terminal's clipboard by itself."""

    def send_copy(self, text: str) -> None:
        """Hand `text` to the terminal's clipboard, for what the user asked to copy; whoever calls has logged it.

        Raises:
            TooLong: it would not arrive whole.
        """
        if self._driver is not None:
            self._driver.write(sequence(text))
            self._driver.flush()

    def _set_pointer_shape(self, shape: str) -> None:
        """Leave the pointer of the mouse alone: few terminals know the sequence, some print it."""

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Return nothing: Textual's own commands write screenshots, among others."""
        return ()

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Do nothing: a picture of the screen is a file of personal data."""

    @property
    def mouse(self) -> bool:
        """Whether the terminal is asked for mouse reports; set it to turn them on or off."""
        return isinstance(self._driver, QuietDriver) and self._driver.mouse

    @mouse.setter
    def mouse(self, on: bool) -> None:
        if isinstance(self._driver, QuietDriver):
            self._driver.set_mouse(on)

    # --- crashes ----------------------------------------------------------------------------------------------------

    def report(self, error: BaseException) -> None:
        """Write a report on an error that does not end the app."""
        self._reporter.report(error)

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = CRASHED
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        if self.crash is None:
            self.crash = self._reporter.report(error)
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:  # noqa: ARG002 - what was to be shown may hold values
        """End the app with a report in place of the message."""
        self._handle_exception(Panicked())

    def _fatal_error(self) -> None:
        self._handle_exception(Panicked())

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()
        if self.crash is not None and sys.__stderr__ is not None and not self.is_headless:
            print(sentence(self.crash, self._say), file=sys.__stderr__)

    # --- leaving ----------------------------------------------------------------------------------------------------

    def terminal_gone(self) -> None:
        """Leave, since nobody sees the app any more; safe on any thread."""
        self._hang_up.terminal_gone()

    def _end_at_once(self, code: int) -> None:
        try:
            if self.at_the_end is not None:
                self.at_the_end()
        finally:
            os._exit(code)

    def on_load(self) -> None:
        """Listen to signals and to failures of forgotten tasks, once the loop runs."""
        if self.is_headless or threading.current_thread() is not threading.main_thread():
            return
        self._hang_up.install()
        asyncio.get_running_loop().set_exception_handler(self._on_loop_failure)

    def _on_loop_failure(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:  # noqa: ARG002
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.report(error)

    def _build_driver(self, headless: bool, inline: bool, mouse: bool, size: tuple[int, int] | None) -> Driver:
        return super()._build_driver(headless, inline, mouse and self.profile.mouse, size)

    async def run_async(self, **options: Any) -> int | None:
        """Run the app, and stop listening to signals when it has ended."""
        try:
            return await super().run_async(**options)
        finally:
            self._hang_up.remove()
