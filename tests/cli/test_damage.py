"""Every way in which files and keys can be missing: each is told apart from the others, with what to do next."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import Exit
from kelmu_tui.i18n import Translator
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import profile
from kelmu_tui.services.session import make_current, put_secrets, user_folder
from kelmu_tui.store import keyring_keys, keys, outbox
from kelmu_tui.store.database import LEDGER_FILE, Store
from kelmu_tui.store.keyring_keys import KeyringKeys
from kelmu_tui.store.keys import KeySource, PassphraseKeys
from kelmu_tui.store.outbox import Draft
from kelmu_tui.store.wraps import WRAPS_FILE
from tests.cli.conftest import Kelmu
from tests.services.signed_in import session_text
from tests.store.build import flip
from tests.store.test_keys import Ring

GOOD = "kolme punaista venettä"
LANGUAGES = ("fi", "sv", "en")


class Keyring(Ring):
    """A keyring that can be locked, out of order, in clear text, or silent."""

    state = ""
    free = threading.Event()

    def get_password(self, service: str, name: str) -> str | None:
        import keyring.errors

        if self.state == "locked":
            raise keyring.errors.KeyringLocked
        if self.state == "refused":
            raise keyring.errors.InitError
        if self.state == "silent":
            self.free.wait(30)
        return super().get_password(service, name)


class AtTerminal(io.StringIO):
    """Somebody who could type a passphrase."""

    def isatty(self) -> bool:
        return True


class World:
    """A user's folder with a ledger that has some pages, and who is asked for its keys."""

    def __init__(self, ring: Keyring) -> None:
        self.ring = ring
        self.passphrase = GOOD
        self.first_pages = 0
        self.folder = user_folder(profile("default"), "https://kelmu.example.fi", "u1")

    def fill(self, source: Callable[[Path], KeySource]) -> None:
        where = profile("default")
        for path in (where.root, where.users, self.folder):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(Store.open(self.folder, source(self.folder), SystemClock(), RandomIds())) as store:
            put_secrets(store, {f"filler{number:04d}": "x" * 900 for number in range(200)})
            self.first_pages = int(store.db.execute("PRAGMA main.page_count").fetchone()[0])
            with store.write() as db:
                for number in range(300):
                    draft = Draft("u1", "9900080-0", f"n{number}", "note", {"text": "x" * 300}, {}, 1, "l1")
                    outbox.append(db, draft, id=f"c{number:031d}", now=store.clock.now())
            put_secrets(store, {"session": session_text(), "device": "d" * 32, "backend": "https://kelmu.example.fi"})
            store.scrub()
        make_current(where, self.folder)


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    assert home.exists()
    monkeypatch.setattr(keys, "ARGON2_MEMORY_KIB", 64)
    monkeypatch.setattr(keys, "ARGON2_PASSES", 1)
    monkeypatch.setattr(keyring_keys, "ALLOWED_BACKENDS", frozenset({f"{Keyring.__module__}.Keyring"}))
    monkeypatch.setattr(keyring_keys.KeyringKeys.__init__, "__kwdefaults__", {"backend": None, "deadline": 0.3})
    Keyring.free.clear()
    made = World(Keyring())
    monkeypatch.setattr(keyring_keys, "_system_keyring", lambda: made.ring)
    monkeypatch.setattr(Env, "passphrase", lambda _self, _new: made.passphrase)
    yield made
    Keyring.free.set()


def passphrase(folder: Path) -> KeySource:
    return PassphraseKeys(folder, GOOD)


def keyring(folder: Path) -> KeySource:
    return KeyringKeys(folder)


# Each damages what there is; the key of the text that tells it.


def wrong(world: World) -> str:
    world.passphrase = "aivan jotain muuta"
    return "errors.store.wrong_passphrase"


def damaged_wraps(world: World) -> str:
    path = world.folder / WRAPS_FILE
    path.write_text(path.read_text()[:-40])
    return "errors.incident.keys_lost"


def misplaced_wraps(world: World) -> str:
    path = world.folder / WRAPS_FILE
    path.write_text(path.read_text().replace(world.folder.name, "0" * 16))
    return "errors.store.keys_misplaced"


def another_key(world: World) -> str:
    (world.folder / LEDGER_FILE).write_bytes(bytes(range(256)) * 64)
    return "errors.incident.wrong_key"


def first_page(world: World) -> str:
    flip(world.folder / LEDGER_FILE, 100)
    return "errors.incident.corrupt"


def later_pages(world: World) -> str:
    """Those of the commands: the ledger opens."""
    path = world.folder / LEDGER_FILE
    for page in range(world.first_pages + 2, path.stat().st_size // 4096):
        flip(path, page * 4096 + 50)
    return "errors.store.store_corrupt"


def all_but_the_first(world: World) -> str:
    path = world.folder / LEDGER_FILE
    for page in range(1, path.stat().st_size // 4096):
        flip(path, page * 4096 + 50)
    return "errors.incident.corrupt"


def emptied(world: World) -> str:
    (world.folder / LEDGER_FILE).write_bytes(b"")
    return "errors.incident.emptied"


def truncated(world: World) -> str:
    path = world.folder / LEDGER_FILE
    path.write_bytes(path.read_bytes()[: 3 * 4096])
    return "errors.incident.corrupt"


def cut_in_the_first_page(world: World) -> str:
    path = world.folder / LEDGER_FILE
    path.write_bytes(path.read_bytes()[:1000])
    return "errors.incident.corrupt"


def forgot(world: World) -> str:
    world.ring.secrets.clear()
    return "errors.incident.keyring_forgot"


def locked(world: World) -> str:
    world.ring.state = "locked"
    return "errors.keys.keyring_locked"


def silent(world: World) -> str:
    world.ring.state = "silent"
    return "errors.keys.keyring_silent"


def refused(world: World) -> str:
    world.ring.state = "refused"
    return "errors.keys.keyring_refused"


def in_clear_text(world: World) -> str:
    class PlaintextKeyring(Keyring):
        pass

    world.ring = PlaintextKeyring()
    return "errors.keys.keyring_missing"


FILES = (
    wrong,
    damaged_wraps,
    misplaced_wraps,
    another_key,
    first_page,
    later_pages,
    all_but_the_first,
    emptied,
    truncated,
    cut_in_the_first_page,
)
RINGS = (forgot, locked, silent, refused, in_clear_text)


def told(world: World, kelmu: Kelmu, language: str, key: str) -> None:
    before = {path.name for path in world.folder.iterdir()}
    ran = kelmu("status", "--lang", language)
    text = Translator(language)(key, file="\0").split("\0")[0]
    assert text.split(".")[0] in ran.err, (key, ran.err)
    assert ran.code == (Exit.NOT_SIGNED_IN if key.startswith("errors.incident") else Exit.STORE)
    aside = {path.name for path in world.folder.iterdir() if "corrupt-" in path.name}
    # What can be opened again once the user has done what is said is left where it is.
    assert bool(aside) == (key.startswith("errors.incident") and "emptied" not in key), (before, aside)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("damage", FILES, ids=lambda damage: damage.__name__)
def test_files(world: World, kelmu: Kelmu, damage: Callable[[World], str], language: str) -> None:
    world.fill(passphrase)
    told(world, kelmu, language, damage(world))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("damage", RINGS, ids=lambda damage: damage.__name__)
def test_keyrings(world: World, kelmu: Kelmu, damage: Callable[[World], str], language: str) -> None:
    world.fill(keyring)
    told(world, kelmu, language, damage(world))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_of_them_say_the_same(world: World, language: str) -> None:
    world.fill(passphrase)
    keys_of = {damage: damage(world) for damage in (*FILES, *RINGS)}
    texts = {Translator(language)(key, file="x") for key in keys_of.values()}
    assert len(texts) == len(set(keys_of.values())) == 12


def test_doctor_sets_a_damaged_ledger_aside_and_the_next_command_asks_for_a_sign_in(
    world: World, kelmu: Kelmu, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill(passphrase)
    later_pages(world)
    assert kelmu("status").code == Exit.STORE
    monkeypatch.setattr("sys.stdin", AtTerminal())
    assert kelmu("doctor", "--json").code == Exit.PROBLEMS
    assert list(world.folder.glob("ledger.db.corrupt-*"))
    assert kelmu("status").code == Exit.NOT_SIGNED_IN


def test_a_damaged_wrap_of_a_replica_costs_the_replica_alone(world: World) -> None:
    world.fill(passphrase)
    with closing(Store.open(world.folder, passphrase(world.folder), SystemClock(), RandomIds())) as store:
        store.attach("9900080-0")
    path = world.folder / WRAPS_FILE
    content = json.loads(path.read_text())
    content["wraps"]["replica-9900080-0.db"] = "00" * 60
    path.write_text(json.dumps(content))
    with closing(Store.open(world.folder, passphrase(world.folder), SystemClock(), RandomIds())) as store:
        store.attach("9900080-0")
        assert [(i.file, i.kind) for i in store.incidents] == [("replica-9900080-0.db", "wrong_key")]
    with closing(Store.open(world.folder, passphrase(world.folder), SystemClock(), RandomIds())) as store:
        store.attach("9900080-0")
        assert store.incidents == ()
        with store.read() as db:
            assert db.execute("SELECT count(*) FROM secret WHERE key GLOB 'filler*'").fetchone() == (200,)
        store.destroy_replica()
    assert not list(world.folder.glob("replica-*")), "what was set aside goes with the replica"
