"""Picking documents from the disk: a path that is typed or walked, and marks on several files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kelmu_tui.actions import Context
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.picking import Entry, Listing, begun_anew, completed, listing, path_of
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

MAX_PATH: Final = 1000
BESIDE: Final = 8
"""Lines of the box that are no files: border, what to do, field, what is to be known, hints."""
MOST_SHOWN: Final = 14


class DocumentPickScreen(Dialog[tuple[Path, ...]]):
    """A line for the path with what it can become below it; answers the files that are meant.

    Those are the marked ones, which may lie in several folders, or else the one under the cursor.
    """

    CONTEXT: ClassVar[Context] = Context.DOCUMENT_PICK

    def __init__(self, folder: str, at: Callable[[str], None]) -> None:
        """Begin in `folder`, as it is typed; `at` hears in which folder files were chosen."""
        super().__init__()
        self._folder = folder
        self._at = at
        self._listing: Listing | None = None
        self._asked = 0
        self._hidden = False
        self._marks: dict[Path, None] = {}

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        columns = (
            Column("mark", "", 1),
            Column("name", "", 12, most=58),
            Column("size", "", 8, most=8, align="right", drop=1),
        )
        complete = f"{self.key_text('dialog.next')} {t('own_file.complete')}"
        hints = self.hint_line("dialog.accept", "document_pick.mark", accept=t("sending_view.pick_take"))
        more = self.hint_line("document_pick.hidden", "dialog.cancel")
        yield self.box(
            t("sending_view.pick_title"),
            Caption(t("sending_view.pick_about"), role="", id="about"),
            LineField(self._folder, id="field", max_length=MAX_PATH),
            PickList(columns, glyphs=self.face.glyphs, empty="", id="picks"),
            Caption("", id="effect"),
            Caption(f"{hints}   {complete}   {more}"),
        )

    def on_mount(self) -> None:
        """Begin in the folder."""
        field = self.query_one(LineField)
        self.set_focus(field)
        field.cursor_position = len(field.value)
        self._look()

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        short = self.size.height < 2 * BESIDE
        self.query_one("#about").display = not short
        room = self.size.height - BESIDE - (1 if self.size.width < 80 else 0) + (1 if short else 0)
        self.query_one("#picks").styles.height = max(1, min(MOST_SHOWN, room))

    # --- the path ---------------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self) -> None:
        self._look()

    def _look(self) -> None:
        self._asked += 1
        self.face.spawn("documents.look", self._list(self.query_one(LineField).value, self._asked))

    async def _list(self, text: str, asked: int) -> None:
        found = await asyncio.to_thread(listing, text, hidden=self._hidden)
        if not self.alive or asked != self._asked:
            return
        self._listing = found
        self._offer()
        if found.entries:
            self.query_one(PickList).point(found.entries[0].name)

    def _offer(self) -> None:
        found, size = self._listing, self.face.t.formats.size
        if found is None:
            return
        self.query_one(PickList).offer(
            [
                Choice(
                    one.name,
                    (
                        self.face.glyphs.mark if self._path(one) in self._marks else " ",
                        f"{clean(one.name)}/" if one.folder else clean(one.name),
                        "" if one.size is None else size(one.size),
                    ),
                )
                for one in found.entries
            ]
        )
        self._tell()

    def _path(self, entry: Entry) -> Path | None:
        """Return the path of an entry of the list."""
        try:
            return None if self._listing is None else path_of(self._listing.typed or "~/") / entry.name
        except ValueError:
            return None

    def _tell(self, text: str = "", role: str = "warn") -> None:
        """Say what is to be known of the folder and the marks, or something else."""
        t, found = self.face.t, self._listing
        if not text and found is not None:
            if found.denied:
                text = t("sending_view.pick_denied")
            elif not found.there:
                text = t("sending_view.pick_missing")
            elif not found.entries and self._is_whole(found):
                text, role = t("sending_view.pick_empty", key=self.key_text("document_pick.hidden")), "dim"
            elif not found.entries:
                text = t("own_file.no_files")
            elif found.unshown:
                text = t("sending_view.pick_unshown", count=found.unshown)
            elif found.more:
                text, role = t("sending_view.pick_more"), "dim"
        marked = t("inbox.marked", count=len(self._marks)) if self._marks else ""
        self.query_one("#effect", Caption).show(text, role=role, right=marked)

    def _is_whole(self, found: Listing) -> bool:
        """Tell whether nothing is typed behind the folder."""
        return begun_anew(self.query_one(LineField).value) == found.typed

    def _go_to(self, text: str) -> None:
        field = self.query_one(LineField)
        field.value = text
        field.cursor_position = len(text)

    @property
    def _pointed(self) -> Entry | None:
        """The entry under the cursor; None while the list is of another path."""
        found, choice = self._listing, self.query_one(PickList).current
        if found is None or choice is None:
            return None
        return next((entry for entry in found.entries if entry.name == choice.key), None)

    def action_dialog_next(self) -> None:
        """Complete the path as far as it goes."""
        if self._listing is not None:
            self._go_to(completed(self._listing, self.query_one(LineField).value))

    def action_dialog_previous(self) -> None:
        """Go to the folder above."""
        value = self.query_one(LineField).value
        text = value.rstrip("/")
        above, slash, _ = text.rpartition("/")
        if slash:
            self._go_to(f"{above}/")
        elif value.startswith("/"):
            self._go_to("/")
        else:
            self._go_to(f"{Path.home().parent}/" if text == "~" else "~/")

    def action_dialog_down(self) -> None:
        """Point at the next one."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the one before."""
        self.query_one(PickList).move(-1)

    def action_document_pick_hidden(self) -> None:
        """Offer hidden names too, or no more."""
        self._hidden = not self._hidden
        self._look()

    # --- the files --------------------------------------------------------------------------------------------------

    def action_document_pick_mark(self) -> None:
        """Mark the file under the cursor, or take its mark away, and go on to the next."""
        entry = self._pointed
        path = None if entry is None else self._path(entry)
        if entry is None or path is None:
            return
        if entry.folder:
            self._tell(self.face.t("sending_view.pick_folder"))
            return
        if path in self._marks:
            del self._marks[path]
        else:
            self._marks[path] = None
        self._offer()
        self.query_one(PickList).move(1)

    @on(PickList.Picked)
    def _picked(self) -> None:
        self.action_dialog_accept()

    def action_dialog_accept(self) -> None:
        """Enter the folder, or take the marked files, or the one under the cursor or typed."""
        entry, text = self._pointed, self.query_one(LineField).value
        if entry is not None and entry.folder:
            assert self._listing is not None
            self._go_to(f"{self._listing.typed or '~/'}{entry.name}/")
            return
        if self._marks:
            self._take(tuple(self._marks))
            return
        try:
            path = self._path(entry) if entry is not None else path_of(text) if text.strip("~/. ") else None
        except ValueError:
            path = None
        if path is None:
            self._tell(self.face.t("sending_view.pick_none"))
        else:
            self._take((path,))

    def _take(self, paths: tuple[Path, ...]) -> None:
        if self._listing is not None and self._listing.there:
            self._at(self._listing.typed or "~/")
        self.dismiss(paths)
