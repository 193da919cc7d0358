"""Answers as the rest of the client sees them, and how bytes become them.

Reading is strict UTF-8 and strict JSON. Rows go on to the store as plain dictionaries: validated by the contract's
models, and taken as they came when nothing in them needs cleaning, since building and dumping a model again costs
several times the reading.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from kelmu_tui.api.contract import CommandResult, Problem, Row, SnapshotEnd, SnapshotStart
from kelmu_tui.api.errors import BadAnswer
from kelmu_tui.domain.text import is_plain, is_safe

Model = TypeVar("Model", bound=BaseModel)

RowDict = dict[str, Any]
"""A row of the feed as the JSON object of the wire."""

CHUNK: Final = 250
"""Rows of a snapshot that are handed on together."""

_ROW: Final[TypeAdapter[Any]] = TypeAdapter(Row)


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What the backend said to a command: `result` when it was applied, else the `problem` (None if unreadable)."""

    status: int
    result: CommandResult | None = None
    problem: Problem | None = None
    retry_after: float | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class SnapshotRows:
    """A chunk of a snapshot, ordered by `id` and after all rows of earlier chunks."""

    rows: list[RowDict]


SnapshotPart = SnapshotStart | SnapshotRows | SnapshotEnd
"""Parts of a snapshot stream: one start, any number of chunks, one end; a stream without its end is an error."""


def parse(model: type[Model], body: bytes, request_id: str) -> Model:
    """Read `body` as `model`.

    Raises:
        BadAnswer: it is not UTF-8, not JSON or not the model.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        # The error quotes the input, so it is dropped with everything it says.
        raise BadAnswer("json" if is_syntax(error) else "model", request_id) from None


def is_syntax(error: ValidationError) -> bool:
    """Tell whether the text was no JSON at all."""
    return any(detail["type"] == "json_invalid" for detail in error.errors(include_input=False, include_url=False))


def row_dict(row: BaseModel) -> RowDict:
    """Return the wire's form of a row that came as a model."""
    return row.model_dump(mode="json", exclude_none=True)


def parse_row(line: str) -> RowDict:
    """Read one `SnapshotRow` line; the caller has seen that it starts as one.

    Raises:
        ValueError: it is not a row of the contract (pydantic's and json's errors are ValueErrors).
    """
    found = json.loads(line)
    row = found.get("row") if isinstance(found, dict) and found.get("line") == "row" else None
    if not isinstance(row, dict):
        raise ValueError("no row")
    checked = _ROW.validate_python(row)
    return row if as_it_came(line) else row_dict(checked)


def as_it_came(line: str) -> bool:
    """Tell whether nothing in a line of JSON needs cleaning.

    An escape may hide anything, and a decomposed letter would sort and search differently.
    """
    return "\\" not in line and (is_plain(line) or (is_safe(line) and unicodedata.is_normalized("NFC", line)))


class SnapshotReader:
    """Turns the lines of a snapshot into its parts and refuses everything out of order."""

    def __init__(self, scope: str, after: str | None, request_id: str) -> None:
        self._scope = scope
        self._last = after or ""
        self._request_id = request_id
        self._rows: list[RowDict] = []
        self._started = False
        self._ended = False

    def feed(self, line: str) -> list[SnapshotPart]:
        """Take a line and return the parts that are complete by it."""
        if self._ended:
            raise BadAnswer("order", self._request_id)
        if not self._started:
            start = parse(SnapshotStart, line.encode(), self._request_id)
            if start.scope != self._scope:
                raise BadAnswer("scope", self._request_id)
            self._started = True
            return [start]
        try:
            row = parse_row(line)
        except (ValueError, RecursionError):
            return self._end(line)
        if row["id"] == self._last:
            raise BadAnswer("order", self._request_id)
        self._last = row["id"]
        self._rows.append(row)
        return self._flush() if len(self._rows) >= CHUNK else []

    def finish(self) -> None:
        """Check that the stream had its end."""
        if not self._ended:
            raise BadAnswer("cut", self._request_id)

    def _end(self, line: str) -> list[SnapshotPart]:
        end = parse(SnapshotEnd, line.encode(), self._request_id)
        if '"end"' not in line:
            raise BadAnswer("model", self._request_id)
        self._ended = True
        return [*(self._flush() if self._rows else []), end]

    def _flush(self) -> list[SnapshotPart]:
        rows, self._rows = self._rows, []
        return [SnapshotRows(rows)]
