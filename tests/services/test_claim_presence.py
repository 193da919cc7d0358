"""Who is changing a claim is told to the backend, seldom enough, and nobody is held up by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import EditingBody
from kelmu_tui.api.errors import Unreachable
from kelmu_tui.services import claim_presence
from kelmu_tui.services.claim_presence import AGAIN, Presence
from tests.services.customers import client
from tests.services.signed_in import FIRST, Time

Answer = Callable[[httpx.Request], httpx.Response]


class Backend:
    """Notes what it is told; answers with `status`, or fails."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.told: list[tuple[str, bool]] = []
        self.fails = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.fails:
            raise httpx.ConnectError("gone")
        assert request.headers["kelmu-organisation"] == FIRST
        assert "idempotency-key" not in request.headers
        self.told.append((request.url.path, EditingBody.model_validate_json(request.content).on))
        kind = "application/json" if self.status == 200 else "application/problem+json"
        return httpx.Response(self.status, content=b"{}", headers={"content-type": kind})


def presence(backend: Answer, time: Time) -> Presence:
    return Presence(lambda: client(backend), FIRST, time)


async def test_it_is_told_once_a_minute_and_at_the_end() -> None:
    backend, time = Backend(), Time()
    one = presence(backend, time)
    for _ in range(3):
        await one.tell("c/1", True)
    await time.wait(AGAIN)
    await one.tell("c/1", True)
    await one.tell("c/1", False)
    await one.tell("c/1", False)
    await one.tell("c2", False)
    path = "/v1/claims/c/1/editing"
    assert backend.told == [(path, True), (path, True), (path, False)]
    await one.tell("c/1", True)
    assert backend.told[-1] == (path, True), "whoever begins again is told at once"


@pytest.mark.parametrize("status", [404, 403, 500])
async def test_a_backend_that_says_no_is_asked_again_later(status: int) -> None:
    backend, time = Backend(status), Time()
    one = presence(backend, time)
    await one.tell("c1", True)
    backend.status = 200
    await one.tell("c1", True)
    assert [on for _, on in backend.told] == [True, True]


async def test_without_a_network_it_is_left_out() -> None:
    backend, time = Backend(), Time()
    backend.fails = True
    one = presence(backend, time)
    await one.tell("c1", True)
    await one.tell("c1", False)
    assert backend.told == []
    backend.fails = False
    await one.tell("c1", True)
    assert [on for _, on in backend.told] == [True]

    def away() -> Client:
        raise Unreachable

    await Presence(away, FIRST, time).tell("c1", True)


async def test_nobody_waits_for_a_backend_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_presence, "LONGEST", 0.01)

    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    hung = Client("https://kelmu.test", _Token(), "device-1", httpx.MockTransport(hang))
    await Presence(lambda: hung, FIRST, Time()).tell("c1", True)


class _Token:
    async def access_token(self) -> str:
        return "token"

    async def invalidate(self, token: str) -> None:
        raise AssertionError(token)
