"""The diagnostics in the user's words, as far as the screen and the command line say the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kelmu_tui.i18n import Translator
from kelmu_tui.services.diagnostics import Diagnostics
from kelmu_tui.store.troubles import TroubleLine
from kelmu_tui.sync.leader import Lead


def status_lines(found: Diagnostics, t: Translator, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield label and value of what `kelmu status` tells people; what is as it should be is left out."""
    if found.leader.who is not Lead.NOBODY:
        yield t("diagnostics.leading"), leader_text(found, t, now)
    if found.queue.oldest is not None:
        yield t("diagnostics.oldest"), oldest_text(found, t, now)
    if found.unshipped:
        yield t("diagnostics.views"), t.formats.number(found.unshipped)
    if found.troubles:
        last = found.troubles[0]
        asked = f", {t('diagnostics.request', id=last.request_id)}" if last.request_id else ""
        what = f"{t.choice('diagnostics.part', last.part)}: {trouble_text(last, t, now)}{asked}"
        yield t("diagnostics.last_error"), what
    yield t("diagnostics.store_size"), t.formats.size(sum(file.bytes for file in found.storage.files))


def leader_text(found: Diagnostics, t: Translator, now: datetime) -> str:
    """Return who talks to the backend, and how long ago it showed that it lives."""
    who = t.choice("diagnostics.leader", found.leader.who)
    beat = found.leader.beat_at
    return who if beat is None else t("diagnostics.beat", who=who, ago=t.formats.ago(beat, now))


def oldest_text(found: Diagnostics, t: Translator, now: datetime) -> str:
    """Return what has waited longest, for how long, how often it was tried and when again; empty when nothing waits."""
    oldest = found.queue.oldest
    if oldest is None:
        return ""
    text = t(
        "diagnostics.oldest_value",
        verb=t.choice("states.verb", oldest.verb),
        id=oldest.id,
        age=t.formats.age(oldest.created_at, now),
        count=oldest.attempts,
    )
    if oldest.due_at is None:
        return text
    return f"{text}, {t('diagnostics.next_attempt', at=t.formats.moment(oldest.due_at, now))}"


def trouble_text(line: TroubleLine, t: Translator, now: datetime) -> str:
    """Return an error's code with the status of HTTP, how often it came in a row and when."""
    code, moment = line.code if line.status is None else f"{line.code} {line.status}", t.formats.moment
    last = moment(line.last_at, now)
    if line.times == 1:
        return t("diagnostics.once", code=code, at=last)
    return t("diagnostics.times", code=code, count=line.times, first=moment(line.first_at, now), at=last)


def error_text(t: Translator, code: str) -> str:
    """Return what an error's code says to people; one that a newer backend sends is told as its fault."""
    return t.choice("errors.api", code, t.choice("errors.store", code, t("errors.api.internal")))
