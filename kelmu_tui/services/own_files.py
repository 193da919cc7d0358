"""Reading the organisation's own files: what kind a file is, its tables, and which columns are what.

A file is read whole into memory once, so that what is shown first and what is taken later are the same, whatever
becomes of it meanwhile. All of it takes time and belongs on a thread beside the screen's.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from kelmu_tui.domain.own_files import Doubled, Wanted, guess_columns, limits, normalised, place_of
from kelmu_tui.services.own_table import OwnFileProblem, Row, Sheet, Table, Watch, text_of

_CHUNK: Final = 1 << 20
_REASONS: Final = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.ENAMETOOLONG: "name",
    errno.ELOOP: "name",
    errno.ENXIO: "not_a_file",
}
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_BARE_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORKBOOK: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_STARTS: Final = (
    (b"%PDF-", "pdf"),
    (b"{\\rtf", "binary"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
)
"""What could be taken for text; other files that are none have zeros in them."""


class Columns(NamedTuple):
    """Where in a table what is wanted stands.

    Attributes:
        sheet: place of the sheet among those of the table.
        row: number of the row with the headings, counted from 1.
        places: of the columns, from 0, in the order of the fields of what is wanted.
    """

    sheet: int
    row: int
    places: tuple[int, ...]


Remembered = Callable[[str], tuple[int, ...] | None]
"""Gives the places that were chosen for headings (`print_of`) before."""


# --- the file -------------------------------------------------------------------------------------------------------


def read_table(path: Path, watch: Watch | None = None) -> Table:
    """Return what stands in a file; its content decides what it is, not its name.

    Args:
        watch: ends the reading of a workbook, now and of its rows later.

    Raises:
        OwnFileProblem: it cannot be read, or is nothing that is read.
    """
    data = _content(path)
    if not data.strip(b"\x00 \t\r\n") or data in _BARE_MARKS:
        raise OwnFileProblem("empty")
    if data.startswith(_WORKBOOK):
        from kelmu_tui.services.own_xlsx import workbook_sheets

        return Table(workbook_sheets(data, watch or Watch()), workbook=True)
    if data.startswith(_OLE):
        raise OwnFileProblem("encrypted" if _ENCRYPTED in data else "old_workbook")
    for start, code in _STARTS:
        if data.startswith(start):
            raise OwnFileProblem(code)
    from kelmu_tui.services.own_csv import text_sheet

    return Table((text_sheet(data),), workbook=False)


def _content(path: Path) -> bytes:
    try:
        # A device may do something when it is opened, and a pipe would wait for who writes.
        _need_file(path.stat())
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - by its handle
            before = os.fstat(handle)
            _need_file(before)
            data = bytearray()
            while part := file.read(_CHUNK):
                data += part
                if len(data) > limits().size:
                    raise OwnFileProblem("too_large")
            after = os.fstat(handle)
    except ValueError:
        raise OwnFileProblem("name") from None
    except OSError as error:
        raise OwnFileProblem(_REASONS.get(error.errno or 0, "unread")) from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise OwnFileProblem("changed")
    return bytes(data)


def _need_file(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise OwnFileProblem("folder")
    if not stat.S_ISREG(found.st_mode):
        raise OwnFileProblem("not_a_file")
    if found.st_size > limits().size:
        raise OwnFileProblem("too_large")


# --- the columns ----------------------------------------------------------------------------------------------------


def headings(row: Row) -> tuple[str, ...]:
    """Return the cells of a row as texts."""
    return tuple(map(text_of, row))


def print_of(row: Row) -> str:
    """Return what tells headings from others, so that they need not be kept themselves: they may be anything."""
    return sha256("\0".join(map(normalised, headings(row))).encode()).hexdigest()


def guess(table: Table, wanted: Wanted, remembered: Remembered | None = None) -> Columns | None:
    """Return where what is wanted stands: as it was chosen before, or else in the first sheet with the headings.

    Raises:
        OwnFileProblem: two headings mean the same (`doubled_heading`).
    """
    searched = limits().searched
    rows = [(sheet, row, cells) for sheet in table.sheets for row, cells in enumerate(sheet.top[:searched], 1) if cells]
    if remembered is not None:
        for sheet, row, cells in rows:
            places = remembered(print_of(cells))
            if places is not None and max(places) < len(cells):
                return Columns(table.sheets.index(sheet), row, places)
    doubled = None
    for sheet, row, cells in rows:
        try:
            found = guess_columns(headings(cells), wanted)
        except Doubled as problem:
            doubled = doubled or OwnFileProblem(
                "doubled_heading", row=row, column=problem.column + 1, sheet=sheet_number(table, sheet)
            )
            continue
        if found is not None:
            return Columns(table.sheets.index(sheet), row, found)
    if doubled is not None:
        raise doubled
    return None


def sheet_number(table: Table, sheet: Sheet) -> int | None:
    """Return a sheet's number for people, None where there is no other."""
    return sheet.number + 1 if len(table.sheets) > 1 else None


def nearest(sheet: Sheet, wanted: Wanted) -> tuple[int, tuple[int | None, ...]] | None:
    """Return the row whose headings mean most of what is wanted, and where each field stands as far as that is plain.

    Without such a heading it is the first row with as many cells as are wanted; None when there is none.
    """
    found: tuple[int, tuple[int | None, ...]] | None = None
    most = -1
    for row, cells in enumerate(sheet.top[: limits().searched], 1):
        texts = headings(cells)
        if sum(text != "" for text in texts) >= len(wanted.fields):
            places = tuple(_plain(field, texts) for field in wanted.fields)
            known = sum(place is not None for place in places)
            if known > most:
                found, most = (row, places), known
    return found


def _plain(field: str, texts: tuple[str, ...]) -> int | None:
    with suppress(Doubled):
        return place_of(field, texts)
    return None


def named_columns(sheet: Sheet, wanted: Wanted, names: Mapping[str, str]) -> tuple[int, tuple[int, ...]] | None:
    """Return row and places of columns that are named by their headings or numbered from 1.

    Args:
        names: by field; a field that is not named is guessed.

    Returns:
        None when no row has them all.

    Raises:
        OwnFileProblem: a name stands for two columns (`doubled_heading`).
    """
    for row, cells in enumerate(sheet.top[: limits().searched], 1):
        texts = headings(cells)
        found = [_named(texts, field, names.get(field), row) for field in wanted.fields]
        places = tuple(place for place in found if place is not None)
        if len(places) == len(found) == len(set(places)):
            return row, places
    return None


def _named(texts: tuple[str, ...], field: str, name: str | None, row: int) -> int | None:
    if name is None:
        try:
            return place_of(field, texts)
        except Doubled as problem:
            raise OwnFileProblem("doubled_heading", row=row, column=problem.column + 1) from None
    same = [place for place, text in enumerate(texts) if text and normalised(text) == normalised(name)]
    if len(same) > 1:
        raise OwnFileProblem("doubled_heading", row=row, column=same[1] + 1)
    if same:
        return same[0]
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 4 else 0
    return number - 1 if 1 <= number <= len(texts) and texts[number - 1] else None
