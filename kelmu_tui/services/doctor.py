"""What a support person asks first: versions, places, modes, the store, the settings, the backend.

Everything is a finding with a state, so that a script can ask whether all is well. No finding holds personal data or
a secret; user folders are named by their digests.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from kelmu_tui.platform import paths
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.paths import Profile
from kelmu_tui.platform.settings import Loaded
from kelmu_tui.services.session import (
    AskPassphrase,
    NotSignedIn,
    Session,
    SessionProblem,
    choose_keys,
    current_folder,
    replicas,
    secret,
)
from kelmu_tui.store.database import LEDGER_FILE, Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.keys import method
from kelmu_tui.store.schema import LEDGER_VERSION

PACKAGES: Final = ("kelmu-tui", "textual", "httpx", "pydantic", "sqlcipher3", "cryptography", "argon2-cffi", "keyring")


class State(StrEnum):
    """How a finding is to be read."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: `what` names the text, `value` is what was found, `hint` what is wrong with it."""

    part: str
    what: str
    value: str
    state: State = State.OK
    hint: str = ""


def examine(profile: Profile, loaded: Loaded, *, clock: Clock, ids: Ids, ask: AskPassphrase | None) -> list[Finding]:
    """Return the findings that need no network.

    Args:
        ask: asks for the passphrase; without it a store wrapped by one is not opened.
    """
    return [
        *_versions(),
        *_places(profile),
        *_settings(profile, loaded),
        *_stores(profile, clock=clock, ids=ids, ask=ask),
    ]


def _versions() -> Iterator[Finding]:
    import platform

    for package in PACKAGES:
        try:
            yield Finding("versions", package, version(package))
        except PackageNotFoundError:
            yield Finding("versions", package, "–", State.WRONG, "missing")
    yield Finding("versions", "python", platform.python_version())
    yield Finding("versions", "system", f"{platform.system()} {platform.release()} {platform.machine()}")


# --- places ---------------------------------------------------------------------------------------------------------


def _places(profile: Profile) -> Iterator[Finding]:
    yield _place("profile", profile.root, folder=True)
    yield _place("settings", profile.settings, folder=False, private=False)
    if profile.users.exists():
        for user in sorted(profile.users.iterdir()):
            yield _place("user", user, folder=True)
            for path in sorted(user.iterdir()):
                yield _place("file", path, folder=False)
    kind = paths.file_system(profile.root)
    wrong = kind in paths.NETWORK_FILE_SYSTEMS
    yield Finding("places", "file_system", kind, State.WRONG if wrong else State.OK, "network" if wrong else "")


def _place(what: str, path: Path, *, folder: bool, private: bool = True) -> Finding:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return Finding("places", what, str(path), State.NOTE, "absent")
    except OSError:
        return Finding("places", what, str(path), State.WRONG, "unreadable")
    mode = stat.S_IMODE(found.st_mode)
    value = f"{path} {mode:04o}"
    if private and stat.S_ISLNK(found.st_mode):
        return Finding("places", what, value, State.WRONG, "symlink")
    if found.st_uid != os.getuid():
        return Finding("places", what, value, State.WRONG, "owner")
    if private and mode & 0o077:
        return Finding("places", what, value, State.WRONG, "open_folder" if folder else "open_file")
    return Finding("places", what, value)


# --- settings and stores --------------------------------------------------------------------------------------------


def _settings(profile: Profile, loaded: Loaded) -> Iterator[Finding]:
    for problem in loaded.problems:
        where = f"{profile.settings}:{problem.line} {problem.key}".rstrip()
        yield Finding("settings", "problem", where, State.WRONG, f"settings_{problem.code}")
    if not loaded.problems:
        yield Finding("settings", "problem", "0")
    yield Finding("settings", "backend", loaded.settings.backend_url or "–")


def _stores(profile: Profile, *, clock: Clock, ids: Ids, ask: AskPassphrase | None) -> Iterator[Finding]:
    try:
        folder = current_folder(profile)
    except NotSignedIn:
        yield Finding("store", "user", "–", State.NOTE, "not_signed_in")
        return
    yield Finding("store", "user", folder.name)
    kind = method(folder)
    yield Finding("store", "keys", kind or "–", State.OK if kind else State.WRONG, "" if kind else "keys_lost")
    for path in sorted([folder / LEDGER_FILE, *folder.glob("replica-*.db")]):
        yield Finding("store", "size", f"{path.name} {path.stat().st_size}")
    for path in sorted(folder.glob("*.corrupt-*")):
        yield Finding("store", "set_aside", path.name, State.NOTE, "set_aside")
    if kind == "passphrase" and ask is None:
        yield Finding("store", "opens", "–", State.NOTE, "locked")
        return
    try:
        store = Store.open(folder, choose_keys(profile, folder, ask or _no_passphrase), clock, ids)
    except StoreError as error:
        yield Finding("store", "opens", f"{error.code} {error.reason}".rstrip(), State.WRONG, "store")
        return
    try:
        yield from _open_store(store, folder)
    finally:
        store.close()


def _no_passphrase(_: bool) -> str:
    raise AssertionError("a store wrapped by a passphrase is not opened without one")


def _open_store(store: Store, folder: Path) -> Iterator[Finding]:
    yield Finding("store", "opens", "ledger.db")
    store.set_aside_broken()  # before anything is read of it
    with store.read() as db:
        found = int(db.execute("PRAGMA main.user_version").fetchone()[0])
        cipher = db.execute("PRAGMA cipher_version").fetchone()
        library = db.execute("SELECT sqlite_version()").fetchone()[0]
    yield Finding(
        "store", "schema", str(found), *((State.OK, "") if found == LEDGER_VERSION else (State.WRONG, "schema"))
    )
    yield Finding("store", "cipher", f"SQLCipher {cipher[0] if cipher else '?'}, SQLite {library}")
    session = Session(store)
    try:
        _, until = session.lease()
    except SessionProblem:
        yield Finding("store", "session", "–", State.NOTE, "not_signed_in")
    else:
        over = store.clock.now() > until
        yield Finding("store", "lease", until.isoformat(), State.WRONG if over else State.OK, "lease" if over else "")
        signed_in = session.signed_in()
        hint = "" if signed_in else "session_over"
        yield Finding("store", "session", "+" if signed_in else "–", State.OK if signed_in else State.NOTE, hint)
    for organisation in replicas(folder):
        store.attach(organisation)
        store.set_aside_broken()
        with store.read() as db:
            row = db.execute("SELECT value FROM replica.state WHERE key = 'synced_at'").fetchone()
        yield Finding("store", "replica", f"{organisation} {row[0] if row else '–'}")
    for incident in store.incidents:
        yield Finding("store", "incident", f"{incident.file} {incident.kind}", State.WRONG, "set_aside")
    backend = secret(store, "backend")
    yield Finding("store", "backend", backend or "–")


def last_backend(findings: Iterable[Finding]) -> str | None:
    """Return the backend's address of the last sign-in, out of the findings."""
    found = (f.value for f in findings if (f.part, f.what) == ("store", "backend") and f.value != "–")
    return next(found, None)


async def examine_backend(url: str, clock: Clock) -> list[Finding]:
    """Return whether the backend answers, and how fast."""
    from kelmu_tui.api.sign_in import SignIn

    try:
        sign_in = SignIn(url, clock=clock)
    except ValueError:
        return [Finding("backend", "answers", url, State.WRONG, "address")]
    started = clock.monotonic()
    async with sign_in:
        healthy = await sign_in.healthy()
    took = round((clock.monotonic() - started) * 1000)
    if not healthy:
        return [Finding("backend", "answers", url, State.WRONG, "unreachable")]
    return [Finding("backend", "answers", f"{url} {took} ms")]
