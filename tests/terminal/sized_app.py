"""An app that shows its size: `python -m tests.terminal.sized_app FOLDER`, run by the tests in a real terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Label

from kelmu_tui.i18n import Translator
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.terminal.crash import Reporter
from kelmu_tui.terminal.environment import detect
from kelmu_tui.terminal.guard import GuardedApp


class SizedApp(GuardedApp):
    """Shows `size COLUMNSxROWS`."""

    def __init__(self, folder: Path) -> None:
        reporter = Reporter(folder, SystemClock(), RandomIds())
        super().__init__(reporter=reporter, profile=detect(os.environ), translate=Translator("en"))

    def compose(self) -> ComposeResult:
        yield Label()

    def on_resize(self, event: Resize) -> None:
        """Show the size."""
        self.query_one(Label).update(f"size {event.size.width}x{event.size.height}")


if __name__ == "__main__":
    SizedApp(Path(sys.argv[1])).run()
