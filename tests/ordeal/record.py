"""What a test knows of both sides: the client's ledger, the backend's rows, and what must agree between them."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.session import folder_name
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys
from tests.e2e.world import World
from tests.ordeal.client import VERBS
from tests.ordeal.nursery import Nursery

CLIENT: Final = "tests.ordeal.client"
_COLUMNS: Final = ("id", "aggregate", "verb", "payload", "state", "body")

Row = dict[str, Any]


def folder_of(world: World, user: str) -> Path:
    """Return the folder of a user's files."""
    users = world.profile / "users"
    return users / folder_name(Profile("demo", users, users), "", user)


def open_folder(folder: Path) -> Store:
    """Open the store of a demo user, in this process."""
    return Store.open(folder, DemoKeys(folder, Profile("demo", folder, folder)), SystemClock(), RandomIds())


def ledger(folder: Path) -> list[Row]:
    """Return the commands of a ledger in local order, after checking all of its pages."""
    with closing(open_folder(folder)) as store:
        assert store.incidents == ()
        with store.read() as db:
            assert db.execute("PRAGMA main.quick_check").fetchall() == [("ok",)]
            rows = db.execute(f"SELECT {', '.join(_COLUMNS)} FROM main.command ORDER BY number").fetchall()
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def organisation_of(world: World, user: str) -> str:
    """Return the business ID of a user's employer."""
    ((found,),) = world.sql("SELECT employer FROM app_user WHERE id = ?", user)
    return str(found)


def backend_rows(world: World, organisation: str) -> list[Row]:
    """Return an organisation's notices as the backend holds them, in the terms of `client.shown`."""
    with closing(sqlite3.connect(f"file:{world.backend_data / 'kelmu.db'}?mode=ro", uri=True)) as db:
        db.execute("BEGIN")
        notes = defaultdict(list)
        for notice, text in db.execute(
            "SELECT notice, text FROM note WHERE organisation = ? ORDER BY id", (organisation,)
        ):
            notes[notice].append(text)
        found = db.execute(
            "SELECT id, version, status, assignee, handled_by, due, municipality, customer FROM notice"
            " WHERE organisation = ? AND published ORDER BY id",
            (organisation,),
        ).fetchall()
    rows: list[Row] = []
    for id_, version, status, assignee, handled_by, due, municipality, customer in found:
        person = json.loads(customer)
        rows.append(
            {
                "id": id_,
                "version": version,
                "status": status,
                "assignee": assignee,
                "handled_by": handled_by,
                "due": due,
                "municipality": municipality,
                "name": [person["family_name"], person["given_names"]],
                "notes": notes[id_],
            }
        )
    return rows


def converged(world: World, nursery: Nursery, order: Mapping[str, Any]) -> bool:
    """Tell whether a client that reads to the head shows every row as the backend has it.

    New notices come in all the time: False may only mean that one came between the two looks.
    """
    told = nursery.run(CLIENT, {**order, "do": "dump"})
    shown = [json.loads(" ".join(words[1:])) for words in told if words[0] == "row"]
    return sorted(shown, key=lambda row: str(row["id"])) == backend_rows(world, organisation_of(world, order["user"]))


def check_memory(world: World, user: str, commands: Iterable[Row]) -> None:
    """Each command that was decided stands once in the backend's memory, with the verdict that the client has."""
    states = {command["id"]: command["state"] for command in commands}
    memory = world.sql("SELECT key, status FROM memo WHERE user = ?", user)
    assert len({key for key, _ in memory}) == len(memory)
    assert {key for key, _ in memory} == {id_ for id_, state in states.items() if state in ("settled", "refused")}
    assert {key for key, status in memory if status == 200} == {
        id_ for id_, state in states.items() if state == "settled"
    }


def _late_opens(verbs: Iterable[str]) -> int:
    """Return how many of a notice's commands opened what a colleague's command had opened before they arrived.

    To open commutes with everything: such a command is done, and changes nothing. A note leaves a notice unopened.
    """
    late, opened = 0, False
    for verb in verbs:
        late += verb == "open" and opened
        opened = opened or verb != "note"
    return late


def check_effects(world: World, user: str, commands: Iterable[Row], versions: Mapping[str, int]) -> None:
    """Each settled command has its one effect, in the order it was given in; no other command has any.

    Args:
        versions: versions of the notices before the first command.
    """
    settled = [command for command in commands if command["state"] == "settled"]
    given = defaultdict(list)
    for command in settled:
        given[command["aggregate"]].append(command["verb"])
    for notice, verbs in given.items():
        done = world.sql(
            "SELECT user, substr(action, 8) FROM audit WHERE subject = ? AND outcome = 'done'"
            " AND action LIKE 'notice.%' ORDER BY id",
            notice,
        )
        changes = [(who, verb) for who, verb in done if verb in VERBS]
        assert [verb for who, verb in changes if who == user] == verbs
        changing = versions[notice] + len(changes) - _late_opens([verb for _, verb in changes])
        ((version,),) = world.sql("SELECT version FROM notice WHERE id = ?", notice)
        assert version == changing, changes
    texts = [json.loads(command["payload"])["text"] for command in settled if command["verb"] == "note"]
    kept = [row[0] for row in world.sql("SELECT text FROM note WHERE text LIKE 'koe %' ORDER BY id")]
    assert sorted(kept) == sorted(texts)
    assert len(set(kept)) == len(kept)
