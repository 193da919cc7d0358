"""Where the command line writes: data to stdout, narration to stderr, all of it cleaned of what terminals obey.

JSON documents have one shape: `{"schema": 1, "kind": "inbox.list", "data": …}`, or `"error"` instead of `"data"`.
Tables fit the terminal; piped, they are tab-separated lines with everything in them and no heading.
"""

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, NamedTuple, TextIO

from kelmu_tui.domain.text import clean

SCHEMA: Final = 1
"""Number of the JSON documents' shape; it grows when a field is renamed, retyped or removed, not when one is added."""
GAP: Final = "  "
NARROWEST: Final = 8
"""Cells that a column keeps at the least when the terminal is narrow."""


class Column(NamedTuple):
    """A column of a table; one that `shrinks` gives up cells when the terminal is narrow."""

    heading: str
    shrinks: bool = False


def to_json(value: object) -> Any:
    """Return a value that `json` can write: instants and days in ISO form, enums as their values."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(type(value).__name__)


def width(text: str) -> int:
    """Return how many terminal cells a cleaned text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text
    )


def fitted(text: str, cells: int) -> str:
    """Return `text` in exactly `cells` cells, cut with an ellipsis where it is longer."""
    while width(text) > cells:
        text = f"{text[:-2].rstrip()}…" if len(text) > 1 else ""
    return text + " " * (cells - width(text))


class Output:
    """The two streams of one command."""

    def __init__(self, *, as_json: bool = False, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = stdout or sys.stdout
        self._err = stderr or sys.stderr

    @property
    def terminal(self) -> bool:
        """Whether people read the data directly."""
        return self._out.isatty()

    @property
    def ascii(self) -> bool:
        """Whether signs beyond ASCII would not arrive."""
        return not (self._out.encoding or "utf-8").lower().startswith("utf")

    def data(self, kind: str, value: object) -> None:
        """Write one JSON document."""
        self._document({"schema": SCHEMA, "kind": kind, "data": value})

    def error(self, code: str, message: str, exit_code: int) -> None:
        """Tell a failure: a sentence to stderr, and in JSON mode a document to stdout."""
        if self.as_json:
            error = {"code": code, "message": message, "exit": exit_code}
            self._document({"schema": SCHEMA, "kind": "error", "error": error})
        self.note(message)

    def _document(self, document: object) -> None:
        # Everything beyond ASCII escaped: no terminal, pager or log can be told anything by a name. DEL is ASCII.
        text = json.dumps(document, default=to_json, ensure_ascii=True, separators=(",", ":"))
        self._out.write(text.replace("\x7f", "\\u007f") + "\n")

    def line(self, text: str = "") -> None:
        """Write lines of data for people."""
        self._out.write(clean(text, multiline=True) + "\n")

    def note(self, text: str) -> None:
        """Write narration."""
        self._err.write(clean(text, multiline=True) + "\n")
        self._err.flush()

    @property
    def watched(self) -> bool:
        """Whether people read the narration as it comes."""
        return self._err.isatty()

    def progress(self, text: str) -> None:
        """Write narration over the line of before; an empty text ends it. To be used where it is `watched`."""
        line = fitted(clean(text), terminal_width() - 1)
        self._err.write(f"\r{line}" if text else f"\r{line}\r")
        self._err.flush()

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Write a table."""
        cleaned = [[clean(cell) for cell in row] for row in rows]
        if not self.terminal:
            for row in cleaned:
                self._out.write("\t".join(row) + "\n")
            return
        widths = self._widths(columns, cleaned)
        headings = [column.heading for column in columns]
        for row in (headings, *cleaned):
            cells = [fitted(cell, size) for cell, size in zip(row, widths, strict=True) if size]
            self._out.write(GAP.join(cells).rstrip() + "\n")

    def _widths(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
        widths = [
            max(width(column.heading), *(width(row[n]) for row in rows), 0) if rows else width(column.heading)
            for n, column in enumerate(columns)
        ]
        room = terminal_width() - len(GAP) * (len(columns) - 1)
        while sum(widths) > room:
            able = [n for n, column in enumerate(columns) if column.shrinks and widths[n] > NARROWEST]
            if not able:
                break
            widths[max(able, key=lambda n: widths[n])] -= 1
        return widths


def terminal_width() -> int:
    """Return the terminal's width in cells; COLUMNS wins, 80 where nothing is known."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
