"""What opens the local files, changed: another passphrase, or the keyring in its place."""

from __future__ import annotations

from pathlib import Path

from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.session import DEMO, AskPassphrase, choose_keys
from kelmu_tui.store import files
from kelmu_tui.store.database import LEDGER_FILE
from kelmu_tui.store.errors import KeysUnavailable
from kelmu_tui.store.keys import KeyringKeys, PassphraseKeys, rewrap


def change(profile: Profile, folder: Path, ask: AskPassphrase, *, keyring: bool) -> None:
    """Wrap the keys of a user's files anew, by a new passphrase or by the keyring; the files stay as they are.

    Nothing is asked for anew before the old way has opened the keys, and nothing is written before the new one stands.

    Raises:
        KeysUnavailable: the demo's keys lie open; or the old or the new way does not work (`WrongPassphrase`,
            `WeakPassphrase`, `KeysLost`).
    """
    if profile.name == DEMO:
        raise KeysUnavailable("demo_only")
    old = choose_keys(profile, folder, ask)
    with files.locked(folder):
        old.key(LEDGER_FILE)
    new = KeyringKeys(folder) if keyring else PassphraseKeys(folder, ask(True))
    with files.locked(folder):
        rewrap(old, new)
