"""The outbox: what was written is there whole, every refusal says why, who was faster, and where the ways on lead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_tui.domain.notices import MAX_NOTE
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.outbox import OutboxScreen
from kelmu_tui.store import aftermath, outbox, replica
from kelmu_tui.store.rows import View
from kelmu_tui.widgets.sheet import Field, Sheet
from tests.screens.support import (
    HOSTILE,
    LANGUAGES,
    Office,
    change,
    check_grid,
    notices,
    office,
    press,
    settled,
    text_of,
    type_text,
    where,
)
from tests.store.build import NOW, OWN, notice, trace

SIZES = ((80, 24), (120, 40))
CODES = (
    "version_conflict",
    "rule_refused",
    "command_expired",
    "mandate_missing",
    "organisation_not_allowed",
    "not_found",
    "invalid_request",
    "idempotency_key_reused",
)


def refuse(app: Office, current: dict[str, Any] | None, code: str = "version_conflict", rule: str | None = None) -> str:
    """Let the backend have refused the newest command."""
    with app.store.write() as db:
        command = outbox.pending(db, OWN)[-1]
        outbox.freeze(db, command.id)
        problem = {"code": code, "rule": rule, "request_id": "req-1"}
        outbox.refuse(db, command.id, problem, None if current is None else json.dumps(current), NOW)
        app.store.changed("command", "conflict", keys=[command.aggregate])
    return command.id


async def write(pilot: Pilot[Any], text: str) -> None:
    """Write a note to the notice under the cursor."""
    await press(pilot, "n")
    await type_text(pilot, text)
    await press(pilot, "ctrl+s")


def words(app: Office) -> str:
    return " ".join(text_of(app).split())


def told(app: Office, key: str) -> str:
    """Return the value of a field of the explanation."""
    blocks = app.screen.query_one("#preview", Sheet).blocks
    return next((b.value for b in blocks if isinstance(b, Field) and b.label == app.t(key)), "")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_every_refusal_says_why_and_what_next_in_every_language(
    tmp_path: Path, language: str, size: tuple[int, int]
) -> None:
    async with office(tmp_path, notices(len(CODES)), size, language=language) as (app, pilot):
        assert app.desk is not None
        for number, code in enumerate(CODES):
            app.desk.inbox.note([f"n{number:04d}"], f"teksti {code}")
            refuse(app, notice("x", version=5), code)
        await settled(pilot)
        await press(pilot, "6")
        for code in reversed(CODES):
            check_grid(app, size)
            blocks = app.screen.query_one("#preview", Sheet).blocks
            said = [getattr(block, "text", "") for block in blocks]
            assert app.t.choice("errors.api", code) in said
            like = {"organisation_not_allowed": "mandate_missing", "idempotency_key_reused": "other"}.get(code, code)
            assert app.t.choice("outbox.next", like) in said
            assert told(app, "outbox.written") == f"teksti {code}"
            await press(pilot, "j")
        await press(pilot, "tab", "G")
        check_grid(app, size)
        assert "teksti version_conflict" in words(app)
        assert "req-1" in text_of(app)
        hints = text_of(app).splitlines()[-1]
        assert app.t("actions.outbox.retry.label") in hints
        assert app.t("actions.outbox.redo.label") in hints
        assert app.t("actions.outbox.reload.label") in hints


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (notice("x", status="in_progress", assignee="u9", assignee_name="Matti Meri"), "Matti Meri on ottanut"),
        (
            notice("x", status="handled", handled_at="2026-11-20T07:30:00Z", handled_by="Matti Meri"),
            "Matti Meri on merkinnyt ilmoituksen käsitellyksi 09:30",
        ),
        (notice("x", status="new"), "Kukaan ei ole ottanut ilmoitusta"),
        (notice("x", municipality="536"), "Ilmoituksen kunta on nyt Nokia"),
        (
            notice("x", notes=[{"at": "2026-11-20T09:00:00Z", "by": "Matti Meri", "text": "Soitin"}]),
            "Matti Meri on kirjoittanut muistiinpanon 11:00",
        ),
        (trace("x", by="Matti Meri"), "Matti Meri on siirtänyt ilmoituksen: Helsinki"),
        (None, "ei näy täällä enää"),
    ],
)
async def test_a_conflict_tells_who_changed_what(tmp_path: Path, current: dict[str, Any] | None, expected: str) -> None:
    async with office(tmp_path, notices(1)) as (app, pilot):
        await press(pilot, "a")
        refuse(app, current)
        await press(pilot, "6")
        assert expected in told(app, "outbox.now")


async def test_a_long_text_is_read_to_its_end_and_stays_where_it_is_read(tmp_path: Path) -> None:
    text = "alku " + "sana " * (MAX_NOTE // 5 - 3) + "loppu"
    async with office(tmp_path, notices(2)) as (app, pilot):
        assert app.desk is not None
        app.desk.inbox.note(["n0000"], text)
        await press(pilot, "6")
        assert told(app, "outbox.written") == text
        assert "alku" in text_of(app)
        assert "loppu" not in text_of(app)
        await press(pilot, "tab", "G")
        assert "loppu" in text_of(app)
        change(app.store, lambda db: db.execute("UPDATE main.command SET attempts = 1"), "command")
        await settled(pilot)
        assert "loppu" in text_of(app)
        await press(pilot, "q")
        assert isinstance(app.screen, OutboxScreen)
        await press(pilot, "q")
        assert isinstance(app.screen, InboxScreen)


async def test_the_text_is_shown_for_what_waits_is_blocked_or_cannot_be_delivered(tmp_path: Path) -> None:
    async with office(tmp_path, notices(2)) as (app, pilot):
        await press(pilot, "a")
        await write(pilot, "perässä")
        await press(pilot, "6")
        assert told(app, "outbox.written") == "perässä"
        with app.store.write() as db:
            first = outbox.pending(db, OWN)[0]
            outbox.freeze(db, first.id)
            outbox.refuse(db, first.id, {"code": "version_conflict"}, None, NOW)
            app.store.changed("command", "conflict")
        await settled(pilot)
        await press(pilot, "G")
        assert app.t("outbox.blocked")[:30] in text_of(app)
        assert told(app, "outbox.written") == "perässä"
        change(app.store, lambda db: aftermath.strand(db, OWN, [], NOW), "command")
        await settled(pilot)
        assert app.t("outbox.undeliverable")[:30] in text_of(app)
        assert told(app, "outbox.written") == "perässä"


async def test_hostile_text_is_shown_and_obeyed_by_nobody(tmp_path: Path) -> None:
    async with office(tmp_path, notices(2)) as (app, pilot):
        await write(pilot, "x")
        with app.store.write() as db:
            db.execute("UPDATE main.command SET payload = ?", (json.dumps({"text": HOSTILE}),))
        refuse(app, notice("x", status="in_progress", assignee="u9", assignee_name=HOSTILE))
        await press(pilot, "6", "tab")
        check_grid(app, (80, 24))
        assert "[b]x[/]" in text_of(app)


# --- looking at the notice as it is now -----------------------------------------------------------------------------


async def test_reload_goes_to_the_notice_in_the_list(tmp_path: Path) -> None:
    async with office(tmp_path, notices(110)) as (app, pilot):
        await press(pilot, "G", "n")
        last = where(app)
        await type_text(pilot, "soitin")
        await press(pilot, "ctrl+s", "g")
        command = refuse(app, notice("x"))
        await press(pilot, "6", "v")
        assert isinstance(app.screen, InboxScreen)
        assert where(app) == last
        assert app.t("outbox.reloaded", count=1)[:30] in text_of(app)
        assert app.desk is not None
        line = app.desk.outbox.line(command)
        assert line is not None
        assert (line.state, line.text) == ("discarded", "soitin")


async def test_reload_finds_a_notice_that_the_view_does_not_list(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a")
        refuse(app, None)
        handled = notices(5)[0] | {"version": 3, "status": "handled", "handled_by": "Matti Meri"}
        change(app.store, lambda db: replica.put_rows(db, 1, [handled]), "notice", keys=["n0000"])
        await settled(pilot)
        await press(pilot, "6", "v")
        assert (where(app), app.inbox.query_now.view) == ("n0000", View.ALL)


async def test_reload_of_what_is_gone_stays_and_says_so(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a")
        refuse(app, None, "not_found")
        change(app.store, lambda db: replica.remove(db, 1, "n0000"), "notice", keys=["n0000"])
        await settled(pilot)
        await press(pilot, "6", "v")
        assert isinstance(app.screen, OutboxScreen)
        assert app.t("outbox.reloaded_gone")[:40] in text_of(app)


async def test_reload_is_for_refusals(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a", "6", "v")
        assert app.t("outbox.not_possible.state") in words(app)
        assert app.desk is not None
        assert [line.state for line in app.desk.outbox.lines()] == ["queued"]
