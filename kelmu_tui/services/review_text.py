"""What a review of an invoice found, in words: for screens, the command line and documents."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from kelmu_tui.domain.lists import ColumnType, Event, ListColumn, Period
from kelmu_tui.domain.lists import invoices as kinds
from kelmu_tui.domain.organisations import County, Municipality, OrganisationType, counties, municipalities
from kelmu_tui.domain.review import Finding, rules
from kelmu_tui.domain.review.billing import billed_list
from kelmu_tui.domain.review.facts import source_of
from kelmu_tui.domain.review.findings import Value
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.i18n import Translator
from kelmu_tui.services.reviewing import Missing


def rule_text(finding: Finding, kind: str, t: Translator) -> str:
    """Return the sentence of the rule that found it, with what stands there and what should."""
    return rules()[finding.rule].text.get(t.language).format(**_values(finding, kind, t))


def why_text(finding: Finding, t: Translator) -> str | None:
    """Return why the rule holds, None where its sentence says all."""
    note = rules()[finding.rule].note
    return None if note is None else note.get(t.language)


def source_text(finding: Finding, kind: str, t: Translator) -> str:
    """Return where the rule comes from: addresses of pages, and whether it is an assumption."""
    source = source_of(finding.rule, kind)
    if not source.addresses:
        return t("review.source_assumed")
    addresses = "; ".join(source.addresses)
    return t("review.source_partly", addresses=addresses) if source.assumed else addresses


def column_of(finding: Finding, kind: str) -> ListColumn | None:
    """Return the column that a finding is about, None when it is about no single one."""
    return None if finding.column is None else billed_list(kind).column(finding.column)


def column_text(finding: Finding, kind: str, t: Translator) -> str | None:
    """Return the name of the column that a finding is about, None when it is about no single one."""
    column = column_of(finding, kind)
    return None if column is None else column.name.get(t.language)


def value_text(value: Value, column: ListColumn | None, t: Translator) -> str:
    """Return a value of a finding, or of a row; nothing for none."""
    match value:
        case None:
            return ""
        case Event():
            return t.choice("lists.event", value)
        case Decimal():
            return t.formats.euros(value)
        case Period():
            return t.formats.period(value.first, value.last)
        case date():
            return t.formats.date(value)
        case int():
            return t.formats.number(value)
    if column is not None and column.type is ColumnType.MUNICIPALITY:
        return _named(value, municipalities().get(value), t)
    return value


def payer_text(kind: str, code: str, t: Translator) -> str:
    """Return the payer of an invoice: the code, and the name where it is known."""
    county = kinds()[kind].payer is OrganisationType.WELLBEING_COUNTY
    return _named(code, counties().get(code) if county else municipalities().get(code), t)


def verdict_text(verdict: Verdict, t: Translator) -> str:
    """Return what was said of a finding."""
    return t.choice("review.verdict", verdict)


def missing_text(missing: Missing, t: Translator) -> str:
    """Return what a review could not look at, and what came of that."""
    return t.choice("review.missing", missing)


def _values(finding: Finding, kind: str, t: Translator) -> dict[str, str]:
    column = column_of(finding, kind)
    return {
        "expected": value_text(finding.expected, column, t),
        "found": value_text(finding.found, column, t),
    }


def _named(code: str, known: County | Municipality | None, t: Translator) -> str:
    return code if known is None else f"{code} {known.name.get(t.language)}"
