"""Keys wrapped by a secret of the operating system's keyring, which is asked with patience that ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kelmu_tui.store.errors import KeysLost, KeysUnavailable
from kelmu_tui.store.keys import WrappedKeys, wipe
from kelmu_tui.store.wraps import KEY_BYTES, load, save

DEADLINE: Final = 3.0
"""Seconds that the keyring may take: a locked collection can keep its caller waiting for ever."""
SERVICE: Final = "kelmu"
ALLOWED_BACKENDS: Final = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)
"""Keyrings that keep secrets encrypted by the operating system; files in clear text are not among them."""


class KeyringKeys(WrappedKeys):
    """Keys wrapped by a secret of the operating system's keyring."""

    method = "keyring"

    def __init__(self, folder: Path, *, backend: Callable[[], Any] | None = None, deadline: float = DEADLINE) -> None:
        super().__init__(folder)
        self._backend = backend or _system_keyring
        self._deadline = deadline
        self._secrets: dict[str, bytearray] = {}

    def drop(self) -> None:
        """Overwrite what the keyring told."""
        for secret in self._secrets.values():
            wipe(secret)
        self._secrets.clear()

    def answers(self) -> bool:
        """Tell whether there is a keyring that can be used."""
        try:
            self._ask(lambda ring: ring.get_password(SERVICE, "?"))
        except KeysUnavailable:
            return False
        return True

    def begin(self, content: dict[str, Any]) -> None:
        """Give the keyring a new secret."""
        entry, secret = os.urandom(16).hex(), os.urandom(KEY_BYTES)
        self._ask(lambda ring: ring.set_password(SERVICE, entry, secret.hex()))
        # A keyring that forgets at once would cost the whole ledger at the next start.
        if self._ask(lambda ring: ring.get_password(SERVICE, entry)) != secret.hex():
            raise KeysUnavailable("keyring_refused")
        content["entry"] = entry

    def forget_stale(self) -> bool:
        """Delete the keyring's secrets that open nothing any more; the caller holds the lock of the folder.

        Returns:
            Whether none is left; what is left is named in the file and tried again another time.
        """
        found = load(self.folder)
        stale = [str(entry) for entry in (found or {}).get("stale", ())]
        if found is None or not stale:
            return True
        try:
            left = [entry for entry in stale if not self._forgotten(entry)]
        except KeysUnavailable:
            return False
        if left != stale:
            found["stale"] = left
            if not left:
                del found["stale"]
            save(self.folder, found)
        return not left

    def _forgotten(self, entry: str) -> bool:
        def forget(ring: Any) -> bool:
            if ring.get_password(SERVICE, entry) is not None:
                ring.delete_password(SERVICE, entry)
            return ring.get_password(SERVICE, entry) is None

        return bool(self._ask(forget))

    def _opener(self, content: dict[str, Any]) -> bytearray:
        entry = str(content.get("entry"))
        if entry not in self._secrets:
            answer = self._ask(lambda ring: ring.get_password(SERVICE, entry))
            if answer is None:
                raise KeysLost("keyring_forgot")
            try:
                self._secrets[entry] = bytearray.fromhex(answer)
            except (TypeError, ValueError) as error:
                raise KeysLost("damaged") from error
        return self._secrets[entry]

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        """Ask the keyring in a thread of its own, which is left behind when it does not answer in time."""
        import queue
        import threading

        answers: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put((True, question(self._allowed(self._backend()))))
            except KeysUnavailable as error:
                answers.put((False, error))
            except Exception as error:  # noqa: BLE001 - each backend raises its own family
                refused = KeysUnavailable(_reason(error))
                refused.__cause__ = error
                answers.put((False, refused))

        threading.Thread(target=ask, name="keyring", daemon=True).start()
        try:
            good, answer = answers.get(timeout=self._deadline)
        except queue.Empty:
            raise KeysUnavailable("keyring_silent") from None
        if not good:
            raise answer
        return answer

    @staticmethod
    def _allowed(found: Any) -> Any:
        """Return the keyring to use: the one found, or the first good one when several are chained.

        Raises:
            KeysUnavailable: none of them keeps secrets encrypted.
        """
        for ring in (found, *getattr(found, "backends", ())):
            kind = type(ring)
            if f"{kind.__module__}.{kind.__qualname__}" in ALLOWED_BACKENDS:
                return ring
        raise KeysUnavailable("keyring_missing")


def _reason(error: Exception) -> str:
    """Tell a locked keyring from one that is out of order: the first can be opened by the user."""
    import keyring.errors

    return "keyring_locked" if isinstance(error, keyring.errors.KeyringLocked) else "keyring_refused"


def _system_keyring() -> Any:
    import keyring  # 70 ms: only where it is used

    return keyring.get_keyring()
