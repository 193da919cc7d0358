"""The terminal's own sign-in client against this server: both sides of RFC 8628 understand each other."""

from __future__ import annotations

import httpx
import pytest

from kelmu_backend.identity import tokens
from kelmu_tui.api.sign_in import GrantRefused, SignIn, SignInRefused
from tests.identity.conftest import House


def _terminal(house: House, waits: list[float]) -> SignIn:
    async def wait(seconds: float) -> None:
        waits.append(seconds)
        house.clock.pass_by(seconds=seconds)

    transport = httpx.ASGITransport(house.app, client=("192.0.2.1", 50_000))
    return SignIn("http://127.0.0.1", device="device-1", clock=house.clock, wait=wait, transport=transport)


async def test_from_the_code_to_sign_out(house: House) -> None:
    waits: list[float] = []
    async with _terminal(house, waits) as terminal:
        begun = await terminal.start("työasema")
        personas = await terminal.personas()
        await terminal.approve(begun.user_code, personas[0].id)
        held = await terminal.poll(begun)
        assert waits == [1]
        principal = tokens.verify_access_token(house.config, house.database, held.access_token, house.clock.now())
        assert (principal.user, principal.device) == (personas[0].id, "device-1")
        assert held.refresh_token is not None
        renewed = await terminal.refresh(held.refresh_token)
        assert renewed.refresh_token is not None
        await terminal.revoke(renewed.refresh_token)
        with pytest.raises(GrantRefused):
            await terminal.refresh(renewed.refresh_token)


async def test_waiting_ends_with_the_code(house: House) -> None:
    waits: list[float] = []
    async with _terminal(house, waits) as terminal:
        begun = await terminal.start()
        with pytest.raises(Exception, match="expired_token"):
            await terminal.poll(begun)
    assert sum(waits) == begun.expires_in
    assert set(waits) == {1.0}


async def test_a_wrong_code_is_refused(house: House) -> None:
    async with _terminal(house, []) as terminal:
        with pytest.raises(SignInRefused):
            await terminal.approve("BCDFG-HJKLM", "aino")
