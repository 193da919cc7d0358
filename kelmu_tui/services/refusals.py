"""Why a command was refused and what can be done next, in the user's words: the same on screen and command line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from kelmu_tui.domain.claims.life import VERBS as CLAIM_VERBS
from kelmu_tui.domain.documents import VERBS as DOCUMENT_VERBS
from kelmu_tui.domain.notices import Status
from kelmu_tui.domain.organisations import municipalities
from kelmu_tui.i18n import Translator
from kelmu_tui.services.claim_words import event_text, refusal_text, rule_why, status_name
from kelmu_tui.store import drafts
from kelmu_tui.store.outbox import State
from kelmu_tui.store.rows import CommandLine, Conflict

NEXT: Final = (
    "version_conflict",
    "rule_refused",
    "command_expired",
    "mandate_missing",
    "not_found",
    "invalid_request",
    "other",
)
"""Refusals that leave the user different ways on."""
_LIKE: Final = {"organisation_not_allowed": "mandate_missing"}


def why(conflict: Conflict, t: Translator) -> str:
    """Return the reason of a refusal."""
    if conflict.rule is not None:
        return refusal_text(conflict.rule, t)
    return t.choice("errors.api", conflict.code, t("errors.api.internal"))


def reason_text(reason: str, t: Translator) -> str:
    """Return why a command was refused, where it is not known whether `reason` is a rule or a code.

    What a newer backend says stands for itself.
    """
    known = t.choice("errors.refusal", reason, t.choice("errors.api", reason, reason))
    return rule_why(reason, t) or known


def next_steps(conflict: Conflict, t: Translator, verb: str) -> str:
    """Return what reading it anew, doing it again and discarding it come to after this refusal of a command."""
    code = _LIKE.get(conflict.code, conflict.code)
    said = code if code in NEXT else "other"
    if verb in DOCUMENT_VERBS:
        return t.choice("sending_view.outbox_next", said)
    family = "claim_view.outbox_next" if verb in CLAIM_VERBS else "outbox.next"
    return t.choice(family, said)


def standing(line: CommandLine, t: Translator) -> str:
    """Return why a draft or a command that was not refused does not go on, empty when it does."""
    if line.state == drafts.STATE:
        return t("outbox.draft")
    documents = line.verb in DOCUMENT_VERBS
    if line.state == State.UNDELIVERABLE:
        return t("documents.stopped") if documents else t("outbox.undeliverable")
    if line.state == State.BLOCKED and documents:
        return t("sending_view.outbox_blocked")
    if line.state == State.BLOCKED:
        return t("claim_view.outbox_blocked") if line.verb in CLAIM_VERBS else t("outbox.blocked")
    if line.state in (State.QUEUED, State.SENDING) and line.problem is not None and line.problem.get("code"):
        return t.choice("errors.api", str(line.problem["code"]), t("errors.api.internal"))
    return ""


def present(line: CommandLine, t: Translator, now: datetime) -> str:
    """Return how the notice stands now and who made it so, as far as the refusal told and it may still be told."""
    current = line.conflict.current if line.conflict is not None else None
    if current is None:
        return t("outbox.now_unknown")
    match current.get("table", "notice"):
        case "trace":
            found = _trace(current, t)
        case "follow":
            found = _follow(current, t)
        case "claim":
            found = _claim(current, t)
        case _:
            found = _notice(line, current, t, now)
    return "\n".join(found) or t("outbox.now_unknown")


def _notice(line: CommandLine, current: dict[str, Any], t: Translator, now: datetime) -> Iterator[str]:
    status, who = current.get("status"), current.get("assignee_name")
    if status == Status.HANDLED and current.get("handled_by"):
        yield t("outbox.now_handled", who=current["handled_by"], at=_moment(current.get("handled_at"), t, now))
    elif status == Status.IN_PROGRESS and who:
        yield t("outbox.now_taken", who=who)
    elif status in (Status.NEW, Status.OPENED):
        yield t("outbox.now_free", status=t.choice("kinds.status", status))
    elif status:
        yield t.choice("kinds.status", status, str(status))
    place = current.get("municipality")
    if place and line.label.get("municipality") not in (None, place):
        yield t("outbox.now_moved", place=_place(place, t))
    for note in current.get("notes", ())[-1:]:
        # Of notes only what came since: an old one has not been in the way.
        if datetime.fromisoformat(note["at"]) >= line.created_at:
            yield t("outbox.now_noted", who=note["by"], at=_moment(note["at"], t, now))


def _trace(current: dict[str, Any], t: Translator) -> Iterator[str]:
    if current.get("by") and current.get("to_municipality"):
        yield t("outbox.now_transferred", who=current["by"], place=_place(current["to_municipality"], t))
    if current.get("state"):
        yield t.choice("states.trace", current["state"], str(current["state"]))


def _follow(current: dict[str, Any], t: Translator) -> Iterator[str]:
    if current.get("ended"):
        yield t.choice("followed.ended", current["ended"], str(current["ended"]))
    elif current.get("until"):
        yield t("followed.goes_on", until=t.formats.instant(datetime.fromisoformat(current["until"])))


def _claim(current: dict[str, Any], t: Translator) -> Iterator[str]:
    if current.get("status"):
        yield status_name(current["status"], t)
    if current.get("first"):
        days = date.fromisoformat(current["first"]), date.fromisoformat(last) if (last := current.get("last")) else None
        yield t.formats.period(*days)
    if current.get("amount"):
        yield t.formats.euros(Decimal(str(current["amount"])))
    for event in current.get("events", ())[-1:]:
        at = t.formats.instant(datetime.fromisoformat(event["at"]))
        yield ", ".join(one for one in (event_text(event["what"], t), event.get("by"), at) if one)


def _moment(text: str | None, t: Translator, now: datetime) -> str:
    return "" if text is None else t.formats.moment(datetime.fromisoformat(text), now)


def _place(code: str, t: Translator) -> str:
    known = municipalities().get(code)
    return code if known is None else known.name.get(t.language)
