"""What the about screen shows: the doctor's findings, the connection, the terminal, mistakes in the settings."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kelmu_tui.i18n import Translator
from kelmu_tui.screens.about import Fact
from kelmu_tui.services.doctor import Finding, State, examine
from kelmu_tui.terminal.environment import facts as terminal_facts

if TYPE_CHECKING:
    from kelmu_tui.screens.house import KelmuApp

SHOWN_PARTS = ("versions", "places")


async def collect(app: KelmuApp) -> list[Fact]:
    """Return the facts of the running app."""
    t = app.t
    # Without a way to ask, the doctor leaves files alone that a passphrase would have to open.
    found = await asyncio.to_thread(
        lambda: list(examine(app.where, app.loaded, clock=app.clock, ids=app.ids, ask=None))
    )
    return [*_session(app, t), *_settings(app, t), *_terminal(t), *_findings(found, t)]


def _session(app: KelmuApp, t: Translator) -> Iterator[Fact]:
    part = t("help.part_session")
    desk = app.desk
    if desk is not None:
        status = desk.status()
        yield Fact(part, t("help.user"), desk.session.user_name)
        organisation = desk.session.organisation
        yield Fact(part, t("help.organisation"), f"{organisation.name.get(t.language)} {organisation.business_id}")
        yield Fact(part, t("help.connection"), app.top("").connection)
        if status.synced_at is not None:
            yield Fact(part, t("help.synced_at"), t.formats.instant(status.synced_at))
        if status.problem:
            yield Fact(
                part, t("help.problem"), t.choice("errors.api", status.problem, t("errors.api.internal")), wrong=True
            )
        if status.request_id:
            yield Fact(part, t("outbox.request_id"), status.request_id)
    yield Fact(part, t("help.backend"), app.backend_url)


def _settings(app: KelmuApp, t: Translator) -> Iterator[Fact]:
    part = t("help.part_settings")
    yield Fact(part, t("help.file"), str(app.where.settings))
    for problem in app.loaded.problems:
        text = t.choice("settings.problem", problem.code, problem.code, detail=problem.detail)
        yield Fact(part, t("help.line", line=problem.line), f"{problem.key} {text}".strip(), wrong=True)
    for fault in app.keymap.problems:
        text = t.choice("actions.problem", fault.fault, action=fault.action, key=fault.key, other=fault.other or "")
        yield Fact(part, t("help.line", line=app.loaded.key_lines.get(fault.action, 0)), text, wrong=True)


def _terminal(t: Translator) -> Iterator[Fact]:
    found = terminal_facts(os.environ)
    part = t("help.part_terminal")
    yield Fact(part, "TERM", f"{found.term} {found.program}".strip())
    yield Fact(part, t("help.profile"), found.profile.kind.value)
    if found.multiplexer:
        yield Fact(part, t("help.multiplexer"), found.multiplexer)
    if found.recorders:
        yield Fact(part, t("help.recorders"), ", ".join(found.recorders), wrong=True)


def _findings(found: list[Finding], t: Translator) -> Iterator[Fact]:
    names = {"versions": t("help.part_versions"), "places": t("help.part_places")}
    for finding in found:
        if finding.part in SHOWN_PARTS:
            yield Fact(names[finding.part], finding.what, finding.value, finding.state is State.WRONG)
