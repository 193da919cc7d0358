"""Kela's invoices in words: when they are due, their heads, and what is said of findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from kelmu_tui.domain.deadlines import working_days_between
from kelmu_tui.domain.review import rules, shape_of
from kelmu_tui.domain.review.billing import billed_list
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.findings import Line
from kelmu_tui.screens.list_words import value_text
from kelmu_tui.services.invoices import Billing
from kelmu_tui.services.review_text import missing_text, payer_text, rule_text, source_text, why_text
from kelmu_tui.services.reviewing import Missing, Reviewed
from kelmu_tui.store.judgements import Judgement
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.widgets.cells import Cell
from kelmu_tui.widgets.glyphs import Glyphs
from kelmu_tui.widgets.sheet import Block, Field, Gap, Heading, Paragraph

SOON: Final = 3
"""Working days before an invoice is due from which on it is marked."""
NEED_ANSWERS: Final = frozenset({"answer_missing", "answer_differs"})
"""Rules that say nothing without the county's own answers."""
_ROLES: Final = {Verdict.ACCEPTED.value: "good", Verdict.DISPUTED.value: "alarm", Verdict.NOTED.value: "accent"}


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
    return Cell(f"{day} {t.formats.due(billing.due_on, today)}", role, day)


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
    yield Field(t("invoice_view.payer"), payer_text(billing.kind.id, billing.heads[0].payer, t))
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


# --- a finding, and what is said of it --------------------------------------------------------------------------------


def state_role(state: str) -> str:
    """Return how a state (`findings.STATES`) looks."""
    return _ROLES.get(state, "")


def finding_blocks(
    line: Line, judgement: Judgement | None, kind: str, t: Translator, *, now: datetime, glyphs: Glyphs | None = None
) -> Iterable[Block]:
    """Yield what was found, what is said of it and by whom, what stands in the rows, and where the rule is from.

    Args:
        glyphs: given where there is little room: each row is then one paragraph.
    """
    finding = line.found.finding
    yield Paragraph(rule_text(finding, kind, t), "strong")
    if judgement is not None:
        state = t.choice("invoice_view.state", judgement.verdict)
        said = t("invoice_view.said", state=state, by=judgement.by, at=t.formats.moment(judgement.at, now))
        yield Paragraph(said, state_role(judgement.verdict))
        if judgement.text:
            yield Paragraph(judgement.text, indent=2)
    for row in line.rows:
        fields = list(row_fields(row, kind, t))
        if glyphs is not None:
            yield Paragraph(f" {glyphs.dot} ".join(f"{label} {text}" for _, label, text in fields), "dim")
            continue
        yield Heading(t("invoice_view.row", id=row.id))
        yield from (Field(label, text, "warn" if id_ == finding.column else "") for id_, label, text in fields)
    elsewhere = len(finding.rows) - len(line.rows)
    if elsewhere:
        yield Paragraph(t("invoice_view.more_elsewhere", count=elsewhere), "dim")
    yield Gap()
    if why := why_text(finding, t):
        yield Paragraph(why, "dim")
    yield Field(t("invoice_view.source"), source_text(finding, kind, t).replace("; ", "\n"), "dim")


def row_fields(row: ListRow, kind: str, t: Translator) -> Iterable[tuple[str, str, str]]:
    """Yield the columns (ids) in which something stands, their names, and what that is; the code is masked."""
    for column in billed_list(kind).columns:
        if text := value_text(column, row.values.get(column.id), t):
            yield column.id, column.name.get(t.language), text


# --- an invoice -------------------------------------------------------------------------------------------------------


def head_line(billing: Billing, reviewed: Reviewed | None, t: Translator, today: date, glyphs: Glyphs) -> str:
    """Return the head of an invoice in a line or two."""
    if billing.total is None:
        return ""
    parts = [t("invoice_view.billed", total=t.formats.euros(billing.total))]
    if billing.total <= 0:
        parts.append(t("invoice_view.credit") if billing.total < 0 else t("invoice_view.zero"))
    parts.append(t("invoice_view.due_on", at=due_text(billing, today, t)))
    parts.append(t("lists.rows", count=sum(head.rows for head in billing.heads)))
    if reviewed is not None:
        parts.append(t("invoice_view.rows_add_up", total=t.formats.euros(reviewed.total)))
    if len(billing.heads) > 1:
        parts.append(t("invoice_view.corrections", count=len(billing.heads) - 1))
    parts.append(t("invoice_view.number_is", number=billing.heads[0].number))
    return f" {glyphs.dot} ".join(parts)


def nothing_found_text(reviewed: Reviewed, t: Translator) -> str:
    """Say that there is nothing to object, and what that rests on."""
    rows = t("lists.rows", count=reviewed.rows)
    return t("invoice_view.nothing_to_object", rows=rows, count=len(applied(reviewed)))


def applied(reviewed: Reviewed) -> tuple[str, ...]:
    """Return the rules (ids) by which an invoice was reviewed; those without what they need are not among them."""
    shape = shape_of(reviewed.billing.kind.id)
    left_out = NEED_ANSWERS if Missing.ANSWERS in reviewed.without else frozenset()
    return tuple(rule.id for rule in rules().values() if shape in rule.of and rule.id not in left_out)


def facts_blocks(billing: Billing, reviewed: Reviewed | None, t: Translator, today: date, own: str) -> Iterable[Block]:
    """Yield everything that is known of an invoice: its heads, its rows, and what its review could not look at.

    Args:
        own: the key that reads a file of the organisation's own.
    """
    yield from head_fields(billing, t, today)
    copy = None if billing.entry is None else billing.entry.copy
    if copy is not None:
        yield Heading(t("invoice_view.rows_here"))
        yield Field(t("lists.column_rows"), t.formats.number(copy.rows))
        yield Field(t("lists.persons"), t.formats.number(copy.persons))
        yield Field(t("lists.version"), t.formats.number(copy.version))
        yield Field(t("lists.fetched_at"), t.formats.instant(copy.fetched_at))
        yield Field(t("lists.kept_until"), t.formats.instant(copy.expires_at))
    if reviewed is None:
        return
    yield Heading(t("invoice_view.review"))
    yield Field(t("invoice_view.reviewed_at"), t.formats.instant(reviewed.at))
    off = reviewed.total != billing.total
    yield Field(t("invoice_view.rows_total"), t.formats.euros(reviewed.total), "warn" if off else "")
    yield Field(t("invoice_view.rules"), t.formats.number(len(applied(reviewed))))
    yield Field(t("invoice_view.column_found"), t.formats.number(len(reviewed.found)))
    if reviewed.earlier:
        count = len(reviewed.earlier)
        yield Field(t("invoice_view.earlier"), t("invoice_view.earlier_read", count=count))
    for one in sorted(reviewed.without):
        yield Gap()
        yield Paragraph(missing_text(one, t), "warn")
        yield Paragraph(t.choice("invoice_view.help", one, key=own))
