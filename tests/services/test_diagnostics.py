"""The diagnostics tell where things stand, and nothing of anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.cli.output import to_json
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.services.diagnostics import Diagnostics, ScopeState, as_data, examine, host
from kelmu_tui.services.diagnostics_text import error_text, status_lines
from kelmu_tui.services.session import Session, put_secrets
from kelmu_tui.store import feed, outbox, troubles, views
from kelmu_tui.store.database import LEDGER_FILE, Store
from kelmu_tui.store.outbox import Draft, State, stamp
from kelmu_tui.store.page import Page
from kelmu_tui.store.schema import LEDGER_VERSION, REPLICA_VERSION
from kelmu_tui.store.troubles import Part, Trouble
from kelmu_tui.store.views import ViewEvent
from kelmu_tui.sync.leader import Lead, LeaderLock
from tests.services.signed_in import FIRST, NOW, Time
from tests.store.build import fill, notice, trace

EPOCH = "0123456789abcdef0123456789abcdef"
NEEDLES = (
    "Outi", "Rautio", "u1", "Salainen", "Aino", "010190-900X", "Salainentie", "Soitettu", "n1", "/home",
    "secret-token", "kayttaja", "d" * 9, EPOCH[:9],
)  # fmt: skip
"""Names, ids, texts, places and secrets that the store of these tests holds."""


def examined(store: Store, time: Time, *, leading: bool = False) -> Diagnostics:
    return examine(store, Session(store), leading=leading)


def page(**changes: Any) -> Page:
    values: dict[str, Any] = {
        "kind": "reset",
        "epoch": EPOCH,
        "cursor": "secret-token-cursor",
        "seq": 40,
        "more": False,
        "changes": [],
        "granted": [f"notices:{FIRST}", "announcements"],
        "added": [],
        "revoked": [],
        "session_revision": 7,
        "lease": "l2",
        "lease_until": NOW + timedelta(hours=10),
        "at": NOW - timedelta(minutes=3),
    }
    return Page(**(values | changes))


def give(store: Store, id_: str, aggregate: str, **label: Any) -> None:
    draft = Draft("u1", FIRST, aggregate, "note", {"text": "Soitettu Ainolle"}, label, 1, "l1")
    with store.write() as db:
        outbox.append(db, draft, id=id_, now=NOW - timedelta(minutes=4))


def busy(store: Store) -> None:
    """Fill the store with everything that must not come out of it again, and with what should."""
    store.attach(FIRST)
    with store.write("replica") as db:
        feed.apply(db, page())
        generation = next(s.filling for s in feed.state(db).scopes if s.name == f"notices:{FIRST}")
        assert generation is not None
        feed.expect(db, f"notices:{FIRST}", generation, EPOCH, 3)
        rows = [notice(f"n{number}", family="Salainen", free_text="Soitettu") for number in (1, 2)]
        feed.fill(db, f"notices:{FIRST}", generation, EPOCH, rows)
    give(store, "aaaaaaaabbbb", "n1", customer="Salainen, Aino")
    give(store, "ccccccccdddd", "n2", customer="Salainen, Aino")
    with store.write() as db:
        frozen = outbox.freeze(db, "aaaaaaaabbbb")
        assert frozen is not None
        told = {"code": "timeout", "request_id": "request-1"}
        outbox.postpone(db, "aaaaaaaabbbb", due_at=NOW + timedelta(minutes=1), problem=told)
    with store.write() as db:
        outbox.freeze(db, "ccccccccdddd")
        outbox.refuse(db, "ccccccccdddd", {"code": "rule_refused", "rule": "not_taken"}, json.dumps(notice("n2")), NOW)
    for number in (1, 2, 3):
        with store.write() as db:
            views.log(db, ViewEvent(NOW, "u1", FIRST, "notice", "n1", number, None))
    with store.write() as db:
        db.execute("UPDATE main.view_event SET received_at = ? WHERE number = 1", (stamp(NOW),))
    for minute in (5, 4):
        at = NOW - timedelta(minutes=minute)
        troubles.note(store, Trouble(Part.PUSH, "internal", 500, f"request-{minute}", at))
    troubles.note(store, Trouble(Part.PULL, "unreachable", None, "Aino Salainen", NOW))
    put_secrets(
        store,
        {
            "refresh_token": "secret-token",
            "access_token": "secret-token",
            "backend": "https://kayttaja@kelmu.example:8443/secret-token",
        },
    )


def test_it_tells_where_the_feed_stands_and_how_old_things_are(store: Store, time: Time) -> None:
    busy(store)
    found = examined(store, time)
    assert found.feed is not None
    assert (found.feed.epoch, found.feed.seq, found.feed.checkpoint) == (EPOCH[:8], 40, feed.NO_CHECKPOINT)
    scopes = {scope.name: scope[1:] for scope in found.feed.scopes}
    assert scopes == {
        f"notices:{FIRST}": (ScopeState.FILLING, 0, 2, 3),
        "announcements": (ScopeState.FILLING, 0, 0, 0),
    }
    assert found.ages == (NOW - timedelta(minutes=3), NOW + timedelta(hours=12), 7, True)
    assert (found.backend, found.device) == ("kelmu.example:8443", "d" * 8)


def test_a_filled_scope_is_live(store: Store, time: Time) -> None:
    store.attach(FIRST)
    fill(store, [notice("n1"), trace("n2")])
    found = examined(store, time)
    assert found.feed is not None
    assert {scope.state for scope in found.feed.scopes} == {ScopeState.LIVE}
    assert [scope.generation for scope in found.feed.scopes if scope.name.startswith("notices:")] == [1]


def test_it_tells_the_queue_and_the_oldest_that_waits(store: Store, time: Time) -> None:
    busy(store)
    queue = examined(store, time).queue
    assert queue.states == {"queued": 1, "refused": 1}
    assert queue.conflicts == 1
    assert queue.oldest == (
        "aaaaaaaa",
        "note",
        State.QUEUED,
        NOW - timedelta(minutes=4),
        1,
        NOW + timedelta(minutes=1),
        "timeout",
        "request-1",
    )


def test_it_tells_errors_the_newest_first_and_drops_what_is_no_request_id(store: Store, time: Time) -> None:
    busy(store)
    lines = [line[:5] for line in examined(store, time).troubles]
    assert lines == [(Part.PULL, "unreachable", None, "", 1), (Part.PUSH, "internal", 500, "request-4", 2)]


def test_it_measures_the_files(store: Store, time: Time) -> None:
    busy(store)
    found = examined(store, time)
    storage = found.storage
    assert storage.keys == "demo"
    sizes = {file.name: file.bytes for file in storage.files}
    assert {LEDGER_FILE, f"{LEDGER_FILE}-wal", f"replica-{FIRST}.db", f"replica-{FIRST}.db-wal"} <= sizes.keys()
    assert sizes[LEDGER_FILE] == (store.folder / LEDGER_FILE).stat().st_size
    ledger, replica = storage.databases
    assert (ledger.name, ledger.version, replica.name, replica.version) == (
        "ledger", LEDGER_VERSION, "replica", REPLICA_VERSION,
    )  # fmt: skip
    assert (ledger.rows["command"], ledger.rows["view_event"], replica.rows["notice"]) == (2, 3, 2)
    assert "notice_text_data" not in replica.rows
    assert 0 <= ledger.free < ledger.pages
    assert found.unshipped == 2


def test_free_pages_are_told(store: Store, time: Time) -> None:
    for number in range(200):
        give(store, f"c{number}", f"n{number}", customer="x" * 400)
    with store.write() as db:
        db.execute("DELETE FROM main.command")
    assert examined(store, time).storage.databases[0].free > 10


def test_a_file_that_was_set_aside_is_told(store: Store, time: Time) -> None:
    store.attach(FIRST)
    store.detach()
    path = store.folder / f"replica-{FIRST}.db"
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    path.write_bytes(b"garbage" * 1000)
    store.attach(FIRST)
    (incident,) = examined(store, time).storage.incidents
    assert (incident.file, incident.kind, incident.at) == (path.name, "wrong_key", NOW)


def test_it_tells_who_leads(store: Store, time: Time) -> None:
    assert examined(store, time).leader == (Lead.NOBODY, None)
    assert not (store.folder / "sync.lock").exists()  # a look at it is no sign of life
    lock = LeaderLock(store.folder)
    assert lock.try_acquire()
    lock.beat(NOW - timedelta(seconds=30))
    assert examined(store, time).leader == (Lead.ANOTHER, NOW - timedelta(seconds=30))
    assert examined(store, time, leading=True).leader == (Lead.THIS, NOW - timedelta(seconds=30))
    lock.release()
    assert examined(store, time).leader == (Lead.NOBODY, NOW - timedelta(seconds=30))


def test_without_an_organisation_there_is_no_place_in_the_feed(store: Store, time: Time) -> None:
    found = examined(store, time)
    assert found.feed is None
    assert [database.name for database in found.storage.databases] == ["ledger"]


def test_nothing_personal_is_in_it_in_any_language(store: Store, time: Time, tmp_path: Path) -> None:
    busy(store)
    found = examined(store, time, leading=True)
    texts = [json.dumps(as_data(found), default=to_json)]
    texts += ["\n".join(map(" ".join, status_lines(found, Translator(name), NOW))) for name in LANGUAGES]
    for text in texts:
        assert [needle for needle in (*NEEDLES, str(tmp_path)) if needle in text] == []
    # The needles are where they would be found.
    with store.read() as db:
        held = [str(row) for table in ("command", "secret", "conflict") for row in db.execute(f"SELECT * FROM {table}")]
    for needle in ("Salainen", "Aino", "Soitettu", "secret-token", "010190-900X"):
        assert any(needle in row for row in held)


def test_json_names_every_field(store: Store, time: Time) -> None:
    busy(store)
    data = json.loads(json.dumps(as_data(examined(store, time)), default=to_json))
    assert data["queue"]["oldest"]["attempts"] == 1
    assert data["leader"] == {"who": "nobody", "beat_at": None}
    assert data["feed"]["scopes"][0]["state"] == "filling"
    assert data["storage"]["databases"][1]["rows"]["notice"] == 2
    assert isinstance(data["storage"]["files"], list)


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_are_told_what_is_not_as_it_should_be(store: Store, time: Time, language: str) -> None:
    t = Translator(language)
    quiet = dict(status_lines(examined(store, time), t, NOW))
    assert list(quiet) == [t("diagnostics.store_size")]
    busy(store)
    told: Mapping[str, str] = dict(status_lines(examined(store, time, leading=True), t, NOW))
    assert told[t("diagnostics.views")] == "2"
    assert "aaaaaaaa" in told[t("diagnostics.oldest")]
    assert "unreachable" in told[t("diagnostics.last_error")]
    assert told[t("diagnostics.leading")] == t("diagnostics.leader.this")


def test_an_error_has_a_text_even_if_nobody_here_knows_its_code() -> None:
    t = Translator("en")
    assert error_text(t, "timeout") == t("errors.api.timeout")
    assert error_text(t, "store_full") == t("errors.store.store_full")
    assert error_text(t, "of_tomorrow") == t("errors.api.internal")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://kelmu.example/path?token=x", "kelmu.example"),
        ("https://user:word@kelmu.example:8443", "kelmu.example:8443"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://x:port", ""),
        ("", ""),
    ],
)
def test_only_the_host_of_an_address_is_told(url: str, shown: str) -> None:
    assert host(url) == shown
