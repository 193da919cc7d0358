"""The document of a dispute: what of an invoice is disputed and why, with the rows, for Kela.

Identity codes are whole in it, since Kela has to find the rows: it is made of what `Invoices.leaving` gives, which has
logged that these rows leave the program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from kelmu_tui.domain.lists import Period, read_period
from kelmu_tui.domain.review.billing import billed_column, billed_list
from kelmu_tui.domain.text import clean
from kelmu_tui.i18n import Translator
from kelmu_tui.services.case_file import pages
from kelmu_tui.services.invoices import Leaving
from kelmu_tui.services.review_text import column_of, payer_text, rule_text, source_text, value_text, why_text
from kelmu_tui.services.reviewing import Found, Reviewed
from kelmu_tui.store.invoices import InvoiceHead
from kelmu_tui.store.list_values import ListRow

_EXACT: Final = frozenset({"percent_wrong", "share_wrong", "answer_differs"})
"""Rules that know what should stand in the column; the others only know that it cannot be what stands there."""


def document(reviewed: Reviewed, found: Sequence[Found], t: Translator, leaving: Leaving) -> str:
    """Return the dispute of findings as pages of text.

    Raises:
        ValueError: nothing is disputed.
    """
    if not found:
        raise ValueError("nothing is disputed")
    lines = list(_head(reviewed, found, t, leaving))
    for number, one in enumerate(found, 1):
        lines += ["", *_finding(number, one, reviewed.billing.kind.id, t, leaving)]
    return pages("\n".join(lines) + "\n", t)


def _head(reviewed: Reviewed, found: Sequence[Found], t: Translator, leaving: Leaving) -> Iterator[str]:
    billing, copy, organisation = reviewed.billing, reviewed.copy, leaving.organisation
    assert billing.total is not None
    yield t("review.dispute_title")
    yield ""
    yield t("review.dispute_to")
    name = organisation.name.get(t.language)
    yield t("review.dispute_from", organisation=name, business_id=organisation.business_id, user=clean(leaving.user))
    yield t("review.dispute_at", at=t.formats.instant(leaving.at))
    yield ""
    yield billing.kind.name.get(t.language)
    for head in billing.heads:
        yield _invoice(head, t)
    yield t("review.dispute_period", period=_period(billing.period, t))
    yield t("review.dispute_payer", payer=payer_text(billing.kind.id, billing.heads[0].payer, t))
    list_ = billed_list(billing.kind.id).name.get(t.language)
    yield t("review.dispute_list", name=list_, version=str(copy.version), fetched=t.formats.instant(copy.fetched_at))
    yield t("review.dispute_billed", total=t.formats.euros(billing.total), rows=t.formats.euros(reviewed.total))
    if leaving.disputed.rows:
        yield t("review.dispute_sum", count=leaving.disputed.rows, total=t.formats.euros(leaving.disputed.billed))
    if any(not one.finding.rows for one in found):
        yield t("review.dispute_whole")


def _invoice(head: InvoiceHead, t: Translator) -> str:
    days = {"sent": t.formats.date(head.sent_on), "due": t.formats.date(head.due_on)}
    total = t.formats.euros(head.total)
    if head.corrects is None:
        return t("review.dispute_invoice", number=head.number, total=total, **days)
    return t("review.dispute_correction", number=head.number, total=total, corrects=head.corrects, **days)


def _finding(number: int, one: Found, kind: str, t: Translator, leaving: Leaving) -> Iterator[str]:
    finding = one.finding
    yield f"{number}. {rule_text(finding, kind, t)}"
    reason = "" if one.judgement is None else one.judgement.text
    if reason:
        yield "   " + t("review.dispute_reason", text=reason).replace("\n", "\n   ")
    why = why_text(finding, t)
    if why is not None:
        yield "   " + t("review.dispute_why", text=why)
    yield "   " + t("review.dispute_source", text=source_text(finding, kind, t))
    for id_ in finding.rows:
        yield from (f"   {line}" for line in _row(id_, one, kind, t, leaving))


def _row(id_: str, one: Found, kind: str, t: Translator, leaving: Leaving) -> Iterator[str]:
    row, period = leaving.rows.get(id_), leaving.earlier.get(id_)
    if row is None:
        yield "- " + t("review.dispute_row_gone", id=id_)
        return
    named = t("review.dispute_row", id=id_)
    if period is not None:
        named = t("review.dispute_row_of", id=id_, period=_period(period, t))
    yield f"- {named}: {_who(row, t)}"
    yield "  " + "; ".join(_told(row, kind, t))
    column = column_of(one.finding, kind)
    if column is None or len(one.finding.rows) > 1:
        return
    # Of an identity code the finding holds nothing: it stands in the row.
    stands = row.values.get(column.id)
    said = value_text(stands, column, t) if isinstance(stands, str | int | Decimal | date | Period) else ""
    found, name = clean(said) or t("review.dispute_nothing"), column.name.get(t.language)
    if one.finding.rule in _EXACT:
        expected = value_text(one.finding.expected, column, t)
        yield "  " + t("review.dispute_should", column=name, found=found, expected=expected)
    else:
        yield "  " + t("review.dispute_stands", column=name, found=found)


def _who(row: ListRow, t: Translator) -> str:
    named = [clean(str(row.values[column])) for column in ("name", "identity_code") if row.values.get(column)]
    return ", ".join([*named, t("review.dispute_secret")] if row.non_disclosure else named)


def _told(row: ListRow, kind: str, t: Translator) -> Iterator[str]:
    """Yield when and for what time it was paid, and what was billed for it."""
    one = billed_list(kind)
    for id_ in ("period", "treated", "paid_on", billed_column(kind)):
        column, value = one.column(id_), row.values.get(id_)
        if column is not None and isinstance(value, Decimal | date | Period):
            yield f"{column.name.get(t.language)}: {value_text(value, column, t)}"


def _period(key: str, t: Translator) -> str:
    period = read_period(key)
    return t.formats.period(period.first, period.last)
