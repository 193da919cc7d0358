"""Lists on the command line: values as cells for people, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.lists import ColumnType, KelaList, ListColumn
from kelmu_tui.domain.organisations import municipalities
from kelmu_tui.i18n import Translator
from kelmu_tui.services.list_fields import plain_value
from kelmu_tui.store.list_values import ListRow

NOTHING = "–"


class Cells:
    """Writes the values of a list's rows; identity codes whole only when `full`."""

    def __init__(self, one: KelaList, t: Translator, *, full: bool) -> None:
        self._list = one
        self._t = t
        self._full = full

    def heading(self, column: str) -> str:
        """Return a column's name."""
        found = self._list.column(column)
        return column if found is None else found.name.get(self._t.language)

    def text(self, column: str, row: ListRow | None) -> str:
        """Return a value as a cell, a dash where there is none."""
        found = self._list.column(column)
        value = None if row is None else row.values.get(column)
        return NOTHING if value is None or found is None else self._text(found, value) or NOTHING

    def data(self, row: ListRow | None) -> dict[str, Any] | None:
        """Return a row as plain values under the ids of its columns."""
        if row is None:
            return None
        known = {column.id: column for column in self._list.columns}
        values = {
            id_: plain_value(known[id_], value, full=self._full) for id_, value in row.values.items() if id_ in known
        }
        return {"id": row.id, "non_disclosure": row.non_disclosure, **values}

    def _text(self, column: ListColumn, value: Any) -> str:
        t = self._t
        match column.type:
            case ColumnType.CODE:
                return self._code(column.id, value)
            case ColumnType.MUNICIPALITY:
                known = municipalities().get(value)
                return str(value) if known is None else f"{value} {known.name.get(t.language)}"
            case ColumnType.DATE:
                return t.formats.date(value)
            case ColumnType.FLAG:
                return t("common.yes") if value else t("common.no")
            case ColumnType.LANGUAGE:
                return t.choice("kinds.language", value, value)
            case ColumnType.PERIOD:
                return t.formats.period(value.first, value.last)
            case ColumnType.EUROS:
                return t.formats.euros(value)
            case ColumnType.PERCENT:
                return t.formats.percent(value)
            case ColumnType.EVENT:
                return t.choice("cli.event", value, value)
            case ColumnType.PERSONS:
                return ", ".join(f"{one.name} {self._masked(one.identity_code)}" for one in value)
            case ColumnType.SUPPORT_TYPE:
                from kelmu_tui.services.benefit_words import benefit_name

                return benefit_name(value, t)
            case _:
                return str(value)

    def _code(self, column: str, value: str) -> str:
        return self._masked(value) if column == "identity_code" else value

    def _masked(self, code: str) -> str:
        return code if self._full else mask(code)


def sums_data(sums: Mapping[str, Decimal]) -> dict[str, str]:
    """Return sums as texts."""
    return {column: str(amount) for column, amount in sums.items()}


def sums_text(cells: Cells, sums: Mapping[str, Decimal], t: Translator) -> Sequence[str]:
    """Return a line for each sum."""
    return [f"{cells.heading(column)}: {t.formats.euros(amount)}" for column, amount in sums.items()]
