"""Sessions on the real store: places, leases, organisations, tokens and their end."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from kelmu_tui.api.contract import Tokens
from kelmu_tui.api.errors import SignInNeeded, Unreachable
from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.domain.capabilities import NOTICES_INBOX, Reason, mandates, opens_for
from kelmu_tui.domain.organisations import OrganisationType
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services import session as sessions
from kelmu_tui.services.context import activate, open_context
from kelmu_tui.services.network import LedgerTokens, end_session, revoke_queued, token_secrets
from kelmu_tui.services.session import (
    ChooseOrganisation,
    LeaseOver,
    NoSuchOrganisation,
    NothingOpens,
    NotSignedIn,
    Session,
    put_secrets,
    secret,
)
from kelmu_tui.services.unsent import discard_unsent, unsent
from kelmu_tui.store import outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TODAY = date(2026, 11, 23)
FIRST, SECOND = "9900080-0", "9900050-1"
MANDATE = next(m.id for m in mandates().values() if NOTICES_INBOX in opens_for(m, OrganisationType.WELLBEING_COUNTY))


class Time:
    """A clock that tests and waits move."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOW).total_seconds()

    async def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def organisation(code: str, name: str, **changes: Any) -> dict[str, Any]:
    grant: dict[str, Any] = {
        "mandate": MANDATE,
        "kind": "mandate_to_act",
        "principal": code,
        "employer": code,
        "chain": [],
        "valid_from": "2026-01-01",
        "valid_to": None,
    }
    return {
        "business_id": code,
        "name": {"fi": name, "sv": f"{name} sv", "en": f"{name} en"},
        "type": "wellbeing_county",
        "county": "06",
        "municipalities": ["837"],
        "agreement_from": "2025-01-01",
        "agreement_to": None,
        "capabilities": [],
        "grants": [grant],
        "supervisor": False,
        **changes,
    }


def session_text(*organisations: dict[str, Any], **changes: Any) -> str:
    return json.dumps(
        {
            "user": {"id": "u1", "name": "Outi Rautio", "language": "fi"},
            "organisations": organisations or [organisation(FIRST, "Pirkanmaa")],
            "announcements": [],
            "lease": {"id": "l1", "until": (NOW + timedelta(hours=12)).isoformat()},
            "server_time": NOW.isoformat(),
            "demo": True,
            **changes,
        }
    )


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile("demo", tmp_path / "data" / "demo", tmp_path / "settings.toml")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(profile: Profile, time: Time) -> Iterator[Store]:
    folder = sessions.user_folder(profile, "", "u1")
    for parent in (profile.root, profile.users):
        parent.mkdir(parents=True, exist_ok=True)
    opened = Store.open(folder, DemoKeys(folder, profile), time, SeededIds(1))
    put_secrets(opened, {"session": session_text(), "device": "d" * 32})
    sessions.make_current(profile, folder)
    yield opened
    opened.close()


# --- places ---------------------------------------------------------------------------------------------------------


def test_a_folder_tells_neither_user_nor_address(profile: Profile) -> None:
    other = Profile("default", profile.root.parent / "default", profile.settings)
    name = sessions.folder_name(other, "https://kelmu.example.fi", "outi.rautio")
    assert len(name) == 16
    assert name != sessions.folder_name(other, "https://other.example.fi", "outi.rautio")
    # The demo listens on another port each time and stays the same demo.
    assert sessions.folder_name(profile, "http://127.0.0.1:1", "x") == sessions.folder_name(
        profile, "http://[::1]:2", "x"
    )


def test_the_one_signed_in_last_is_found(profile: Profile, store: Store) -> None:
    assert sessions.current_folder(profile) == store.folder
    assert sessions.find_folder(profile, "u1") == store.folder
    assert sessions.find_folder(profile, store.folder.name) == store.folder
    with pytest.raises(NotSignedIn):
        sessions.find_folder(profile, "nobody")
    for content in ("", "../../etc", "zz", "0123456789abcdef"):
        (profile.root / "current").write_text(content)
        with pytest.raises(NotSignedIn):
            sessions.current_folder(profile)


def test_the_device_has_one_number_for_good(profile: Profile) -> None:
    first = sessions.device(profile, SeededIds(1))
    assert sessions.device(profile, SeededIds(2)) == first
    (profile.root / "device").write_text("garbage")
    assert sessions.device(profile, SeededIds(2)) != first


# --- lease and organisations ----------------------------------------------------------------------------------------


def test_a_context_opens_offline(profile: Profile, store: Store, time: Time) -> None:
    store.close()
    with open_context(profile, ask=lambda _: "", clock=time, ids=SeededIds(2)) as context:
        assert context.active.organisation.business_id == FIRST
        assert NOTICES_INBOX in context.active.capabilities
        assert (context.active.user_id, context.active.device, context.active.lease) == ("u1", "d" * 32, "l1")
        assert sum(context.inbox.counts().values()) == 0


def test_nothing_is_shown_after_the_lease_even_with_the_clock_turned_back(store: Store, time: Time) -> None:
    session = Session(store, time)
    session.activate(None, TODAY)
    time.at = NOW + timedelta(hours=12)
    session.check_lease()
    time.at += timedelta(seconds=1)
    with pytest.raises(LeaseOver):
        session.check_lease()
    with store.write() as db:
        db.execute("INSERT INTO replica.state VALUES ('synced_at', ?)", ((NOW + timedelta(hours=13)).isoformat(),))
    time.at = NOW - timedelta(days=365)
    with pytest.raises(LeaseOver):
        session.check_lease()


def test_the_feed_prolongs_the_lease(store: Store, time: Time) -> None:
    session = Session(store, time)
    session.activate(None, TODAY)
    until = NOW + timedelta(hours=30)
    with store.write() as db:
        db.execute("INSERT INTO replica.state VALUES ('lease', 'l2'), ('lease_until', ?)", (until.isoformat(),))
    assert session.lease() == ("l2", until)


def test_one_of_several_organisations_is_chosen_once(store: Store, time: Time) -> None:
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa"), organisation(SECOND, "Varsinais"))})
    session = Session(store, time)
    with pytest.raises(ChooseOrganisation) as asked:
        session.activate(None, TODAY)
    assert len(asked.value.organisations) == 2
    for wrong in ("", "X", "9900001-1"):
        with pytest.raises(NoSuchOrganisation):
            session.activate(wrong, TODAY)
    assert session.activate("varsinais sv", TODAY).organisation.business_id == SECOND
    assert session.activate(None, TODAY).organisation.business_id == SECOND
    assert store.organisation == SECOND
    assert session.activate(FIRST, TODAY).organisation.business_id == FIRST
    assert store.organisation == FIRST


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"agreement_from": None}, Reason.NO_AGREEMENT),
        ({"agreement_to": "2026-11-22"}, Reason.NO_AGREEMENT),
        ({"grants": []}, Reason.NO_MANDATE),
        ({"type": "reception_centre"}, Reason.ORGANISATION_TYPE),
    ],
)
def test_what_opens_nothing_is_explained(store: Store, time: Time, changes: dict[str, Any], reason: Reason) -> None:
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa", **changes))})
    with pytest.raises(NothingOpens) as told:
        Session(store, time).activate(None, TODAY)
    assert told.value.why is not None
    assert told.value.why.reason is reason


def test_a_mandate_that_ended_since_the_answer_closes(store: Store, time: Time) -> None:
    made = organisation(FIRST, "Pirkanmaa", capabilities=[NOTICES_INBOX])
    made["grants"][0]["valid_to"] = "2026-11-23"
    put_secrets(store, {"session": session_text(made)})
    session = Session(store, time)
    assert session.activate(None, TODAY).capabilities == {NOTICES_INBOX}
    with pytest.raises(NothingOpens):
        session.activate(None, TODAY + timedelta(days=1))


def test_no_organisation_at_all(store: Store, time: Time) -> None:
    put_secrets(store, {"session": json.dumps({**json.loads(session_text()), "organisations": []})})
    with pytest.raises(NothingOpens) as told:
        Session(store, time).activate(None, TODAY)
    assert told.value.organisation is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"user": 5}', '{"user": {}, "lease": {}}'])
def test_an_unreadable_session_is_none(store: Store, time: Time, text: str) -> None:
    put_secrets(store, {"session": text})
    with pytest.raises(NotSignedIn):
        Session(store, time).known()


# --- tokens ---------------------------------------------------------------------------------------------------------


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
    assert not Session(store, time).signed_in()


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
    Session(store, time).activate(None, TODAY)
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
        Session(store, time).known()


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
    first = activate(profile, store, FIRST, time, SeededIds(4))
    second = activate(profile, store, SECOND, time, SeededIds(4))
    assert (first.active.organisation.business_id, second.active.organisation.business_id) == (FIRST, SECOND)
    assert second.inbox is second.inbox
