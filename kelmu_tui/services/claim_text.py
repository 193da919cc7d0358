"""A claim in words for the screen and for the case file: labels and values, and the whole as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from kelmu_tui.domain.claims.accounts import shown_account
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.i18n import Translator
from kelmu_tui.services import claim_words
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_words import basis_name, end_reason_name, rejection_text, status_name
from kelmu_tui.store.claim_rows import Account, ClaimFile, Event, Paid

Labelled = tuple[str, str]
"""A label and what stands behind it."""


def content_fields(file: ClaimFile, accounts: Sequence[Account], t: Translator) -> Iterator[Labelled]:
    """Yield what a claim says, field by field; the identity code stays masked."""
    content, line = file.content, file.line
    yield t("claim_view.payee"), f"{line.name}  {line.masked_code or mask(content.payee)}"
    yield t("claim_view.basis"), basis_name(content.basis, t)
    yield t("claim_view.column_benefit"), benefit_name(content.benefit, t)
    yield t("claim_view.column_period"), _period(content.first, content.last, t)
    if content.amount is not None:
        euros = t.formats.euros(content.amount)
        yield t("claim_view.column_amount"), t("claim_view.a_month", amount=euros) if content.last is None else euros
    yield t("claim_view.account"), _account(content.account, accounts)
    if content.reference:
        yield t("claim_view.reference"), content.reference
    if content.care_first is not None:
        yield t("claim_view.care"), _period(content.care_first, content.care_last, t)
    paid = content.assistance
    if paid is not None:
        days, euros = t.formats.period(paid.first, paid.last), t.formats.euros(paid.amount)
        decided = t.formats.date(paid.decided_on)
        yield t("claim_view.assistance"), t("claim_view.assistance_paid", days=days, amount=euros, decided=decided)
    if content.grounds:
        yield t("claim_view.grounds"), content.grounds
    if content.handler or content.telephone:
        yield t("claim_view.handler"), ", ".join(part for part in (content.handler, content.telephone) if part)


def _period(first: date, last: date | None, t: Translator) -> str:
    return t("claim_view.from_on", day=t.formats.date(first)) if last is None else t.formats.period(first, last)


def _account(iban: str, accounts: Sequence[Account]) -> str:
    name = next((one.name for one in accounts if one.iban == iban), "")
    return f"{shown_account(iban)}  {name}".strip()


def event_text(event: Event, t: Translator) -> str:
    """Return what happened and who did it."""
    what = claim_words.event_text(event.what, t)
    who = t("claim_view.not_sent_yet") if event.pending else event.by
    return f"{what}, {who}" if who else what


def payment_text(paid: Paid, t: Translator) -> str:
    """Return what was paid when."""
    return f"{t.formats.date(paid.on)}  {t.formats.euros(paid.amount)}"


def record(file: ClaimFile, accounts: Sequence[Account], t: Translator, now: datetime) -> str:
    """Return a claim as text for the case file: what it says, how it stands, payments, history, and as of when."""
    line = file.line
    parts = [t("claim_view.record_title"), ""]
    fields = [*content_fields(file, accounts, t), *_standing(file, t)]
    width = max(len(label) for label, _ in fields) + 2
    for label, text in fields:
        first, *others = text.splitlines() or [""]
        parts.append(f"{label}:".ljust(width) + first)
        parts.extend(" " * width + other for other in others)
    parts += ["", t("claim_view.payments")]
    parts += [f"  {payment_text(paid, t)}" for paid in file.payments] or [f"  {t('claim_view.no_payments')}"]
    if file.payments:
        parts.append(f"  {t('claim_view.paid_in_all', amount=t.formats.euros(line.paid))}")
    parts += ["", t("claim_view.history")]
    parts += [f"  {t.formats.instant(event.at)}  {event_text(event, t)}" for event in file.events]
    if line.non_disclosure:
        parts += ["", t("claim_view.non_disclosure")]
    parts += ["", _as_of(file, t, now)]
    return "\n".join(parts)


def _standing(file: ClaimFile, t: Translator) -> Iterator[Labelled]:
    line = file.line
    yield t("claim_view.stands"), status_name(line.status, t)
    if line.registered_at is not None:
        yield t("claim_view.registered"), f"{t.formats.instant(line.registered_at)}  {line.registered_by}".strip()
    if file.decided_on is not None:
        yield t("claim_view.decided_on"), t.formats.date(file.decided_on)
    if file.rejection is not None:
        yield t("claim_view.rejected_why"), rejection_text(file.rejection, t)
    if file.ended_on is not None:
        reason = "" if file.end_reason is None else f", {end_reason_name(file.end_reason, t)}"
        yield t("claim_view.ended_on"), f"{t.formats.date(file.ended_on)}{reason}"
    if line.pending is not None:
        yield t("claim_view.own_change"), t.choice("claim_view.pending", line.pending, line.pending)


def _as_of(file: ClaimFile, t: Translator, now: datetime) -> str:
    if file.data_at is None:
        return t("claim_view.record_never", now=t.formats.instant(now))
    return t("claim_view.record_of", at=t.formats.instant(file.data_at), now=t.formats.instant(now))
