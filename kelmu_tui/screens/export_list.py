"""Asking where rows of a list go, for what, and whether identity codes are whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kelmu_tui.domain.deadlines import HELSINKI_TIME
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.platform.saving import NotSaved
from kelmu_tui.screens.exports import Exports, Subject, not_saved
from kelmu_tui.screens.list_words import period_text
from kelmu_tui.screens.save_file import MAX_NAME, SaveScreen, target_folder
from kelmu_tui.services.list_export import MAX_PURPOSE, InvalidPurpose, Wanted, clean_purpose, form_of
from kelmu_tui.services.lists import Reading
from kelmu_tui.store.lists import Copy
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption, Labelled
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

if TYPE_CHECKING:
    from kelmu_tui.screens.face import Face


def export_rows(
    face: Face,
    exports: Exports,
    reading: Reading,
    marks: frozenset[str] = frozenset(),
    columns: tuple[str, ...] | None = None,
) -> None:
    """Ask where the marked rows of a reading go, or all of them; while they are on their way, stop that instead."""
    t, number = face.t, face.t.formats.number

    async def as_it_is() -> Reading:
        return reading

    if marks:
        what = t("lists.export_only_marked", count=len(marks))
    elif reading.query.filtered:
        what = t("lists.export_filtered", shown=number(reading.rows), total=number(reading.copy.rows))
    else:
        what = t("lists.export_all", count=reading.rows)
    if columns is not None:
        what = f"{what} {t('lists.export_columns', count=len(columns))}"
    subject = Subject((reading.copy.list, reading.copy.period), as_it_is, len(marks) or reading.rows)
    _ask(face, exports, subject, what, columns, marks or None)


def export_copy(face: Face, exports: Exports, copy: Copy) -> None:
    """Ask where all rows of a copy go, which is opened when the answer is there; or stop that."""
    desk = exports.desk

    async def opened() -> Reading:
        found: Reading = await desk.run(desk.lists.open, copy.list, copy.period)
        return found

    t = face.t
    name = catalogue()[copy.list].name.get(t.language)
    what = f"{name}, {period_text(copy.period, t)}: {t('lists.export_all', count=copy.rows)}"
    _ask(face, exports, Subject((copy.list, copy.period), opened, copy.rows), what)


def _ask(
    face: Face,
    exports: Exports,
    subject: Subject,
    what: str,
    columns: tuple[str, ...] | None = None,
    ids: frozenset[str] | None = None,
) -> None:
    if exports.cancel(subject.which):
        return
    list_, period = subject.which
    # No filter and nobody's name: file names are seen by whoever lists the folder.
    stem = f"kelmu-{list_.removeprefix('list_')}-{period}-{face.now().astimezone(HELSINKI_TIME):%Y%m%d-%H%M%S}"
    face.push_screen(ExportScreen(f"~/{stem}.csv", exports, subject, what, columns, ids))


class ExportScreen(SaveScreen):
    """The box stays until the export has begun: what is wrong is said in it, and nothing that was typed is lost."""

    def __init__(
        self,
        suggestion: str,
        exports: Exports,
        subject: Subject,
        what: str,
        columns: tuple[str, ...] | None,
        ids: frozenset[str] | None,
    ) -> None:
        """Ask, beginning with the file name `suggestion`; `what` says which rows are exported."""
        super().__init__(suggestion, self._begin)
        self._exports = exports
        self._subject = subject
        self._what = what
        self._columns = columns
        self._ids = ids

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        hints = self.hint_line("dialog.accept", "dialog.next", "dialog.cancel", accept=t("lists.export_save"))
        hint = t("lists.export_purpose_hint")
        yield self.box(
            t("lists.export_title"),
            Caption(self._what, role="strong"),
            Caption(t("lists.export_about"), id="about"),
            Labelled(t("lists.export_file"), LineField(self._suggestion, id="field", max_length=MAX_NAME)),
            Labelled(t("lists.export_purpose"), LineField(id="purpose", max_length=MAX_PURPOSE, placeholder=hint)),
            PickList((Column("name", "", 12, most=60),), glyphs=self.face.glyphs, id="picks"),
            Caption(t("lists.export_only_you"), id="effect"),
            Caption(hints),
        )

    def begin(self) -> None:
        """Begin with what is missing: the purpose."""
        t = self.face.t
        codes = (Choice("masked", (t("lists.export_codes_masked"),)), Choice("whole", (t("lists.export_codes_whole"),)))
        self.query_one(PickList).offer(codes)
        self.set_focus(self._purpose)

    @property
    def _purpose(self) -> LineField:
        return self.query_one("#purpose", LineField)

    def problem(self, failure: NotSaved, name: str) -> str:
        """Return what hinders saving."""
        return not_saved(failure, target_folder(name), self.face.t)

    async def outcome(self, name: str) -> str | None:
        """Look at the purpose first: it is the field that the user begins in."""
        try:
            clean_purpose(self._purpose.value)
        except InvalidPurpose:
            self.set_focus(self._purpose)
            return self.face.t("lists.export_purpose_needed", most=MAX_PURPOSE)
        found = await super().outcome(name)
        if found != "" and self.alive:
            self.set_focus(self.query_one("#field", LineField))
        return found

    async def _begin(self, path: Path) -> str:
        form_of(path)
        if self._exports.busy:
            return self.face.t("lists.export_under_way", key=self.key_text("lists.export"))
        choice = self.query_one(PickList).current
        full = choice is not None and choice.key == "whole"
        wanted = Wanted(clean_purpose(self._purpose.value), self._columns, full, self._ids)
        self._exports.begin(self._subject, wanted, path)
        return ""

    def action_dialog_down(self) -> None:
        """Point at the other choice."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the other choice."""
        self.query_one(PickList).move(-1)
