"""An app that shows texts from a file in every kind of widget that takes text: run by the tests in a real terminal.

    python -m tests.terminal.hostile_app FILE FOLDER

It takes itself to be on SSH unless HOSTILE_SSH is empty.

Keys: `n` the next text, `e` the end, `c` copy, `x` an error with the text in message and locals.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import DataTable, Input, Label, OptionList, Static

from kelmu_tui.i18n import Translator
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.terminal.crash import Reporter, install
from kelmu_tui.terminal.environment import detect
from kelmu_tui.terminal.guard import GuardedApp


class Own(Widget):
    """A widget that paints its own line, as the list does."""

    DEFAULT_CSS = "Own { height: 1; }"
    shown = ""

    def render_line(self, y: int) -> Strip:
        """Paint the text as it is, cut to the width."""
        return Strip([Segment(self.shown)]).adjust_cell_length(self.size.width)


class HostileApp(GuardedApp):
    """Shows one text at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("n", "next", "next"),
        ("c", "copy", "copy"),
        ("x", "fail", "fail"),
        ("e", "exit", "exit"),
    ]
    CSS = "DataTable { height: 3; } OptionList { height: 3; } Input { height: 3; } Static { border: round; height: 3; }"

    def __init__(self, texts: list[str], folder: Path) -> None:
        super().__init__(
            reporter=Reporter(folder, SystemClock(), RandomIds()),
            profile=detect({**os.environ, "SSH_TTY": os.environ.get("HOSTILE_SSH", "x")}),
            translate=Translator("en"),
        )
        self.texts = texts
        self.number = -1

    def compose(self) -> ComposeResult:
        """Make one of each widget."""
        yield Static(id="static", markup=False)
        yield Label(id="label", markup=False)
        yield Own(id="own")
        yield OptionList(id="options", markup=False)
        yield DataTable(id="table")
        yield Input(id="input", disabled=True)
        yield Static("0", id="count", markup=False)

    def on_mount(self) -> None:
        """Start with a column."""
        self.query_one(DataTable).add_column("c", key="c")

    def on_click(self) -> None:
        """Tell that a click arrived."""
        self.query_one("#count", Static).update("clicked")

    def action_next(self) -> None:
        """Show the next text everywhere, then its number."""
        self.number += 1
        text = self.texts[self.number]
        static = self.query_one("#static", Static)
        static.border_title = Content(text)
        static.update(Text(text))
        self.query_one("#label", Label).update(Content(text))
        own = self.query_one(Own)
        own.shown = text
        own.refresh()
        self.query_one(OptionList).clear_options().add_option(Content(text))
        table: DataTable[Any] = self.query_one(DataTable)
        table.clear()
        table.add_row(Text(text))
        self.query_one(Input).value = text
        self.query_one("#count", Static).update(f"shown {self.number + 1}")

    def action_copy(self) -> None:
        """Try to copy the text."""
        self.copy_to_clipboard(self.texts[self.number])

    def action_fail(self) -> None:
        """Fail with the text in the message, in a local and in the cause."""
        secret = self.texts[self.number]
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError(f"no such {secret}") from error

    def action_exit(self) -> None:
        """End well."""
        self.exit(0)


def main() -> int:
    """Run the app on the texts of a file."""
    install(lambda error: None)
    texts = json.loads(Path(sys.argv[1]).read_text())
    app = HostileApp(texts, Path(sys.argv[2]))
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
