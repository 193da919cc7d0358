"""Lists in words and cells: periods, columns by their types, and the values of rows as they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.lists import ColumnType, KelaList, ListColumn, Period, Rhythm, read_period
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.fetches import Progress
from kelmu_tui.screens.words import municipality_name
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.case_file import inert
from kelmu_tui.store.list_values import ListRow, Value
from kelmu_tui.widgets.cells import Cell, Column, one_line


class _Width(NamedTuple):
    """How wide the values of a type are, and how early the column leaves when there is no room; 0 is never."""

    least: int
    good: int
    most: int = 0
    drop: int = 0
    align: Literal["left", "right"] = "left"


_WIDTHS: Final[Mapping[ColumnType, _Width]] = {
    ColumnType.TEXT: _Width(14, 22, 40, 5),
    ColumnType.CODE: _Width(11, 11, 11, 4),
    ColumnType.MUNICIPALITY: _Width(8, 11, 16, 5),
    ColumnType.ADDRESS: _Width(12, 24, 40, 9),
    ColumnType.INTEGER: _Width(6, 10, 12, 6, "right"),
    ColumnType.DATE: _Width(10, 10, 12, 6),
    ColumnType.FLAG: _Width(5, 8, 10, 7),
    ColumnType.LANGUAGE: _Width(6, 8, 10, 8),
    ColumnType.PERIOD: _Width(16, 23, 23, 7),
    ColumnType.EUROS: _Width(11, 12, 15, 2, "right"),
    ColumnType.PERCENT: _Width(6, 7, 10, 3, "right"),
    ColumnType.EVENT: _Width(9, 10, 12, 3),
    ColumnType.PERSONS: _Width(14, 26, 50, 5),
    ColumnType.SUPPORT_TYPE: _Width(10, 18, 26, 5),
    ColumnType.COUNTRY: _Width(4, 8, 10, 5),
}


def period_text(key: str, t: Translator) -> str:
    """Return a period in words; what is none, as it is written."""
    try:
        found = read_period(key)
    except ValueError:
        return key
    months = (found.last.year - found.first.year) * 12 + found.last.month - found.first.month + 1
    number, year = (found.first.month - 1) // months + 1, str(found.first.year)
    match Rhythm({1: "month", 3: "quarter", 6: "half_year"}.get(months, "year")):
        case Rhythm.MONTH:
            return f"{number}/{year}"
        case Rhythm.QUARTER:
            return t("lists.quarter", number=number, year=year)
        case Rhythm.HALF_YEAR:
            return t("lists.half_year", number=number, year=year)
        case Rhythm.YEAR:
            return year


def short_period(key: str, *, year: bool = False) -> str:
    """Return a period as short as a bar is wide: `10`, `Q4`, `H2`, `26`; with the year `Q4/2026`."""
    of, _, rest = key.partition("-")
    if year:
        return f"{rest.removeprefix('0')}/{of}" if rest else of
    return rest or of[2:]


def progress_text(progress: Progress, t: Translator) -> str:
    """Return how far an export is."""
    number = t.formats.number
    rows = t("lists.export_progress", done=number(progress.done), total=number(progress.total))
    return f"{t.formats.percent(progress.percent)}  {rows}"


def list_columns(one: KelaList, t: Translator, chosen: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the columns of a list as a `RowList` takes them; the first one never leaves.

    Args:
        chosen: ids of those to be shown, in this order behind the first one; () for all, of which the least
            important leave first.
    """
    if not chosen:
        return tuple(_column(column, place, t) for place, column in enumerate(one.columns))
    found = [column for column in map(one.column, dict.fromkeys((one.columns[0].id, *chosen))) if column is not None]
    # Whoever has chosen an order has said what matters most: the last one leaves first.
    return tuple(_column(column, place, t)._replace(drop=place) for place, column in enumerate(found))


def _column(column: ListColumn, place: int, t: Translator) -> Column:
    width = _WIDTHS[column.type]
    label = column.name.get(t.language)
    return Column(
        column.id,
        label,
        width.least,
        good=max(width.good, min(len(label), width.good + 4)),
        most=max(width.most, len(label)),
        align=width.align,
        # Among those of a kind the later ones leave first.
        drop=0 if place == 0 else 20 * width.drop + place,
    )


def row_cells(one: KelaList, row: ListRow, t: Translator, *, codes: bool = False) -> dict[str, Cell]:
    """Return the cells of a row; identity codes are masked unless `codes`."""
    cells = {}
    for column in one.columns:
        value = row.values.get(column.id)
        role = "warn" if row.non_disclosure and column.type is ColumnType.TEXT else ""
        if value is None and row.non_disclosure and column.type is ColumnType.ADDRESS:
            cells[column.id] = Cell(t("lists.not_disclosed"), "warn")
        elif isinstance(value, Decimal) and value < 0:
            cells[column.id] = Cell(value_text(column, value, t), "warn")
        else:
            cells[column.id] = Cell(value_text(column, value, t, codes=codes), role)
    return cells


def value_text(column: ListColumn, value: Value, t: Translator, *, codes: bool = False) -> str:
    """Return a value as it is shown; an identity code is masked unless `codes`."""
    if value is None:
        return ""
    show = _SHOW.get(column.type)
    if show is not None:
        return show(value, t)
    if column.type is ColumnType.CODE:
        return str(value) if codes else mask(str(value))
    if column.type is ColumnType.PERSONS and isinstance(value, tuple) and not isinstance(value, Period):
        return "; ".join(f"{one.name} {one.identity_code if codes else mask(one.identity_code)}" for one in value)
    return str(value)


def sums_text(one: KelaList, sums: Mapping[str, Decimal], t: Translator) -> Sequence[str]:
    """Return the sums of a list's columns in euros, each with the name of its column."""
    named = {column.id: column.name.get(t.language) for column in one.columns}
    return [f"{named.get(id_, id_)} {t.formats.euros(amount)}" for id_, amount in sums.items()]


def copied_text(one: KelaList, rows: Sequence[ListRow], t: Translator, chosen: Sequence[str] = ()) -> str:
    """Return rows as text: a line of the columns' names, then one for each, parted by tabs; codes are whole.

    Args:
        chosen: ids of the columns that leave, () for all.
    """
    columns = [column for column in map(one.column, chosen) if column is not None] or one.columns
    lines = ["\t".join(column.name.get(t.language) for column in columns)]
    lines += ["\t".join(_copied(column, row.values.get(column.id), t) for column in columns) for row in rows]
    return "\n".join(lines)


def _copied(column: ListColumn, value: Value, t: Translator) -> str:
    text = one_line(value_text(column, value, t, codes=True))
    # What was written by somebody else is no formula where it is put into a spreadsheet.
    return inert(text) if isinstance(value, str) or column.type is ColumnType.PERSONS else text


def _day(value: Any, t: Translator) -> str:
    return t.formats.date(value) if isinstance(value, date) else str(value)


def _period(value: Any, t: Translator) -> str:
    return t.formats.period(value.first, value.last) if isinstance(value, Period) else str(value)


def _euros(value: Any, t: Translator) -> str:
    return t.formats.euros(value) if isinstance(value, Decimal) else str(value)


def _number(value: Any, t: Translator) -> str:
    return t.formats.number(value) if isinstance(value, int) else str(value)


def _percent(value: Any, t: Translator) -> str:
    return t.formats.percent(value) if isinstance(value, int) else str(value)


def _language(value: Any, t: Translator) -> str:
    return t.choice("kinds.language", str(value), str(value))


def _event(value: Any, t: Translator) -> str:
    return t.choice("lists.event", str(value), str(value))


def _support(value: Any, t: Translator) -> str:
    return benefit_name(str(value), t)


_SHOW: Final[Mapping[ColumnType, Callable[[Any, Translator], str]]] = {
    ColumnType.DATE: _day,
    ColumnType.PERIOD: _period,
    ColumnType.EUROS: _euros,
    ColumnType.INTEGER: _number,
    ColumnType.PERCENT: _percent,
    ColumnType.FLAG: lambda value, t: t("common.yes" if value else "common.no"),
    ColumnType.LANGUAGE: _language,
    ColumnType.EVENT: _event,
    ColumnType.SUPPORT_TYPE: _support,
    ColumnType.MUNICIPALITY: lambda value, t: municipality_name(str(value), t.language),
}
