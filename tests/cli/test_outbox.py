"""`kelmu outbox`: everything of one command, its text alone for a pipe, and a way out of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kelmu_backend import policy
from kelmu_backend.database.engine import Database
from kelmu_backend.serve import database_url
from kelmu_tui.cli.exits import Exit
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds, SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.session import current_folder
from kelmu_tui.store import drafts
from kelmu_tui.store.database import Store
from kelmu_tui.store.drafts import Owner
from kelmu_tui.store.keys import DemoKeys
from tests.cli.conftest import Kelmu
from tests.screens.support import HOSTILE

WORKER, COLLEAGUE = "persona-county-worker", "persona-county-colleague"

pytestmark = pytest.mark.xdist_group("demo-backend")


@pytest.fixture
def at_work(demo: Kelmu) -> Iterator[Kelmu]:
    """A worker and a colleague who have signed in; nothing of a test waits before or after it."""
    for persona in (COLLEAGUE, WORKER):
        assert demo("sign-in", "--persona", persona).code == Exit.OK
        assert demo("sync", "--wait", "60").code == Exit.OK
    _empty(demo)
    yield demo
    _empty(demo)


def _empty(demo: Kelmu) -> None:
    for row in demo("outbox", "list", "--json").data["commands"]:
        demo("outbox", "discard", row["id"], "--yes")


@pytest.fixture
def nothing_open(demo_home: Path) -> Iterator[None]:
    """The worker's mandates are gone for the length of a test."""
    database = Database(database_url(demo_home / "data" / "demo" / "backend" / "data"))
    with database.write() as connection:
        before = policy.grants(connection, WORKER)
    yield
    with database.write() as connection:
        policy.replace_grants(connection, WORKER, before)
    database.dispose()


def new(demo: Kelmu) -> str:
    """Return a notice that nobody has taken."""
    rows = demo("inbox", "list", "--json", "--limit", "500").data["notices"]
    return next(str(row["id"]) for row in rows if row["status"] == "new")


def refused(demo: Kelmu) -> tuple[str, str]:
    """Return a notice and an own command on it that came after a colleague's."""
    notice = new(demo)
    assert demo("inbox", "handle", notice, "--user", COLLEAGUE, "--wait", "20").code == Exit.OK
    late = demo("inbox", "take", notice, "--json", "--wait", "20")
    assert late.code == Exit.REFUSED
    return notice, str(late.data["results"][0]["command"])


def test_a_refusal_is_told_whole_and_dropped(at_work: Kelmu) -> None:
    notice, command = refused(at_work)
    found = at_work("outbox", "show", command[:10], "--json").data
    assert (found["id"], found["notice"], found["state"]) == (command, notice, "refused")
    assert found["present"]["status"] == "handled"
    assert "customer" not in found["present"]
    assert found["problem"]["request_id"]
    shown = at_work("outbox", "show", command, "--lang", "en")
    assert shown.code == Exit.OK
    assert "Now: " in shown.out
    assert "marked the notice as handled" in shown.out
    assert found["problem"]["request_id"] in shown.out

    ran = at_work("outbox", "reload", command, "--json")
    assert (ran.code, ran.data) == (Exit.OK, {"reloaded": [command], "failed": []})
    again = at_work("outbox", "reload", command, "--json")
    assert (again.code, again.data["failed"]) == (Exit.REFUSED, [{"id": command, "reason": "state"}])
    assert at_work("outbox", "show", command, "--json").data["state"] == "discarded"
    assert at_work("outbox", "reload", "ffffffff").code == Exit.NOT_FOUND


def test_the_text_alone_goes_into_a_pipe(at_work: Kelmu, monkeypatch: pytest.MonkeyPatch) -> None:
    notice, text = new(at_work), "Soitin klo 9.\nEi vastausta, äiti soittaa takaisin."
    given = at_work("inbox", "note", notice, "--text", text, "--no-wait", "--json")
    command = given.data["results"][0]["command"]
    ran = at_work("outbox", "show", command, "--text")
    assert (ran.code, ran.out, ran.err) == (Exit.OK, f"{text}\n", "")
    assert at_work("outbox", "show", command, "--text", "--json").data == {"id": command, "text": text}
    assert "  Ei vastausta" in at_work("outbox", "show", command).out
    taken = at_work("inbox", "take", notice, "--no-wait", "--json").data["results"][0]["command"]
    silent = at_work("outbox", "show", taken, "--text")
    assert (silent.code, silent.out) == (Exit.OK, "")
    assert silent.err
    assert at_work("outbox", "show", "ffffffff", "--json").code == Exit.NOT_FOUND


def keep_draft(home: Path, text: str) -> str:
    """Type in the app's dialog without giving it."""
    profile = Profile("demo", home / "data" / "demo", home / "settings.toml")
    folder = current_folder(profile)
    id_ = RandomIds().new()
    with closing(Store.open(folder, DemoKeys(folder, profile), SystemClock(), SeededIds(1))) as store:
        payload: dict[str, Any] = {"text": text}
        with store.write() as db:
            now = store.clock.now()
            drafts.save(db, Owner(WORKER, "x", "note"), [id_], payload, {"kind": "social_work_need"}, id=id_, now=now)
    return id_


def test_drafts_are_listed_shown_and_discarded(at_work: Kelmu, demo_home: Path) -> None:
    draft = keep_draft(demo_home, f"Kesken {HOSTILE}")
    (row,) = at_work("outbox", "list", "--json").data["commands"]
    assert (row["id"], row["state"], row["label"]["count"]) == (draft, "draft", 1)
    shown = at_work("outbox", "show", draft)
    assert "Kesken" in shown.out
    alone = at_work("outbox", "show", draft, "--text")
    for ran in (shown, alone):
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
    assert at_work("outbox", "retry", draft, "--no-wait").code == Exit.REFUSED
    assert at_work("outbox", "discard", draft, "--yes").code == Exit.OK
    assert at_work("outbox", "list", "--json").data["commands"] == []


@pytest.mark.usefixtures("nothing_open")
def test_what_was_written_can_be_read_when_no_organisation_is_open(at_work: Kelmu, demo_home: Path) -> None:
    notice = new(at_work)
    given = at_work("inbox", "note", notice, "--text", "Soitan huomenna", "--no-wait", "--json")
    command = given.data["results"][0]["command"]
    draft = keep_draft(demo_home, "Kesken")
    database = Database(database_url(demo_home / "data" / "demo" / "backend" / "data"))
    with database.write() as connection:
        policy.replace_grants(connection, WORKER, [])
    database.dispose()
    assert at_work("sync", "--wait", "60").code == Exit.NOT_ALLOWED
    assert at_work("inbox", "list").code == Exit.NOT_ALLOWED
    assert at_work("outbox", "show", command, "--text").out == "Soitan huomenna\n"
    own = at_work("outbox", "show", draft, "--text")
    assert own.out == "Kesken\n", own
    listed = at_work("outbox", "list", "--json")
    assert "customer" not in listed.out
    states = {row["id"]: row["state"] for row in listed.data["commands"]}
    assert (states[draft], states[command] in ("refused", "undeliverable")) == ("draft", True)
    for id_ in (command, draft):
        assert at_work("outbox", "discard", id_, "--yes").code == Exit.OK
