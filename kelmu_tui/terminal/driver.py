"""Textual's driver for real terminals, quieter and sturdier.

Quieter: no any-motion mouse reports (1003 floods the shell when a connection dies), no pixels, and no questions or
focus reports where the profile says so. Sturdier: input that is not UTF-8 or not a known sequence is dropped and not
fatal, a terminal that is gone ends the app in place of a spinning thread, and leaving wipes the screen first, since
not every multiplexer keeps an alternate one.
"""

from __future__ import annotations

import os
import selectors
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol, TextIO, runtime_checkable

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from kelmu_tui.terminal.environment import TerminalProfile, detect

_POLL = 0.1  # seconds between looks at whether the app is ending
_FOCUS_ON, _FOCUS_OFF = "\x1b[?1004h", "\x1b[?1004l"
_KITTY_OFF = "\x1b[<u"


@runtime_checkable
class Leaving(Protocol):
    """An app that knows what to do when the terminal is gone."""

    def terminal_gone(self) -> None:
        """Leave; called on any thread."""
        ...


@runtime_checkable
class Suspended(Protocol):
    """An app that wants to do something before the process is suspended."""

    def about_to_stop(self, stop: Callable[[], None]) -> None:
        """Do it and call `stop`; called on the app's loop."""
        ...


class _Output:
    """The terminal as a file that never raises: when it is gone, the app is told and the rest is dropped."""

    def __init__(self, file: TextIO, driver: QuietDriver) -> None:
        self._file = file
        self._driver = driver
        self._gone = False

    def write(self, text: str) -> int:
        if not self._gone:
            try:
                return self._file.write(text)
            except (OSError, ValueError):
                self._lost()
        return len(text)

    def flush(self) -> None:
        if not self._gone:
            try:
                self._file.flush()
            except (OSError, ValueError):
                self._lost()

    def fileno(self) -> int:
        return self._file.fileno()

    def _lost(self) -> None:
        self._gone = True
        self._driver.terminal_gone()


class QuietDriver(LinuxDriver):
    """The driver; `profile` is set by `driver_for`."""

    profile: ClassVar[TerminalProfile]

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if sys.__stderr__ is None:
            raise RuntimeError("there is no terminal to paint on")
        self._file = _Output(sys.__stderr__, self)  # type: ignore[assignment]
        self._stopped = False
        self._on_terminal = [number for number in (1, 2) if os.isatty(number)]

    def terminal_gone(self) -> None:
        """Tell the app that nobody sees it any more; safe on any thread."""
        # What is still printed goes nowhere: an error on the way out would hide the exit code.
        with Path(os.devnull).open("wb") as nowhere:
            for number in self._on_terminal:
                os.dup2(nowhere.fileno(), number)
        self._on_terminal.clear()
        if isinstance(self._app, Leaving):
            self._app.terminal_gone()

    def _get_terminal_size(self) -> tuple[int, int]:
        # The window itself before what somebody exported: COLUMNS and LINES of a shell that has been left behind (or
        # of a container) would freeze the picture at their size for good.
        for number in (self.fileno, 1, 2):
            try:
                width, height = os.get_terminal_size(number)
            except OSError:
                continue
            if width and height:
                return width, height
        return super()._get_terminal_size()

    # --- suspension -------------------------------------------------------------------------------------------------

    def _sigtstp_application(self, *_: object) -> None:
        app = self._app
        if isinstance(app, Suspended):
            # By way of the app's own queue: what it starts looks up the app in its context.
            self._loop.call_soon_threadsafe(app.call_later, app.about_to_stop, self._stop)
        else:
            self._stop()

    def _stop(self) -> None:
        self._stopped = True
        super()._sigtstp_application()

    def _sigcont_application(self, *_: object) -> None:
        # Without having stopped, a second pair of threads would read and write the terminal.
        if self._stopped:
            self._stopped = False
            super()._sigcont_application()

    # --- output -----------------------------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Write `data`, but for what the profile does without."""
        if data in (_FOCUS_ON, _FOCUS_OFF) and not self.profile.focus:
            return
        if data == _KITTY_OFF and constants.DISABLE_KITTY_KEY:
            return
        super().write(data)

    def set_mouse(self, on: bool) -> None:
        """Turn mouse reports on or off while the app runs."""
        if on:
            self._mouse = True
            self._enable_mouse_support()
        else:
            self._disable_mouse_support()
            self._mouse = False

    @property
    def mouse(self) -> bool:
        """Whether mouse reports are asked for."""
        return self._mouse

    def _enable_mouse_support(self) -> None:
        if self._mouse:
            super().write("\x1b[?1000h\x1b[?1006h")
            self.flush()

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            super().write("\x1b[?1006l\x1b[?1000l")
            self.flush()

    def _enable_mouse_pixels(self) -> None:
        """Cells are exact enough."""

    def _query_in_band_window_resize(self) -> None:
        if self.profile.queries:
            super()._query_in_band_window_resize()

    def _request_terminal_sync_mode_support(self) -> None:
        if self.profile.queries:
            super()._request_terminal_sync_mode_support()

    def stop_application_mode(self) -> None:
        """Wipe the screen line by line, then leave it.

        A multiplexer without alternate screen would keep the last page in view, and one that is told to erase the
        whole screen may save it in its history.
        """
        if self._writer_thread is not None:
            height = self._app.size.height
            super().write("\x1b[0m" + "".join(f"\x1b[{row}H\x1b[2K" for row in range(height, 0, -1)))
        super().stop_application_mode()

    # --- input ------------------------------------------------------------------------------------------------------

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except BaseException as error:  # noqa: BLE001 - a thread without a parent: the app reports it and ends
            self._loop.call_soon_threadsafe(self._app._handle_exception, error)  # type: ignore[arg-type]  # noqa: SLF001

    def run_input_thread(self) -> None:
        """Read the terminal until the app ends or the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                text = ""
                if selector.select(_POLL):
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        data = b""
                    if not data:
                        self.terminal_gone()
                        return
                    text = decode(data)
                parser = self._feed(parser, text)

    def _feed(self, parser: XTermParser, text: str) -> XTermParser:
        """Hand `text` to the parser and its events to the app; return the parser to go on with."""
        try:
            if text:
                for message in parser.feed(text):
                    self.process_message(message)
            for message in parser.tick():
                self.process_message(message)
        except Exception:  # noqa: BLE001 - whatever a torn or hostile sequence makes the parser raise
            return XTermParser(self._debug)
        return parser


def driver_for(profile: TerminalProfile) -> type[QuietDriver]:
    """Return the driver class for a profile, for `App(driver_class=…)`."""
    return type("ProfiledDriver", (QuietDriver,), {"profile": profile})


QuietDriver.profile = detect(os.environ)
