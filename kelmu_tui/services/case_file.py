"""A customer's file as it leaves the program: text for the case file, pages for a printer, a table, or JSON.

Whatever the form, it says whose data it is, of when, from where and for what purpose. Identity codes stay masked.
"""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.platform.saving import NotSaved
from kelmu_tui.services.customer_text import person_fields, purpose_text, row_fields, state_text
from kelmu_tui.store.customer_rows import Deduction, File, SectionFile

WIDTH: Final = 78
LINES: Final = 60
"""A printed page in characters and lines: what fits on A4 in the usual fixed type, with room for the margins."""
_FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""How a text begins that a spreadsheet would take for a formula; some take the wide forms of the signs, too."""
_STRIPPED: Final = ("\t", "\r", "\n")
"""What some leave out at the beginning of a cell, and read what stands behind."""


class Form(StrEnum):
    """What a file is made as; the value is its ending."""

    PAGES = "txt"
    TABLE = "csv"
    DATA = "json"


def form_of(path: Path) -> Form:
    """Return what the ending of a file name asks for.

    Raises:
        NotSaved: it asks for nothing that can be made (`ending`).
    """
    try:
        return Form(path.suffix.lower().removeprefix("."))
    except ValueError:
        raise NotSaved("ending") from None


def made(file: File, sections: Sequence[Section], t: Translator, form: Form) -> str:
    """Return sections of a file in a form, ready to be written as UTF-8."""
    if form is Form.TABLE:
        return table(file, sections, t)
    if form is Form.DATA:
        return json.dumps(as_data(file, sections), ensure_ascii=False, indent=2) + "\n"
    return pages(text(file, sections, t), t)


# --- text -----------------------------------------------------------------------------------------------------------


def text(file: File, sections: Sequence[Section], t: Translator) -> str:
    """Return sections as text for a case file; several of them with what is known of the person."""
    if len(sections) == 1:
        return "\n".join(_part(file, file.sections[sections[0]], t)) + "\n"
    person = file.person
    lines = [f"{person.family_name}, {person.given_names} ({mask(person.identity_code)})", purpose_text(file, t)]
    lines += [f"{label}: {said}".replace("\n", "\n  ") for label, said in person_fields(person, t)]
    for section in sections:
        lines += ["", *_rows(file, file.sections[section], t)]
    return "\n".join(lines) + "\n"


def _part(file: File, shown: SectionFile, t: Translator) -> Iterator[str]:
    person = file.person
    name, code = f"{person.family_name}, {person.given_names}", mask(person.identity_code)
    yield t("customers.text.title", section=t.choice("customers.section", shown.section), name=name, code=code)
    yield _source(file, shown, t)
    yield purpose_text(file, t)
    yield ""
    yield from _said(shown, t)


def _rows(file: File, shown: SectionFile, t: Translator) -> Iterator[str]:
    yield t.choice("customers.section", shown.section).upper()
    yield _source(file, shown, t)
    yield from _said(shown, t)


def _said(shown: SectionFile, t: Translator) -> Iterator[str]:
    state = state_text(shown, t)
    if state:
        yield state
    for row in shown.rows:
        yield "- " + "; ".join(f"{label}: {said}" for label, said in row_fields(row, t))


def _source(file: File, shown: SectionFile, t: Translator) -> str:
    fetched = t.formats.instant(file.fetched_at)
    if shown.source_at is None:
        return t("customers.text.source_unknown", fetched=fetched)
    return t("customers.text.source", at=t.formats.instant(shown.source_at), fetched=fetched)


# --- pages ----------------------------------------------------------------------------------------------------------


def pages(plain_text: str, t: Translator) -> str:
    """Return a text as printers and converters to PDF take it: lines that fit, a number on each page, form feeds."""
    lines = list(_wrapped(plain_text.splitlines()))
    room = LINES - 2
    parts = [lines[start : start + room] for start in range(0, len(lines), room)] or [[]]
    return "\f".join(
        "\n".join([*part, "", t("customers.text.page", number=number, count=len(parts)).rjust(WIDTH)]) + "\n"
        for number, part in enumerate(parts, 1)
    )


def _wrapped(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip(" -")))
        yield from textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]


# --- a table --------------------------------------------------------------------------------------------------------


def table(file: File, sections: Sequence[Section], t: Translator) -> str:
    """Return the rows of sections as CSV, with time, purpose and case on each line.

    Separators are those that spreadsheets of the language expect; a text that they would take for a formula gets an
    apostrophe before it.
    """
    rows = [
        {"section": section.value, **_cells(row._asdict())}
        for section in sections
        for row in file.sections[section].rows
    ]
    about = {"fetched_at": file.fetched_at, "purpose": file.purpose, "case_reference": file.case_reference or ""}
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["section"]
    comma = t.language != "en"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if comma else ",", lineterminator="\r\n")
    writer.writerow([*names, *about])
    for row in rows:
        values = [*(row.get(name) for name in names), *about.values()]
        writer.writerow([_cell(value, comma=comma) for value in values])
    return out.getvalue()


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    row.pop("id")
    return row


def _cell(value: Any, *, comma: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return str(value).replace(".", ",") if comma else str(value)
    if isinstance(value, datetime | date | int):
        return value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, tuple):
        return " ".join(_inner(one) for one in value)
    return inert(str(value))


def inert(text: str) -> str:
    """Return a text for a cell; one that a spreadsheet would run gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_STRIPPED) or text.lstrip().startswith(_FORMULA) else text


def _inner(value: Any) -> str:
    said = f"{value.kind} {value.amount}" if isinstance(value, Deduction) else str(value)
    return f"{said};"


# --- plain values ---------------------------------------------------------------------------------------------------


def as_data(file: File, sections: Iterable[Section], *, full: bool = False) -> dict[str, Any]:
    """Return a file as plain values for JSON; identity codes whole only when `full`."""
    person = plain(file.person)
    if not full:
        person["identity_code"] = mask(file.person.identity_code)
        person["earlier_codes"] = [mask(code) for code in file.person.earlier_codes]
    return {
        "person": person,
        "purpose": file.purpose,
        "case_reference": file.case_reference,
        "fetched_at": plain(file.fetched_at),
        "expires_at": plain(file.expires_at),
        "hidden_fields": sorted(file.hidden_fields),
        "sections": {section.value: plain(file.sections[section]) for section in sections},
    }


def plain(value: Any) -> Any:
    """Return a value of a file as JSON takes it: sums as texts, sets and tuples as lists, rows as objects."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(one) for name, one in value._asdict().items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return [plain(one) for one in value] if isinstance(value, tuple) else value
