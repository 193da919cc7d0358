"""Reads a workbook in a process of its own: a hostile or broken one can take its memory, its time and its life.

Run as a file, isolated, with `top` and a number of first rows, or with `sheet` and its place, and the limits. The
workbook comes on the standard input. JSON lines leave: for first rows one with the name and rows of each sheet,
otherwise one for each row; `{"end": true}` is the last, or `{"error": code}` with `row`, `column` and `sheet`. It
imports nothing of the program.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple


class Most(NamedTuple):
    """The limits, see `domain.own_files.Limits`."""

    unpacked: int
    memory: int
    seconds: int
    rows: int
    columns: int
    letters: int
    sheets: int


class Refused(Exception):
    """The workbook is not read; the value is what is told of it."""


def confine(most: Most) -> None:
    """Take no more memory and time than is given, and leave no image of what was in memory."""
    import resource

    for kind, value in (
        (resource.RLIMIT_AS, most.memory),
        (resource.RLIMIT_CPU, most.seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # not every system has each, and some allow less already
            resource.setrlimit(kind, (value, value))


def look_over(data: bytes, most: Most) -> None:
    """Refuse what is no workbook of the one kind that is read, or says itself that it unfolds into too much."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = archive.infolist()
    names = {one.filename for one in found}
    if any(one.flag_bits & 1 for one in found):
        raise Refused({"error": "encrypted"})
    if sum(one.file_size for one in found) > most.unpacked:
        raise Refused({"error": "unpacked"})
    if "xl/workbook.xml" not in names:
        raise Refused({"error": "other_workbook" if names & {"xl/workbook.bin", "content.xml"} else "archive"})


def rows(sheet: Any, number: int, most: Most) -> Iterator[list[Any]]:
    """Yield the rows of a sheet from the first on, without the empty cells at their ends."""
    start = sheet.start
    before = [""] * (start[1] if start else 0)
    for place, found in enumerate(sheet.iter_rows(), 1):
        row = [*before, *map(plain, found)]
        while row and row[-1] == "":
            row.pop()
        where = {"row": place, "sheet": number}
        if row and place > most.rows:
            raise Refused({"error": "rows", **where})
        if len(row) > most.columns:
            raise Refused({"error": "columns", "column": most.columns + 1, **where})
        for column, cell in enumerate(row, 1):
            if isinstance(cell, str) and len(cell) > most.letters:
                raise Refused({"error": "cell", "column": column, **where})
        yield row


def plain(cell: Any) -> str | float | bool:
    """Return a cell as JSON has it; days and times as text."""
    return cell if isinstance(cell, str | int | float | bool) else str(cell)


def work(data: bytes, argv: list[str]) -> Iterator[Any]:
    """Yield what is told."""
    try:
        import python_calamine
    except ImportError:
        raise Refused({"error": "no_reader"}) from None

    what, which, *given = argv
    most = Most(*map(int, given))
    confine(most)
    look_over(data, most)
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    if what == "sheet":
        yield from rows(book.get_sheet_by_index(int(which)), int(which) + 1, most)
    else:
        for place, meta in enumerate(book.sheets_metadata[: most.sheets]):
            # What its own program does not show is not what somebody means to hand over.
            shown = meta.visible == python_calamine.SheetVisibleEnum.Visible
            if shown and meta.typ == python_calamine.SheetTypeEnum.WorkSheet:
                found = rows(book.get_sheet_by_index(place), place + 1, most)
                top = list(islice(found, int(which)))
                yield {"number": place, "name": meta.name, "top": top}
    yield {"end": True}


def main() -> int:
    """Read the workbook and tell what is in it."""
    out = sys.stdout
    try:
        for told in work(sys.stdin.buffer.read(), sys.argv[1:]):
            out.write(json.dumps(told) + "\n")
    except Refused as refused:
        out.write(json.dumps(refused.args[0]) + "\n")
    except MemoryError:
        out.write('{"error": "unpacked"}\n')
    except BrokenPipeError:
        return 1
    except BaseException:  # noqa: BLE001 - the reader panics in a way that is no Exception
        out.write('{"error": "broken"}\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
