"""A ledger of every version ever released opens today with all that it held.

The digests freeze the steps: a released one is never edited, a new one is added below.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest

from kelmu_tui.platform.paths import Profile, private_folder
from kelmu_tui.store import claim_drafts, connection, drafts, files, outbox, views
from kelmu_tui.store.claim_rows import ClaimDraft
from kelmu_tui.store.database import LEDGER_FILE
from kelmu_tui.store.keys import DemoKeys
from kelmu_tui.store.migrations import STEPS, statements
from kelmu_tui.store.outbox import State
from tests.store.build import NOW, OWN
from tests.store.conftest import OpenStore

DIGESTS: Final = (
    *("1b50107f33ad", "a6fbfee2f4cb", "ea7dc8b67183", "c966e3293a78", "708f4e2ea77f"),
    *("7fc34fc5105e", "5e1a7d2ab464"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a ledger as the first version left it."""
    folder = tmp_path / "users" / "one"
    for path in (tmp_path / "users", folder):
        private_folder(path)
    key = DemoKeys(folder, Profile("demo", folder, folder)).key(LEDGER_FILE)
    files.create(folder / LEDGER_FILE)
    db = connection.connect(folder / LEDGER_FILE, key)
    for statement in statements(STEPS[0]):
        db.execute(statement)
    db.execute("PRAGMA user_version = 1")
    _first_version(db)
    db.close()
    return folder


def _first_version(db: Any) -> None:
    """Write what the first version wrote: a command without its answer, a refusal, a token, three views."""
    for number, state in ((1, "sending"), (2, "refused")):
        db.execute(
            "INSERT INTO command (id, user, organisation, aggregate, verb, payload, label, base_version, schema, lease,"
            " state, if_match, body, attempts, created_at) VALUES (?, 'u', ?, 'n1', 'note',"
            " '{\"text\": \"Soitettu\"}', '{}', 4, 1, 'lease', ?, 4, x'7b7d', 3, '2026-11-20T08:00:00.000000+00:00')",
            (f"c{number}", OWN, state),
        )
    db.execute(
        "INSERT INTO conflict VALUES ('c2', '2026-11-20T08:00:00.000000+00:00', 'version_conflict', NULL, NULL, NULL)"
    )
    db.execute("INSERT INTO secret VALUES ('refresh_token', 'opaque')")
    previous = bytes(32)
    for number, subject in enumerate((None, "n1", 'näytä "2"'), 1):
        values = [NOW.isoformat(), "u", OWN, "list" if subject is None else "notice", subject, 1, None]
        text = json.dumps([number, *values], ensure_ascii=False, separators=(",", ":"))
        own = hashlib.sha256(previous + text.encode()).digest()
        db.execute("INSERT INTO view_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, previous, own, *values))
        previous = own


def test_released_steps_are_never_edited() -> None:
    assert tuple(hashlib.sha256(step.encode()).hexdigest()[:12] for step in STEPS) == DIGESTS


def test_the_first_version_keeps_commands_conflicts_and_secrets(folder: Path, opened: OpenStore) -> None:
    with opened().read() as db:
        found = outbox.command(db, "c1")
        assert found is not None
        assert (found.state, found.if_match, found.body, found.attempts) == (State.SENDING, 4, b"{}", 3)
        assert outbox.open_conflicts(db) == 1
        assert db.execute("SELECT value FROM secret").fetchall() == [("opaque",)]


def test_an_old_ledger_takes_drafts(folder: Path, opened: OpenStore) -> None:
    owner = drafts.Owner("u", OWN, "note")
    with opened().write() as db:
        drafts.save(db, owner, ["n1"], {"text": "Soitin"}, {}, id="d1", now=NOW)
        assert drafts.find(db, owner, ["n1"], NOW) is not None


def test_an_old_ledger_takes_drafts_of_claims(folder: Path, opened: OpenStore) -> None:
    owner, kept = claim_drafts.Owner("u", OWN), ClaimDraft("d1", None, "", "", {"amount": "12"}, NOW)
    with opened().write() as db:
        claim_drafts.save(db, owner, kept)
        assert claim_drafts.find(db, owner, "d1", NOW) == kept


def test_the_chain_of_views_goes_on_unbroken(folder: Path, opened: OpenStore) -> None:
    store = opened()
    with store.write() as db:
        assert views.verify(db) is None
        assert views.log(db, views.ViewEvent(NOW, "u", OWN, "preview", "n3", 1, None)) == 4
    with store.read() as db:
        assert views.verify(db) is None
        assert db.execute("SELECT count(*) FROM view_event WHERE received_at IS NULL").fetchone() == (4,)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_was_done_to_an_old_chain_still_shows(folder: Path, opened: OpenStore, number: int) -> None:
    store = opened()
    with store.write() as db:
        db.execute("UPDATE view_event SET body = replace(body, 'u', 'v') WHERE number = ?", (number,))
        assert views.verify(db) == number
