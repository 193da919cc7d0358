"""Rows of lists as they leave the program: cells for spreadsheets, plain values for programs, and what a file is about.

Identity codes are masked unless they are asked for whole. A row under a non-disclosure order has neither address nor
municipality, whatever the list, and says that it is undisclosed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.lists import ColumnType, Event, KelaList, ListColumn, Period, read_period
from kelmu_tui.domain.organisations import municipalities
from kelmu_tui.domain.text import clean
from kelmu_tui.i18n import Translator
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.store.list_pages import ListQuery
from kelmu_tui.store.list_values import ListRow, Named, Value
from kelmu_tui.store.lists import Copy
from kelmu_tui.store.rows import ActiveSession

WHERE: Final = frozenset({ColumnType.ADDRESS, ColumnType.MUNICIPALITY})
"""Columns that tell where a person lives."""
Cell = str | int | Decimal | date | None
"""What stands in a cell of a spreadsheet."""


class Field(NamedTuple):
    """A column of a table: its heading, and what it has of a row."""

    heading: str
    cell: Callable[[ListRow], Cell]


@dataclass(frozen=True, slots=True)
class About:
    """What a file of rows is.

    Attributes:
        columns: ids, in the order of the file.
        full: identity codes are whole.
        marked: only rows that the user marked.
        rows: how many rows there are in the file.
        left_out: rows under non-disclosure that fit a municipality and are not in the file: being in it would tell
            where somebody lives.
    """

    list: KelaList
    copy: Copy
    query: ListQuery
    session: ActiveSession
    purpose: str
    columns: tuple[str, ...]
    full: bool
    marked: bool
    rows: int
    left_out: int
    made_at: datetime


# --- cells ----------------------------------------------------------------------------------------------------------


def fields(about: About, t: Translator) -> tuple[Field, ...]:
    """Return the columns of a table; a period has one for its first and one for its last day."""
    found: list[Field] = []
    for id_ in about.columns:
        column = about.list.column(id_)
        if column is not None:
            found += _fields(column, t, full=about.full)
    undisclosed = t("lists.export_undisclosed")
    found.append(Field(undisclosed, lambda row: t("common.yes") if row.non_disclosure else None))
    return tuple(found)


def _fields(column: ListColumn, t: Translator, *, full: bool) -> list[Field]:
    name, id_ = column.name.get(t.language), column.id
    if column.type is ColumnType.PERIOD:
        return [
            Field(t("lists.export_from", column=name), lambda row: _end(row.values.get(id_), 0)),
            Field(t("lists.export_to", column=name), lambda row: _end(row.values.get(id_), 1)),
        ]
    hidden = t("lists.not_disclosed") if column.type is ColumnType.ADDRESS else None
    hides, written = column.type in WHERE, _written(column.type, t, full=full)

    def cell(row: ListRow) -> Cell:
        if hides and row.non_disclosure:
            return hidden
        value = row.values.get(id_)
        return None if value is None else written(value)

    return [Field(name, cell)]


def _end(value: Value, which: int) -> Cell:
    if isinstance(value, Period):
        return value[which]
    return None if value is None else clean(str(value))


def _written(type_: ColumnType, t: Translator, *, full: bool) -> Callable[[Any], Cell]:
    """Return what makes a cell of a value of a column; once for the column, since there may be millions of cells."""
    match type_:
        case ColumnType.INTEGER | ColumnType.PERCENT | ColumnType.EUROS | ColumnType.DATE:
            return lambda value: value if isinstance(value, int | Decimal | date) else clean(str(value))
        case ColumnType.FLAG:
            yes, no = t("common.yes"), t("common.no")
            return lambda value: yes if value else no
        case ColumnType.CODE:
            return lambda value: clean(str(value) if full else mask(str(value)))
        case ColumnType.PERSONS:
            return lambda value: "; ".join(
                clean(f"{one.name} {_code(one, full=full)}") for one in value if isinstance(one, Named)
            )
        case ColumnType.MUNICIPALITY:
            # The code alone would lose its zeros in a spreadsheet.
            return lambda value: clean(_municipality(str(value), t))
        case ColumnType.LANGUAGE:
            return lambda value: clean(t.choice("kinds.language", str(value), str(value)))
        case ColumnType.EVENT:
            return lambda value: clean(t.choice("lists.event", str(value), str(value)))
        case ColumnType.SUPPORT_TYPE:
            return lambda value: clean(benefit_name(str(value), t))
        case _:
            return lambda value: clean(str(value))


def _code(one: Named, *, full: bool) -> str:
    return one.identity_code if full else mask(one.identity_code)


def _municipality(code: str, t: Translator) -> str:
    known = municipalities().get(code)
    return code if known is None else f"{code} {known.name.get(t.language)}"


# --- plain values ---------------------------------------------------------------------------------------------------


def plain_row(one: KelaList, row: ListRow, columns: Sequence[str], *, full: bool) -> dict[str, Any]:
    """Return a row as JSON takes it: its id, whether it is undisclosed, and values under the ids of the columns."""
    found: dict[str, Any] = {"id": row.id, "non_disclosure": row.non_disclosure}
    for id_ in columns:
        column = one.column(id_)
        hidden = row.non_disclosure and column is not None and column.type in WHERE
        found[id_] = None if column is None or hidden else plain_value(column, row.values.get(id_), full=full)
    return found


def plain_value(column: ListColumn, value: Value, *, full: bool) -> Any:
    """Return a value as JSON takes it: sums as texts, days in ISO form, periods and persons as objects."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Event):
        return value.value
    if isinstance(value, Period):
        return {"from": value.first.isoformat(), "to": value.last.isoformat()}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        people = [one for one in value if isinstance(one, Named)]
        return [{"name": clean(one.name), "identity_code": clean(_code(one, full=full))} for one in people]
    if isinstance(value, str):
        return clean(mask(value) if column.type is ColumnType.CODE and not full else value)
    return value


# --- what a file is about -------------------------------------------------------------------------------------------


def about_lines(about: About, t: Translator) -> Iterator[tuple[str, str]]:
    """Yield what a file says of itself: labels and texts."""
    instant, number, copy = t.formats.instant, t.formats.number, about.copy
    of = read_period(copy.period)
    yield t("lists.column_name"), f"{about.list.name.get(t.language)} ({about.list.id})"
    yield t("lists.column_period"), f"{copy.period} ({t.formats.period(of.first, of.last)})"
    yield t("lists.version"), str(copy.version)
    yield t("lists.column_published"), instant(copy.published_at)
    yield t("lists.fetched_at"), instant(copy.fetched_at)
    yield t("lists.export_made_at"), instant(about.made_at)
    own = about.session.organisation
    yield t("lists.export_organisation"), clean(f"{own.name.get(t.language)} ({own.business_id})")
    yield t("lists.export_by"), clean(f"{about.session.user_name} ({about.session.user_id})")
    yield t("lists.export_purpose"), about.purpose
    yield t("lists.export_filter"), "; ".join(_filter(about, t)) or t("lists.export_no_filter")
    yield t("lists.export_sort"), ", ".join(_sort(about, t)) or t("lists.as_opened")
    codes = t("lists.export_whole") if about.full else t("lists.export_masked")
    yield t("lists.export_codes"), codes
    yield t("lists.column_rows"), number(about.rows)
    if about.left_out:
        yield t("lists.export_left_out"), t("lists.export_left_out_rows", count=about.left_out)


def _filter(about: About, t: Translator) -> Iterator[str]:
    if about.marked:
        yield t("lists.export_marked")
    if about.query.municipality is not None:
        yield clean(_municipality(about.query.municipality, t))
    if about.query.text.strip():
        yield filter_text(about)


def filter_text(about: About) -> str:
    """Return the words of the filter; those that may be an identity code are masked where the codes are."""
    words = clean(about.query.text).split()
    if not about.full:
        words = [
            f"{'*' * len(word[:6])}{word[6:7]}{'*' * len(word[7:])}" if word[0].isdigit() else word for word in words
        ]
    return " ".join(words)


def _sort(about: About, t: Translator) -> Iterator[str]:
    for key in about.query.sort:
        column = about.list.column(key.column)
        name = key.column if column is None else column.name.get(t.language)
        yield t("lists.export_descending", column=name) if key.descending else name


def about_data(about: About) -> Mapping[str, Any]:
    """Return the same as JSON takes it."""
    copy, own = about.copy, about.session.organisation
    return {
        "list": about.list.id,
        "period": copy.period,
        "version": copy.version,
        "published_at": copy.published_at.isoformat(),
        "fetched_at": copy.fetched_at.isoformat(),
        "made_at": about.made_at.isoformat(),
        "organisation": own.business_id,
        "user": about.session.user_id,
        "purpose": about.purpose,
        "filter": filter_text(about),
        "municipality": about.query.municipality,
        "sort": [key._asdict() for key in about.query.sort],
        "columns": list(about.columns),
        "full": about.full,
        "marked": about.marked,
        "rows": about.rows,
        "left_out": about.left_out,
    }
