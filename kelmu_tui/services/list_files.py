"""Files of rows while they are written: CSV, XLSX, JSON and NDJSON, some rows at a time and nothing kept of them.

Each has its head before the rows, but a workbook, where that is a sheet of its own. Nothing in them is ever a formula.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast

from kelmu_tui.i18n import Translator
from kelmu_tui.platform.saving import NotSaved, disk_told, new_file, working_folder
from kelmu_tui.services.case_file import inert
from kelmu_tui.services.list_fields import About, Cell, about_data, about_lines, fields, plain_row
from kelmu_tui.store.list_values import ListRow

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SCHEMA: Final = 1
"""Number of the shape of JSON and NDJSON, as the command line's."""
KIND: Final = "lists.export"
_WIDTHS: Final = (12, 50)
"""Letters in a column of a workbook at the least and at the most."""
_FIRST_YEAR: Final = 1900
"""Days of earlier years are text in a workbook: those that it knows begin here."""


class Form(StrEnum):
    """What rows are written as; the value is the ending."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    NDJSON = "ndjson"


class RowFile(Protocol):
    """A file on its way; what is raised is of the disk (`OSError`)."""

    def begin(self) -> None:
        """Write what stands before the rows."""

    def put(self, rows: Sequence[ListRow]) -> None:
        """Write rows."""

    def end(self) -> None:
        """Write what stands behind them."""

    def drop(self) -> None:
        """Let go of everything: the file will not be."""


class Writing:
    """A new file of rows on the disk. Nobody calls two methods at once, but any thread may."""

    def __init__(self, form: Form, path: Path, about: About, t: Translator) -> None:
        self._form = form
        self._path = path
        self._about = about
        self._t = t
        self._stack = ExitStack()
        self._file: RowFile | None = None
        self._named = False

    def begin(self) -> None:
        """Begin the file.

        Raises:
            NotSaved: it is there already, or the disk does not take it.
        """
        file = self._stack.enter_context(new_file(self._path))
        if self._form is Form.XLSX:
            folder = self._stack.enter_context(working_folder(self._path))
            self._file = WorkbookFile(file, folder, self._about, self._t)
        elif self._form is Form.CSV:
            self._file = CsvFile(file, self._about, self._t)
        else:
            self._file = JsonFile(file, self._about, lines=self._form is Form.NDJSON)
        with disk_told():
            self._file.begin()

    def put(self, rows: Sequence[ListRow]) -> None:
        """Write rows.

        Raises:
            NotSaved: the disk does not take them.
        """
        assert self._file is not None
        with disk_told():
            self._file.put(rows)

    def end(self) -> None:
        """Give the file its name.

        Raises:
            NotSaved: somebody else took the name meanwhile, or the disk does not take the rest.
        """
        assert self._file is not None
        with disk_told():
            self._file.end()
        self._stack.close()
        self._named = True

    def stop(self) -> None:
        """Let what is being written now come to nothing; the only method for another thread meanwhile."""
        if isinstance(self._file, WorkbookFile):
            self._file.valve.stop()

    def undo(self, error: BaseException) -> None:
        """Remove what there is of the file, also when it had its name already as it was given up."""
        if self._named:
            self._path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.drop()
        try:
            self._stack.__exit__(type(error), error, error.__traceback__)
        except NotSaved:
            pass
        except BaseException as same:
            if same is not error:
                raise


# --- CSV ------------------------------------------------------------------------------------------------------------


class CsvFile:
    """A table for spreadsheets: some lines of what it is, an empty one, headings, rows.

    Separators are those that spreadsheets of the language expect; a text that they would take for a formula gets an
    apostrophe before it.
    """

    def __init__(self, file: BinaryIO, about: About, t: Translator) -> None:
        self._file = file
        self._about = about
        self._t = t
        self._comma = t.language != "en"
        self._fields = fields(about, t)

    def begin(self) -> None:
        """Write the head and the headings."""
        self._file.write("\ufeff".encode())
        head = [[inert(label), inert(text)] for label, text in about_lines(self._about, self._t)]
        self._write([*head, [], [inert(field.heading) for field in self._fields]])

    def put(self, rows: Sequence[ListRow]) -> None:
        """Write rows."""
        self._write([[self._text(field.cell(row)) for field in self._fields] for row in rows])

    def end(self) -> None:
        """Nothing stands behind the rows."""

    def drop(self) -> None:
        """Nothing is held."""

    def _text(self, cell: Cell) -> str:
        if cell is None:
            return ""
        if isinstance(cell, str):
            return inert(cell)
        if isinstance(cell, Decimal):
            return f"{cell:.2f}".replace(".", ",") if self._comma else f"{cell:.2f}"
        return cell.isoformat() if isinstance(cell, date) else str(cell)

    def _write(self, lines: Sequence[Sequence[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, delimiter=";" if self._comma else ",", lineterminator="\r\n").writerows(lines)
        self._file.write(text.getvalue().encode())


# --- JSON -----------------------------------------------------------------------------------------------------------


class JsonFile:
    """One document with the head and `rows`; or in lines, of which the first is the head and each other one a row."""

    def __init__(self, file: BinaryIO, about: About, *, lines: bool) -> None:
        self._file = file
        self._about = about
        self._lines = lines
        self._between = ""

    def begin(self) -> None:
        """Write the head."""
        head = _json({"schema": SCHEMA, "kind": KIND, "data": dict(about_data(self._about))})
        self._file.write((f"{head}\n" if self._lines else f'{head[:-2]},"shown":[\n').encode())

    def put(self, rows: Sequence[ListRow]) -> None:
        """Write rows."""
        about = self._about
        found = [_json(plain_row(about.list, row, about.columns, full=about.full)) for row in rows]
        if self._lines:
            self._file.write("".join(f"{line}\n" for line in found).encode())
        elif found:
            self._file.write((self._between + ",\n".join(found)).encode())
            self._between = ",\n"

    def end(self) -> None:
        """Close the document."""
        if not self._lines:
            self._file.write(b"\n]}}\n")

    def drop(self) -> None:
        """Nothing is held."""


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- XLSX -----------------------------------------------------------------------------------------------------------


class Stopped(Exception):
    """The workbook is not wanted any more."""


class Valve:
    """The way of a workbook into its file. The library's zip file writes its end even when it is dropped: once the
    valve is shut that goes nowhere."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self._shut = False
        self._stopped = False

    def stop(self) -> None:
        """Let the next writing fail."""
        self._stopped = True

    def shut(self) -> None:
        """Take no more."""
        self._shut = True

    def write(self, data: bytes) -> int:
        """Write into the file.

        Raises:
            Stopped: the user does not want it any more.
        """
        if not self._shut:
            if self._stopped:
                raise Stopped
            self._file.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        """Return where the next byte goes."""
        return self._at

    def seek(self, where: int) -> int:
        """Write elsewhere from now on."""
        if not self._shut:
            self._file.seek(where)
        self._at = where
        return where

    def flush(self) -> None:
        """Write what was held back."""
        if not self._shut:
            self._file.flush()


class WorkbookFile:
    """A workbook of two sheets: the rows under headings that stay in sight, and what they are."""

    def __init__(self, file: BinaryIO, folder: Path, about: About, t: Translator) -> None:
        """The rows wait in `folder`, which nobody else can enter, until the workbook is put together."""
        self.valve = Valve(file)
        self._folder = folder
        self._about = about
        self._t = t
        self._fields = fields(about, t)
        self._row = 0
        self._book: Workbook | None = None
        self._sheet: Worksheet | None = None

    def begin(self) -> None:
        """Write the sheet of what it is, and the headings."""
        from xlsxwriter.workbook import Workbook

        t, about = self._t, self._about
        options = {
            "constant_memory": True,
            "tmpdir": str(self._folder),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        # The library takes what can be written to and asks no more of it than a `Valve` has.
        self._book = book = Workbook(cast("Any", self.valve), options)
        book.set_properties({"created": about.made_at.replace(tzinfo=None), "title": about.list.name.get(t.language)})
        strong = book.add_format({"bold": True})
        self._euros = book.add_format({"num_format": "#,##0.00"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._sheet = sheet = book.add_worksheet(t("lists.export_sheet_rows"))
        sheet.freeze_panes(1, 0)
        least, most = _WIDTHS
        for place, field in enumerate(self._fields):
            sheet.set_column(place, place, min(max(len(field.heading) + 2, least), most))
            sheet.write_string(0, place, _as_text(field.heading), strong)
        told = book.add_worksheet(t("lists.export_sheet_about"))
        told.set_column(0, 0, 24)
        told.set_column(1, 1, 80)
        for number, (label, text) in enumerate(about_lines(about, t)):
            told.write_string(number, 0, _as_text(label), strong)
            told.write_string(number, 1, _as_text(text))

    def put(self, rows: Sequence[ListRow]) -> None:
        """Write rows."""
        assert self._sheet is not None
        for row in rows:
            self._row += 1
            for place, field in enumerate(self._fields):
                self._write(self._sheet, place, field.cell(row))

    def _write(self, sheet: Worksheet, place: int, cell: Cell) -> None:
        if isinstance(cell, str):
            sheet.write_string(self._row, place, _as_text(cell))
        elif isinstance(cell, Decimal):
            sheet.write_number(self._row, place, float(cell), self._euros)
        elif isinstance(cell, date) and cell.year < _FIRST_YEAR:
            sheet.write_string(self._row, place, cell.isoformat())
        elif isinstance(cell, date):
            # `write_datetime` takes days, too, although its types do not say so.
            sheet.write_datetime(self._row, place, cast("Any", cell), self._day)
        elif cell is not None:
            sheet.write_number(self._row, place, cell)

    def end(self) -> None:
        """Put the workbook together.

        Raises:
            OSError: the disk does not take it.
        """
        from xlsxwriter.exceptions import FileCreateError

        assert self._book is not None
        try:
            self._book.close()
        except FileCreateError as error:
            raise error.args[0] from None

    def drop(self) -> None:
        """Close the rows that wait."""
        self.valve.shut()
        for sheet in () if self._book is None else self._book.worksheets():
            if sheet.row_data_fh is not None:
                try:
                    sheet.row_data_fh.close()
                except OSError:
                    continue  # what could not be written is not wanted any more


def _as_text(text: str) -> str:
    """Return a text that the library writes as it stands: it would take one that looks like its own markup for that."""
    return f"'{text}" if text.startswith("<r>") and text.endswith("</r>") else text
