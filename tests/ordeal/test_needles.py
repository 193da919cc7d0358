"""Marked names, texts, codes and tokens go through everything that the program does; then every place where they must
not be is searched: files, arguments, environments, cores, the screen that was left, pages whose key was destroyed."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.world import (
    BACKEND,
    COLLEAGUE,
    PIRKANMAA,
    RESTORED,
    SHAPE,
    WORKER,
    World,
    demo_world,
    eventually,
    saved_note,
)
from tests.ordeal.record import folder_of, open_folder, organisation_of
from tests.support import raw
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal]

FAMILY, GIVEN, FREE = "Neulanenxqa", "Salatunxqb", "vapaatekstixqc"
NOTE, REASON, APP_NOTE = "muistiinpanoxqd", "siirtosyyxqe", "ruutuxqf"
RECORD: Final = ("data/demo/backend/data/kelmu.db",)
"""The record itself is the backend's business: the demo's lies under the same home."""
ENTERED: Final = b"\x1b[?1049h"
CRASHING: Final = """
import sys
from kelmu_tui.services.inbox import Inbox
looked = Inbox.read
def read(inbox, id):
    customer = looked(inbox, id).customer
    raise ValueError(f"{customer.family_name} {customer.identity_code}")
Inbox.read = read
from kelmu_tui.cli import main
sys.exit(main())
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A demo in whose record every customer is marked."""
    home = tmp_path / "home"
    home.mkdir()
    with demo_world(home) as found:
        found.change(
            "UPDATE notice SET customer = json_set(customer, '$.family_name', ?, '$.given_names', ?),"
            " content = json_set(content, '$.free_text', ?)",
            FAMILY,
            GIVEN,
            FREE,
        )
        yield found


def codes(world: World) -> list[bytes]:
    """Return the identity codes in the record."""
    rows = world.sql("SELECT DISTINCT customer ->> 'identity_code' FROM notice")
    return [code.encode() for (code,) in rows if code]


def tokens(world: World, *users: str) -> list[bytes]:
    """Return the tokens in the users' ledgers; each is long enough not to be anywhere by chance."""
    found: list[str] = []
    for user in users:
        with closing(open_folder(folder_of(world, user))) as store, store.read() as db:
            found += [value for (value,) in db.execute("SELECT value FROM secret WHERE key GLOB '*_token'")]
    assert len(found) >= 2 * len(users)
    assert all(len(token) > 20 for token in found)
    return [token.encode() for token in found]


def check_processes(world: World, needles: list[bytes]) -> None:
    """Search arguments and environments of every process of this home; none of them may leave a core."""
    running = 0
    for entry in Path("/proc").iterdir():
        try:
            environment = (entry / "environ").read_bytes()
            if str(world.home).encode() not in environment:
                continue
            told = (entry / "cmdline").read_bytes() + environment
            limits = (entry / "limits").read_text().splitlines()
        except OSError:
            continue
        running += 1
        assert not [needle for needle in needles if needle in told], entry
        (core,) = (line.split()[4:6] for line in limits if line.startswith("Max core file size"))
        assert core == ["0", "0"], entry
    assert running >= 2, "the app and the backend"


def check_left(app: Terminal, needles: list[bytes]) -> None:
    """Search what the program wrote before it entered its own screen and after it had left it."""
    before, _, _ = bytes(app.output).partition(ENTERED)
    _, left, after = bytes(app.output).rpartition(RESTORED[0])
    assert left
    assert not [needle for needle in needles if needle in before + after]


def at_work(world: World) -> Terminal:
    """Start the app and wait until it shows marked rows."""
    app = world.app()
    app.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät", FAMILY)
    return app


def ordinary_day(world: World) -> None:
    """Lists, a notice, notes, a transfer, an error, and the doctor, all from the command line."""
    notices = [row["id"] for row in world.free(WORKER)]
    shown = world.kelmu("inbox", "show", notices[0], "--full", "--json").data
    assert shown["customer"]["family_name"] == FAMILY
    world.kelmu("inbox", "note", notices[0], "--text", NOTE, "--wait", "30")
    world.kelmu("inbox", "take", *notices[:3], "--wait", "30")
    world.kelmu("inbox", "transfer", notices[1], "--to", "Turku", "--reason", REASON, "--wait", "30")
    world.kelmu("inbox", "note", notices[2], "--text", NOTE, "--no-wait")
    world.kelmu("inbox", "show", "zz", code=None)
    world.kelmu("doctor", code=None)
    world.kelmu("outbox", "list", "--json")


def crash(world: World, needles: list[bytes]) -> None:
    """Let the app fall over with a customer in its hands: one sentence, and a report without values."""
    reports = set(world.profile.glob("reports/*"))
    argv = [sys.executable, "-c", CRASHING, "demo", *SHAPE, "--lang", "fi"]
    with Terminal(argv, env=world.env, cwd=world.home) as app:
        app.wait_for(PIRKANMAA, "Käsittelemättömät", FAMILY)
        app.send("enter")
        assert app.wait_exit() == 70
        check_left(app, needles)
    (report,) = set(world.profile.glob("reports/*")) - reports
    assert "builtins.ValueError" in [entry["type"] for entry in json.loads(report.read_text())["errors"]]


def test_nothing_marked_is_anywhere_but_in_the_encrypted_files(world: World) -> None:
    world.sign_in(WORKER, sync=True)
    ordinary_day(world)
    texts = [text.encode() for text in (FAMILY, GIVEN, FREE, NOTE, REASON)]
    needles = [*texts, APP_NOTE.encode(), *codes(world), *tokens(world, WORKER)]
    record = b"".join(path.read_bytes() for path in world.backend_data.glob("kelmu.db*"))
    assert all(text in record for text in texts), "the marks were not used"
    with at_work(world) as app:
        saved_note(app, APP_NOTE)
        check_processes(world, needles)
        app.send("ctrl+q")
        assert app.wait_exit() == 0
        check_left(app, needles)
    with at_work(world) as app:
        app.signal(signal.SIGABRT)
        assert app.wait_exit() == -signal.SIGABRT
    crash(world, needles)
    assert raw.lying_open(world.home, needles, apart_from=RECORD) == []
    assert not list(world.home.rglob("core*"))
    world.kelmu("--user", WORKER, "sign-out", "--send")
    assert raw.lying_open(world.home, needles, apart_from=RECORD) == []


# --- keys that were destroyed -----------------------------------------------------------------------------------------


def replica_key(world: World, user: str, kept: Path) -> bytes:
    """Return the key of a user's replica, after a look that the search with it does find the marks in a copy."""
    folder = folder_of(world, user)
    (key,) = (key for name, key in raw.keys(folder).items() if name.startswith("replica"))
    shutil.copytree(folder, kept)
    for text in (FAMILY, GIVEN, FREE):
        assert raw.opened_with(kept, key, [text.encode()]) != []
    return key


def of_customers(world: World) -> list[bytes]:
    """Return everything marked that a replica holds."""
    return [FAMILY.encode(), GIVEN.encode(), FREE.encode(), *codes(world)]


def test_after_a_sign_out_the_old_key_opens_nothing(world: World, tmp_path: Path) -> None:
    """Also with the old wraps put back the program begins anew and shows no old row."""
    world.sign_in(WORKER, sync=True)
    folder, kept = folder_of(world, WORKER), tmp_path / "kept" / "copy"
    key = replica_key(world, WORKER, kept)
    world.kelmu("sign-out")
    assert raw.opened_with(folder, key, of_customers(world)) == []
    assert key not in raw.keys(folder).values()
    assert not list(folder.glob("replica*"))
    shutil.copy2(kept / "wraps.json", folder / "wraps.json")
    world.sign_in(WORKER)
    assert world.inbox(WORKER) == []


@pytest.mark.parametrize("reading", [False, True], ids=["alone", "beside-a-reader"])
def test_after_a_lost_mandate_the_key_opens_no_row_of_it(world: World, tmp_path: Path, reading: bool) -> None:
    """A second terminal that is just reading keeps the log from being emptied; behind it that is made up for."""
    world.sign_in(COLLEAGUE, sync=True)
    folder, organisation = folder_of(world, COLLEAGUE), organisation_of(world, COLLEAGUE)
    key = replica_key(world, COLLEAGUE, tmp_path / "kept" / "copy")
    needles = of_customers(world)
    with at_work(world) as app, closing(open_folder(folder)) as other:
        other.attach(organisation)
        with ExitStack() as stack:
            if reading:
                db = stack.enter_context(other.read())
                assert db.execute("SELECT count(*) FROM replica.notice").fetchone()[0] > 0
            revoke_all(world, COLLEAGUE, organisation)
            app.wait_for("Valtuutesi tälle organisaatiolle päättyi.")
        eventually(lambda: raw.opened_with(folder, key, needles) == [], "the last page to be gone")
        assert key not in raw.keys(folder).values()


def revoke_all(world: World, user: str, organisation: str) -> None:
    """End every mandate of a user."""
    for (mandate,) in world.sql("SELECT DISTINCT mandate FROM mandate_grant WHERE user = ?", user):
        subprocess.run(
            [*BACKEND, "users", "revoke", user, mandate, organisation, "--data", str(world.backend_data)],
            env=world.env,
            check=True,
            capture_output=True,
        )


# --- processes --------------------------------------------------------------------------------------------------------


def test_a_command_is_closed_to_others_and_leaves_no_core(tmp_path: Path) -> None:
    program = (
        "import ctypes, resource, sys; from kelmu_tui.cli import main;"
        "code = main(); print(code, resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    before = resource.getrlimit(resource.RLIMIT_CORE)
    ran = subprocess.run(
        [sys.executable, "-c", program, "--version"],
        env={**os.environ, "KELMU_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == "0 (0, 0) 0"
    assert resource.getrlimit(resource.RLIMIT_CORE) == before
