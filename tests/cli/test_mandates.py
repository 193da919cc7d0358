"""Mandates that end between two commands: the session is read again, data goes, what was given stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kelmu_backend import policy
from kelmu_backend.cli import main as backend
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.serve import database_url
from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.capabilities import Grant
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.clock import SystemClock
from tests.cli.conftest import Kelmu, Ran

WORKER, SEVERAL = "persona-supervisor", "persona-aland-joint-authority"
INBOX, APPLICATIONS = "social_assistance_and_social_care", "benefit_viewing_and_claims"

pytestmark = pytest.mark.xdist_group("demo-backend")

Regrant = Callable[[str, Callable[[Grant], bool]], None]


@pytest.fixture
def record(demo_home: Path) -> Iterator[Database]:
    """The record of the running demo."""
    database = Database(database_url(demo_home / "data" / "demo" / "backend" / "data"))
    yield database
    database.dispose()


@pytest.fixture
def keep(record: Database) -> Iterator[Regrant]:
    """Takes from a user every mandate that a test is not true of, and gives all of them back at the end."""
    before: dict[str, list[Grant]] = {}

    def change(user: str, wanted: Callable[[Grant], bool]) -> None:
        with record.write() as connection:
            before.setdefault(user, policy.grants(connection, user))
            policy.replace_grants(connection, user, [grant for grant in before[user] if wanted(grant)])

    yield change
    for user, grants in before.items():
        with record.write() as connection:
            policy.replace_grants(connection, user, grants)


@pytest.fixture
def at_work(demo: Kelmu) -> Kelmu:
    """A worker who has signed in and read everything; nothing of an earlier test waits."""
    assert demo("sign-in", "--persona", WORKER).code == Exit.OK
    assert demo("sync", "--wait", "60").code == Exit.OK
    for row in commands(demo):
        demo("outbox", "discard", row["id"], "--yes")
    return demo


def commands(demo: Kelmu) -> list[dict[str, Any]]:
    ran = demo("outbox", "list", "--json", "--user", WORKER)
    found: list[dict[str, Any]] = ran.data["commands"] if ran.code == Exit.OK else []
    return found


def new(demo: Kelmu) -> str:
    """Return a notice that nobody has taken."""
    rows = demo("inbox", "list", "--json", "--limit", "500").data["notices"]
    return next(str(row["id"]) for row in rows if row["status"] == "new")


def ended(ran: Ran) -> bool:
    """Tell whether a command ended because the organisation is closed to the user."""
    error = ran.document["error"]
    return (ran.code, error["code"], error["exit"]) == (Exit.NOT_ALLOWED, "access_ended", Exit.NOT_ALLOWED)


def replicas(demo_home: Path) -> set[str]:
    found = (demo_home / "data" / "demo" / "users").glob("*/replica-*.db")
    return {path.name.removeprefix("replica-").removesuffix(".db") for path in found}


def test_a_first_sync_tells_of_no_change(demo: Kelmu) -> None:
    assert demo("sign-in", "--persona", WORKER).code == Exit.OK
    ran = demo("sync", "--lang", "en", "--wait", "60")
    assert (ran.code, "mandates" in ran.err) == (Exit.OK, False)


def test_a_capability_that_was_lost_is_neither_shown_nor_open_any_more(at_work: Kelmu, keep: Regrant) -> None:
    before = set(at_work("status", "--json").data["capabilities"])
    keep(WORKER, lambda grant: grant.mandate == INBOX)
    ran = at_work("sync", "--lang", "en")
    assert (ran.code, "Your mandates have changed" in ran.err) == (Exit.OK, True)
    after = set(at_work("status", "--json").data["capabilities"])
    assert after < before
    assert "notices_inbox" in after
    again = at_work("sync", "--lang", "en")
    assert "Your mandates have changed" not in again.err
    keep(WORKER, lambda _: True)
    assert at_work("sync").code == Exit.OK
    assert set(at_work("status", "--json").data["capabilities"]) == before


def test_a_mandate_that_ended_between_two_commands(at_work: Kelmu, keep: Regrant) -> None:
    wanted = new(at_work)
    keep(WORKER, lambda grant: grant.mandate == APPLICATIONS)
    ran = at_work("inbox", "take", wanted, "--json", "--wait", "20", "--lang", "sv")
    (row,) = ran.data["results"]
    assert (ran.code, row["result"], row["reason"]) == (Exit.NOT_ALLOWED, "refused", "mandate_missing")
    assert "Din fullmakt att agera för" in ran.err
    closed = at_work("inbox", "list", "--json")
    assert closed.code == Exit.NOT_ALLOWED
    assert wanted not in closed.out
    keep(WORKER, lambda _: True)
    assert at_work("sync", "--wait", "60").code == Exit.OK
    (kept,) = commands(at_work)
    assert (kept["notice"], kept["state"], kept["conflict"]["code"]) == (wanted, "refused", "mandate_missing")
    assert at_work("outbox", "retry", kept["id"], "--wait", "20").code == Exit.OK
    assert wanted in [r["id"] for r in at_work("inbox", "list", "--view", "mine", "--json").data["notices"]]
    assert at_work("inbox", "release", wanted, "--wait", "20").code == Exit.OK


def test_a_mandate_that_ran_out_without_anybody_counting(at_work: Kelmu, keep: Regrant, record: Database) -> None:
    """No number grows when a day passes: the 403 alone is the sign."""
    wanted = new(at_work)
    keep(WORKER, lambda _: True)
    assert at_work("sync").code == Exit.OK
    yesterday = local_date(SystemClock().now()) - timedelta(days=1)
    with record.write() as connection:
        over = tables.grant.c.user == WORKER
        connection.execute(tables.grant.update().where(over).values(valid_to=yesterday))
    ran = at_work("inbox", "take", wanted, "--json", "--wait", "20")
    assert (ran.code, ran.data["results"][0]["reason"]) == (Exit.NOT_ALLOWED, "mandate_missing")
    known = at_work("status", "--json")
    assert (known.code, known.document["error"]["code"]) == (Exit.NOT_ALLOWED, "mandate_expired")


def test_what_was_never_sent_is_kept_when_the_organisation_is_lost(
    at_work: Kelmu, keep: Regrant, demo_home: Path
) -> None:
    wanted, organisation = new(at_work), at_work("status", "--json").data["organisation"]["id"]
    assert at_work("inbox", "take", wanted, "--no-wait").code == Exit.OK
    assert at_work("inbox", "note", wanted, "--text", "Soitetaan huomenna", "--no-wait").code == Exit.OK
    others = replicas(demo_home) - {organisation}
    keep(WORKER, lambda _: False)
    ran = at_work("sync", "--json", "--lang", "en")
    assert ended(ran)
    assert "has ended" in ran.document["error"]["message"]
    users = demo_home / "data" / "demo" / "users"
    folder = users / (demo_home / "data" / "demo" / "current").read_text().strip()
    assert not list(folder.glob("replica-*"))
    assert others <= replicas(demo_home)
    assert at_work("status", "--json").code == Exit.NOT_ALLOWED
    assert at_work("sync", "--json").code == Exit.NOT_ALLOWED
    keep(WORKER, lambda _: True)
    back = at_work("sync", "--wait", "60")
    assert back.code == Exit.OK, back.err
    kept = {row["verb"]: row for row in commands(at_work)}
    assert {verb: row["state"] for verb, row in kept.items()} == {"take": "refused", "note": "undeliverable"}
    for verb in ("take", "note"):
        assert at_work("outbox", "retry", kept[verb]["id"], "--wait", "20").code == Exit.OK
    shown = at_work("inbox", "show", wanted, "--json").data
    assert [note["text"] for note in shown["notes"]] == ["Soitetaan huomenna"]
    assert at_work("inbox", "release", wanted, "--wait", "20").code == Exit.OK


def test_a_session_that_an_administrator_ended_costs_a_sign_in_and_no_work(at_work: Kelmu, demo_home: Path) -> None:
    wanted = new(at_work)
    data = str(demo_home / "data" / "demo" / "backend" / "data")
    assert backend(["users", "end-sessions", WORKER, "--data", data]) == Exit.OK
    saved = at_work("inbox", "take", wanted, "--json", "--wait", "20")
    assert (saved.code, saved.data["results"][0]["result"]) == (Exit.NOT_SENT, "saved")
    assert at_work("sync").code == Exit.NOT_SIGNED_IN
    assert at_work("status", "--json").data["queued"] == 1
    assert at_work("sign-in", "--persona", WORKER).code == Exit.OK
    assert at_work("sync").code == Exit.OK
    assert wanted in [r["id"] for r in at_work("inbox", "list", "--view", "mine", "--json").data["notices"]]
    assert at_work("inbox", "release", wanted, "--wait", "20").code == Exit.OK


def test_a_notice_is_not_shown_once_the_mandate_is_known_to_have_ended(at_work: Kelmu, keep: Regrant) -> None:
    wanted = new(at_work)
    keep(WORKER, lambda _: False)
    ran = at_work("inbox", "show", wanted, "--json")
    assert ended(ran)
    assert wanted not in ran.out


def test_the_other_organisations_stay_open(demo: Kelmu, keep: Regrant, demo_home: Path) -> None:
    signed = demo("sign-in", "--persona", SEVERAL, "--json")
    first, second, *_ = [o["id"] for o in signed.data["organisations"] if "notices_inbox" in o["capabilities"]]
    for organisation in (second, first):
        assert demo("sync", "--organisation", organisation, "--wait", "60").code == Exit.OK
    assert {first, second} <= replicas(demo_home)
    keep(SEVERAL, lambda grant: grant.principal != first)
    ran = demo("sync", "--json")
    assert ended(ran)
    assert second in ran.document["error"]["message"]
    assert first not in replicas(demo_home)
    assert second in replicas(demo_home)
    assert demo("status", "--organisation", second).code == Exit.OK

    # A mandate for another one than the organisation at work ends too: its replica goes with the next answer.
    keep(SEVERAL, lambda grant: grant.principal not in (first, second))
    third = signed.data["organisations"][2]["id"]
    assert third not in (first, second)
    assert demo("sync", "--organisation", third, "--wait", "60").code == Exit.OK
    assert second not in replicas(demo_home)
