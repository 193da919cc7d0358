"""What stands in a file of the organisation's own, which columns are what, what is wrong, and taking it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from typing import ClassVar, Final

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.domain.own_files import Wanted
from kelmu_tui.i18n.failures import store_text
from kelmu_tui.screens.base import Dialog
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.own_preview import preview
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.own_data import parts
from kelmu_tui.services.own_files import Columns, guess, nearest, print_of
from kelmu_tui.services.own_table import OwnFileProblem, Row, Sheet, Table
from kelmu_tui.services.own_values import Answers, Residents, read_answers, read_residents
from kelmu_tui.services.own_words import hidden, letters, outcome_text, problem_text, rows_text
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.own_answers import Outcome, TooManyAnswers
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice
from kelmu_tui.widgets.sheet import Block, Field, Gap, Paragraph
from kelmu_tui.widgets.sheet import Sheet as Page

SHOWN: Final = 20
"""Rows that are not taken, as lines; the rest is counted."""
PREVIEWED: Final = 5
MANY: Final = 10**6
"""More lines than a page has."""


class _Overtaken(Exception):
    """Other columns are read, or the screen has gone."""


class OwnTableScreen(Dialog[Answers | frozenset[str] | None]):
    """Shows a table before it is taken; rows with mistakes are left out by a second enter."""

    CONTEXT: ClassVar[Context] = Context.OWN_TABLE

    def __init__(
        self,
        desk: Desk,
        wanted: Wanted,
        table: Table,
        columns: Columns | None,
        *,
        as_before: bool = False,
        problem: OwnFileProblem | None = None,
    ) -> None:
        """Show a table with the columns that were guessed, or chosen `as_before`, or the problem of finding them."""
        super().__init__()
        self.desk = desk
        self.wanted = wanted
        self.table = table
        self.columns = columns
        self._sheet = 0
        self._headings_row: int | None = None
        """Number of the row with the headings; None when there is none to choose from."""
        self._places: list[int | None] = []
        if columns is None:
            self._begin(self._nearest_sheet())
        else:
            self._sheet, self._headings_row, self._places = columns.sheet, columns.row, list(columns.places)
        self._as_before = as_before
        self._chosen = False
        self._problem = problem
        self._found: Answers | Residents | None = None
        self._outcome: Outcome | None = None
        self._asked = 0
        self._row = 0
        self._warned = False
        self._taking = False

    def compose(self) -> ComposeResult:
        """Put the box together."""
        names = ["dialog.accept", "own_table.columns", "own_table.sheet", "dialog.cancel"]
        if len(self.table.sheets) == 1:
            names.remove("own_table.sheet")
        yield self.box(
            self.face.t.choice("own_file.title", self.wanted),
            Page(glyphs=self.face.glyphs, id="page", can_focus=False),
            Caption("", id="effect"),
            Caption(self.hint_line(*names, accept=self.face.t("own_file.take"))),
        )

    def on_mount(self) -> None:
        """Show what is known, and read the rest."""
        self._show()
        self._read()

    # --- what is shown ----------------------------------------------------------------------------------------------

    @property
    def _table_sheet(self) -> Sheet:
        return self.table.sheets[self._sheet]

    def _nearest_sheet(self) -> int:
        """Return the first of the sheets whose headings mean most of what is wanted."""

        def known(place: int) -> int:
            found = nearest(self.table.sheets[place], self.wanted)
            return -1 if found is None else sum(one is not None for one in found[1])

        return max(range(len(self.table.sheets)), key=known)

    def _begin(self, sheet: int) -> None:
        """Begin with what the headings of a sheet tell by themselves."""
        found = nearest(self.table.sheets[sheet], self.wanted)
        self._sheet = sheet
        self._headings_row = None if found is None else found[0]
        self._places = [None] * len(self.wanted.fields) if found is None else list(found[1])

    @property
    def _headings(self) -> Row:
        row = self._headings_row
        return () if row is None else self._table_sheet.top[row - 1]

    @property
    def _texts(self) -> list[str]:
        """The headings as they are shown: what stands there may be anything as long as nothing is chosen."""
        return list(map(hidden, self._headings))

    def _show(self, *, keep: bool = False) -> None:
        if self.alive:
            self.query_one(Page).show(self._blocks(), keep=keep)
            self.call_after_refresh(self._tell_more)

    def _tell_more(self) -> None:
        """Say how many lines there are below, where they don't all fit."""
        if self.alive:
            below = self.query_one(Page).lines_below
            self.query_one("#effect", Caption).show(right=f"+{below}" if below else "")

    def on_resize(self) -> None:
        """Count the lines below anew."""
        self.call_after_refresh(self._tell_more)

    def _blocks(self) -> Iterator[Block]:
        t = self.face.t
        texts = self._texts
        for field, place in zip(self.wanted.fields, self._places, strict=True):
            said = t("own_file.not_chosen") if place is None else f"{letters(place + 1)}  {texts[place]}"
            yield Field(t.choice("own_file.field", field), said, "warn" if place is None else "")
        if self.table.workbook and len(self.table.sheets) > 1:
            yield Field(t("own_file.sheet"), f"{self._table_sheet.number + 1}  {self._table_sheet.name}")
        if self._as_before:
            yield Paragraph(t("own_file.as_before"), "dim")
        yield from self._result()
        row = self._headings_row
        if row is not None:
            yield Gap()
            yield preview(self._table_sheet.top[row - 1 : row + PREVIEWED], self._places)
        found = self._found
        if found is not None and found.problems:
            yield Gap()
            for line in rows_text(t, found.problems, found.wrong, SHOWN):
                yield Paragraph(line, "warn")

    def _result(self) -> Iterator[Block]:
        t, found = self.face.t, self._found
        if self._problem is not None:
            yield Paragraph(problem_text(t, self._problem), "alarm")
        elif found is None:
            yield Paragraph(t("own_file.reading_row", row=self._row) if self._row else t("own_file.reading"), "dim")
        else:
            count = found.taken
            said = t("own_file.good", count=count) if isinstance(found, Answers) else t("own_file.people", count=count)
            more = f": {outcome_text(t, self._outcome)}" if self._outcome is not None else ""
            yield Paragraph(f"{said}{more}", "strong")
            if found.wrong:
                yield Paragraph(t("own_file.wrong_rows", count=found.wrong), "warn")

    def _say(self, text: str, role: str) -> None:
        if self.alive:
            self.query_one("#effect", Caption).show(text, role=role)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read the values in the columns of now; what was read of others counts no more."""
        self._asked += 1
        self._found = self._outcome = None
        self._row = 0
        self._warned = False
        if self.columns is not None:
            self.face.spawn("own_file.values", self._values(self.columns, self._asked))

    async def _values(self, columns: Columns, asked: int) -> None:
        found: Answers | Residents | None = None
        problem: OwnFileProblem | None = None
        hear = self._hearing(asked)
        try:
            if self.wanted is Wanted.ANSWERS:
                found = await asyncio.to_thread(read_answers, self.table, columns, hear)
            else:
                today = self.face.today()
                found = await asyncio.to_thread(read_residents, self.table, columns, hear, today=today)
        except OwnFileProblem as failure:
            problem = failure
        except _Overtaken:
            return
        outcome = None
        if isinstance(found, Answers):
            try:
                outcome = await self.desk.run(self.desk.own_data.compare, found.good)
            except TooManyAnswers:
                problem = OwnFileProblem("too_many")
            except NotAllowed:
                self._say(self.face.t("errors.api.mandate_missing"), "alarm")
            except StoreError as failure:
                self.face.store_failed(failure)
        if asked == self._asked:
            self._found, self._problem, self._outcome = found, problem, outcome
            self._show(keep=True)

    def _hearing(self, asked: int) -> Callable[[int], None]:
        """Return what hears on the reading's thread how far it is, and ends it when nobody waits for it any more."""
        loop, own = asyncio.get_running_loop(), copy_context()

        def hear(row: int) -> None:
            if asked != self._asked:
                raise _Overtaken
            loop.call_soon_threadsafe(self._heard, asked, row, context=own)

        return hear

    def _heard(self, asked: int, row: int) -> None:
        if asked == self._asked and self._found is None:
            self._row = row
            self._show(keep=True)

    def on_unmount(self) -> None:
        """Nobody waits for what is being read."""
        self._asked += 1

    # --- choosing ---------------------------------------------------------------------------------------------------

    def action_own_table_columns(self) -> None:
        """Choose which column is what: first what, where there are several."""
        fields = self.wanted.fields
        if not self._headings:
            self._say(problem_text(self.face.t, OwnFileProblem("no_columns")), "alarm")
        elif len(fields) == 1:
            self._choose_column(0)
        else:
            t, texts = self.face.t, self._texts
            choices = [
                Choice(str(number), (t.choice("own_file.field", field), "" if place is None else texts[place]))
                for number, (field, place) in enumerate(zip(fields, self._places, strict=True))
            ]
            missing = next((number for number, place in enumerate(self._places) if place is None), 0)
            self._ask(t("own_file.which_field"), choices, str(missing), lambda key: self._choose_column(int(key)))

    def _choose_column(self, number: int) -> None:
        choices = [Choice(str(place), (text, letters(place + 1))) for place, text in enumerate(self._texts) if text]
        current, field = self._places[number], self.wanted.fields[number]
        title = self.face.t.choice("own_file.field", field)
        self._ask(title, choices, "" if current is None else str(current), lambda key: self._put(number, int(key)))

    def _put(self, number: int, place: int) -> None:
        # A column is one thing: what it was before has to be chosen anew.
        self._places = [None if other == place else other for other in self._places]
        self._places[number] = place
        self._chosen = True
        self._use()

    def _use(self, problem: OwnFileProblem | None = None) -> None:
        """Read the columns of now, or tell which are missing."""
        row, places = self._headings_row, tuple(place for place in self._places if place is not None)
        whole = row is not None and len(places) == len(self._places)
        self.columns = Columns(self._sheet, row, places) if whole and row is not None else None
        self._problem = None if whole else problem or OwnFileProblem("no_columns")
        self._as_before = False
        self._say("", "")
        self._read()
        self._show()

    def action_own_table_sheet(self) -> None:
        """Choose another sheet of the workbook."""
        if len(self.table.sheets) == 1:
            return
        choices = [
            Choice(str(place), (sheet.name, str(sheet.number + 1))) for place, sheet in enumerate(self.table.sheets)
        ]
        self._ask(self.face.t("own_file.sheet"), choices, str(self._sheet), lambda key: self._turn_to(int(key)))

    def _turn_to(self, sheet: int) -> None:
        one = self.table._replace(sheets=(self.table.sheets[sheet],))
        self._chosen = False
        self._begin(sheet)
        try:
            found = guess(one, self.wanted)
        except OwnFileProblem as problem:
            self._use(problem)
            return
        if found is not None:
            self._headings_row, self._places = found.row, list(found.places)
        self._use()

    def _ask(self, title: str, choices: Sequence[Choice], current: str, then: Callable[[str], None]) -> None:
        from kelmu_tui.screens.choose import ChooseScreen

        def chosen(key: str | None) -> None:
            if key is not None:
                then(key)

        self.face.push_screen(ChooseScreen(title, choices, current, wide=True), chosen)

    # --- taking -----------------------------------------------------------------------------------------------------

    def action_dialog_accept(self) -> None:
        """Take what can be read; rows with mistakes are left out only when that has been said."""
        t, found = self.face.t, self._found
        if self._taking:
            return
        if self._problem is not None:
            self._say(problem_text(t, self._problem), "alarm")
        elif found is None:
            self._say(t("own_file.reading"), "dim")
        elif not found.taken:
            self._say(t("own_file.nothing_good"), "alarm")
        elif found.wrong and not self._warned:
            self._warned = True
            self._say(t("own_file.enter_again", count=found.wrong), "warn")
        else:
            self._taking = True
            self.face.spawn("own_file.take", self._take(found))

    async def _take(self, found: Answers | Residents) -> None:
        t, outcome = self.face.t, Outcome()
        try:
            if isinstance(found, Answers):
                for part in parts(found.good):
                    outcome = outcome.plus(await self.desk.run(self.desk.own_data.keep_answers, part))
            columns = self.columns
            if self._chosen and columns is not None:
                digest = print_of(self._headings)
                await self.desk.run(self.desk.own_data.remember, digest, self.wanted, columns.places)
        except TooManyAnswers:
            self._say(problem_text(t, OwnFileProblem("too_many")), "alarm")
            return
        except NotAllowed:
            self._say(t("errors.api.mandate_missing"), "alarm")
            return
        except StoreError as failure:
            self.face.store_failed(failure)
            self._say(store_text(t, failure), "alarm")
            return
        finally:
            self._taking = False
        if not self.alive:
            return
        if isinstance(found, Residents):
            self.leave_with(found.codes)
            return
        self.face.say(t("own_file.taken", count=len(found.good), outcome=outcome_text(t, outcome)))
        self.leave_with(found)

    # --- moving -----------------------------------------------------------------------------------------------------

    def _scroll(self, lines: int = 0, pages: int = 0) -> None:
        page = self.query_one(Page)
        if lines:
            page.scroll_lines(lines)
        else:
            page.scroll_pages(pages)
        self._tell_more()

    def action_list_down(self) -> None:
        """Scroll."""
        self._scroll(1)

    def action_list_up(self) -> None:
        """Scroll back."""
        self._scroll(-1)

    def action_list_page_down(self) -> None:
        """Scroll a page."""
        self._scroll(pages=1)

    def action_list_page_up(self) -> None:
        """Scroll a page back."""
        self._scroll(pages=-1)

    def action_list_top(self) -> None:
        """Go to the first line."""
        self._scroll(-MANY)

    def action_list_bottom(self) -> None:
        """Go to the last line."""
        self._scroll(MANY)
