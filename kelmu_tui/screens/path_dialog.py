"""What dialogs that take a file from the disk share: a path that is typed or walked, and the list of what it can be."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from textual import on
from textual.widgets import Input

from kelmu_tui.platform.picking import Entry, Listing, completed, listing
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.picker import PickList
from kelmu_tui.widgets.text_field import LineField

Result = TypeVar("Result")

MAX_PATH: Final = 1000
BESIDE: Final = 8
"""Lines of the box that are no files: border, what it is about, field, what is to be known, hints."""


class PathDialog(Dialog[Result]):
    """A line for the path with what it can become below it; the disk may take its time to say what that is.

    Keys that mean an entry wait until the list is of what is typed: an entry of a former list is another file.
    """

    TASK: ClassVar[str]
    """Name of the task that lists a folder."""

    hidden = False
    """Whether hidden names are offered before their point is typed."""

    def __init__(self) -> None:
        super().__init__()
        self._listing: Listing | None = None
        self._sought: str | None = None
        self._asked = self._shown = 0
        self._then: deque[Callable[[], None]] = deque()

    def offer(self, found: Listing) -> None:
        """Show what the path can become."""
        raise NotImplementedError

    def edited(self) -> None:
        """The path is another: what was said of the one before is no more."""

    def on_mount(self) -> None:
        """Begin in the folder that stands in the field."""
        field = self.query_one(LineField)
        self.set_focus(field)
        field.cursor_position = len(field.value)
        self._look()

    # --- the list ---------------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self) -> None:
        if self.query_one(LineField).value != self._sought:
            self._then.clear()
            self._look()

    def _look(self) -> None:
        """List what can become of the path in the field."""
        text = self.query_one(LineField).value
        if text != self._sought:
            self.edited()
        self._sought = text
        self._asked += 1
        self.face.spawn(self.TASK, self._list(text, self._asked))

    async def _list(self, text: str, asked: int) -> None:
        found = await asyncio.to_thread(listing, text, hidden=self.hidden)
        if not self.alive or asked != self._asked:
            return
        self._listing, self._shown = found, asked
        self.offer(found)
        if found.entries:
            self.query_one(PickList).point(found.entries[0].name)
        if self.face.screen is not self:  # what was pressed is not for what lies over it
            self._then.clear()
        while self._then and self._shown == self._asked:
            self._then.popleft()()

    def _waits(self, action: Callable[[], None]) -> bool:
        """Tell whether the list is still of another path; if so `action` is done once it is of this one."""
        self._typed()  # the message that something was typed or pasted may still be on its way
        late = self._shown != self._asked
        if late:
            self._then.append(action)
        return late

    def relist(self) -> None:
        """List the same path anew; what was pressed before was not meant for that."""
        self._then.clear()
        self._look()

    # --- the path ---------------------------------------------------------------------------------------------------

    def go_to(self, text: str) -> None:
        """Put another path into the field."""
        field = self.query_one(LineField)
        field.value = text
        field.cursor_position = len(text)
        if text != self._sought:
            self._look()

    @property
    def pointed(self) -> Entry | None:
        """The entry under the cursor."""
        found, choice = self._listing, self.query_one(PickList).current
        if found is None or choice is None:
            return None
        return next((entry for entry in found.entries if entry.name == choice.key), None)

    def typed_path(self, entry: Entry) -> str:
        """Return the path of an entry as it would be typed, with a slash behind a folder."""
        folder = (self._listing.typed if self._listing is not None else "") or "~/"
        return f"{folder}{entry.name}{'/' if entry.folder else ''}"

    def action_dialog_next(self) -> None:
        """Complete the path as far as it goes."""
        if not self._waits(self.action_dialog_next) and self._listing is not None:
            self.go_to(completed(self._listing, self.query_one(LineField).value))

    def action_dialog_previous(self) -> None:
        """Go to the folder above, also while the disk says nothing of this one."""
        self._then.clear()
        value = self.query_one(LineField).value
        text = value.rstrip("/")
        above, slash, _ = text.rpartition("/")
        if slash:
            self.go_to(f"{above}/")
        elif value.startswith("/"):
            self.go_to("/")
        else:
            self.go_to(f"{Path.home().parent}/" if text == "~" else "~/")

    def action_dialog_down(self) -> None:
        """Point at the next one."""
        if not self._waits(self.action_dialog_down):
            self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the one before."""
        if not self._waits(self.action_dialog_up):
            self.query_one(PickList).move(-1)

    def action_dialog_accept(self) -> None:
        """Enter the folder, or take the file, under the cursor."""
        raise NotImplementedError

    @on(PickList.Picked)
    def _picked(self) -> None:
        if self._shown == self._asked:  # and not what goes in a moment
            self.action_dialog_accept()
