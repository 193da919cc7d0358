"""A sending in words: how it stands, what comes next, what was sent, and what is left of it here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kelmu_tui.domain.documents import SendingState
from kelmu_tui.screens.sending_cells import UNDER_WAY, Way, pace_text, partly_refused, share, state_text
from kelmu_tui.services.sending_words import asked_text, document_text, kind_name, trace_names, why_stuck
from kelmu_tui.store.sendings import GONE, MANDATE, STOPPED, DocumentLine, SendingLine
from kelmu_tui.widgets.gauge import bar
from kelmu_tui.widgets.painted import Line
from kelmu_tui.widgets.sheet import Block, Drawn, Field, Gap, Heading, Paragraph

if TYPE_CHECKING:
    from kelmu_tui.screens.face import Face

WIDEST: Final = 60
"""Cells of the bar on a page."""
_BROKEN: Final = "broken"


def line_blocks(line: SendingLine, face: Face, way: Way) -> Iterator[Block]:
    """Say how a sending stands, and what it is, in short."""
    yield from standing(line, face, way)
    t = face.t
    if line.receipt is not None:
        yield Field(t("sending_view.receipt"), line.receipt, "strong")
    for one in line.documents:
        yield Field(kind_name(one.kind, t), document_text(one, t), _role(one))


def file_blocks(line: SendingLine, face: Face, way: Way) -> Iterator[Block]:
    """Say all of a sending."""
    t, at = face.t, face.t.formats.instant
    yield from standing(line, face, way)
    yield Gap()
    text, role = state_text(line, t, way)
    yield Field(t("sending_view.state"), text, role)
    if line.receipt is not None:
        yield Field(t("sending_view.receipt"), line.receipt, "strong")
    if line.received_at is not None:
        yield Field(t("sending_view.received_at"), at(line.received_at))
    if line.command is not None or line.received_at is None:
        yield Field(t("sending_view.created_at"), at(line.created_at))
    if line.expires_at is not None:
        yield Field(t("sending_view.readable_until"), at(line.expires_at))
    yield Field(t("sending_view.asked"), asked_text(line.asked_by, line.way, line.asked_on, t))
    yield Field(t("sending_view.case"), line.case_reference or face.glyphs.none)
    yield Field(t("sending_view.size"), t.formats.size(line.size))
    yield Heading(t("sending_view.documents", count=len(line.documents)))
    for one in line.documents:
        yield Field(kind_name(one.kind, t), document_text(one, t), _role(one))
        if one.removed:
            yield Field("", t("sending_view.removed", what=trace_names(one.removed, t)), "dim")


def _role(one: DocumentLine) -> str:
    return "alarm" if one.refused is not None or one.state == _BROKEN else ""


def standing(line: SendingLine, face: Face, way: Way) -> Iterator[Block]:
    """Say how it stands, why it does not go on, and what can be done."""
    t, key = face.t, face.key_text
    cancel, retry, new = key("documents.cancel"), key("documents.retry"), key("documents.new")
    if line.receipt is not None:
        yield from _at_kela(line, face)
    elif line.state in UNDER_WAY:
        if line.sent:
            yield Drawn(_progress(line, face, way))
        if not way.online:
            yield Paragraph(t("sending_view.waits_text", cancel=cancel), "warn")
        else:
            yield Paragraph(t.choice("sending_view.next", line.state, cancel=cancel), "accent")
            if stuck := why_stuck(line, t):
                yield Paragraph(t("sending_view.last_problem", why=stuck, retry=retry), "warn")
    elif any(one.state == _BROKEN for one in line.documents):
        yield Paragraph(t("errors.refusal.copy_broken"), "alarm")
        yield Paragraph(t("sending_view.next_broken", cancel=cancel, new=new), "dim")
    elif line.state == SendingState.REFUSED:
        yield Paragraph(why_stuck(line, t) or t("sending_view.refused_text"), "alarm")
        yield Paragraph(_after_refusal(line, face), "dim")
    elif line.state == STOPPED:
        yield Paragraph(why_stuck(line, t) or t("sending_view.stopped_text", retry=retry), "alarm")
        if line.problem == MANDATE:
            yield Paragraph(t("sending_view.next_gone", cancel=cancel, new=new), "dim")


def _after_refusal(line: SendingLine, face: Face) -> str:
    t, cancel, new = face.t, face.key_text("documents.cancel"), face.key_text("documents.new")
    if any(one.state == GONE for one in line.documents):
        return t("sending_view.next_gone", cancel=cancel, new=new)
    if any(one.refused is not None for one in line.documents):  # the same copy would be refused again
        return t("sending_view.next_replace", cancel=cancel, new=new)
    return t("sending_view.next_refused", retry=face.key_text("documents.retry"), cancel=cancel, new=new)


def _at_kela(line: SendingLine, face: Face) -> Iterator[Block]:
    t = face.t
    refused = partly_refused(line)
    if line.state == SendingState.REFUSED:
        yield Paragraph(t("sending_view.kela_refused", new=face.key_text("documents.new")), "alarm")
    elif refused:
        yield Paragraph(t("sending_view.kela_partly", count=refused, new=face.key_text("documents.new")), "warn")
    elif line.state == SendingState.CHECKED:
        yield Paragraph(t("sending_view.kela_checked"), "good")
    else:
        yield Paragraph(t("sending_view.kela_received"), "good")
    yield Paragraph(t("sending_view.destroyed"), "dim")


def _progress(line: SendingLine, face: Face, way: Way) -> Callable[[int], Sequence[Line]]:
    size = face.t.formats.size
    amount = face.t("sending_view.amount", done=size(line.sent), whole=size(line.size))
    told = "  ".join(one for one in (amount, pace_text(line, face.t, way)) if one)

    def draw(width: int) -> Sequence[Line]:
        full = bar(share(line), min(width, WIDEST), ascii_only=face.ascii)
        return [[(" ", ""), (full, "accent" if way.online else "dim")], [(" ", ""), (told, "")]]

    return draw
