"""A sending as text for a case file: its receipt, or how it stands while it has none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kelmu_tui.i18n import Translator
from kelmu_tui.services.sending_words import asked_text, document_text, kind_name, trace_names, why_stuck
from kelmu_tui.store.rows import ActiveSession
from kelmu_tui.store.sendings import SendingLine


def sending_text(line: SendingLine, session: ActiveSession, t: Translator, now: datetime) -> str:
    """Return what was sent about whom, for whom, and what Kela has said of it; the identity code is masked."""
    pairs = list(_pairs(line, session, t, now))
    size = max(len(label) for label, _ in pairs) + 1
    told = [f"{label + ':':<{size}} {text}" for label, text in pairs]
    documents: list[str] = []
    for number, one in enumerate(line.documents, 1):
        documents.append(f"  {number}. {kind_name(one.kind, t)}: {document_text(one, t)}")
        if one.removed:
            documents.append(f"     {t('sending_view.removed', what=trace_names(one.removed, t))}")
    title = t("sending_view.text_receipt") if line.receipt is not None else t("sending_view.text_unsent")
    count = t("sending_view.documents", count=len(line.documents))
    return "\n".join((title, "", *told, "", f"{count}:", *documents, ""))


def _pairs(line: SendingLine, session: ActiveSession, t: Translator, now: datetime) -> Iterator[tuple[str, str]]:
    at = t.formats.instant
    if line.receipt is not None:
        yield t("sending_view.receipt"), line.receipt
    if line.received_at is not None:
        yield t("sending_view.received_at"), at(line.received_at)
    yield t("sending_view.state"), t.choice("documents.state", line.state, line.state)
    if line.receipt is None and (stuck := why_stuck(line, t)):
        yield t("sending_view.why"), stuck
    yield t("sending_view.customer"), f"{line.customer_name} {line.masked_code}".strip()
    yield t("sending_view.sender"), f"{session.user_name}, {session.organisation.name.get(t.language)}"
    yield t("sending_view.asked"), asked_text(line.asked_by, line.way, line.asked_on, t)
    if line.case_reference is not None:
        yield t("sending_view.case"), line.case_reference
    yield t("sending_view.text_at"), at(now)
