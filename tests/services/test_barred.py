"""A ledger that was found to be an old or an altered copy shows nothing of customers before the next sign-in; a
sign-out tells of what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import SessionInfo, Tokens
from kelmu_tui.api.errors import SignInNeeded, Unreachable
from kelmu_tui.cli.exits import Exit
from kelmu_tui.cli.faults import explain
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.platform.ids import RandomIds, SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import activate
from kelmu_tui.services.inbox import Inbox
from kelmu_tui.services.network import complete, end_session
from kelmu_tui.services.session import secret
from kelmu_tui.store import chain, views
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.store.errors import ViewsBarred
from kelmu_tui.store.rows import View
from kelmu_tui.sync.status import figures
from tests.services.signed_in import Time, session_text
from tests.services.test_inbox import ALL, SESSION
from tests.store.build import OWN, FixedClock, fill, notice, open_store
from tests.sync.simulation.record import Record, build
from tests.sync.terminal import Backend
from tests.sync.viewing import look


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[tuple[Store, Inbox]]:
    clock = FixedClock()
    store = open_store(tmp_path / "one", clock)
    store.attach(OWN)
    fill(store, [notice("n1"), notice("n2")])
    yield store, Inbox(store, SESSION, clock, RandomIds())
    store.close()


def bar(store: Store) -> None:
    with store.write() as db:
        chain.bar(db, "view_chain_forked")


def logged(store: Store) -> int:
    with store.read() as db:
        return views.newest(db)


def test_nothing_is_shown_or_logged_after_the_alarm(inbox: tuple[Store, Inbox]) -> None:
    store, service = inbox
    assert service.read("n1") is not None
    assert not figures(store).barred
    bar(store)
    assert figures(store).barred
    before = logged(store)
    asked: list[Callable[[], object]] = [
        lambda: service.read("n1"),
        lambda: service.preview("n2"),
        lambda: service.page(ALL),
        lambda: service.lines(ALL, ["n1"]),
        lambda: service.count(ALL),
        lambda: service.counts(),
        lambda: service.rank(ALL, "n1"),
        lambda: service.log_list(ALL, 2),
        lambda: service.targets(["n1"]),
    ]
    for ask in asked:
        with pytest.raises(ViewsBarred):
            ask()
    assert logged(store) == before


def test_the_first_look_makes_the_chain_and_each_look_is_told_to_whoever_ships(inbox: tuple[Store, Inbox]) -> None:
    store, service = inbox
    heard: list[Changed] = []
    store.listen(heard.append)
    with store.read() as db:
        assert chain.read(db) is None
    service.log_list(ALL, 2)
    service.preview("n1")
    assert heard == [
        Changed(frozenset({"view_event"}), frozenset({f"list:{View.ALL.value}"})),
        Changed(frozenset({"view_event"}), frozenset({"preview"})),
    ]
    with store.read() as db:
        found = chain.read(db)
    assert found is not None
    assert (len(found.id), len(bytes.fromhex(found.seed)), found.known, found.alarm) == (32, 32, False, None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_line_says_so_and_leads_to_the_sign_in(language: str) -> None:
    told = explain(ViewsBarred(), Translator(language))
    assert (told.exit, told.code) == (Exit.NOT_SIGNED_IN, "views_barred")
    assert len(told.message) > 60


class Session:
    """A client that only knows who signs in."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def session(self) -> SessionInfo:
        """Return the session."""
        return SessionInfo.model_validate_json(self._text)

    async def close(self) -> None:
        """Nothing is open."""


async def sign_in(profile: Profile, store: Store, time: Time) -> None:
    tokens = Tokens(access_token="a1", token_type="Bearer", expires_in=600, refresh_token="r1")

    def client(_: str) -> Client:
        return Session(session_text())  # type: ignore[return-value]

    again = await complete(
        profile, "", tokens, clock=time, ids=SeededIds(9), ask=lambda _: "", client=client, opened=store
    )
    assert again is store


async def test_a_sign_in_begins_another_chain_with_what_was_not_told(
    profile: Profile, store: Store, time: Time
) -> None:
    event = views.ViewEvent(time.now(), "u1", OWN, "notice", "n1", 1, None)
    with store.write() as db:
        chain.ensure(db, store.ids)
        for subject in ("told", "kept", "kept-too"):
            views.log(db, event._replace(subject=subject))
        views.received(db, 1, "2026-11-23T08:00:00.000000+00:00")
        before = chain.read(db)
    await sign_in(profile, store, time)
    with store.read() as db:
        assert chain.read(db) == before, "a ledger in order goes on as it was"
    bar(store)
    with pytest.raises(ViewsBarred):
        activate(profile, store, None, SeededIds(1))
    await sign_in(profile, store, time)
    activate(profile, store, None, SeededIds(1))
    with store.read() as db:
        after = chain.read(db)
        rows = db.execute("SELECT number, body ->> 'number', body ->> 'subject' FROM view_event").fetchall()
        assert views.verify(db) is None
    assert rows == [(1, 1, "kept"), (2, 2, "kept-too")]
    assert before is not None
    assert after is not None
    assert (after.id != before.id, after.seed != before.seed, after.known, after.alarm) == (True, True, False, None)


# --- signing out ----------------------------------------------------------------------------------------------------


@pytest.fixture
def backend(tmp_path: Path, time: Time) -> Iterator[Backend]:
    build(tmp_path / "template.db")
    record = Record(tmp_path / "template.db", tmp_path, time, 1)  # type: ignore[arg-type]
    yield Backend(record)
    record.close()


@pytest.mark.parametrize("registered", [True, False])
async def test_a_sign_out_tells_what_was_seen(
    profile: Profile, store: Store, backend: Backend, registered: bool
) -> None:
    look(store, "n1")
    if registered:
        await end_session(profile, store, None, SeededIds(3), backend)
        assert backend.desk.told() == ["n1"]
        look(store, "n2")
        backend.error = SignInNeeded()
    await end_session(profile, store, None, SeededIds(4), backend)
    assert backend.desk.told() == (["n1", "n2"] if registered else ["n1"])
    assert secret(store, "session") is None


async def test_a_sign_out_without_a_connection_keeps_it_for_the_next_time(
    profile: Profile, store: Store, backend: Backend
) -> None:
    look(store, "n1")
    backend.error = Unreachable()
    await end_session(profile, store, None, SeededIds(3), backend)
    assert secret(store, "session") is None
    assert backend.desk.told() == []
    backend.error = None
    await end_session(profile, store, None, SeededIds(3), backend)
    assert backend.desk.told() == ["n1"]
