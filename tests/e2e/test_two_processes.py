"""Two clients and a backend as real processes: clients die at chosen moments, and every command has one effect."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.world import COLLEAGUE, WORKER, World, demo_world

pytestmark = pytest.mark.xdist_group("e2e-processes")

VERBS: Final = (
    "note",
    "take",
    "note",
    "handle",
    "reopen",
    "note",
    "release",
    "note",
    "take",
    "handle",
    "note",
    "reopen",
)
"""What the users do to their notices in turn; each user has own notices, so that nothing is refused."""
NOTICES: Final = 5
"""Notices of each user; each verb goes to all of them: 12 × 5 × 2 users are 120 commands."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A demo of this test's own."""
    with demo_world(tmp_path_factory.mktemp("two")) as found:
        yield found


def give(world: World, user: str, verb: str, notices: Sequence[str], text: str) -> None:
    """Give a command on each notice without waiting for the backend; what is confirmed must never be lost."""
    extra = ("--text", text) if verb == "note" else ()
    ran = world.kelmu("--user", user, "inbox", verb, *notices, *extra, "--no-wait", "--json")
    assert [result["result"] for result in ran.data["results"]] == ["saved"] * len(notices)


def kill_while_sending(world: World, user: str, dice: random.Random) -> bool:
    """Start sending and kill the client after none or some of its commands; tell whether it was alive."""
    statement = "SELECT count(*) FROM memo WHERE user = ?"
    ((before,),) = world.sql(statement, user)
    wanted = before + dice.randrange(NOTICES)
    client = world.spawn("--user", user, "sync")
    try:
        while client.poll() is None and world.sql(statement, user)[0][0] < wanted:
            pass
        client.send_signal(signal.SIGKILL)
    finally:
        client.communicate(timeout=60)
    return client.returncode == -signal.SIGKILL


def held(world: World, organisation: str) -> dict[str, tuple[Any, ...]]:
    """Return the backend's state of an organisation's notices."""
    rows = world.sql(
        "SELECT id, version, status, assignee FROM notice WHERE organisation = ? AND published", organisation
    )
    return {row[0]: row[1:] for row in rows}


def test_a_hundred_commands_and_clients_that_die(world: World) -> None:
    """Each command is in the backend exactly once, and what both clients show is the backend's state."""
    dice = random.Random(20261122)
    world.sign_in(COLLEAGUE, sync=True)
    world.sign_in(WORKER, sync=True)
    free = [row["id"] for row in world.free(WORKER)]
    own = {WORKER: free[: 2 * NOTICES : 2], COLLEAGUE: free[1 : 2 * NOTICES : 2]}
    killed = 0
    for number, verb in enumerate(VERBS):
        for user, notices in own.items():
            give(world, user, verb, notices, f"{user} {number}")
        for user in own:
            killed += kill_while_sending(world, user, dice)
    assert killed >= len(VERBS)  # else nothing was put to the test
    for user in own:
        world.kelmu("--user", user, "sync")
        status = world.kelmu("--user", user, "status", "--json").data
        assert (status["queued"], status["conflicts"]) == (0, 0)

    for user, notices in own.items():
        texts = [f"{user} {number}" for number, verb in enumerate(VERBS) if verb == "note"]
        for notice in notices:
            found = [row[0] for row in world.sql("SELECT text FROM note WHERE notice = ? ORDER BY id", notice)]
            assert [text for text in found if text in texts] == texts  # each once, and in the order given
            done = world.sql(
                "SELECT action FROM audit WHERE subject = ? AND user = ? AND outcome = 'done' ORDER BY id", notice, user
            )
            assert [row[0].rpartition(".")[2] for row in done if row[0].rpartition(".")[2] in VERBS] == list(VERBS)
        memos = world.sql(
            "SELECT count(*), count(DISTINCT key), min(status), max(status) FROM memo WHERE user = ?", user
        )
        assert memos == [(len(VERBS) * NOTICES, len(VERBS) * NOTICES, 200, 200)]

    (organisation,) = {row[0] for row in world.sql("SELECT employer FROM app_user WHERE id = ?", WORKER)}
    for user in own:
        world.kelmu("--user", user, "sync")
        shown = {row["id"]: (row["version"], row["status"], row["assignee"]) for row in world.inbox(user)}
        backend = held(world, organisation)
        arrived_since = set(backend) - set(shown)  # the demo lets new notices come in all the time
        assert {notice: state for notice, state in backend.items() if notice not in arrived_since} == shown
        assert len(arrived_since) <= 2


def test_two_clients_of_one_user_do_not_send_twice(world: World) -> None:
    """Two processes of one user send at the same time: one leads, and each command goes out once."""
    world.sign_in(WORKER, sync=True)
    notice = world.free(WORKER)[-1]["id"]
    texts = [f"yhtä aikaa {number}" for number in range(6)]
    for text in texts:
        give(world, WORKER, "note", [notice], text)
    clients: list[subprocess.Popen[str]] = [world.spawn("--user", WORKER, "sync", "--json") for _ in range(3)]
    for client in clients:
        out, err = client.communicate(timeout=60)
        assert client.returncode == 0, out + err
        assert json.loads(out)["schema"] == 1
    found = [row[0] for row in world.sql("SELECT text FROM note WHERE notice = ? ORDER BY id", notice)]
    assert [text for text in found if text in texts] == texts
    assert Path(world.home).exists()
