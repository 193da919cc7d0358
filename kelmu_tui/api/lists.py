"""The stream of a list's rows: its lines as parts, in their order and each row once; and the invoices over them.

Rows go on to the store as plain dictionaries of the wire, see `api.answers`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from kelmu_tui.api.answers import RowDict
from kelmu_tui.api.contract import InvoiceHead, Invoices, ListEnd, ListLine, ListStart, ListStop
from kelmu_tui.api.errors import BadAnswer
from kelmu_tui.api.row_lines import read_line, read_row
from kelmu_tui.domain.lists import invoices, lists, period_of, read_period
from kelmu_tui.domain.review.billing import billed_list

BATCH: Final = 1000
"""Rows that are handed on together: one transaction of the store, about 15 ms."""

_LINE: Final[TypeAdapter[Any]] = TypeAdapter(ListLine)


@dataclass(frozen=True, slots=True)
class ListBatch:
    """Some rows of a list, ordered by `id` and behind all rows of earlier batches."""

    rows: list[RowDict]


ListPart = ListStart | ListBatch | ListStop | ListEnd
"""Parts of a stream: one start, any number of batches, then a stop or an end; a stream without either is an error."""


@dataclass(frozen=True, slots=True)
class RowsWanted:
    """What is asked for.

    Attributes:
        version: of the publication, None for the newest.
        after: id of the last row that is there, None before the first.
    """

    list: str
    period: str
    version: int | None = None
    after: str | None = None

    def params(self) -> dict[str, str]:
        """Return the query of the request."""
        found = {} if self.version is None else {"version": str(self.version)}
        return found if self.after is None else {**found, "after": self.after}


class RowReader:
    """Reads the lines of a stream and refuses everything out of order, doubled, or not asked for.

    Raises:
        KeyError: the catalogue has no such list.
    """

    def __init__(self, wanted: RowsWanted, request_id: str) -> None:
        self._list = lists()[wanted.list]
        self._wanted = wanted
        self._request_id = request_id
        self._last = wanted.after or ""
        self._left: int | None = None
        self._rows: list[RowDict] = []
        self._ended = False

    def feed(self, line: str) -> list[ListPart]:
        """Take a line and return the parts that are complete by it.

        Raises:
            BadAnswer: the line is not of the contract, or not of this stream.
        """
        if self._ended:
            raise BadAnswer("order", self._request_id)
        row = None if self._left is None else read_line(self._list, line)
        if row is None:
            found = self._parse(line)
            if self._left is None or found.get("line") != "row":
                return self._other(found)
            row = self._judge(found.get("row"), line)
        self._take(row)
        return [self._batch()] if len(self._rows) >= BATCH else []

    def rest(self) -> list[ListPart]:
        """Return the rows that came whole before the stream was cut: what came need not come again."""
        return [self._batch()] if self._rows else []

    def finish(self) -> None:
        """Check that the stream had its end."""
        if not self._ended:
            raise BadAnswer("cut", self._request_id)

    def _parse(self, line: str) -> Mapping[str, Any]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            # The error quotes the line, which is about people.
            raise BadAnswer("json", self._request_id) from None
        if not isinstance(found, dict):
            raise BadAnswer("model", self._request_id)
        return found

    def _other(self, line: Mapping[str, Any]) -> list[ListPart]:
        try:
            found = _LINE.validate_python(line)
        except ValidationError:
            raise BadAnswer("model", self._request_id) from None
        if isinstance(found, ListStart) != (self._left is None):
            raise BadAnswer("order", self._request_id)
        if isinstance(found, ListStart):
            self._begin(found)
            return [found]
        if isinstance(found, ListEnd) and found.next is not None:
            raise BadAnswer("order", self._request_id)  # no end was asked for but that of the list
        self._ended = True
        return [*self.rest(), found]

    def _begin(self, start: ListStart) -> None:
        wanted = self._wanted
        of = (start.list_id, start.period, start.version)
        if of != (wanted.list, wanted.period, wanted.version or start.version):
            raise BadAnswer("scope", self._request_id)
        self._left = start.rows

    def _judge(self, row: object, line: str) -> RowDict:
        try:
            return read_row(self._list, row, line)
        except ValueError:  # pydantic's errors are ValueErrors
            raise BadAnswer("model", self._request_id) from None

    def _take(self, row: RowDict) -> None:
        if row["id"] <= self._last or not self._left:
            raise BadAnswer("order", self._request_id)
        self._left -= 1
        self._last = row["id"]
        self._rows.append(row)

    def _batch(self) -> ListBatch:
        rows, self._rows = self._rows, []
        return ListBatch(rows)


def check_invoices(answer: Invoices, request_id: str) -> Invoices:
    """Return the invoices of the kinds that the program knows.

    Raises:
        BadAnswer: one does not fit to its kind, or two have the same number.
    """
    known = [one for one in answer.invoices if one.invoice in invoices()]
    if not all(_fits(one) for one in known) or len({one.number for one in known}) < len(known):
        raise BadAnswer("scope", request_id)
    return answer.model_copy(update={"invoices": known})


def _fits(head: InvoiceHead) -> bool:
    """Tell whether list, period and days of an invoice are those of its kind."""
    period = read_period(head.period)
    rhythm = invoices()[head.invoice].rhythm
    as_its_kind = head.list_id == billed_list(head.invoice).id and period == period_of(rhythm, period.first)
    # What corrects an invoice may take rows away.
    counted = head.rows >= 0 or head.corrects is not None
    return as_its_kind and counted and head.sent_on <= head.due_on and head.corrects != head.number
