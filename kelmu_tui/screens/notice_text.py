"""A notice as blocks to read: short for the preview, whole for the notice's own screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.desk import InboxLine
from kelmu_tui.screens.words import kind_name, municipality_name, organisation_name
from kelmu_tui.services.described import content_fields
from kelmu_tui.store.rows import NoticeDetail, TraceLine
from kelmu_tui.widgets.glyphs import Glyphs
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.sheet import Block, Field, Gap, Heading, Paragraph, Spans


def title(detail: NoticeDetail, t: Translator, glyphs: Glyphs) -> str:
    """Return what stands in the rule above a notice: kind, arrival, status."""
    line = detail.line
    arrived = t("inbox.arrived_at", at=t.formats.short_instant(line.arrived))
    status = t.choice("kinds.status", line.status).lower()
    return f" {glyphs.dot} ".join((kind_name(line, t), arrived, status))


def preview(detail: NoticeDetail, t: Translator, glyphs: Glyphs, now: datetime, today: date) -> Iterator[Block]:
    """Return the preview: who, what about, where it stands; then the rest, as far as there is room."""
    yield Spans(tuple(_customer(detail, t, glyphs)))
    yield Spans(tuple(_standing(detail, t, today)))
    yield from _content(detail, t)
    yield from _contact(detail, t)
    yield from _notes(detail, t, now)
    yield from _origin(detail, t)


def whole(detail: NoticeDetail, t: Translator, glyphs: Glyphs, now: datetime, today: date) -> Iterator[Block]:
    """Return everything about a notice."""
    line = detail.line
    yield Paragraph(t.choice("kinds.full", line.kind), "strong")
    yield Gap()
    yield Spans(tuple(_customer(detail, t, glyphs)))
    yield from _contact(detail, t)
    yield Gap()
    yield Field(t("kinds.field.due"), f"{t.formats.date(line.due)}, {t.formats.due_long(line.due, today)}")
    yield Field(t("kinds.field.arrived"), t.formats.instant(line.arrived))
    yield Field(t("kinds.field.municipality"), municipality_name(line.municipality, t.language))
    yield Field(t("kinds.field.status"), t.choice("kinds.status", line.status))
    if line.assignee_name:
        yield Field(t("kinds.field.assignee"), line.assignee_name)
    if detail.handled_at is not None:
        by = f", {detail.handled_by}" if detail.handled_by else ""
        yield Field(t("kinds.field.handled"), f"{t.formats.instant(detail.handled_at)}{by}")
    yield Gap()
    yield from _content(detail, t)
    yield from _origin(detail, t)
    yield from _notes(detail, t, now)
    if detail.data_at is not None:
        yield Gap()
        yield Paragraph(t("inbox.data_at", at=t.formats.moment(detail.data_at, now)), "dim")


def trace(line: TraceLine, t: Translator, now: datetime) -> Iterator[Block]:
    """Return what is left of a notice given away."""
    yield Field(t("inbox.trace_to"), _place(line.to_municipality, line.to_organisation, t))
    yield Field(t("inbox.trace_state"), t.choice("states.trace", line.state))
    yield Field(t("inbox.trace_from"), municipality_name(line.from_municipality, t.language))
    yield Field(t("inbox.trace_by"), f"{line.by}, {t.formats.moment(line.at, now)}")
    yield Field(t("kinds.field.transfer_reason"), line.reason)
    yield Paragraph(t("inbox.trace_note"), "dim")


def trace_title(line: InboxLine, t: Translator, glyphs: Glyphs) -> str:
    """Return what stands in the rule above a trace."""
    return f" {glyphs.dot} ".join((kind_name(line, t), t.choice("kinds.status", "transferred").lower()))


def _place(municipality: str, organisation: str, t: Translator) -> str:
    place = municipality_name(municipality, t.language)
    holder = organisation_name(organisation, t.language)
    return place if place == holder else f"{place}, {holder}"


def _customer(detail: NoticeDetail, t: Translator, glyphs: Glyphs) -> Iterator[Piece]:
    customer, line = detail.customer, detail.line
    yield (f"{customer.family_name}, {customer.given_names}", "strong")
    yield (f"  {mask(customer.identity_code)}", "")
    yield (f"  {municipality_name(line.municipality, t.language)}", "")
    if customer.language != t.language:
        yield (f"  {t.choice('kinds.language', customer.language, customer.language)}", "accent")
    if customer.non_disclosure:
        yield (f"  {glyphs.warning} {t('kinds.field.non_disclosure')}", "alarm")


def _standing(detail: NoticeDetail, t: Translator, today: date) -> Iterator[Piece]:
    line = detail.line
    late = line.due < today
    yield (f"{t('kinds.field.due')} {t.formats.short_date(line.due)}", "dim")
    yield (f"  {t.formats.due_long(line.due, today)}", "alarm" if late else "warn" if line.due == today else "")
    if line.assignee_name:
        yield (f"  {t('kinds.field.assignee')} {line.assignee_name}", "")


def _content(detail: NoticeDetail, t: Translator) -> Iterator[Block]:
    for label, text in content_fields(detail.content, detail.line.subtype, t):
        yield Field(label, text)


def _contact(detail: NoticeDetail, t: Translator) -> Iterator[Block]:
    customer = detail.customer
    if customer.non_disclosure:
        yield Paragraph(t("inbox.non_disclosure_note"), "warn")
        return
    if customer.home_municipality and customer.home_municipality != detail.line.municipality:
        name = municipality_name(customer.home_municipality, t.language)
        yield Field(t("kinds.field.home_municipality"), name, "warn")
    if customer.address:
        yield Field(t("kinds.field.address"), customer.address)
    if customer.telephone:
        yield Field(t("kinds.field.telephone"), customer.telephone)


def _notes(detail: NoticeDetail, t: Translator, now: datetime) -> Iterator[Block]:
    if detail.notes:
        yield Heading(t("kinds.field.notes"))
    for note in detail.notes:
        waiting = f" {t('inbox.note_waiting')}" if note.pending else ""
        yield Paragraph(f"{t.formats.moment(note.at, now)} {note.by}{waiting}", "dim")
        yield Paragraph(note.text, indent=2)


def _origin(detail: NoticeDetail, t: Translator) -> Iterator[Block]:
    origin = detail.origin
    if origin is not None:
        where = _place(origin.municipality, origin.organisation, t)
        yield Field(t("kinds.field.origin"), f"{where}, {t.formats.short_instant(origin.at)}")
        yield Field(t("kinds.field.transfer_reason"), origin.reason)
