"""A claim in words: how it stands, what comes next, what it says, what was paid, and what has happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kelmu_tui.domain.claims.life import Status, can_last_longer
from kelmu_tui.screens.claim_cells import amount_text, at_risk, cells, is_settled
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_text import content_fields, event_text, payment_text
from kelmu_tui.services.claim_views import is_draft, is_late, is_open, next_payment, on_its_way
from kelmu_tui.services.claim_words import basis_name, end_reason_name, rejection_text, status_name
from kelmu_tui.services.claims import AT_RISK
from kelmu_tui.store.claim_rows import Account, ClaimFile, ClaimLine
from kelmu_tui.widgets.sheet import Block, Field, Gap, Heading, Paragraph, Spans

if TYPE_CHECKING:
    from kelmu_tui.screens.face import Face


def warnings(line: ClaimLine, face: Face) -> Iterator[Block]:
    """Say what has to be known before anything else: refused, somebody at it, on its way, late, at risk."""
    t, today = face.t, face.today()
    if line.conflict:
        yield Paragraph(t("claim_view.refused_text", key=face.key_text("main.outbox")), "alarm")
    if line.editing is not None:
        yield Paragraph(t("claim_view.editing_text", who=line.editing), "warn")
    if line.pending is not None:
        key = "claim_view.on_its_way" if face.online else "claim_view.waits_text"
        word = t.choice("claim_view.pending", line.pending, line.pending)
        yield Paragraph(t(key, what=word), "accent" if face.online else "warn")
    if not is_open(line):
        return
    latest, pays = line.latest, line.payment_day
    if line.late:
        first = t("claim_view.late_none") if pays is None else t("claim_view.late_first", day=t.formats.date(pays))
        if latest is None:
            said = t("claim_view.late_unknown")
        elif on_its_way(line):
            said = t("claim_view.late_to_come", day=t.formats.date(latest))
        else:
            said = t("claim_view.late_text", day=t.formats.date(latest))
        yield Paragraph(f"{said} {first}" if is_late(line) else said, "alarm" if is_late(line) else "dim")
    elif at_risk(line, today):
        yield Paragraph(t("claim_view.risk_text"), "warn")
    elif on_its_way(line) and latest is not None and not face.online and latest - today <= AT_RISK:
        yield Paragraph(t("claim_view.risk_offline", day=t.formats.date(latest)), "warn")
    elif on_its_way(line) and latest is not None:
        left = t.formats.due_long(latest, today)
        yield Paragraph(t("claim_view.two_weeks", day=t.formats.date(latest), left=left), "dim")


def next_block(line: ClaimLine, face: Face) -> Block:
    """Say what comes next, and what can be done now."""
    t, key = face.t, face.key_text
    said = ""
    if is_draft(line):
        said = t("claim_view.next_draft", key=key("list.open"))
        if line.expires_at is not None:
            said += f" {t('claim_view.kept_until', day=t.formats.instant(line.expires_at))}"
    elif on_its_way(line):
        said = t("claim_view.next_unsent", undo=key("main.undo"))
    elif line.status == Status.REGISTERED:
        said = t("claim_view.next_registered", change=key("claims.change"), cancel=key("claims.cancel"))
    elif line.status == Status.IN_HANDLING:
        said = t("claim_view.next_in_handling")
        if can_last_longer(line.last, line.ended_on):
            said += f" {t('claim_view.next_prolong', key=key('claims.prolong'))}"
    elif line.status == Status.HEARING and line.hearing_until is not None:
        said = t("claim_view.next_hearing_until", day=t.formats.date(line.hearing_until))
    elif line.status == Status.HEARING:
        said = t("claim_view.next_hearing")
    elif line.status == Status.IN_FORCE:
        said = _in_force(line, face)
    elif line.status == Status.REJECTED:
        said = t("claim_view.next_rejected", again=key("claims.again"), letter=key("claims.letter"))
    else:
        said = t("claim_view.next_nothing", key=key("claims.again"))
    return Field(t("claim_view.next"), said)


def _in_force(line: ClaimLine, face: Face) -> str:
    t, day = face.t, next_payment(line, face.today())
    if line.ended_on is None:
        said = t("claim_view.next_in_force", key=face.key_text("claims.end"))
    else:
        said = t("claim_view.next_ends", day=_day(line.ended_on, face))
    return said if day is None else f"{t('claim_view.next_paid', day=_day(day, face))} {said}"


def _day(day: object, face: Face) -> str:
    from datetime import date

    assert isinstance(day, date)
    return f"{face.t.formats.weekday(day)} {face.t.formats.date(day)}"


def line_blocks(line: ClaimLine, face: Face) -> Iterator[Block]:
    """Return a claim in short, as it stands below a list."""
    t = face.t
    yield from warnings(line, face)
    yield Field(t("claim_view.stands"), _standing(line, face), cells(line, t, face.today())["state"].role)
    yield next_block(line, face)
    yield from _short(line, face)


def _standing(line: ClaimLine, face: Face) -> str:
    t = face.t
    state = status_name(line.status, t)
    if line.registered_at is None:
        return state
    at = t.formats.instant(line.registered_at)
    by = line.registered_by
    if line.status == Status.REGISTERED:
        return f"{state} {at}, {by}" if by else f"{state} {at}"
    told = t("claim_view.registered_by", at=at, who=by) if by else t("claim_view.registered_at", at=at)
    return f"{state}, {told}"


def _short(line: ClaimLine, face: Face) -> Iterator[Block]:
    t = face.t
    if line.benefit:
        yield Field(t("claim_view.column_benefit"), benefit_name(line.benefit, t))
    if line.first is not None:
        yield Field(t("claim_view.column_period"), t.formats.period(line.first, line.until))
    if line.amount is not None:
        yield Field(t("claim_view.column_amount"), amount_text(line, t), "strong")
    if line.paid:
        yield Field(t("claim_view.column_paid"), t.formats.euros(line.paid), "good")
    yield from days_blocks(line, face)
    if line.basis:
        yield Field(t("claim_view.basis"), basis_name(line.basis, t))
    if line.non_disclosure:
        yield Paragraph(t("claim_view.non_disclosure"), "warn")


def days_blocks(line: ClaimLine, face: Face) -> Iterator[Block]:
    """Return the two-week day, and the first payment day that is reached."""
    t = face.t
    if line.latest is not None and is_open(line) and not is_settled(line):
        yield Field(t("claim_view.latest_long"), _day(line.latest, face), "alarm" if is_late(line) else "")
    if line.payment_day is not None and is_open(line):
        yield Field(t("claim_view.payment_long"), _day(line.payment_day, face))


def file_blocks(file: ClaimFile, accounts: Sequence[Account], face: Face) -> Iterator[Block]:
    """Return a claim whole: how it stands, what comes next, what it says, payments and history."""
    t, line = face.t, file.line
    yield from warnings(line, face)
    yield Field(t("claim_view.stands"), _standing(line, face), cells(line, t, face.today())["state"].role)
    if file.rejection is not None:
        yield Field(t("claim_view.rejected_why"), rejection_text(file.rejection, t), "alarm")
    if file.decided_on is not None:
        yield Field(t("claim_view.decided_on"), t.formats.date(file.decided_on))
    if file.ended_on is not None:
        reason = "" if file.end_reason is None else f", {end_reason_name(file.end_reason, t)}"
        yield Field(t("claim_view.ended_on"), f"{t.formats.date(file.ended_on)}{reason}")
    yield next_block(line, face)
    yield from days_blocks(line, face)
    yield Heading(t("claim_view.says"))
    for label, text in content_fields(file, accounts, t):
        yield Field(label, text)
    if line.non_disclosure:
        yield Paragraph(t("claim_view.non_disclosure"), "warn")
    yield Heading(t("claim_view.payments"))
    yield from _payments(file, face)
    yield Heading(t("claim_view.history"))
    for event in reversed(file.events):
        role = "accent" if event.pending else ""
        yield Spans(((f"{t.formats.instant(event.at)}  ", "dim"), (event_text(event, t), role)))
    if not file.events:
        yield Paragraph(t("claim_view.no_history"), "dim")
    if not face.online:
        at = file.data_at
        yield Gap()
        said = t("claim_view.never_heard") if at is None else t("claim_view.data_of", at=t.formats.instant(at))
        yield Paragraph(said, "warn")


def _payments(file: ClaimFile, face: Face) -> Iterator[Block]:
    t = face.t
    for paid in reversed(file.payments):
        yield Paragraph(payment_text(paid, t), "good")
    if file.payments:
        yield Paragraph(t("claim_view.paid_in_all", amount=t.formats.euros(file.line.paid)), "strong")
    else:
        yield Paragraph(t("claim_view.no_payments"), "dim")
