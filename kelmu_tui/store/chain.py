"""Who a ledger is to the backend that receives its log of views: a chain with a key of its own.

Made with the first view and kept among the ledger's secrets: `chain` (its id), `chain_key` (the seed of an Ed25519
key), `chain_known` (once the backend knows the public half), `chain_alarm` (why the ledger is barred). The key is 32
random bytes, so that the first look of a program that only reads loads no cryptography.
"""

from base64 import urlsafe_b64encode
from typing import Any, Final, NamedTuple

from kelmu_tui.platform.ids import Ids
from kelmu_tui.store.errors import ViewsBarred

SECRETS: Final = ("chain", "chain_key", "chain_known", "chain_alarm")


class Chain(NamedTuple):
    """The ledger's chain; `known` to the backend, `alarm` the code of what it found wrong.

    `seed` stands as the ledger has it, in hexadecimal digits; where somebody has altered it, using it is a ValueError.
    """

    id: str
    seed: str
    known: bool
    alarm: str | None

    def public_key(self) -> str:
        """Return the public half of the key as the wire carries it."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.seed))
        return _packed(key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> str:
        """Return the key's signature of `message` as the wire carries it."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return _packed(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.seed)).sign(message))


def read(db: Any) -> Chain | None:
    """Return the ledger's chain, None before its first view."""
    rows = db.execute("SELECT key, value FROM main.secret WHERE key IN (?, ?, ?, ?)", SECRETS)
    found: dict[str, str] = dict(rows.fetchall())
    if "chain" not in found or "chain_key" not in found:
        return None
    return Chain(found["chain"], found["chain_key"], "chain_known" in found, found.get("chain_alarm"))


def ensure(db: Any, ids: Ids) -> None:
    """Make the ledger's chain inside `Store.write` if it has none."""
    if db.execute("SELECT 1 FROM main.secret WHERE key = 'chain'").fetchone() is None:
        _put(db, "chain", ids.new())
        _put(db, "chain_key", ids.new() + ids.new())


def renew(db: Any, ids: Ids) -> None:
    """Begin another chain in place of the present one."""
    db.execute("DELETE FROM main.secret WHERE key IN (?, ?, ?, ?)", SECRETS)
    ensure(db, ids)


def set_known(db: Any, known: bool) -> None:
    """Note whether the backend knows the public key."""
    if known:
        _put(db, "chain_known", "1")
    else:
        db.execute("DELETE FROM main.secret WHERE key = 'chain_known'")


def bar(db: Any, code: str) -> None:
    """Note for good why nothing of customers may be shown; the first reason stays."""
    db.execute("INSERT OR IGNORE INTO main.secret (key, value) VALUES ('chain_alarm', ?)", (code,))


def barred(db: Any) -> bool:
    """Tell whether nothing of customers may be shown."""
    return db.execute("SELECT 1 FROM main.secret WHERE key = 'chain_alarm'").fetchone() is not None


def demand(db: Any) -> None:
    """Ask, before anything of customers is read, whether that may be shown.

    Raises:
        ViewsBarred: the ledger is an old or an altered copy.
    """
    if barred(db):
        raise ViewsBarred


def _put(db: Any, key: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO main.secret (key, value) VALUES (?, ?)", (key, value))


def _packed(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
