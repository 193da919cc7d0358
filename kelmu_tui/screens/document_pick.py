"""Picking documents from the disk: a path that is typed or walked, and marks on several files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.picking import Entry, Listing, begun_anew, path_of
from kelmu_tui.screens.path_dialog import BESIDE, MAX_PATH, PathDialog
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

MOST_SHOWN: Final = 14


class DocumentPickScreen(PathDialog[tuple[Path, ...]]):
    """A line for the path with what it can become below it; answers the files that are meant.

    Those are the marked ones, which may lie in several folders, or else the one under the cursor.
    """

    CONTEXT: ClassVar[Context] = Context.DOCUMENT_PICK
    TASK: ClassVar[str] = "documents.look"

    def __init__(self, folder: str, at: Callable[[str], None]) -> None:
        """Begin in `folder`, as it is typed; `at` hears in which folder files were chosen."""
        super().__init__()
        self._folder = folder
        self._at = at
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

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        short = self.size.height < 2 * BESIDE
        self.query_one("#about").display = not short
        room = self.size.height - BESIDE - (1 if self.size.width < 80 else 0) + (1 if short else 0)
        self.query_one("#picks").styles.height = max(1, min(MOST_SHOWN, room))

    # --- the path ---------------------------------------------------------------------------------------------------

    def offer(self, found: Listing) -> None:
        """Show the entries with their marks, and what is to be known of the folder."""
        size = self.face.t.formats.size
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

    def action_document_pick_hidden(self) -> None:
        """Offer hidden names too, or no more."""
        self.hidden = not self.hidden
        self.relist()

    # --- the files --------------------------------------------------------------------------------------------------

    def action_document_pick_mark(self) -> None:
        """Mark the file under the cursor, or take its mark away, and go on to the next."""
        if self._waits(self.action_document_pick_mark):
            return
        entry = self.pointed
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
        assert self._listing is not None  # an entry is of a list
        self.offer(self._listing)
        self.query_one(PickList).move(1)

    def action_dialog_accept(self) -> None:
        """Enter the folder, or take the marked files, or the one under the cursor or typed."""
        if self._waits(self.action_dialog_accept):
            return
        entry, text = self.pointed, self.query_one(LineField).value
        if entry is not None and entry.folder:
            self.go_to(self.typed_path(entry))
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
