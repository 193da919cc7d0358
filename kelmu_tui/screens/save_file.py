"""Asking where to save: a new file whose ending says what it becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.platform.saving import NotSaved, check, is_shared, target
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.text_field import LineField

MAX_NAME = 1000


class SaveScreen(Dialog[None]):
    """A line for the file's name; a folder that others can write to has to be confirmed by a second enter."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(self, suggestion: str, save: Callable[[Path], Awaitable[str]], *, about: str = "") -> None:
        """Ask, beginning with the name `suggestion`; `about` says what is saved where its ending decides nothing.

        `save` writes the file and returns what hinders it, empty when nothing does; it may raise `NotSaved`.
        """
        super().__init__()
        self._suggestion = suggestion
        self._save = save
        self._about = about
        self._warned_of: Path | None = None
        self._saving = False

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        yield self.box(
            t("saving.title"),
            Caption(self._about or t("saving.about"), role=""),
            LineField(self._suggestion, id="field", max_length=MAX_NAME),
            Caption(t("saving.only_you"), id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.cancel", accept=t("saving.save"))),
        )

    def on_mount(self) -> None:
        """Begin. Textual calls every class's own handler, so subclasses take the hook below."""
        self.begin()

    def begin(self) -> None:
        """Begin to type before the ending."""
        field = self.query_one("#field", LineField)
        self.set_focus(field)
        field.cursor_position = len(self._suggestion) - len(Path(self._suggestion).suffix)

    def action_dialog_accept(self) -> None:
        """Save, without waiting for the disk."""
        if not self._saving:
            self._saving = True
            self.face.spawn("file.save", self._try(self.query_one("#field", LineField).value))

    async def _try(self, name: str) -> None:
        try:
            problem, role = await self.outcome(name), "alarm"
            if problem is None:
                problem, role = self.face.t("saving.shared"), "warn"
        finally:
            self._saving = False
        if not self.alive:
            return
        if problem:
            self.query_one("#effect", Caption).show(problem, role=role)
        else:
            self.leave_with(None)

    async def outcome(self, name: str) -> str | None:
        """Save and return what hinders it, empty when nothing does; None asks to confirm the folder."""
        try:
            path = target(name)
            await asyncio.to_thread(check, path)
            if self._warned_of != path and await asyncio.to_thread(is_shared, path.parent):
                self._warned_of = path
                return None
            return await self._save(path)
        except NotSaved as failure:
            return self.problem(failure, name)

    def problem(self, failure: NotSaved, name: str) -> str:
        """Return what hinders saving."""
        return self.face.t.choice("saving.problem", failure.reason, folder=str(target_folder(name)))


def target_folder(name: str) -> Path:
    """Return the folder that a name means, to be named to the user."""
    try:
        return target(name).parent
    except NotSaved:
        return Path()
