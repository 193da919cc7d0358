"""Diagnostics: where the feed stands, what waits, what went wrong; plain text to be copied into a ticket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import ClassVar

from kelmu_tui.actions import Context
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.page import LivePage
from kelmu_tui.services.diagnostics import Diagnostics, ScopeState
from kelmu_tui.services.diagnostics_text import error_text, leader_text, oldest_text, trouble_text
from kelmu_tui.store.database import Changed
from kelmu_tui.widgets.sheet import Block, Field, Heading, Paragraph

Read = Callable[[], Awaitable[Diagnostics | None]]
"""Reads the diagnostics on the store's thread; None when nobody is at work any more."""


class DiagnosticsScreen(LivePage[None]):
    """A page that is read again when the store changes, too."""

    CONTEXT: ClassVar[Context] = Context.ABOUT

    def __init__(self, read: Read) -> None:
        super().__init__()
        self._read = read

    def store_changed(self, change: Changed) -> None:
        """Rows, commands or scopes changed."""
        del change
        self.reload()

    def store_noted(self, change: Changed) -> None:
        """An error was noted, or the feed went on."""
        del change
        self.reload()

    async def load(self) -> None:
        """Read where everything stands and show it."""
        found = await self._read()
        if found is not None and self.alive:
            t = self.face.t
            self.sheet.show(blocks(found, t, self.face.now()), title=t("diagnostics.title"), keep=True)


def blocks(found: Diagnostics, t: Translator, now: datetime) -> Iterator[Block]:
    """Return the page of `found` as it is at the instant `now`."""
    yield Paragraph(t("diagnostics.intro"))
    yield Heading(t("diagnostics.part_feed"))
    yield from _connection(found, t, now)
    yield from _feed(found, t)
    yield Heading(t("diagnostics.part_queue"))
    yield from _queue(found, t, now)
    yield Heading(t("diagnostics.part_errors"))
    yield from _errors(found, t, now)
    yield Heading(t("diagnostics.part_store"))
    yield from _store(found, t, now)


def _connection(found: Diagnostics, t: Translator, now: datetime) -> Iterator[Block]:
    ages, formats = found.ages, t.formats
    yield Field(t("diagnostics.backend"), found.backend or "–")
    yield Field(t("diagnostics.leading"), leader_text(found, t, now))
    synced = t("diagnostics.never") if ages.synced_at is None else _since(ages.synced_at, t, now)
    yield Field(t("diagnostics.synced"), synced)
    if ages.lease_until is not None:
        over = ages.lease_until < now
        text = t("diagnostics.lease_value", at=formats.moment(ages.lease_until, now))
        yield Field(t("diagnostics.lease"), text, "alarm" if over else "")
    revision = "–" if ages.session_revision is None else str(ages.session_revision)
    session = t(
        "diagnostics.session_open" if ages.signed_in else "diagnostics.session_over",
        revision=revision,
    )
    yield Field(t("diagnostics.session"), session, "" if ages.signed_in else "warn")
    yield Field(t("diagnostics.device"), found.device or "–")


def _feed(found: Diagnostics, t: Translator) -> Iterator[Block]:
    place = found.feed
    if place is None:
        return
    epoch = place.epoch or "–"
    text = t("diagnostics.place_value", seq=place.seq, checkpoint=place.checkpoint, epoch=epoch)
    yield Field(t("diagnostics.place"), text)
    for scope in place.scopes:
        kind = scope.name.partition(":")[0]
        label = t.choice("diagnostics.scope", kind, kind)
        if scope.state is ScopeState.LIVE:
            yield Field(label, t("diagnostics.scope_live", generation=scope.generation))
        else:
            done, total = scope.filled, scope.expected
            text = t("diagnostics.scope_filling", done=done, total=total, generation=scope.generation)
            yield Field(label, text, "accent")


def _queue(found: Diagnostics, t: Translator, now: datetime) -> Iterator[Block]:
    queue, number = found.queue, t.formats.number
    states = (f"{t.choice('states.command', state)} {number(count)}" for state, count in queue.states.items())
    yield Field(t("diagnostics.changes"), "\n".join(states) or "0")
    oldest = queue.oldest
    if oldest is not None:
        lines = [oldest_text(found, t, now)]
        if oldest.code is not None:
            lines.append(error_text(t, oldest.code))
        if oldest.request_id:
            lines.append(t("diagnostics.request", id=oldest.request_id))
        yield Field(t("diagnostics.oldest"), "\n".join(lines), "warn" if oldest.code is not None else "")
    yield Field(t("diagnostics.conflicts"), number(queue.conflicts), "alarm" if queue.conflicts else "")
    yield Field(t("diagnostics.views"), number(found.unshipped))


def _errors(found: Diagnostics, t: Translator, now: datetime) -> Iterator[Block]:
    if not found.troubles:
        yield Paragraph(t("diagnostics.no_errors"), "dim")
    for line in found.troubles:
        lines = [error_text(t, line.code), trouble_text(line, t, now)]
        if line.request_id:
            lines.append(t("diagnostics.request", id=line.request_id))
        yield Field(t.choice("diagnostics.part", line.part), "\n".join(lines))


def _store(found: Diagnostics, t: Translator, now: datetime) -> Iterator[Block]:
    storage = found.storage
    keys = "–" if storage.keys is None else t.choice("diagnostics.keys", storage.keys, storage.keys)
    yield Field(t("diagnostics.opens"), keys)
    for incident in storage.incidents:
        at = t.formats.moment(incident.at, now)
        yield Field(incident.file, t.choice("diagnostics.incident", incident.kind, at=at), "alarm")
    for database in storage.databases:
        text = t("diagnostics.database", version=database.version, pages=database.pages, free=database.free)
        rows = ", ".join(f"{table} {t.formats.number(count)}" for table, count in database.rows.items())
        yield Field(f"{database.name}.db", f"{text}\n{t('diagnostics.rows', rows=rows)}")
    files = (f"{file.name}  {t.formats.size(file.bytes)}" for file in storage.files)
    yield Field(t("diagnostics.files"), "\n".join(files))


def _since(at: datetime, t: Translator, now: datetime) -> str:
    return f"{t.formats.moment(at, now)}, {t.formats.ago(at, now)}"
