"""Writing a text to a file that is not there yet: its name is asked, and what is there is never written over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.platform.paths import write_new
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.text_field import LineField

MOST_TYPED: Final = 400


class WriteScreen(Dialog[str]):
    """Answers the name of the file that was written; stays with the name when it could not be."""

    CONTEXT: ClassVar[Context] = Context.LOOK_UP

    def __init__(self, title: str, path: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._path = path
        self._text = text
        self._busy = False

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        yield self.box(
            self._title,
            LineField(self._path, id="field", max_length=MOST_TYPED),
            Caption(t("look_ups.write_about"), id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.cancel", accept=t("look_ups.write_accept"))),
        )

    def on_mount(self) -> None:
        """Begin behind the name."""
        field = self.query_one(LineField)
        self.set_focus(field)
        field.cursor_position = len(field.value)

    def action_dialog_accept(self) -> None:
        """Write the file."""
        name = self.query_one(LineField).value.strip()
        if name and not self._busy:
            self._busy = True
            self.face.spawn("write", self._write(name))

    async def _write(self, name: str) -> None:
        t, problem = self.face.t, ""
        try:
            path = Path(name).expanduser()
            await asyncio.to_thread(write_new, path, self._text.encode("utf-8"))
        except FileExistsError:
            problem = t("cli.file_exists")
        except (OSError, ValueError, RuntimeError):  # a name with a zero in it, or somebody's home who is not there
            problem = t("cli.not_written")
        self._busy = False
        if not self.alive:
            return
        if problem:
            self.query_one("#effect", Caption).show(problem, role="alarm")
        else:
            self.dismiss(path.name)
