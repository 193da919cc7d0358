"""Values of a notice as words and cells: what lists, previews and dialogs say of it in the language of the screen."""

from __future__ import annotations

from datetime import date

from kelmu_tui.domain.deadlines import working_days_between
from kelmu_tui.domain.notices import OPEN_STATUSES, Status
from kelmu_tui.domain.organisations import directory, municipalities
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.desk import InboxLine
from kelmu_tui.store.rows import NoticeLine, TraceLine
from kelmu_tui.widgets.cells import Cell
from kelmu_tui.widgets.glyphs import Glyphs


def municipality_name(code: str, language: str) -> str:
    """Return the name of a municipality (code); the code itself when it is unknown here."""
    found = municipalities().get(code)
    return code if found is None else found.name.get(language)


def organisation_name(business_id: str, language: str) -> str:
    """Return the name of an organisation (business ID); the ID itself when it is not in the public directory."""
    found = directory().get(business_id)
    return business_id if found is None else found.name.get(language)


def due_cell(line: InboxLine, t: Translator, today: date) -> Cell:
    """Return the days left, coloured when they are few; what is done has no hurry."""
    text = t.formats.due(line.due, today)
    if isinstance(line, TraceLine) or line.status not in OPEN_STATUSES:
        return Cell(text, "dim")
    if line.due < today:
        return Cell(text, "alarm")
    if line.due == today or working_days_between(today, line.due) <= 1:
        return Cell(text, "warn")
    return Cell(text)


def flag_cell(line: InboxLine, glyphs: Glyphs) -> Cell:
    """Return the one sign that matters most: refused, on its way, urgent, new."""
    if line.conflict:
        return Cell(glyphs.conflict, "alarm")
    if line.pending:
        return Cell(glyphs.pending, "accent")
    if line.urgent and not (isinstance(line, NoticeLine) and line.status is Status.HANDLED):
        return Cell(glyphs.urgent, "alarm")
    if isinstance(line, NoticeLine) and line.status is Status.NEW:
        return Cell(glyphs.new, "accent")
    return Cell(" ")


def kind_name(line: InboxLine, t: Translator) -> str:
    """Return the short name of the kind, that of the urgent application when it is one."""
    if line.urgent and t.has(f"kinds.urgent.{line.kind.value}"):
        return t.choice("kinds.urgent", line.kind)
    return t.choice("kinds.short", line.kind)


def initials(name: str | None) -> str:
    """Return the initials of a worker: `LK` for Liisa Korhonen or Korhonen, Liisa."""
    if not name:
        return ""
    family, comma, given = name.partition(",")
    words = [*given.split(), *family.split()] if comma else name.split()
    return "".join(word[0] for word in words[:3]).upper()


def short_name(name: str | None) -> str:
    """Return a worker's name short enough for a column: `L. Korhonen`."""
    if not name:
        return ""
    words = name.split()
    return name if len(words) < 2 else f"{words[0][0]}. {words[-1]}"
