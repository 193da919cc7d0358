"""Kela's invoices in words: when they are due, their heads, and what is said of findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from kelmu_tui.domain.deadlines import working_days_between
from kelmu_tui.domain.lists import Event, Period
from kelmu_tui.domain.organisations import counties
from kelmu_tui.domain.review import Finding, Value, rules
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.words import municipality_name
from kelmu_tui.services.invoices import Billing
from kelmu_tui.widgets.cells import Cell, one_line
from kelmu_tui.widgets.sheet import Block, Field, Heading

SOON: Final = 3
"""Working days before an invoice is due from which on it is marked."""


def is_soon(billing: Billing, today: date) -> bool:
    """Tell whether an invoice that has come is due today or within some working days."""
    left = working_days_between(today, billing.due_on)
    return not billing.expected and billing.due_on >= today and left <= SOON


def due_cell(billing: Billing, today: date, t: Translator) -> Cell:
    """Return when an invoice is due, and how long that is until it is over; whether it was paid nobody knows here."""
    day = t.formats.relative_date(billing.due_on, today)
    if billing.due_on <= today:
        return Cell(day, "alarm" if billing.due_on == today and not billing.expected else "dim")
    role = "warn" if is_soon(billing, today) else "dim" if billing.expected else ""
    return Cell(f"{day}  {t.formats.due(billing.due_on, today)}", role, day)


def due_text(billing: Billing, today: date, t: Translator) -> str:
    """Return the day an invoice is due in words, with the time that is left."""
    day = t.formats.date(billing.due_on)
    return day if billing.due_on < today else f"{day}, {t.formats.due_long(billing.due_on, today)}"


def head_fields(billing: Billing, t: Translator, today: date) -> Iterable[Block]:
    """Yield the facts of an invoice: its days, and number, sum and rows of each of its heads."""
    euros, number = t.formats.euros, t.formats.number
    yield Field(t("invoice_view.column_sent"), t.formats.date(billing.sent_on))
    yield Field(t("invoice_view.column_due"), due_text(billing, today, t))
    if billing.total is None:
        return
    yield Field(t("invoice_view.column_total"), euros(billing.total), "warn" if billing.total < 0 else "")
    yield Field(t("lists.column_rows"), number(sum(head.rows for head in billing.heads)))
    yield Field(t("invoice_view.payer"), payer_name(billing.heads[0].payer, t))
    for head in billing.heads:
        if head.corrects is None:
            yield Field(t("invoice_view.number"), head.number)
        else:
            yield Heading(t("invoice_view.correction", number=head.number))
            yield Field(t("invoice_view.corrects"), head.corrects)
            yield Field(t("invoice_view.column_sent"), t.formats.date(head.sent_on))
            yield Field(t("invoice_view.column_due"), t.formats.date(head.due_on))
            yield Field(t("invoice_view.column_total"), euros(head.total), "warn" if head.total < 0 else "")
            yield Field(t("lists.column_rows"), number(head.rows))


def payer_name(code: str, t: Translator) -> str:
    """Return the name of who pays: a municipality (three digits) or a county (two)."""
    county = counties().get(code)
    return municipality_name(code, t.language) if county is None else county.name.get(t.language)


def finding_text(finding: Finding, t: Translator) -> str:
    """Return what a rule found as a sentence, with what stands there and what should."""
    sentence = rules()[finding.rule].text.get(t.language)
    return sentence.format(
        found=_value_text(finding.found, finding, t), expected=_value_text(finding.expected, finding, t)
    )


def source_text(finding: Finding, t: Translator) -> str:
    """Return where a rule is from: addresses, one on a line, and what of it is assumed."""
    parts = (part.strip() for part in rules()[finding.rule].source.split(";"))
    return "\n".join(part.replace("assumption", t("invoice_view.assumption"), 1) for part in parts if part)


def _value_text(value: Value, finding: Finding, t: Translator) -> str:
    match value:
        case None:
            return t("invoice_view.nothing")
        case Decimal():
            return t.formats.euros(value)
        case Period():
            return t.formats.period(value.first, value.last)
        case date():
            return t.formats.date(value)
        case Event():
            return t.choice("lists.event", value)
        case int():
            return t.formats.number(value)
    if finding.column == "municipality":
        return payer_name(value, t)
    return one_line(value)
