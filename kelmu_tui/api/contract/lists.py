"""Lists of recipients and the invoices that come with person lists: what there is, and the stream of a list's rows.

`GET /v1/lists` tells every list of the catalogue, open or closed, with its publications. The rows of a publication come
as NDJSON from `GET /v1/lists/{list}/{period}/rows`: a `ListStart`, a `ListRowLine` for each row, ordered by id, and a
`ListEnd`; the last id that arrived resumes a broken stream. A publication that is withdrawn or published anew meanwhile
ends the stream with a `ListStop`. `GET /v1/invoices` tells the heads of the invoices; their rows stand in the lists.

Sums of a row have their sign: what came back (`returned`) is negative, and so is what was billed before and is billed
otherwise now (`corrected`), beside which the new sum stands as `paid`; days are never negative. So the total of an
invoice is the plain sum of the column that it bills (`billed_column`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AwareDatetime, ConfigDict, Field

from kelmu_tui.api.contract.common import Answer, Identifier, Line, Version
from kelmu_tui.api.contract.customers import Euros
from kelmu_tui.api.contract.problems import ProblemCode
from kelmu_tui.domain.capabilities import Reason
from kelmu_tui.domain.lists import ColumnType, Event, KelaList, Period, lists

PeriodKey = Annotated[str, Field(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]|H[12]))?$")]
"""Key of a period (`domain.lists.Period.key`): `2026-11`, `2026-Q4`, `2026-H2` or `2026`."""

Count = Annotated[int, Field(ge=0)]


class Publication(Answer):
    """A period of a list that has come.

    Attributes:
        version: 1 when it comes, one more each time it is published anew.
        rows: how many it has; none when it is withdrawn.
        withdrawn: it may not be used any more; what was fetched of it has to go.
        expires_at: until when it can be fetched.
    """

    period: PeriodKey
    version: Version
    published_at: AwareDatetime
    rows: Count
    withdrawn: bool = False
    expires_at: AwareDatetime


class ListOffer(Answer):
    """A list of the catalogue as it is for the asker; closed ones have no publications.

    Attributes:
        closed: why it is closed, None when it is open.
        mandates: ids of the mandates that would open a closed one.
        publications: the newest period first.
    """

    list_id: Identifier
    closed: Reason | None = None
    mandates: list[Identifier] = Field(default_factory=list)
    publications: list[Publication] = Field(default_factory=list)


class ListOffers(Answer):
    """Answer of `GET /v1/lists`: all lists, in the order of the catalogue."""

    lists: list[ListOffer]
    server_time: AwareDatetime


# --- rows -----------------------------------------------------------------------------------------------------------


class PeriodCell(Answer):
    """A value of type `period`: first and last day, both included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")


class PersonCell(Answer):
    """One of the people in a value of type `persons`."""

    name: Line
    identity_code: Identifier


Cell = bool | int | Line | PeriodCell | Annotated[list[PersonCell], Field(max_length=50)] | None
"""A value on the wire; None where there is none, which any column may have.

Texts, codes, languages, countries (ISO 3166 alpha-2), types of support (ids of benefits) and events are strings, as are
dates (ISO 8601), municipalities (three digits) and sums in euros (`"123.45"`, `"-0.50"`); percents are whole numbers.
"""


class ListRow(Answer):
    """A row: its id, and a value for each column of the list under the column's id.

    Attributes:
        id: the same in every version of a publication, so that what was said of a row holds when it comes anew.
        non_disclosure: there is a non-disclosure order: the address, if the list has one, and the municipality beside
            it are None.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Cell] = Field(init=False)

    id: Identifier
    non_disclosure: bool = False


class ListStart(Answer):
    """First line: whose rows follow.

    Attributes:
        rows: how many the publication has in all.
        expires_at: until when what is fetched now may be kept.
    """

    line: Literal["start"] = "start"
    list_id: Identifier
    period: PeriodKey
    version: Version
    rows: Count
    published_at: AwareDatetime
    fetched_at: AwareDatetime
    expires_at: AwareDatetime


class ListRowLine(Answer):
    """A row of the publication; rows come ordered by `id`."""

    line: Literal["row"] = "row"
    row: ListRow


class ListStop(Answer):
    """Last line of a stream that cannot go on: `code` says why, most often `list_withdrawn` or `list_republished`."""

    line: Literal["stop"] = "stop"
    code: ProblemCode


class ListEnd(Answer):
    """Last line: the publication is complete, or as many rows as were asked for have come and `next` goes on."""

    line: Literal["end"] = "end"
    next: Identifier | None = None


ListLine = Annotated[ListStart | ListRowLine | ListStop | ListEnd, Field(discriminator="line")]


class NamedPerson(NamedTuple):
    """Somebody in a value of type `persons`."""

    name: str
    identity_code: str


Value = str | int | bool | date | Decimal | Period | Event | tuple[NamedPerson, ...] | None
"""A value as the columns' types have it (`read_values`)."""


def read_values(one: KelaList, row: ListRow) -> dict[str, Value]:
    """Return the values of a row by the types of the list's columns; what is missing is None, what is more is left out.

    Raises:
        ValueError: a value is not of its column's type; names the column, never the value.
    """
    found = row.__pydantic_extra__
    values: dict[str, Value] = {}
    for column in one.columns:
        cell = found.get(column.id)
        try:
            values[column.id] = None if cell is None else _READERS[column.type](cell)
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"{column.id}: not of type {column.type.value}") from None
    return values


FORMS: Final[Mapping[ColumnType, str]] = {
    ColumnType.MUNICIPALITY: r"[0-9]{3}",
    ColumnType.LANGUAGE: r"[a-z]{2,3}",
    ColumnType.EUROS: r"-?[0-9]{1,10}\.[0-9]{2}",
    ColumnType.SUPPORT_TYPE: r"[a-z_]{1,60}",
    ColumnType.COUNTRY: r"[A-Z]{2}",
}
"""What the whole of a value is like that has a form of its own on the wire."""
TEXTS: Final = (ColumnType.TEXT, ColumnType.CODE, ColumnType.ADDRESS)
"""Columns that hold any one line of text."""
MAX_WHOLE: Final = 10**12
"""Whole numbers of a row are not larger; there is nothing to count of which there is more."""


def _text(cell: Any) -> str:
    if not isinstance(cell, str):
        raise ValueError
    return cell


def _matching(type_: ColumnType) -> Callable[[Any], str]:
    pattern = re.compile(FORMS[type_])

    def read(cell: Any) -> str:
        if not isinstance(cell, str) or not pattern.fullmatch(cell):
            raise ValueError
        return cell

    return read


def _whole(cell: Any) -> int:
    if not isinstance(cell, int) or isinstance(cell, bool) or abs(cell) > MAX_WHOLE:
        raise ValueError
    return cell


def _flag(cell: Any) -> bool:
    if not isinstance(cell, bool):
        raise ValueError
    return cell


_euros: Final = _matching(ColumnType.EUROS)

_READERS: Final[Mapping[ColumnType, Callable[[Any], Value]]] = {
    **dict.fromkeys(TEXTS, _text),
    **{type_: _matching(type_) for type_ in FORMS},
    ColumnType.INTEGER: _whole,
    ColumnType.DATE: date.fromisoformat,
    ColumnType.FLAG: _flag,
    ColumnType.PERIOD: lambda cell: Period(cell.first, cell.last),
    ColumnType.EUROS: lambda cell: Decimal(_euros(cell)),
    ColumnType.PERCENT: _whole,
    ColumnType.EVENT: Event,
    ColumnType.PERSONS: lambda cell: tuple(NamedPerson(one.name, one.identity_code) for one in cell),
}


# --- invoices -------------------------------------------------------------------------------------------------------


class InvoiceHead(Answer):
    """An invoice of Kela.

    Attributes:
        invoice: kind of the catalogue.
        total: sum of the billed column of its rows, as Kela has it; below zero when Kela owes.
        rows: rows of the list that it bills.
        list_id: the list of its period with these rows; that of the childcare invoice, which comes in advance, is
            published only after the period.
        payer: code of the municipality that has to pay, or of the county for treatment abroad.
        corrects: number of the invoice that it corrects; its total and rows are then what is added to that one's.
    """

    number: Identifier
    invoice: Identifier
    period: PeriodKey
    sent_on: date
    due_on: date
    total: Euros
    rows: int
    list_id: Identifier
    payer: Annotated[str, Field(pattern=r"^[0-9]{2,3}$")]
    corrects: Identifier | None = None


class Invoices(Answer):
    """Answer of `GET /v1/invoices`: those whose lists are open, the newest first."""

    invoices: list[InvoiceHead]
    server_time: AwareDatetime


def billed_column(list_id: str) -> str | None:
    """Return the column (id) of a list whose sum is the invoice's total, None when the list bills nothing.

    `amount_eur` holds the municipal supplement of childcare support, and of the earnings-related allowance it is the
    basic part, of which the municipality pays its share.
    """
    found = lists().get(list_id)
    return None if found is None else found.billed
