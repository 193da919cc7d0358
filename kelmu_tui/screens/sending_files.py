"""The files of a sending that is being put together: checked one after another beside the screen, shown in a list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from kelmu_tui.domain.text import clean
from kelmu_tui.i18n import Translator
from kelmu_tui.services.sending_words import kind_name, trace_names, why_file
from kelmu_tui.services.sendings import CheckedFile, File, FileRefused
from kelmu_tui.widgets.cells import Column, fit
from kelmu_tui.widgets.glyphs import Glyphs
from kelmu_tui.widgets.painted import Line
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.sheet import Block, Drawn, Field, Paragraph

if TYPE_CHECKING:
    from kelmu_tui.content.found import Inspection
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face

PREVIEW_COLUMNS: Final = 36
"""Cells of the small picture: it has to stand beside the form."""

SHORT: Final = 24
"""Cells of a file's name in a message."""


@dataclass
class Attached:
    """A file that is to be sent; its path and what is in it stay out of reprs.

    Attributes:
        kind: of `domain.documents.kinds`, empty while none is chosen.
        name: what it is called for Kela, empty for the name of its kind.
        checked: what it was found to be, None before that.
        refused: why it cannot be sent.
        unread: documents cannot be read at all here: the installation lacks something.
    """

    key: str
    path: Path = field(repr=False)
    kind: str = ""
    name: str = field(default="", repr=False)
    checked: CheckedFile | None = field(default=None, repr=False)
    refused: FileRefused | None = field(default=None, repr=False)
    unread: bool = False

    @property
    def label(self) -> str:
        """The file's own name, for this screen alone."""
        return clean(self.path.name) or clean(str(self.path))

    @property
    def short(self) -> str:
        """The same, as much of it as a message has room for."""
        return fit(self.label, SHORT).rstrip()

    @property
    def ready(self) -> bool:
        """Whether it can be sent as it is."""
        return self.checked is not None and self.refused is None

    @property
    def waits(self) -> bool:
        """Whether it is still being checked."""
        return self.checked is None and self.refused is None and not self.unread

    def called(self, t: Translator) -> str:
        """Return what it is called for Kela."""
        return self.name or (kind_name(self.kind, t) if self.kind else "")

    def why(self, t: Translator) -> str:
        """Return why it cannot be sent and what to do, empty where it can."""
        if self.unread:
            return t("sending_view.no_reader")
        return "" if self.refused is None else why_file(self.refused, t)

    def file(self, t: Translator) -> File:
        """Return it as it is given to be sealed."""
        assert self.checked is not None
        return File(self.path, self.kind, self.called(t), self.checked.digest)


class Attachments:
    """The files of one form; `changed` is called when one of them looks different."""

    def __init__(self, face: Face, desk: Desk, changed: Callable[[], None]) -> None:
        self._face = face
        self._desk = desk
        self._changed = changed
        self._made = 0
        self._checking = False
        self._closed = False
        self.all: list[Attached] = []

    def close(self) -> None:
        """Check no more: nobody looks."""
        self._closed = True

    def add(self, paths: Sequence[Path]) -> list[Attached]:
        """Add files that are not there yet, and have them checked; return those that came."""
        here = {one.path for one in self.all}
        new = []
        for path in dict.fromkeys(paths):
            if path not in here:
                self._made += 1
                new.append(Attached(str(self._made), path))
        self.all += new
        self._check()
        return new

    def take(self, files: Sequence[Attached]) -> None:
        """Take over the files of another form; what they are is looked at anew."""
        kinds = {one.path: one for one in files}
        for new in self.add(list(kinds)):
            new.kind, new.name = kinds[new.path].kind, kinds[new.path].name

    def remove(self, key: str) -> None:
        """Take a file out; it stays where it is on the disk."""
        self.all = [one for one in self.all if one.key != key]

    def again(self, one: Attached) -> None:
        """Check a file anew: it may have been mended."""
        one.checked, one.refused, one.unread = None, None, False
        self._check()

    def refuse(self, refused: FileRefused) -> None:
        """A file turned out to be another while it was sealed."""
        for one in self.all:
            if one.path == refused.path:
                one.refused = refused

    def _check(self) -> None:
        if not self._checking and any(one.waits for one in self.all):
            self._checking = True
            self._face.spawn("documents.check", self._check_all())

    async def _check_all(self) -> None:
        try:
            while not self._closed and (one := next((one for one in self.all if one.waits), None)) is not None:
                await self._check_one(one)
                if not self._closed:
                    self._changed()
        finally:
            self._checking = False

    async def _check_one(self, one: Attached) -> None:
        from kelmu_tui.content.checking import NoReader

        sendings, ascii_only = self._desk.sendings, self._face.ascii
        try:
            found = await asyncio.to_thread(sendings.check, one.path, PREVIEW_COLUMNS, ascii_only=ascii_only)
        except FileRefused as refused:
            one.refused = refused
        except NoReader:
            one.unread = True
        else:
            one.checked = found
            if found.fault is not None:
                one.refused = FileRefused(one.path, found.fault, detail=found.inspection.detail)


class Files(PickList, can_focus=True):
    """The list of the files; while the keys go elsewhere it shows no cursor."""

    def on_focus(self) -> None:
        """The keys come here."""
        self.light(True)

    def on_blur(self) -> None:
        """They go elsewhere."""
        self.light(False)


def file_columns() -> Sequence[Column]:
    """Return the columns of the list."""
    return (
        Column("sign", "", 1),
        Column("file", "", 12, good=20, most=36),
        Column("kind", "", 12, good=20, most=30),
        Column("found", "", 12, good=22, most=30, drop=1),
    )


def file_choices(files: Sequence[Attached], t: Translator, glyphs: Glyphs) -> Iterator[Choice]:
    """Return the files as choices."""
    for one in files:
        sign = glyphs.busy if one.waits else " " if one.ready else glyphs.conflict
        kind = one.called(t) or t("sending_view.no_kind")
        yield Choice(one.key, (sign, one.label, kind, _short(one, t)), closed=not one.ready and not one.waits)


def _short(one: Attached, t: Translator) -> str:
    if one.waits:
        return t("sending_view.checking")
    if one.checked is None or one.refused is not None:
        return t("sending_view.cannot")
    return found_text(one.checked.inspection, t, brief=True)


def found_text(found: Inspection, t: Translator, *, brief: bool = False) -> str:
    """Return what a file was found to be: its type (not when `brief`), its size, and of pages how many."""
    told = [] if brief or found.media_type is None else [found.media_type.value.partition("/")[2].upper()]
    told.append(t.formats.size(found.size))
    if found.pages is not None:
        told.append(t("cli.documents_pages", count=found.pages))
    return ", ".join(told)


def file_blocks(one: Attached, t: Translator, *, picture: bool = True) -> Iterator[Block]:
    """Say what a file is, what becomes of it, and show it small."""
    if one.waits:
        yield Paragraph(t("sending_view.checking_text"), "dim")
        return
    if why := one.why(t):
        yield Paragraph(why, "alarm")
    if one.checked is None:
        return
    found = one.checked.inspection
    told = [found_text(found, t)]
    if found.width is not None and found.height is not None:
        told.append(t("sending_view.pixels", width=found.width, height=found.height))
    yield Field(t("sending_view.content"), ", ".join(told))
    if one.refused is not None:
        return
    if one.checked.removed:
        yield Paragraph(t("sending_view.will_remove", what=trace_names(one.checked.removed, t)), "accent")
    else:
        yield Paragraph(t("sending_view.nothing_removed"), "dim")
    if picture and one.checked.preview:
        yield Drawn(_picture(one.checked.preview))


def _picture(lines: Sequence[str]) -> Callable[[int], Sequence[Line]]:
    def draw(width: int) -> Sequence[Line]:
        # A picture that is cut would show less than it seems to.
        if max(map(cell_len, lines)) + 1 > width:
            return []
        return [[(f" {line}", "")] for line in lines]

    return draw
