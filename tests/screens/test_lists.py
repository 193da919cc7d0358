"""Outbox, announcements, organisations, closed and personas: lists with an explanation."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.domain.capabilities import NOTICES_INBOX, MandateKind, mandates, opens_for
from kelmu_tui.domain.organisations import OrganisationType
from kelmu_tui.screens.announcements import AnnouncementsScreen
from kelmu_tui.screens.closed import ClosedScreen
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.organisations import OrganisationsScreen
from kelmu_tui.screens.outbox import OutboxScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.services.known import KnownSession, read_session
from kelmu_tui.store import outbox
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.rows import CommandLine
from tests.screens.support import (
    HOSTILE,
    LANGUAGES,
    SIZES,
    Office,
    check_grid,
    notices,
    office,
    press,
    settled,
    text_of,
    type_text,
)
from tests.store.build import NOW, OTHER, OWN, notice
from tests.widgets.support import until

MANDATE = next(m.id for m in mandates().values() if NOTICES_INBOX in opens_for(m, OrganisationType.WELLBEING_COUNTY))


def announcement(name: str, **changes: Any) -> dict[str, Any]:
    text = {language: f"{name} {language}" for language in LANGUAGES}
    row = {
        "table": "announcement",
        "id": name,
        "version": 1,
        "kind": "break",
        "starts": "2026-11-19T04:00:00Z",
        "ends": "2026-11-30T06:00:00Z",
        "title": text,
        "text": text,
    }
    return row | changes


def session(*organisations: dict[str, Any], name: str = "Laura Koski") -> KnownSession:
    return read_session(
        json.dumps(
            {
                "user": {"id": "user-1", "name": name, "language": "fi"},
                "organisations": organisations,
                "lease": {"id": "l", "until": "2026-11-21T00:00:00Z"},
                "server_time": "2026-11-20T08:00:00Z",
            }
        )
    )


def organisation(code: str, name: str, *, mandate: str | None = MANDATE, **changes: Any) -> dict[str, Any]:
    grant: dict[str, Any] = {
        "mandate": mandate,
        "kind": MandateKind.MANDATE_TO_ACT.value,
        "principal": code,
        "employer": code,
        "chain": [],
        "valid_from": "2025-01-01",
        "valid_to": None,
    }
    row = {
        "business_id": code,
        "name": dict.fromkeys(LANGUAGES, name),
        "type": "wellbeing_county",
        "county": "06",
        "municipalities": ["837"],
        "agreement_from": "2025-01-01",
        "agreement_to": None,
        "grants": [] if mandate is None else [grant],
    }
    return row | changes


async def show(app: Office, pilot: Any, screen: Any) -> list[Any]:
    answers: list[Any] = []
    await app.push_screen(screen, answers.append)
    await settled(pilot)
    return answers


def refuse_first(app: Office) -> str:
    """Let the backend have refused the first command: a colleague was faster."""
    with app.store.write() as db:
        (command, *_) = outbox.pending(db, OWN)
        outbox.freeze(db, command.id)
        current = notice(command.aggregate, version=5, status="in_progress", assignee="u9", assignee_name="Matti Meri")
        problem = {"code": "version_conflict", "rule": "already_taken", "request_id": "req-1"}
        outbox.refuse(db, command.id, problem, json.dumps(current), NOW)
        app.store.changed("command", "conflict", keys=[command.aggregate])
    return command.id


def commands(app: Office) -> list[CommandLine]:
    assert app.desk is not None
    return list(app.desk.outbox.lines())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_every_list_paints_in_every_language_and_size(
    tmp_path: Path, language: str, size: tuple[int, int]
) -> None:
    known = session(organisation(OWN, "Pirkanmaa"), organisation(OTHER, HOSTILE, mandate=None))
    rows = [*notices(5), announcement("a"), announcement("b", title=dict.fromkeys(LANGUAGES, HOSTILE))]
    async with office(tmp_path, rows, size, language=language) as (app, pilot):
        assert app.desk is not None
        await press(pilot, "a", "j", "d")
        refuse_first(app)
        for screen, text in (
            (OutboxScreen(app.desk), "outbox.heading"),
            (AnnouncementsScreen(app.desk), "announcements.heading"),
            (OrganisationsScreen(known, OWN), "organisations.choose"),
            (ClosedScreen(session(organisation(OWN, "X", mandate=None), name=HOSTILE)), "organisations.nothing_opens"),
        ):
            await show(app, pilot, screen)
            check_grid(app, size)
            assert app.t(text)[:16] in text_of(app)
            assert app.t("actions.app.help.label") in text_of(app).splitlines()[-1]
            await press(pilot, "L", "L", "L")
            check_grid(app, size)
            app.pop_screen()
            await settled(pilot)


# --- the outbox -----------------------------------------------------------------------------------------------------


async def test_the_outbox_shows_where_every_command_stands(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a", "j", "d")
        assert app.desk is not None
        await show(app, pilot, OutboxScreen(app.desk))
        text = text_of(app)
        assert app.t("states.verb.take") in text
        assert app.t("states.verb.handle") in text
        assert app.t("states.command.queued") in text
        assert "Sukunimi0000" in text


async def test_a_conflict_says_who_was_faster_and_what_can_be_done(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a")
        refuse_first(app)
        assert app.desk is not None
        await show(app, pilot, OutboxScreen(app.desk))
        text = " ".join(text_of(app).split())
        assert app.t("errors.refusal.already_taken") in text
        assert app.t("outbox.now_taken", who="Matti Meri") in text
        await press(pilot, "enter")
        assert app.t("outbox.choose_reload") in text_of(app)
        await press(pilot, "enter")
        assert [line.conflict for line in commands(app)] == [None]
        assert app.t("outbox.reloaded", count=1)[:30] in text_of(app)


async def test_a_conflict_can_be_redone(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a")
        refused = refuse_first(app)
        assert app.desk is not None
        await show(app, pilot, OutboxScreen(app.desk))
        await press(pilot, "R")
        states = {line.id: line.state for line in commands(app)}
        assert states[refused] == "reissued"
        assert sorted(states.values()) == ["queued", "reissued"]
        assert app.t("outbox.redone", count=1) in text_of(app)
        assert app.pokes > 1


async def test_discarding_warns_first(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a")
        assert app.desk is not None
        await show(app, pilot, OutboxScreen(app.desk))
        await press(pilot, "d")
        assert isinstance(app.screen, ConfirmScreen)
        await press(pilot, "enter")
        assert [line.state for line in commands(app)] == ["queued"]
        await press(pilot, "d", "down", "enter")
        assert [line.state for line in commands(app)] == ["discarded"]
        await press(pilot, "d", "down", "enter")
        assert app.t("outbox.not_possible.state") in " ".join(text_of(app).split())


async def test_a_full_disk_stops_the_discarding_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(command: str) -> None:
        raise StoreFull(command)

    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a")
        assert app.desk is not None
        await show(app, pilot, OutboxScreen(app.desk))
        monkeypatch.setattr(app.desk.outbox, "discard", full)
        await press(pilot, "d", "down", "enter")
        assert " ".join(app.t("errors.store.store_full").split()[:3]) in " ".join(text_of(app).split())
        assert [line.state for line in commands(app)] == ["queued"]
        monkeypatch.undo()
        await press(pilot, "d", "down", "enter")
        assert [line.state for line in commands(app)] == ["discarded"]


async def test_the_outbox_follows_what_the_sync_does(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "a")
        assert app.desk is not None
        await show(app, pilot, OutboxScreen(app.desk))
        refuse_first(app)
        await until(pilot, lambda: app.t("states.command.refused") in text_of(app))


# --- announcements --------------------------------------------------------------------------------------------------


async def test_announcements_are_told_in_the_users_language(tmp_path: Path) -> None:
    rows = [announcement("Katko"), announcement("Vanha", ends="2026-11-19T05:00:00Z")]
    async with office(tmp_path, rows, language="sv") as (app, pilot):
        assert app.desk is not None
        await show(app, pilot, AnnouncementsScreen(app.desk))
        assert "Katko sv" in text_of(app)
        assert "Vanha" not in text_of(app)
        assert app.t("kinds.announcement.break")[:10] in text_of(app)


# --- organisations --------------------------------------------------------------------------------------------------


async def test_an_organisation_is_chosen_and_a_closed_one_explains_itself(tmp_path: Path) -> None:
    closed = organisation(OTHER, "Aavasaksa", mandate="incomes_register_benefit_viewing")
    known = session(closed, organisation(OWN, "Pirkanmaa"))
    async with office(tmp_path, []) as (app, pilot):
        answers = await show(app, pilot, OrganisationsScreen(known, OTHER))
        assert app.screen.query_one("#rows").current_key == OWN  # type: ignore[attr-defined]
        await press(pilot, "j")
        words = " ".join(text_of(app).split())
        assert app.t("errors.reason.incomes_register_benefit_viewing")[:40] in words
        await press(pilot, "enter")
        assert answers == []
        assert app.t("organisations.closed_hint")[:30] in " ".join(text_of(app).split())
        await press(pilot, "k", "enter")
        assert answers == [OWN]


async def test_a_first_choice_can_be_filtered_but_not_left(tmp_path: Path) -> None:
    known = session(organisation(OWN, "Pirkanmaa"), organisation(OTHER, "Helsinki", type="helsinki"))
    async with office(tmp_path, []) as (app, pilot):
        answers = await show(app, pilot, OrganisationsScreen(known, None, must_choose=True))
        await press(pilot, "q")
        assert isinstance(app.screen, OrganisationsScreen)
        await press(pilot, "slash")
        await type_text(pilot, "helsi")
        await until(pilot, lambda: "Pirkanmaa" not in text_of(app))
        await press(pilot, "enter", "enter")
        assert answers == [OTHER]


async def test_the_closed_screen_tells_why_whom_to_ask_and_where(tmp_path: Path) -> None:
    expired = organisation(OWN, "Pirkanmaa")
    expired["grants"][0]["valid_to"] = "2026-01-31"
    for known, reason in (
        (session(organisation(OWN, "Pirkanmaa", mandate=None)), "no_mandate"),
        (session(organisation(OWN, "Pirkanmaa", agreement_from=None)), "no_agreement"),
        (session(expired), "mandate_expired"),
        (session(), "no_mandate"),
    ):
        async with office(tmp_path / reason / str(len(known.organisations)), [], (120, 40)) as (app, pilot):
            await show(app, pilot, ClosedScreen(known))
            words = " ".join(text_of(app).split())
            assert app.t.choice("organisations.ask", reason) in words
            assert "suomi.fi/valtuudet" in words
            if known.organisations:
                assert app.t.choice("errors.reason", reason) in words
    assert date(2026, 1, 31) < NOW.date()


# --- personas -------------------------------------------------------------------------------------------------------


class Demo:
    """A demo backend's sign-in, answering from memory."""

    def __init__(self) -> None:
        self.away = 0
        self.approved: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            self.away -= 1
            return httpx.Response(503)
        match request.url.path:
            case "/v1/demo/personas":
                people = [
                    {
                        "id": f"p{number}",
                        "name": name,
                        "title": dict.fromkeys(LANGUAGES, f"Titteli {name}"),
                        "organisation": "Pirkanmaa",
                        "language": "fi",
                    }
                    for number, name in enumerate(("Aino", "Bertta", HOSTILE))
                ]
                return httpx.Response(200, json={"personas": people})
            case "/oauth/device_authorization":
                return httpx.Response(
                    200,
                    json={
                        "device_code": "d",
                        "user_code": "BCDF-GHJK",
                        "verification_uri": "http://127.0.0.1/device",
                        "expires_in": 600,
                        "interval": 5,
                    },
                )
            case "/v1/demo/approve":
                self.approved.append(json.loads(request.content)["persona"])
                return httpx.Response(204)
            case _:
                return httpx.Response(
                    200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 600, "refresh_token": "r"}
                )


async def no_wait(_seconds: float) -> None:
    return


async def test_a_persona_signs_in_by_the_device_grant(tmp_path: Path) -> None:
    demo = Demo()
    demo.away = 3
    sign_in = SignIn("http://127.0.0.1:1", transport=httpx.MockTransport(demo), wait=no_wait)
    async with office(tmp_path, [], (80, 24)) as (app, pilot), sign_in:
        answers = await show(app, pilot, PersonasScreen(sign_in, "tests", wait=no_wait))
        await until(pilot, lambda: "Aino" in text_of(app))
        check_grid(app, (80, 24))
        await press(pilot, "j")
        assert "Titteli Bertta" in text_of(app)
        await press(pilot, "enter")
        await until(pilot, lambda: answers)
        assert demo.approved == ["p1"]
        assert answers[0].refresh_token == "r"
