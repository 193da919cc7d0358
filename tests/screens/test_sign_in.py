"""Signing in by code: address, code, QR, time left, and every way it can end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from textual.pilot import Pilot

from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.screens.sign_in import QrCode, SignInScreen, Stage, qr_rows
from tests.screens.support import LANGUAGES, SIZES, Office, check_grid, office, settled, text_of
from tests.store.build import FixedClock
from tests.widgets.support import until

ADDRESS = "https://kelmu.example/device"


class Server:
    """An authorization server whose answers a test sets."""

    def __init__(self) -> None:
        self.start: httpx.Response | None = None
        self.token: httpx.Response = error("authorization_pending")
        self.starts = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/device_authorization":
            self.starts += 1
            if self.start is not None:
                return self.start
            return httpx.Response(
                200,
                json={
                    "device_code": f"device-{self.starts}",
                    "user_code": "BCDF-GHJK",
                    "verification_uri": ADDRESS,
                    "verification_uri_complete": f"{ADDRESS}?user_code=BCDF-GHJK",
                    "expires_in": 300,
                    "interval": 5,
                },
            )
        return self.token


def error(code: str) -> httpx.Response:
    return httpx.Response(400, json={"error": code})


def tokens() -> httpx.Response:
    return httpx.Response(200, json={"access_token": "a", "token_type": "Bearer", "expires_in": 600})


class Waits:
    """Waiting that ends when the test lets it; time passes with it."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.turns: asyncio.Queue[float] = asyncio.Queue()
        self.waiting = 0

    async def __call__(self, _seconds: float) -> None:
        from datetime import timedelta

        self.waiting += 1
        try:
            self.clock.at += timedelta(seconds=await self.turns.get())
        finally:
            self.waiting -= 1

    def turn(self, seconds: float = 5) -> None:
        self.turns.put_nowait(seconds)


@asynccontextmanager
async def signing_in(
    folder: Path, server: Server, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[Office, Pilot[Any], SignInScreen, Waits, list[Any]]]:
    async with office(folder, [], size, **options) as (app, pilot):
        waits = Waits(app.time)
        sign_in = SignIn("http://127.0.0.1:1", transport=httpx.MockTransport(server), wait=waits, clock=app.time)
        async with sign_in:
            screen = SignInScreen(sign_in, "tests", wait=waits, can_leave=True)
            answers: list[Any] = []
            await app.push_screen(screen, answers.append)
            await until(pilot, lambda: waits.waiting or answers or screen.stage in (Stage.REFUSED, Stage.EXPIRED))
            await pilot.pause()
            yield app, pilot, screen, waits, answers
            screen._cancel()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_address_and_code_are_readable_in_every_language_and_size(
    tmp_path: Path, language: str, size: tuple[int, int]
) -> None:
    async with signing_in(tmp_path, Server(), size, language=language) as (app, pilot, _, _, _):
        await pilot.pause()
        check_grid(app, size)
        text = text_of(app)
        assert ADDRESS in text
        if size[1] >= 24:
            assert "B C D F - G H J K" in text
            assert app.t("sign_in.left", time="5:00") in text


async def test_the_qr_code_comes_where_there_is_room_and_goes_where_there_is_none(tmp_path: Path) -> None:
    async with signing_in(tmp_path, Server(), (120, 40)) as (app, pilot, screen, _, _):
        code = screen.query_one(QrCode)
        await until(pilot, lambda: code.cells != (0, 0))
        assert "▀" in text_of(app) or "▄" in text_of(app)
        await pilot.resize_terminal(40, 12)
        await until(pilot, lambda: code.cells == (0, 0))
        check_grid(app, (40, 12))
        assert ADDRESS in text_of(app)


def test_a_qr_code_is_square_with_its_quiet_zone() -> None:
    rows = qr_rows(f"{ADDRESS}?user_code=BCDF-GHJK")
    assert len({len(row) for row in rows}) == 1
    assert abs(len(rows[0]) - 2 * len(rows)) <= 1
    assert rows[0].strip() == ""


async def test_approval_answers_the_tokens(tmp_path: Path) -> None:
    server = Server()
    async with signing_in(tmp_path, server) as (_, pilot, _, waits, answers):
        waits.turn()
        await until(pilot, lambda: waits.waiting)
        server.token = tokens()
        waits.turn()
        await until(pilot, lambda: answers)
        assert answers[0].access_token == "a"


async def test_an_expired_code_offers_a_new_one(tmp_path: Path) -> None:
    server = Server()
    async with signing_in(tmp_path, server) as (app, pilot, screen, waits, _):
        server.token = error("expired_token")
        waits.turn()
        await until(pilot, lambda: screen.stage is Stage.EXPIRED)
        assert app.t("sign_in.expired") in " ".join(text_of(app).split())
        server.token = error("authorization_pending")
        await press_now(pilot, "n")
        await until(pilot, lambda: server.starts == 2)
        await until(pilot, lambda: ADDRESS in text_of(app))


async def test_a_refusal_is_told(tmp_path: Path) -> None:
    server = Server()
    async with signing_in(tmp_path, server) as (app, pilot, screen, waits, answers):
        server.token = error("access_denied")
        waits.turn()
        await until(pilot, lambda: screen.stage is Stage.REFUSED)
        assert app.t("sign_in.refused") in text_of(app)
        assert ADDRESS not in text_of(app)
        assert answers == []


async def test_a_backend_that_is_away_is_asked_until_it_answers(tmp_path: Path) -> None:
    server = Server()
    server.start = httpx.Response(503)
    async with signing_in(tmp_path, server) as (app, pilot, screen, waits, _):
        assert screen.stage is Stage.AWAY
        assert app.t("sign_in.away")[:40] in " ".join(text_of(app).split())
        waits.turn()
        await until(pilot, lambda: server.starts == 2)
        server.start = None
        await until(pilot, lambda: waits.waiting)
        waits.turn()
        await until(pilot, lambda: screen.stage is Stage.WAITING)
        await until(pilot, lambda: ADDRESS in text_of(app))


async def test_a_backend_that_goes_away_while_waiting_keeps_the_code(tmp_path: Path) -> None:
    server = Server()
    async with signing_in(tmp_path, server) as (app, pilot, screen, waits, _):
        server.token = httpx.Response(200, text="<html>hotel</html>")
        waits.turn()
        await until(pilot, lambda: screen.stage is Stage.WAITING_AWAY)
        await until(pilot, lambda: app.t("sign_in.waiting_away") in beside_the_code(app))
        assert ADDRESS in text_of(app)


async def test_leaving_stops_asking(tmp_path: Path) -> None:
    async with signing_in(tmp_path, Server()) as (app, pilot, screen, waits, answers):
        await press_now(pilot, "q")
        await until(pilot, lambda: answers == [None])
        await until(pilot, lambda: not waits.waiting)
        assert app.screen is not screen
        await settled(pilot)


def beside_the_code(app: Office) -> str:
    return " ".join(" ".join(line[:46] for line in text_of(app).splitlines()).split())


async def press_now(pilot: Pilot[Any], *keys: str) -> None:
    """Press without waiting for the sign-in to end."""
    await pilot.press(*keys)
