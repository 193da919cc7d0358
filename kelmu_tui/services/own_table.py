"""What stands in a file of the organisation's own, as sheets of typed cells, and what can be wrong with one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

Cell = str | float | bool
"""A text, a number of a workbook, or a truth; the empty text where there is nothing."""
Row = tuple[Cell, ...]

FILE_CODES: Final = (
    *("missing", "folder", "not_a_file", "denied", "changed", "unread", "too_large", "empty", "name"),
    *("encrypted", "old_workbook", "other_workbook", "pdf", "archive", "binary", "broken", "unpacked", "no_reader"),
    *("encoding", "quotes", "rows", "columns", "cell", "no_sheet"),
    *("no_headings", "no_columns", "doubled_heading", "no_rows", "too_many"),
)
"""Why a file is not taken at all."""


class OwnFileProblem(Exception):
    """A file is not taken; no value of it is in the message.

    Attributes:
        code: one of `FILE_CODES`.
        row, column: where, counted from 1, where that is known.
        sheet: number of the sheet in a workbook of several, counted from 1.
    """

    def __init__(
        self, code: str, *, row: int | None = None, column: int | None = None, sheet: int | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.row = row
        self.column = column
        self.sheet = sheet


class Process(Protocol):
    """A process that can be ended."""

    def kill(self) -> None:
        """End it."""


class Watch:
    """Ends the processes that read a table when nobody waits for it any more; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[Process] = []
        self._ended = False

    def begun(self, process: Process) -> None:
        """Watch a process; it ends at once when all have been ended."""
        with self._lock:
            self._running.append(process)
            if self._ended:
                process.kill()

    def over(self, process: Process) -> None:
        """A process has ended by itself."""
        with self._lock:
            self._running.remove(process)

    def end(self) -> None:
        """End all that run and all that will."""
        with self._lock:
            self._ended = True
            for process in self._running:
                process.kill()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a file.

    Attributes:
        number: place in the file, from 0.
        top: its first rows, without empty cells at their ends.
        read: gives all rows from the first one on; they are read anew each time and never held together.
    """

    number: int
    name: str
    top: tuple[Row, ...]
    read: Callable[[], Iterator[Row]]

    def rows(self, after: int = 0) -> Iterator[tuple[int, Row]]:
        """Yield the rows behind the first `after` ones, each with its number from 1 on.

        Raises:
            OwnFileProblem: one cannot be read.
        """
        for number, row in enumerate(self.read(), 1):
            if number > after:
                yield number, row


class Table(NamedTuple):
    """A file that was read.

    Attributes:
        workbook: whether it is one, so that sheets have names.
    """

    sheets: tuple[Sheet, ...]
    workbook: bool


def text_of(cell: Cell) -> str:
    """Return a cell as a text, without spaces around it; a number as spreadsheets write it."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    return f"{cell:.15g}"


def trimmed(row: list[Cell]) -> Row:
    """Return a row without the empty cells at its end."""
    end = len(row)
    while end and row[end - 1] == "":
        end -= 1
    return tuple(row[:end])
