"""Rows of a list read from their lines: by a reader that is compiled for the list, or by the contract's model.

A list of 100 000 rows has over a million values, and to judge each row as a model of any columns costs more than all
else. What a backend of ours sends has one form, so a validator of just that form is made of the list's columns; it
takes a line only when the model would take it as well, and gives what the model would give. Every other line is the
model's to judge: rows in need of cleaning, dates in another form, columns of a newer backend, and what is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Final

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core import core_schema as core

from kelmu_tui.api.answers import RowDict, as_it_came
from kelmu_tui.api.contract import ListRow, read_values
from kelmu_tui.api.contract.lists import FORMS, MAX_WHOLE, TEXTS
from kelmu_tui.domain.lists import ColumnType, Event, KelaList, Period, lists

_DAYS: Final = 4096
"""Days that are remembered as such: a list has few, and many rows with each."""


def read_line(one: KelaList, line: str) -> RowDict | None:
    """Return the row of a line, None when this line is not of the usual form; then `read_row` judges it."""
    if not as_it_came(line):
        return None
    try:
        return _reader(one.id).validate_json(line)["row"]  # type: ignore[no-any-return]
    except ValidationError:
        return None


def read_row(one: KelaList, row: object, line: str) -> RowDict:
    """Return a row as the store takes it: days in one form, texts cleaned.

    Raises:
        ValueError: it is not a row of the contract, or a value is not of its column's type.
    """
    model = ListRow.model_validate(row)
    values = read_values(one, model)
    taken: RowDict = (
        dict(row) if isinstance(row, dict) and as_it_came(line) else model.model_dump(mode="json", by_alias=True)
    )
    taken["non_disclosure"] = model.non_disclosure
    for column, value in values.items():
        if isinstance(value, Period):
            taken[column] = {"from": value.first.isoformat(), "to": value.last.isoformat()}
        elif isinstance(value, date):
            taken[column] = value.isoformat()
    return taken


@lru_cache(_DAYS)
def _day(text: str) -> str:
    """Return a day of ten characters; anything that only the model understands is an error here."""
    return text if date.fromisoformat(text).isoformat() == text else _other()


def _other() -> str:
    raise ValueError("another form")


def _text(form: str | None = None, least: int = 0, most: int = 300) -> CoreSchema:
    return core.str_schema(pattern=form and f"^(?:{form})$", min_length=least, max_length=most, strict=True)


def _dict(**fields: CoreSchema) -> CoreSchema:
    named = {name.rstrip("_"): core.typed_dict_field(schema) for name, schema in fields.items()}
    return core.typed_dict_schema(named, extra_behavior="forbid", strict=True)


_WHOLE: Final = core.int_schema(ge=-MAX_WHOLE, le=MAX_WHOLE, strict=True)
_DAY: Final = core.no_info_after_validator_function(_day, _text(most=10))
_IDENTIFIER: Final = _text(least=1, most=80)
_SCHEMAS: Final[Mapping[ColumnType, CoreSchema]] = {
    **dict.fromkeys(TEXTS, _text()),
    **{type_: _text(form) for type_, form in FORMS.items()},
    ColumnType.INTEGER: _WHOLE,
    ColumnType.PERCENT: _WHOLE,
    ColumnType.DATE: _DAY,
    ColumnType.FLAG: core.bool_schema(strict=True),
    ColumnType.PERIOD: _dict(from_=_DAY, to=_DAY),
    ColumnType.EVENT: core.literal_schema([event.value for event in Event]),
    ColumnType.PERSONS: core.list_schema(_dict(name=_text(), identity_code=_IDENTIFIER), max_length=50, strict=True),
}


@cache
def _reader(list_id: str) -> SchemaValidator:
    """Return the validator of a whole line of a list."""
    fields = {
        column.id: core.typed_dict_field(core.nullable_schema(_SCHEMAS[column.type]), required=False)
        for column in lists()[list_id].columns
    }
    fields["id"] = core.typed_dict_field(_IDENTIFIER)
    hidden = core.with_default_schema(core.bool_schema(strict=True), default=False)
    fields["non_disclosure"] = core.typed_dict_field(hidden)
    row = core.typed_dict_schema(fields, extra_behavior="forbid", strict=True)
    return SchemaValidator(_dict(line=core.literal_schema(["row"]), row=row))
