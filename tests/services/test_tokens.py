"""Tokens on the real store: renewed once, safe in a crash, and revoked at the end."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from kelmu_tui.api.contract import Tokens
from kelmu_tui.api.errors import SignInNeeded, Unreachable
from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services import session as sessions
from kelmu_tui.services.context import activate
from kelmu_tui.services.network import LedgerTokens, end_session, revoke_queued, token_secrets
from kelmu_tui.services.session import (
    NotSignedIn,
    Session,
    put_secrets,
    secret,
)
from kelmu_tui.services.unsent import discard_unsent, unsent
from kelmu_tui.store import outbox
from kelmu_tui.store.database import Store
from tests.services.signed_in import FIRST, NOW, SECOND, TODAY, Time, organisation, session_text


class Server:
    """An authorization server as far as refreshing goes: the previous token counts until the new one was used."""

    def __init__(self) -> None:
        self.number = 1
        self.refreshed: list[str] = []
        self.revoked: list[str] = []
        self.fail: Callable[[], httpx.Response] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        if self.fail is not None:
            return self.fail()
        if request.url.path == "/oauth/revoke":
            self.revoked.append(form["token"])
            return httpx.Response(200)
        self.refreshed.append(form["refresh_token"])
        given = int(form["refresh_token"].removeprefix("r"))
        if given not in (self.number, self.number - 1):
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.number = given + 1
        tokens = {"access_token": f"a{given + 1}", "token_type": "Bearer", "expires_in": 600}
        return httpx.Response(200, json={**tokens, "refresh_token": f"r{given + 1}"})


def away() -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.fixture
def server() -> Server:
    return Server()


def tokens_of(store: Store, time: Time, server: Server) -> LedgerTokens:
    sign_in = SignIn("http://127.0.0.1:1", clock=time, transport=httpx.MockTransport(server))
    return LedgerTokens(store, sign_in, time, wait=time.wait)


def keep(store: Store, time: Time) -> None:
    tokens = Tokens(access_token="a1", expires_in=600, refresh_token="r1")
    put_secrets(store, token_secrets(tokens, time.now()))


async def test_a_token_is_used_until_shortly_before_its_end(store: Store, time: Time, server: Server) -> None:
    keep(store, time)
    source = tokens_of(store, time, server)
    assert await source.access_token() == "a1"
    time.at += timedelta(seconds=569)
    assert await source.access_token() == "a1"
    time.at += timedelta(seconds=2)
    assert await source.access_token() == "a2"
    assert (secret(store, "refresh_token"), secret(store, "access_token")) == ("r2", "a2")


async def test_many_askers_renew_once(store: Store, time: Time, server: Server) -> None:
    keep(store, time)
    time.at += timedelta(hours=1)
    source = tokens_of(store, time, server)
    assert set(await asyncio.gather(*(source.access_token() for _ in range(20)))) == {"a2"}
    assert server.refreshed == ["r1"]


async def test_two_terminals_renew_once(store: Store, time: Time, server: Server) -> None:
    keep(store, time)
    time.at += timedelta(hours=1)
    sources = [tokens_of(store, time, server) for _ in range(2)]
    assert await asyncio.gather(*(source.access_token() for source in sources)) == ["a2", "a2"]
    assert server.refreshed == ["r1"]


async def test_a_refused_token_is_replaced(store: Store, time: Time, server: Server) -> None:
    keep(store, time)
    source = tokens_of(store, time, server)
    await source.invalidate("a1")
    assert await source.access_token() == "a2"
    assert await source.access_token() == "a2"


async def test_a_crash_between_answer_and_disk_signs_nobody_out(store: Store, time: Time, server: Server) -> None:
    keep(store, time)
    time.at += timedelta(hours=1)
    sign_in = SignIn("http://127.0.0.1:1", clock=time, transport=httpx.MockTransport(server))
    await sign_in.refresh("r1")  # the answer came and the process died before its commit
    assert await tokens_of(store, time, server).access_token() == "a2"
    assert server.refreshed == ["r1", "r1"]


async def test_a_backend_that_is_away_costs_nothing(store: Store, time: Time, server: Server) -> None:
    keep(store, time)
    time.at += timedelta(hours=1)
    server.fail = away
    source = tokens_of(store, time, server)
    with pytest.raises(Unreachable):
        await source.access_token()
    assert secret(store, "refresh_token") == "r1"
    server.fail = None
    assert await source.access_token() == "a2"


async def test_an_ended_session_asks_for_a_sign_in_and_keeps_the_rest(store: Store, time: Time, server: Server) -> None:
    keep(store, time)
    time.at += timedelta(hours=1)
    server.number = 9
    source = tokens_of(store, time, server)
    with pytest.raises(SignInNeeded):
        await source.access_token()
    assert secret(store, "refresh_token") is None
    assert secret(store, "session") is not None
    with pytest.raises(SignInNeeded):
        await source.access_token()
    assert not Session(store).signed_in()


async def test_a_lock_held_for_ever_is_no_endless_wait(store: Store, time: Time, server: Server) -> None:
    keep(store, time)
    time.at += timedelta(hours=1)
    handle = os.open(store.folder / "tokens.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(Unreachable):
            await tokens_of(store, time, server).access_token()
    finally:
        os.close(handle)
    assert server.refreshed == []


# --- the end --------------------------------------------------------------------------------------------------------


async def test_signing_out_destroys_here_and_revokes_there(profile: Profile, store: Store, time: Time) -> None:
    server = Server()
    keep(store, time)
    Session(store).activate(None, TODAY)
    assert sessions.replicas(store.folder) == [FIRST]
    async with SignIn("http://127.0.0.1:1", transport=httpx.MockTransport(server)) as sign_in:
        assert await end_session(profile, store, sign_in, SeededIds(3))
    assert server.revoked == ["r1"]
    assert sessions.replicas(store.folder) == []
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM main.secret WHERE value IN ('r1', 'a1')").fetchone()[0] == 0
    with pytest.raises(NotSignedIn):
        sessions.current_folder(profile)
    with pytest.raises(NotSignedIn):
        Session(store).known()


async def test_signing_out_offline_revokes_later(profile: Profile, store: Store, time: Time) -> None:
    server = Server()
    server.fail = away
    keep(store, time)
    async with SignIn("http://127.0.0.1:1", transport=httpx.MockTransport(server)) as sign_in:
        assert not await end_session(profile, store, sign_in, SeededIds(3))
        assert secret(store, "refresh_token") is None
        assert await revoke_queued(store, sign_in) == 1
        server.fail = None
        assert await revoke_queued(store, sign_in) == 0
        assert server.revoked == ["r1"]
        assert await revoke_queued(store, sign_in) == 0
    assert server.revoked == ["r1"]


def test_unsent_commands_are_counted_and_discarded_by_will_only(store: Store, time: Time) -> None:
    draft = outbox.Draft("u1", FIRST, "n1", "take", {}, {}, 1, "l1")
    with store.write() as db:
        outbox.append(db, draft, id="c1", now=NOW)
        outbox.append(db, draft, id="c2", now=NOW)
        db.execute("UPDATE main.command SET state = 'sending', body = x'00' WHERE id = 'c1'")
    assert unsent(store) == 2
    assert discard_unsent(store, NOW) == 1
    assert unsent(store) == 1


def test_a_context_can_change_its_organisation(profile: Profile, store: Store, time: Time) -> None:
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa"), organisation(SECOND, "Varsinais"))})
    first = activate(profile, store, FIRST, SeededIds(4))
    second = activate(profile, store, SECOND, SeededIds(4))
    assert (first.active.organisation.business_id, second.active.organisation.business_id) == (FIRST, SECOND)
    assert second.inbox is second.inbox
