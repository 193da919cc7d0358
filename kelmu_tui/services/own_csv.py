"""Tables written as text: which letters, which separator, and the rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from kelmu_tui.domain.own_files import limits
from kelmu_tui.services.own_table import OwnFileProblem, Row, Sheet, trimmed

SEPARATORS: Final = (";", "\t", ",")
"""In the order in which they are believed where several would do."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = 1 << 16
_SAMPLE: Final = 1 << 18
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Controls that no table has; an escape may have come with a name, and is cleaned where it is shown."""
_UNDEFINED: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
"""Bytes that are no letters in Windows' code page, so that it is not the one that was used."""
_TOLD: Final = re.compile(r'"?sep=(.)"?\Z')
"""What a spreadsheet writes into the first line to name the separator."""


def text_sheet(data: bytes) -> Sheet:
    """Return the table that stands in a text.

    Raises:
        OwnFileProblem: it is no text, or none that is a table.
    """
    encoding = _encoding(data)
    separator = _separator(data, encoding)

    def read() -> Iterator[Row]:
        return _rows(data, encoding, separator)

    return Sheet(0, "", tuple(islice(read(), limits().searched + 5)), read)


def _opened(data: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")


def _encoding(data: bytes) -> str:
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if marked is not None:
        _check(data, marked)
        return marked
    try:
        _check(data, "utf-8")
    except OwnFileProblem as problem:
        if problem.code != "encoding":
            raise
    else:
        return "utf-8"
    encoding = "latin-1" if _UNDEFINED.search(data) else "cp1252"
    _check(data, encoding)
    return encoding


def _check(data: bytes, encoding: str) -> None:
    text = _opened(data, encoding)
    try:
        while part := text.read(_CHUNK):
            if _NO_TEXT.search(part):
                raise OwnFileProblem("binary")
    except UnicodeError:
        raise OwnFileProblem("encoding") from None


def _separator(data: bytes, encoding: str) -> str:
    sample = _opened(data, encoding).read(_SAMPLE)
    first = sample.splitlines()[:1]
    told = _TOLD.match(first[0]) if first else None
    if told is not None and told[1] in SEPARATORS:
        return told[1]
    return max(SEPARATORS, key=lambda separator: _even(sample, separator))


def _even(sample: str, separator: str) -> int:
    """Return how many of the first rows a separator cuts into the same number of cells, more than one."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator, strict=True)
    widths: Counter[int] = Counter()
    with suppress(csv.Error):  # quotation marks that do not fit this separator, or the end of the sample
        for row in islice(reader, limits().searched):
            widths[len(row)] += 1
    return max((times for width, times in widths.items() if width > 1), default=0)


def _rows(data: bytes, encoding: str, separator: str) -> Iterator[Row]:
    most, number = limits(), 0
    reader = csv.reader(_lines(data, encoding), delimiter=separator, strict=True)
    while True:
        try:
            found = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            code = "cell" if "limit" in str(error) else "quotes"
            raise OwnFileProblem(code, row=number + 1) from None
        number += 1
        row = trimmed(list(found))
        if number > most.rows and row:
            raise OwnFileProblem("rows", row=number)
        if len(row) > most.columns:
            raise OwnFileProblem("columns", row=number, column=most.columns + 1)
        long = next((place for place, cell in enumerate(found, 1) if len(cell) > most.letters), None)
        if long is not None:
            raise OwnFileProblem("cell", row=number, column=long)
        yield row


def _lines(data: bytes, encoding: str) -> Iterator[str]:
    """Yield the lines; one that cannot be a row of cells within the limits ends it, before it is cut into cells."""
    most = limits()
    for number, line in enumerate(_opened(data, encoding), 1):
        if len(line) > most.columns * most.letters:
            raise OwnFileProblem("cell", row=number)
        yield line
