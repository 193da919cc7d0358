"""Who is signed in, for whom they act, and how long that may be shown without a connection.

Each user of a backend has a folder of their own (`user_folder`); the profile's `current` file names the one signed in
last, so that the program starts without asking and without a connection. What the backend said of the session is kept
in the ledger's `secret` table and read back as domain values, without the wire's models.

Secrets kept: `session` (JSON of `contract.SessionInfo`), `organisation` (the one chosen last), `backend`, `device`,
`refresh_token`, `access_token`, `access_until`, `lease_until`, `revoke:<n>` (tokens to be revoked when the backend
answers).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Final

from kelmu_tui.domain.capabilities import NOTICES_INBOX, Capabilities, Denied
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.paths import Profile, private_folder, write_private
from kelmu_tui.services.known import INBOX, read_session
from kelmu_tui.services.known import ChooseOrganisation as ChooseOrganisation
from kelmu_tui.services.known import KnownOrganisation as KnownOrganisation
from kelmu_tui.services.known import KnownSession as KnownSession
from kelmu_tui.services.known import NoSuchOrganisation as NoSuchOrganisation
from kelmu_tui.services.known import NothingOpens as NothingOpens
from kelmu_tui.services.known import NotSignedIn as NotSignedIn
from kelmu_tui.services.known import SessionProblem as SessionProblem
from kelmu_tui.services.known import named as named
from kelmu_tui.store import aftermath, customers, expiry, files, lists
from kelmu_tui.store.database import LEDGER_FILE, Store
from kelmu_tui.store.errors import KeysLost, KeysMisplaced, KeysUnavailable
from kelmu_tui.store.keyring_keys import KeyringKeys
from kelmu_tui.store.keys import DemoKeys, KeySource, MemoryKeys, PassphraseKeys, method
from kelmu_tui.store.rows import ActiveOrganisation, ActiveSession

DEMO: Final = "demo"
CURRENT_FILE: Final = "current"
DEVICE_FILE: Final = "device"
TOKEN_SECRETS: Final = ("refresh_token", "access_token", "access_until")

_FOLDER: Final = re.compile(r"[0-9a-f]{16}\Z")
_DEVICE: Final = re.compile(r"[0-9a-f]{32}\Z")

AskPassphrase = Callable[[bool], str]
"""Asks the user for a passphrase; True when it is a new one, to be typed twice."""


# --- places ---------------------------------------------------------------------------------------------------------


def folder_name(profile: Profile, backend_url: str, user_id: str) -> str:
    """Return the name of a user's folder: a digest, since a name or an address on disk would tell too much.

    The demo's backend listens on another port each time, so its address is not part of the name.
    """
    realm = DEMO if profile.name == DEMO else backend_url
    return hashlib.sha256(f"{realm}\n{user_id}".encode()).hexdigest()[:16]


def user_folder(profile: Profile, backend_url: str, user_id: str) -> Path:
    """Return the folder of a user's encrypted files, whether or not it exists."""
    return profile.users / folder_name(profile, backend_url, user_id)


def current_folder(profile: Profile) -> Path:
    """Return the folder of the user signed in last.

    Raises:
        NotSignedIn: there is none.
    """
    try:
        name = (profile.root / CURRENT_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise NotSignedIn from None
    folder = profile.users / name
    if not _FOLDER.match(name) or not (folder / LEDGER_FILE).exists():
        raise NotSignedIn
    return folder


def find_folder(profile: Profile, user: str | None, backend_url: str = "") -> Path:
    """Return the folder of `user` (id, or the folder's own name), of the one signed in last when it is None.

    Raises:
        NotSignedIn: nobody of that id has signed in here.
    """
    if user is None:
        return current_folder(profile)
    name = user if _FOLDER.match(user) else folder_name(profile, backend_url, user)
    if not (profile.users / name / LEDGER_FILE).exists():
        raise NotSignedIn
    return profile.users / name


def make_current(profile: Profile, folder: Path) -> None:
    """Remember who signed in last."""
    private_folder(profile.root)
    write_private(profile.root / CURRENT_FILE, f"{folder.name}\n".encode("ascii"))


def forget_current(profile: Profile, folder: Path) -> None:
    """Forget the one signed in last, if it is this one."""
    path = profile.root / CURRENT_FILE
    if path.exists() and path.read_text(encoding="ascii", errors="replace").strip() == folder.name:
        path.unlink()


def device(profile: Profile, ids: Ids) -> str:
    """Return the number of this installation, made at the first call: idempotency keys belong to it."""
    path = profile.root / DEVICE_FILE
    if path.exists():
        found = path.read_text(encoding="ascii", errors="replace").strip()
        if _DEVICE.match(found):
            return found
    private_folder(profile.root)
    made = ids.new()
    write_private(path, f"{made}\n".encode("ascii"))
    return made


def choose_keys(profile: Profile, folder: Path, ask: AskPassphrase) -> KeySource:
    """Return what opens the files in `folder`: as they were wrapped; for new ones the keyring, else a passphrase.

    Raises:
        KeysUnavailable: the keyring does not answer, or the user gave no passphrase.
    """
    if profile.ephemeral:
        return MemoryKeys.of(folder)
    if profile.name == DEMO:
        return DemoKeys(folder, profile)
    found = method(folder) if folder.exists() else None
    if found == "passphrase":
        return PassphraseKeys(folder, ask(False))
    keyring = KeyringKeys(folder)
    if found == "keyring":
        return keyring
    private_folder(profile.root)
    private_folder(profile.users)
    private_folder(folder)
    try:
        with files.locked(folder):
            keyring.key(LEDGER_FILE)
    except KeysMisplaced:
        raise
    except KeysLost:  # the store sets the damaged wraps aside; which new ones can there be?
        return keyring if keyring.answers() else PassphraseKeys(folder, ask(True))
    except KeysUnavailable:
        return PassphraseKeys(folder, ask(True))
    return keyring


def replicas(folder: Path) -> list[str]:
    """Return the business IDs of the organisations that have a replica in a user's folder."""
    return sorted(path.name.removeprefix("replica-").removesuffix(".db") for path in folder.glob("replica-*-?.db"))


def end_organisation(store: Store, organisation: str) -> None:
    """Destroy the replica of an organisation for which no mandate is left, and what commands tell of its customers."""
    with store.write() as db:
        touched = aftermath.end_organisation(db, organisation, store.clock.now())
        store.changed("command", "conflict", keys=touched)
    store.destroy_replica(organisation)
    store.scrub()


def end_if_lost(store: Store, organisation: str) -> None:
    """Do so if the session does not name the organisation any more; the rows are gone already, key and file follow.

    While a reader is in the way the rows lie on in the file: only without its key nobody can read them.
    """
    try:
        lost = Session(store).known().organisation(organisation) is None
    except NotSignedIn:
        return
    if lost:
        end_organisation(store, organisation)


def destroy_replicas(store: Store) -> None:
    """Destroy the replicas of all organisations: keys first, then files."""
    for organisation in replicas(store.folder):
        store.destroy_replica(organisation)


# --- secrets --------------------------------------------------------------------------------------------------------


def secret(store: Store, key: str) -> str | None:
    """Return a value of the ledger's secrets."""
    with store.read() as db:
        row = db.execute("SELECT value FROM main.secret WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def put_secrets(store: Store, values: dict[str, str | None]) -> None:
    """Store values among the ledger's secrets in one transaction; None deletes."""
    with store.write() as db:
        for key, value in values.items():
            if value is None:
                db.execute("DELETE FROM main.secret WHERE key = ?", (key,))
            else:
                db.execute("INSERT OR REPLACE INTO main.secret (key, value) VALUES (?, ?)", (key, value))
        store.changed("secret", keys=values)


class Session:
    """The session in a user's ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: tuple[str, KnownSession] | None = None

    def known(self) -> KnownSession:
        """Return what the backend said last.

        Raises:
            NotSignedIn: nothing is kept, or it is unreadable.
        """
        text = secret(self._store, "session")
        if text is None:
            raise NotSignedIn
        if self._parsed is None or self._parsed[0] != text:
            try:
                self._parsed = (text, read_session(text))
            except (ValueError, KeyError, TypeError):
                raise NotSignedIn from None  # written by another version: the next sign-in writes it anew
        return self._parsed[1]

    def signed_in(self) -> bool:
        """Tell whether there is a token to go on with; without one the data may still be shown within the lease."""
        return secret(self._store, "refresh_token") is not None

    def synced_at(self) -> datetime | None:
        """Return when the backend was last heard about the attached organisation, by its own clock."""
        return self._state_instant("synced_at")

    def lease(self) -> tuple[str, datetime]:
        """Return the newest lease: from the session, or from the feed of the attached organisation."""
        known = self.known()
        newest = (known.lease, known.lease_until)
        lease, until = self._state("lease"), self._state_instant("lease_until")
        if lease is not None and until is not None and until > newest[1]:
            newest = (lease, until)
        return newest

    def chosen(self) -> str | None:
        """Return the business ID of the organisation chosen last."""
        return secret(self._store, "organisation")

    def activate(self, wanted: str | None, on: date, needs: frozenset[str] = INBOX) -> ActiveSession:
        """Choose the organisation to act for, attach its replica and remember the choice.

        Args:
            wanted: business ID, or the beginning of a name in any language; None takes the last choice, or the only
                organisation there is.
            on: today in Finland.
            needs: capabilities of which one has to be open.

        Raises:
            NotSignedIn, NoSuchOrganisation, ChooseOrganisation, NothingOpens: there is nothing to act for.
        """
        known = self.known()
        found = self._pick(known, wanted, on, needs)
        names = found.opened
        code = found.organisation.business_id
        if local_date(known.server_time) != on or not needs & names:
            # On the backend's own day its answer stands: the same function of the same grants and agreement.
            opened = found.capabilities(on)
            names = opened.names
            if not needs & names:
                if code in replicas(self._store.folder):
                    self._end_files(found, on)
                raise NothingOpens(found, _why(opened, needs))
        self._attach(code)
        self._hold(found, on)
        if self.chosen() != code:
            put_secrets(self._store, {"organisation": code})
        organisation = found.organisation
        return ActiveSession(
            known.user_id,
            known.user_name,
            ActiveOrganisation(
                code, organisation.name, organisation.type, organisation.county, organisation.municipalities
            ),
            names,
            secret(self._store, "device") or "",
            self.lease()[0],
            found.supervisor,
        )

    def _attach(self, organisation: str) -> None:
        if self._store.organisation != organisation:
            self._store.detach()
            self._store.attach(organisation)

    def hold(self, organisation: str, on: date) -> None:
        """Let nothing of an organisation be there that its mandates of a day don't open: they also end by date.

        Does nothing when another organisation is attached by then, or nobody is signed in any more.
        """
        if self._store.organisation != organisation:
            return
        try:
            found = self.known().organisation(organisation)
        except NotSignedIn:
            return
        if found is not None:
            self._hold(found, on)

    def _hold(self, found: KnownOrganisation, on: date) -> None:
        """Let no customer's file and no list be there whose time is over, or that the mandates of now don't open."""
        expiry.sweep(self._store)
        with self._store.read() as db:
            files, held = customers.any_held(db), lists.any_held(db)
        if not (files or held):
            return
        from kelmu_tui.services.sights import govern, govern_lists, opened_lists, sights_of

        if files:
            govern(self._store, sights_of(found, on))
        if held:
            govern_lists(self._store, opened_lists(found, on))

    def _end_files(self, found: KnownOrganisation, on: date) -> None:
        """Do so for an organisation that is not opened, and leave attached what was."""
        before = self._store.organisation
        self._attach(found.organisation.business_id)
        self._hold(found, on)
        if before is None:
            self._store.detach()
        else:
            self._attach(before)

    def _pick(self, known: KnownSession, wanted: str | None, on: date, needs: frozenset[str]) -> KnownOrganisation:
        if not known.organisations:
            raise NothingOpens(None, None)
        if wanted is not None:
            return named(known, wanted)
        last = known.organisation(self.chosen() or "")
        if last is not None:
            return last
        usable = known.usable(on, needs)
        if len(usable) == 1 or len(known.organisations) == 1:
            return (usable or known.organisations)[0]
        if not usable:
            only = known.organisations[0]
            raise NothingOpens(only, _why(only.capabilities(on), needs))
        raise ChooseOrganisation(usable)

    def _state(self, key: str) -> str | None:
        if self._store.organisation is None:
            return None
        with self._store.read() as db:
            row = db.execute("SELECT value FROM replica.state WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _state_instant(self, key: str) -> datetime | None:
        text = self._state(key)
        try:
            return None if text is None else datetime.fromisoformat(text)
        except ValueError:
            return None


def _why(opened: Capabilities, needs: frozenset[str]) -> Denied | None:
    verdict = opened.explain(NOTICES_INBOX if NOTICES_INBOX in needs else min(needs))
    return verdict if isinstance(verdict, Denied) else None
