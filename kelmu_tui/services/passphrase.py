"""What opens the local files, changed: another passphrase, or the keyring in its place.

Other terminals of the user go on with the files they have open. When they need a key the next time, they find that
another secret opens the wraps by now (`KeysChanged`) and ask for it: whoever changes a passphrase because it is known
to somebody shuts that somebody out.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.session import DEMO, AskPassphrase, forget_current
from kelmu_tui.store import files
from kelmu_tui.store.database import LEDGER_FILE
from kelmu_tui.store.errors import KeysLost, KeysUnavailable
from kelmu_tui.store.keyring_keys import KeyringKeys
from kelmu_tui.store.keys import PassphraseKeys, WrappedKeys, method, rewrap
from kelmu_tui.store.wraps import WRAPS_FILE, load


class Changed(NamedTuple):
    """What opens the files now, and whether the secret before it is gone from the keyring too."""

    keys: WrappedKeys
    forgotten: bool


def change(profile: Profile, folder: Path, ask: AskPassphrase, *, keyring: bool) -> Changed:
    """Wrap the keys of a user's files anew, by a new passphrase or by the keyring; the files stay as they are.

    Nothing is asked for anew before the old way has opened the keys, and nothing is written before the new one stands.

    Raises:
        KeysUnavailable: the demo's keys lie open; or the old or the new way does not work (`WrongPassphrase`,
            `WeakPassphrase`, `KeysLost`).
    """
    old = _present(profile, folder, ask)
    try:
        with files.locked(folder):
            old.key(LEDGER_FILE)
        new: WrappedKeys = KeyringKeys(folder) if keyring else PassphraseKeys(folder, ask(True))
        with files.locked(folder):
            rewrap(old, new)
            # What is left in the keyring opens nothing any more: that it can't be deleted is no reason to fail.
            return Changed(new, KeyringKeys(folder).forget_stale())
    finally:
        old.drop()


def _present(profile: Profile, folder: Path, ask: AskPassphrase) -> WrappedKeys:
    if profile.name == DEMO or profile.ephemeral:
        raise KeysUnavailable("demo_only")
    match method(folder):
        case "passphrase":
            return PassphraseKeys(folder, ask(False))
        case "keyring":
            return KeyringKeys(folder)
        case _:
            load(folder)  # tells why
            raise KeysLost("damaged")


def give_up(profile: Profile, folder: Path, clock: Clock, ids: Ids) -> Path:
    """Set the wraps of a forgotten passphrase aside, so that the next sign-in begins anew; return where they are now.

    The files stay, moved aside by the store that finds them closed: a passphrase may come to mind again.
    """
    with files.locked(folder):
        moved = files.set_aside(folder / WRAPS_FILE, f"corrupt-{clock.now():%Y%m%dT%H%M%S}-{ids.new()[:6]}")
    forget_current(profile, folder)
    return moved


def opened_by(profile: Profile, folder: Path) -> str:
    """Return what opens a user's files now: `passphrase`, `keyring`, `demo`, or `memory` where no key is kept."""
    if profile.ephemeral:
        return "memory"
    return DEMO if profile.name == DEMO else method(folder) or "keyring"
