"""What can go wrong with the files on disk, as types that every face has a text for.

    StoreError              code
    ├── StoreFull           "store_full": the disk is full; the transaction was rolled back, nothing is half done
    ├── StoreUnavailable    "store_unavailable": reason "io", "busy", "read_only", "open" or "unsafe"
    │   ├── StoreClosed     "store_closed": whoever asked came after the end of the store
    │   ├── OnNetworkDisk   "network_disk": the folder lies where locks can't be relied upon
    │   └── StoreCorrupt    "store_corrupt": a page fails its check while working; `Store.set_aside_broken` mends it
    ├── LedgerTooNew        "ledger_too_new": written by a newer version of the program
    ├── NotShown             what the store holds may not be shown now
    │   ├── LeaseEnded       "lease_over": the backend was not heard for too long
    │   ├── ClockBehind      "clock_behind": nobody knows what time it is, so nobody knows whether the lease is over
    │   └── ViewsBarred      "views_barred": the log of views is an old or an altered copy; a sign-in begins a new one
    ├── NoReplica           "no_replica": no organisation has been attached
    ├── StoreLocked         "store_locked": the keys were dropped; the store works again after `Store.unlock`
    └── KeysUnavailable     "keys_unavailable": reason "keyring_missing", "keyring_silent", "keyring_locked",
        │                   "keyring_refused", "demo_only"
        ├── WrongPassphrase "wrong_passphrase"
        ├── WeakPassphrase  "weak_passphrase": reason "short" or "common"
        ├── KeysChanged     "keys_changed": another secret opens the wraps by now; reason names the method
        ├── KeysMisplaced   "keys_misplaced": the wraps are those of another folder; nothing was touched
        └── KeysLost        "keys_lost": the wraps can never be opened again; reason "damaged" or "keyring_forgot"

No message of these holds a value of the store.
"""

from __future__ import annotations

from datetime import datetime


class StoreError(Exception):
    """Base of everything the store raises on purpose; `code` is stable and translated by the faces."""

    code = "store_error"

    def __init__(self, reason: str = "") -> None:
        super().__init__(f"{self.code}: {reason}" if reason else self.code)
        self.reason = reason


class StoreFull(StoreError):
    """The disk is full; what was being written is not there, everything before it is."""

    code = "store_full"


class StoreUnavailable(StoreError):
    """The file cannot be read or written now; `reason` says how."""

    code = "store_unavailable"


class StoreClosed(StoreUnavailable):
    """The store was closed for good, by a sign-out or at the end: nobody waits for what comes later."""

    code = "store_closed"


class OnNetworkDisk(StoreUnavailable):
    """The folder lies on a network file system: two processes could spoil the files, and a lost line tear them."""

    code = "network_disk"


class StoreCorrupt(StoreUnavailable):
    """A page of a file fails its check."""

    code = "store_corrupt"


class LedgerTooNew(StoreError):
    """The ledger was written by a newer program: opening it could lose what this version does not know."""

    code = "ledger_too_new"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"version {found}, known {known}")
        self.found = found
        self.known = known


class NotShown(StoreError):
    """What the store holds may not be shown before the backend has been heard."""


class LeaseEnded(NotShown):
    """The backend has not been heard for so long that nothing may be shown any more; `until` is when that began."""

    code = "lease_over"

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


class ClockBehind(NotShown):
    """The machine's clock lies behind what is known to have passed: only the backend can tell the time again."""

    code = "clock_behind"


class NoReplica(StoreError):
    """Something of an organisation was asked before one was attached."""

    code = "no_replica"


class ViewsBarred(NotShown):
    """The backend found that the log of views is an old or an altered copy; the next sign-in begins a new one."""

    code = "views_barred"


class StoreLocked(StoreError):
    """The store is locked: its files are closed and their keys dropped, until somebody unlocks it."""

    code = "store_locked"


class KeysUnavailable(StoreError):
    """The files' keys cannot be had now; `reason` says why."""

    code = "keys_unavailable"


class WrongPassphrase(KeysUnavailable):
    """The passphrase does not open the wraps."""

    code = "wrong_passphrase"


class WeakPassphrase(KeysUnavailable):
    """A new passphrase is too short or too common."""

    code = "weak_passphrase"


class KeysChanged(KeysUnavailable):
    """Another terminal gave the files another secret: it has to be asked for anew."""

    code = "keys_changed"


class KeysMisplaced(KeysUnavailable):
    """The file of wraps was made in another folder: put back by mistake, it would cost the files here."""

    code = "keys_misplaced"


class KeysLost(KeysUnavailable):
    """The wraps are unreadable or their secret is gone for good: the files behind them stay closed for ever."""

    code = "keys_lost"
