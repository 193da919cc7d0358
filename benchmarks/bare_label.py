"""The yardstick of first paint and memory: a Textual app that shows one label."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Label


class BareLabel(App[None]):
    """One label and nothing else."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Label("ready-to-measure")


if __name__ == "__main__":
    BareLabel(ansi_color=True).run()
