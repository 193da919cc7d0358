"""Documents to Kela in the user's words: the same on the screen and on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from kelmu_tui.domain.documents import askers, kinds, ways
from kelmu_tui.i18n import Translator
from kelmu_tui.services.content_words import detail_text
from kelmu_tui.services.sealing import REASONS, SendRefused
from kelmu_tui.services.sendings import FileRefused
from kelmu_tui.store.sendings import MANDATE, DocumentLine, SendingLine


def kind_name(kind: str, t: Translator) -> str:
    """Return what a kind of documents is called; its id when the catalogue does not know it."""
    found = kinds().get(kind)
    return kind if found is None else found.name.get(t.language)


def asker_name(asker: str, t: Translator) -> str:
    """Return who asked."""
    found = askers().get(asker)
    return asker if found is None else found.name.get(t.language)


def way_name(way: str, t: Translator) -> str:
    """Return how they asked."""
    found = ways().get(way)
    return way if found is None else found.name.get(t.language)


def asked_text(asked_by: str, way: str, asked_on: str, t: Translator) -> str:
    """Return who asked, how, and when.

    Args:
        asked_on: an ISO day.
    """
    day = t.formats.date(date.fromisoformat(asked_on))
    how = way_name(way, t)
    return f"{asker_name(asked_by, t)}, {how[:1].lower()}{how[1:]}, {day}"


def document_text(one: DocumentLine, t: Translator) -> str:
    """Return what a document of a sending is called, how long it is, and how it stands."""
    told = [one.name] if one.name != kind_name(one.kind, t) else []
    told += [one.media_type.partition("/")[2].upper()] if one.media_type else []
    if one.pages is not None:
        told.append(t("cli.documents_pages", count=one.pages))
    told += [t.formats.size(one.size), t.choice("documents.document_state", one.state, one.state)]
    if one.refused is not None:
        told.append(t.choice("documents.fault", one.refused, one.refused))
    return ", ".join(told)


def trace_names(traces: Iterable[str], t: Translator) -> str:
    """Return what is taken out of a file, as a list of words; empty when nothing is."""
    return ", ".join(t.choice("documents.trace", trace, trace) for trace in traces)


def why_file(refused: FileRefused, t: Translator) -> str:
    """Return why a file is not sent, and what to do."""
    if refused.fault is not None:
        return detail_text(t, refused.detail) or t.choice("documents.fault", refused.fault)
    return t.choice("documents.unreadable", refused.unreadable)


def why_sending(refused: SendRefused, t: Translator) -> str:
    """Return why a sending cannot be like this, and what to do."""
    if refused.reason in REASONS:
        return t.choice("documents.reason", refused.reason)
    return t.choice("errors.refusal", refused.reason, t("errors.api.rule_refused"))


def why_stuck(line: SendingLine, t: Translator) -> str:
    """Return why a sending does not go on, empty when it does."""
    if line.problem is None:
        return ""
    if line.problem == MANDATE:
        return t("documents.stopped")
    of_code = t.choice("errors.api", line.problem, t("errors.api.internal"))
    return t.choice("errors.refusal", line.problem, of_code)
