"""Look-ups in words, and what a supervisor takes along of them: as text to be printed, as CSV, as plain values.

Everything in a look-up was written by somebody else: it leaves through `clean`, and no cell of a CSV is a formula.
"""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Final

from kelmu_tui.api.contract import AuditedLookUp, ExtractRequest, LookUpFlag, LookUpRow, SampleRequest
from kelmu_tui.domain.capabilities import mandates
from kelmu_tui.domain.text import clean
from kelmu_tui.i18n import Translator
from kelmu_tui.services.case_file import Form, inert, pages
from kelmu_tui.services.customer_text import purpose_name
from kelmu_tui.services.look_ups import AuditSearch, Found
from kelmu_tui.store.rows import ActiveSession

COLUMNS: Final = (
    "id",
    "at",
    "organisation",
    "user",
    "user_name",
    "customer",
    "masked_code",
    "purpose",
    "case_reference",
    "reason",
    "outcome",
    "sections",
    "flags",
    "mandate",
    "request_id",
)
"""Columns of a CSV, named as the fields of JSON."""
WIDTH: Final = 76
"""Characters of a line of a report: it fits a page of A4 in any usual type."""
_LABEL: Final = 18


# --- one look-up ----------------------------------------------------------------------------------------------------


def outcome_text(outcome: str, t: Translator) -> str:
    """Return what came of a look-up; an outcome that a newer backend knows stands for itself."""
    return t.choice("look_ups.outcome", outcome, outcome)


def flags_text(flags: Sequence[LookUpFlag], t: Translator) -> str:
    """Return flags as words."""
    return ", ".join(t.choice("look_ups.flag", flag) for flag in flags)


def user_text(row: AuditedLookUp) -> str:
    """Return who looked: the name, and the id where there is none any more."""
    return row.user_name or row.user


def fields(row: LookUpRow, t: Translator, name: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield label and text of everything that is known of a look-up.

    Args:
        name: the customer's, while the file may be shown.
    """
    audited = row if isinstance(row, AuditedLookUp) else None
    yield t("look_ups.at"), t.formats.instant(row.at)
    if audited is not None:
        yield t("look_ups.user"), f"{user_text(audited)} ({audited.user})"
    whom = " ".join(text for text in (name, row.masked_code) if text)
    yield t("look_ups.customer"), whom or t("look_ups.nobody")
    found: list[tuple[str, str | None]] = [
        (t("look_ups.purpose"), row.purpose and purpose_name(row.purpose, t)),
        (t("look_ups.case"), row.case_reference),
        (t("look_ups.reason"), row.reason),
        (t("look_ups.outcome_of"), outcome_text(row.outcome, t)),
        (t("look_ups.sections"), ", ".join(t.choice("customers.section", one) for one in row.sections)),
    ]
    if audited is not None:
        found += [
            (t("look_ups.flags"), flags_text(audited.flags, t)),
            (t("look_ups.mandate"), audited.mandate and _mandate(audited.mandate, t)),
            (t("look_ups.customer_id"), audited.customer),
            (t("look_ups.request"), audited.request_id),
        ]
    yield from ((label, text) for label, text in found if text)


def line(row: LookUpRow, t: Translator) -> str:
    """Return one look-up as text to be copied."""
    return "\n".join(f"{label}: {clean(text)}" for label, text in fields(row, t))


def _mandate(mandate: str, t: Translator) -> str:
    known = mandates().get(mandate)
    return known.name.get(t.language) if known is not None else mandate


# --- what is taken along --------------------------------------------------------------------------------------------


def heading(found: Found, t: Translator) -> Iterator[tuple[str, str]]:
    """Yield label and text of what was asked: for what, about whom, of which days, and how a sample was drawn."""
    wanted = found.wanted
    yield t("look_ups.audit_purpose_of"), t.choice("look_ups.audit_purpose", wanted.purpose)
    case = None if isinstance(wanted, AuditSearch) else wanted.case_reference
    if case is not None:
        yield t("look_ups.case"), case
    if isinstance(wanted, ExtractRequest):
        yield t("look_ups.customer"), found.whom or wanted.customer or t("look_ups.nobody")
        return
    if isinstance(wanted, AuditSearch):
        if wanted.user is not None:
            yield t("look_ups.user"), wanted.user
        if wanted.customer is not None:
            yield t("look_ups.customer_id"), wanted.customer
    if wanted.since is not None or wanted.until is not None:
        yield t("look_ups.days"), days_text(wanted, t)
    if wanted.flags:
        yield t("look_ups.flags"), flags_text(wanted.flags, t)
    if found.seed is not None:
        yield t("look_ups.seed"), str(found.seed)
        yield t("look_ups.drawn"), t("look_ups.drawn_of", count=len(found.rows), whole=found.drawn_from or 0)


def days_text(wanted: AuditSearch | SampleRequest, t: Translator) -> str:
    """Return the days of a search or a sample, of which one or both may be open."""
    day = t.formats.date
    if wanted.since is None:
        return "" if wanted.until is None else f"–{day(wanted.until)}"
    return t.formats.period(wanted.since, wanted.until)


def report(found: Found, session: ActiveSession, t: Translator) -> str:
    """Return what a supervisor got as plain text in lines of `WIDTH`, ready to be printed or archived."""
    title = t.choice("look_ups.report", found.kind)
    lines = [title, "=" * len(title), ""]
    made = [
        (
            t("look_ups.organisation"),
            f"{session.organisation.name.get(t.language)} ({session.organisation.business_id})",
        ),
        (t("look_ups.made_at"), t.formats.instant(found.at)),
        (t("look_ups.made_by"), session.user_name),
    ]
    for label, text in (*made, *heading(found, t)):
        lines += _entry(label, text)
    lines += _entry(t("look_ups.count"), t.formats.number(len(found.rows)))
    if not found.whole:
        lines += ["", *textwrap.wrap(t("look_ups.not_all"), WIDTH)]
    for number, row in enumerate(found.rows, 1):
        lines += ["", f"{number}."]
        for label, text in fields(row, t):
            lines += _entry(label, text, "  ")
    return "\n".join(lines) + "\n"


def _entry(label: str, text: str, margin: str = "") -> list[str]:
    first = f"{margin}{label + ':':<{_LABEL}} "
    indent = " " * len(margin + " " * (_LABEL + 1))
    found: list[str] = []
    for part in clean(text, multiline=True).splitlines() or [""]:
        begin = indent if found else first
        found += textwrap.wrap(part, WIDTH, initial_indent=begin, subsequent_indent=indent) or [begin.rstrip()]
    return found


def as_data(found: Found) -> dict[str, Any]:
    """Return what a supervisor got as JSON shows it."""
    wanted = found.wanted
    data: dict[str, Any] = {
        "kind": found.kind.value,
        "made_at": found.at,
        "purpose": wanted.purpose.value,
        "case_reference": None if isinstance(wanted, AuditSearch) else wanted.case_reference,
        "look_ups": [row.model_dump(mode="json") for row in found.rows],
    }
    if isinstance(wanted, ExtractRequest):
        return data | {"customer": wanted.customer, "masked_code": found.whom}
    data |= {"since": wanted.since, "until": wanted.until, "flags": [flag.value for flag in wanted.flags]}
    if isinstance(wanted, SampleRequest):
        return data | {"size": wanted.size, "seed": found.seed, "drawn_from": found.drawn_from}
    return data | {"user": wanted.user, "customer": wanted.customer, "more": not found.whole}


def saved(found: Found, session: ActiveSession, t: Translator, form: Form) -> str:
    """Return what a supervisor got in a form for a file."""
    if form is Form.TABLE:
        return as_csv(found)
    if form is Form.DATA:
        return json.dumps(as_data(found), ensure_ascii=False, indent=2, default=str) + "\n"
    return pages(report(found, session, t), t)


def as_csv(found: Found) -> str:
    """Return the look-ups as CSV with a line of names first; lists are parted by spaces."""
    to = io.StringIO(newline="")
    writer = csv.writer(to, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in found.rows:
        values = row.model_dump(mode="json")
        writer.writerow([_cell(values[name]) for name in COLUMNS])
    return to.getvalue()


def _cell(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return inert(clean(text, multiline=True))
