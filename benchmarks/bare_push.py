"""The floor of opening anything: a Textual app that pushes an empty screen and takes it away again."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Label


class Pushed(Screen[None]):
    """One label and nothing else."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "app.pop_screen", "")]

    def compose(self) -> ComposeResult:
        yield Label("pushed-screen")


class BarePush(App[None]):
    """Pushes the screen."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [("enter", "push", "")]

    def compose(self) -> ComposeResult:
        yield Label("ready-to-measure")

    def action_push(self) -> None:
        """Show the screen."""
        self.push_screen(Pushed())


if __name__ == "__main__":
    BarePush(ansi_color=True).run()
