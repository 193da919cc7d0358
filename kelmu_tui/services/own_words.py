"""What the organisation's own files say and lack, in words: for the screen and the command line alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.own_files import kept as time_kept
from kelmu_tui.domain.own_files import limits
from kelmu_tui.domain.text import clean
from kelmu_tui.i18n import Translator
from kelmu_tui.services.own_table import Cell, OwnFileProblem, text_of
from kelmu_tui.services.own_values import RowProblem
from kelmu_tui.store.own_answers import Kept, Outcome

_LETTERS: Final = 26
_MIB: Final = 1024 * 1024
_CODE: Final = re.compile(r"(?<![0-9])[0-9]{6}[-+A-Fa-fU-Yu-y]?[0-9]{3}[0-9A-Za-z](?![0-9A-Za-z])")
"""What looks like an identity code, also where its sign was lost or a letter is wrong."""


def letters(column: int) -> str:
    """Return the name that spreadsheets give to a column, which is counted from 1."""
    found = ""
    while column:
        column, rest = divmod(column - 1, _LETTERS)
        found = chr(ord("A") + rest) + found
    return found


def hidden(cell: Cell) -> str:
    """Return a cell as a text that is safe to show, without anybody's identity code."""
    return _CODE.sub(_masked, clean(text_of(cell)))


def _masked(match: re.Match[str]) -> str:
    code = match.group()
    return mask(code) if len(code) == 11 else "*" * len(code)


def problem_text(t: Translator, problem: OwnFileProblem) -> str:
    """Return what is wrong with a file, what to do about it, and where."""
    most = limits()
    values = {**most._asdict(), "size": most.size // _MIB}
    parts = [t.choice("own_file.problem", problem.code, **values)]
    if problem.sheet is not None:
        parts.append(t("own_file.where_sheet", sheet=problem.sheet))
    if problem.row is not None and problem.column is not None:
        parts.append(t("own_file.where_cell", row=problem.row, column=letters(problem.column)))
    elif problem.row is not None:
        parts.append(t("own_file.where_row", row=problem.row))
    return " ".join(parts)


def row_text(t: Translator, problem: RowProblem) -> str:
    """Return why a row is not taken, and where it stands."""
    why = t.choice("own_file.wrong", problem.wrong, other=problem.other or 0)
    return t("own_file.row", row=problem.row, column=letters(problem.column), why=why)


def rows_text(t: Translator, problems: Sequence[RowProblem], count: int, most: int) -> list[str]:
    """Return a line for each of the first rows that are not taken, and how many there are beside."""
    shown = problems[:most]
    lines = [row_text(t, problem) for problem in shown]
    if count > len(shown):
        lines.append(t("own_file.row_more", count=count - len(shown)))
    return lines


def outcome_text(t: Translator, outcome: Outcome) -> str:
    """Return how many answers are new, changed and the same."""
    return t("own_file.outcome", new=outcome.new, changed=outcome.changed, same=outcome.same)


def kept_text(t: Translator, kept: Kept | None) -> str:
    """Return how many answers are kept, since when and until when."""
    if kept is None:
        return t("own_file.none_kept")
    day = t.formats.date
    until = day(kept.first_at + time_kept())
    return t("own_file.kept", count=kept.answers, first=day(kept.first_at), last=day(kept.last_at), until=until)
