"""Tables as files: written in every form in which organisations keep them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from kelmu_tui.domain import own_files as facts
from kelmu_tui.domain.own_files import Limits, Wanted, limits
from kelmu_tui.domain.review import Answer
from kelmu_tui.services import own_csv, own_files, own_values, own_xlsx
from kelmu_tui.services.own_files import guess, read_table
from kelmu_tui.services.own_table import OwnFileProblem, Table, text_of
from kelmu_tui.services.own_values import Answers, read_answers

HEADINGS = ("Tietopyynnön tunnus", "Vastaavan hoidon kustannus", "Asiakasmaksu")
ROWS = (("TP-1", "1234,50", "20,00"), ("TP-2", "800,00", "0,00"), ("TP-3", "99,95", "9,95"))

TABLE = (HEADINGS, *ROWS)
GOOD = {
    "TP-1": Answer(Decimal("1234.50"), Decimal("20.00")),
    "TP-2": Answer(Decimal("800.00"), Decimal("0.00")),
    "TP-3": Answer(Decimal("99.95"), Decimal("9.95")),
}

Rows = Sequence[Sequence[Any]]


def csv_bytes(
    rows: Rows, separator: str = ";", encoding: str = "utf-8", *, every: bool = False, end: str = "\n"
) -> bytes:
    """Return rows as CSV; `every` cell in quotes, or only those that need them."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=separator, quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL, lineterminator=end
    )
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def xlsx_bytes(*sheets: Rows, at: tuple[int, int] = (0, 0), name: str = "Taulukko") -> bytes:
    """Return sheets of rows as a workbook, each with its first cell `at` row and column."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        for number, rows in enumerate(sheets, 1):
            sheet = book.add_worksheet(f"{name} {number}")
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    sheet.write(row + at[0], column + at[1], cell)
    return out.getvalue()


def table_of(folder: Path, data: bytes, name: str = "own") -> Table:
    """Read bytes as a file whose name tells nothing."""
    path = folder / name
    path.write_bytes(data)
    return read_table(path)


def cells_of(table: Table, sheet: int = 0) -> list[tuple[str, ...]]:
    """Return all rows as texts."""
    return [tuple(map(text_of, row)) for _, row in table.sheets[sheet].rows()]


def answers_of(table: Table) -> Answers:
    """Return the answers in the columns that are guessed."""
    columns = guess(table, Wanted.ANSWERS)
    assert columns is not None
    return read_answers(table, columns)


def refused(folder: Path, data: bytes) -> OwnFileProblem:
    """Return why bytes are not read, as a file or as answers."""
    try:
        table = table_of(folder, data)
        columns = guess(table, Wanted.ANSWERS)
        if columns is None:
            return OwnFileProblem("no_columns")
        read_answers(table, columns)
    except OwnFileProblem as problem:
        return problem
    raise AssertionError("it was read")


def small(monkeypatch: pytest.MonkeyPatch, **changes: int) -> None:
    """Let less be read than usual."""
    found: Limits = limits()._replace(**changes)
    for module in (facts, own_csv, own_files, own_values, own_xlsx):
        monkeypatch.setattr(module, "limits", lambda: found)
