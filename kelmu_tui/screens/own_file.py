"""Picking a file of the organisation's own: a path that is typed or walked, and then what stands in the file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.domain.own_files import Wanted
from kelmu_tui.i18n.failures import store_text
from kelmu_tui.platform.picking import Listing, path_of
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.path_dialog import BESIDE, MAX_PATH, PathDialog
from kelmu_tui.services.own_table import OwnFileProblem, Watch
from kelmu_tui.store.errors import StoreError
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

if TYPE_CHECKING:
    from kelmu_tui.services.own_files import Columns
    from kelmu_tui.services.own_table import Table
    from kelmu_tui.services.own_values import Answers

    Taken = Answers | frozenset[str]
    OnDone = Callable[[Taken], None]

MOST_SHOWN: Final = 12


class OwnFileScreen(PathDialog["Taken | None"]):
    """A line for the path with what it can become below it.

    Answers what was taken: the answers, which are kept by then, or the residents' identity codes, which are nowhere
    else; None when nothing was.
    """

    CONTEXT: ClassVar[Context] = Context.CONFIRM
    TASK: ClassVar[str] = "own_file.look"

    def __init__(self, desk: Desk, wanted: Wanted, on_done: OnDone | None = None) -> None:
        """Ask for a file of what is `wanted`; `on_done` hears what was taken, before the screen is gone."""
        super().__init__()
        self.desk = desk
        self.wanted = wanted
        self._on_done = on_done
        self._reading = False
        self._watch = Watch()

    def on_unmount(self) -> None:
        """Nobody waits for what is being read: the program may be about to end."""
        self._watch.end()

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        columns = (Column("name", "", 12, most=58), Column("size", "", 8, most=8, align="right", drop=1))
        complete = f"{self.key_text('dialog.next')} {t('own_file.complete')}"
        yield self.box(
            t.choice("own_file.title", self.wanted),
            Caption(t.choice("own_file.about", self.wanted), role="", id="about"),
            LineField("~/", id="field", max_length=MAX_PATH),
            PickList(columns, glyphs=self.face.glyphs, empty=t("own_file.no_files"), id="picks"),
            Caption("", id="effect"),
            Caption(f"{complete}   {self.hint_line('dialog.accept', 'dialog.cancel', accept=t('own_file.open'))}"),
        )

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        short = self.size.height < 2 * BESIDE
        self.query_one("#about").display = not short
        room = self.size.height - BESIDE + (2 if short else 0)
        self.query_one("#picks").styles.height = max(1, min(MOST_SHOWN, room))

    # --- the path ---------------------------------------------------------------------------------------------------

    def edited(self) -> None:
        """The path is another: what was wrong with the one before is no more."""
        self.query_one("#effect", Caption).show("")

    def offer(self, found: Listing) -> None:
        """Show what the path can become."""
        size = self.face.t.formats.size
        self.query_one(PickList).offer(
            [
                Choice(
                    one.name, (f"{one.name}/" if one.folder else one.name, "" if one.size is None else size(one.size))
                )
                for one in found.entries
            ]
        )

    # --- the file ---------------------------------------------------------------------------------------------------

    def action_dialog_accept(self) -> None:
        """Enter the folder, or read the file, without waiting for the disk."""
        if self._reading or self._waits(self.action_dialog_accept):
            return
        entry = self.pointed
        text = self.query_one(LineField).value if entry is None else self.typed_path(entry)
        if text.endswith("/"):
            self.go_to(text)
            return
        self._reading = True
        self.query_one("#effect", Caption).show(self.face.t("own_file.reading"), role="dim")
        self.face.spawn("own_file.read", self._read(text))

    async def _read(self, text: str) -> None:
        from kelmu_tui.services.own_words import problem_text

        hindered = ""
        try:
            mappings = await self.desk.run(self.desk.own_data.mappings, self.wanted)
            table, columns, as_before, problem = await asyncio.to_thread(
                _prepared, text, self.wanted, mappings, self._watch
            )
        except OwnFileProblem as failure:
            hindered = problem_text(self.face.t, failure)
        except StoreError as broken:
            self.face.store_failed(broken)
            hindered = store_text(self.face.t, broken)
        finally:
            self._reading = False
        if not self.alive:
            return
        if hindered:
            self.query_one("#effect", Caption).show(hindered, role="alarm")
            return
        from kelmu_tui.screens.own_table import OwnTableScreen

        self.query_one("#effect", Caption).show("")
        self.face.push_screen(
            OwnTableScreen(self.desk, self.wanted, table, columns, as_before=as_before, problem=problem), self._taken
        )

    def _taken(self, taken: Taken | None) -> None:
        if taken is not None:
            if self._on_done is not None:
                self._on_done(taken)
            self.dismiss(taken)


def _prepared(
    text: str, wanted: Wanted, mappings: dict[str, tuple[int, ...]], watch: Watch
) -> tuple[Table, Columns | None, bool, OwnFileProblem | None]:
    """Read a file and guess its columns: all that takes time.

    Returns:
        the table, its columns, whether they are those chosen before, and why they are none.

    Raises:
        OwnFileProblem: the file is not read.
    """
    from kelmu_tui.services.own_files import guess, print_of, read_table

    try:
        path = path_of(text)
    except ValueError:
        raise OwnFileProblem("name") from None
    table = read_table(path, watch)
    try:
        columns = guess(table, wanted, mappings.get)
    except OwnFileProblem as problem:
        return table, None, False, problem
    if columns is None:
        return table, None, False, OwnFileProblem("no_columns")
    headings = table.sheets[columns.sheet].top[columns.row - 1]
    return table, columns, print_of(headings) in mappings, None
