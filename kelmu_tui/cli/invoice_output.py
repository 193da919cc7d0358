"""Invoices and what was found in them on the command line: cells for people, plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from kelmu_tui.cli.list_output import NOTHING, Cells
from kelmu_tui.domain.lists import Event, Period
from kelmu_tui.domain.review import rules
from kelmu_tui.domain.review.billing import billed_column, billed_list
from kelmu_tui.domain.review.facts import source_of
from kelmu_tui.domain.review.findings import Value
from kelmu_tui.i18n import Translator
from kelmu_tui.services.invoices import Billing, Summed
from kelmu_tui.services.review_text import rule_text, source_text, verdict_text, why_text
from kelmu_tui.services.reviewing import Found, Reviewed
from kelmu_tui.store.list_values import ListRow

Rows = Mapping[str, ListRow]


def billing_data(one: Billing) -> dict[str, Any]:
    """Return an invoice of the calendar as plain values."""
    entry = one.entry
    copy, publication = (None, None) if entry is None else (entry.copy, entry.publication)
    return {
        "kind": one.kind.id,
        "period": one.period,
        "sent_on": one.sent_on,
        "due_on": one.due_on,
        "expected": one.expected,
        "total": None if one.total is None else str(one.total),
        "invoices": [
            {
                "number": head.number,
                "sent_on": head.sent_on,
                "due_on": head.due_on,
                "total": str(head.total),
                "rows": head.rows,
                "payer": head.payer,
                "corrects": head.corrects,
            }
            for head in one.heads
        ],
        "published": publication is not None and not publication.withdrawn,
        "fetched_at": None if copy is None else copy.fetched_at,
        "outdated": entry is not None and entry.outdated,
    }


def finding_lines(reviewed: Reviewed, rows: Rows, t: Translator, *, full: bool) -> Iterator[list[str]]:
    """Yield a line for each row of each finding, and one for a finding about the invoice as a whole."""
    kind = reviewed.billing.kind.id
    cells, billed = Cells(billed_list(kind), t, full=full), billed_column(kind)
    for one in reviewed.found:
        head = [one.key, rule_text(one.finding, kind, t)]
        said = _said(one, t)
        if not one.finding.rows:
            yield [*head, NOTHING, NOTHING, NOTHING, NOTHING, said]
        for id_ in one.finding.rows:
            row = rows.get(id_)
            yield [*head, id_, *(cells.text(column, row) for column in ("name", "identity_code", billed)), said]


def _said(one: Found, t: Translator) -> str:
    judgement = one.judgement
    if judgement is None:
        return NOTHING
    verdict = verdict_text(judgement.verdict, t)
    return f"{verdict}: {judgement.text}" if judgement.text else verdict


def rules_told(reviewed: Reviewed, t: Translator) -> Iterator[str]:
    """Yield for each rule that found something why it holds and where it comes from."""
    kind = reviewed.billing.kind.id
    told = {one.finding.rule: one.finding for one in reversed(reviewed.found)}
    for rule, finding in ((rule, told[rule]) for rule in rules() if rule in told):
        why = why_text(finding, t)
        yield rule if why is None else f"{rule}: {why}"
        yield f"  {t('review.dispute_source', text=source_text(finding, kind, t))}"


def reviewed_data(reviewed: Reviewed, rows: Rows, summed: Summed, t: Translator, *, full: bool) -> dict[str, Any]:
    """Return a review as plain values; identity codes whole only when `full`."""
    billing, copy = reviewed.billing, reviewed.copy
    cells = Cells(billed_list(billing.kind.id), t, full=full)
    return {
        **billing_data(billing),
        "list": copy.list,
        "version": copy.version,
        "rows": reviewed.rows,
        "rows_total": str(reviewed.total),
        "earlier": [reading.copy.period for reading in reviewed.earlier],
        "since": reviewed.since,
        "without": sorted(missing.value for missing in reviewed.without),
        "reviewed_at": reviewed.at,
        "findings": [_finding_data(one, billing.kind.id, rows, cells, t) for one in reviewed.found],
        "disputed": {"findings": len(reviewed.disputed), "rows": summed.rows, "billed": str(summed.billed)},
    }


def _finding_data(one: Found, kind: str, rows: Rows, cells: Cells, t: Translator) -> dict[str, Any]:
    finding, judgement, source = one.finding, one.judgement, source_of(one.finding.rule, kind)
    return {
        "key": one.key,
        "rule": finding.rule,
        "text": rule_text(finding, kind, t),
        "why": why_text(finding, t),
        "source": {"addresses": list(source.addresses), "assumed": source.assumed},
        "column": finding.column,
        "expected": plain(finding.expected),
        "found": plain(finding.found),
        "rows": [{"id": id_, "values": cells.data(rows.get(id_))} for id_ in finding.rows],
        "judgement": None
        if judgement is None
        else {
            "verdict": judgement.verdict.value,
            "text": judgement.text,
            "by": judgement.by,
            "at": judgement.at,
        },
    }


def plain(value: Value) -> Any:
    """Return a value of a finding for JSON."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Event):
        return value.value
    if isinstance(value, Period):
        return {"from": value.first.isoformat(), "to": value.last.isoformat()}
    return value.isoformat() if isinstance(value, date) else value
