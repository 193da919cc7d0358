"""The server's own keys: ES256 keys that sign access tokens, and the key that hides short codes in the database.

They are files of the folder `identity` in the secret folder, readable by the server's user alone. In demo mode they
are made when missing and marked as such; a real server refuses marked keys and refuses to start without any, so that
nobody goes live with keys that came into being by accident. Several signing keys may lie there: each carries the
instant from which it signs, and all of them verify, so a rotation disturbs nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey

from kelmu_backend.identity.ports import Settings
from kelmu_tui.platform.paths import private_folder

FOLDER: Final = "identity"
OVERLAP: Final = timedelta(minutes=10)
"""A new key is published this long before it signs, so that every process has read it by then."""
RETIRED_AFTER: Final = timedelta(minutes=30)
"""A replaced key verifies this long after its successor began: longer than any access token lives."""

_HASH_FILE: Final = "hash.json"
_SIGNING_FILES: Final = "signing-*.json"


class KeyProblem(Exception):
    """The keys are missing, readable by others, or those of a demonstration; the server must not start."""


class NoKeys(KeyProblem):
    """Nobody has made the keys yet, or not all of them."""


class Standing(StrEnum):
    """What a signing key is for at an instant."""

    WAITING = "waiting"
    """Published; it signs later."""
    SIGNING = "signing"
    VERIFYING = "verifying"
    """Replaced; tokens made with it may still be about."""
    OVER = "over"
    """No token made with it is good any more; the next rotation drops it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One ES256 key and the instant from which it signs."""

    kid: str
    key: ECKey
    active_from: datetime


class KeyRing:
    """All keys of the server, as read from the folder."""

    def __init__(self, signing: tuple[SigningKey, ...], hash_key: bytes) -> None:
        self._signing = tuple(sorted(signing, key=lambda each: each.active_from))
        self._by_kid = {each.kid: each.key for each in signing}
        self._hash_key = hash_key

    def signing(self, now: datetime) -> SigningKey:
        """Return the newest key that may sign at `now`."""
        active = [each for each in self._signing if each.active_from <= now]
        return active[-1] if active else self._signing[0]

    def standings(self, now: datetime) -> list[tuple[SigningKey, Standing]]:
        """Return all signing keys, the oldest first, with what each is for at `now`."""
        current = self.signing(now)
        found = []
        for key, successor in zip_longest(self._signing, self._signing[1:]):
            if key is current:
                standing = Standing.SIGNING
            elif key.active_from > now:
                standing = Standing.WAITING
            else:
                over = successor is not None and successor.active_from + RETIRED_AFTER <= now
                standing = Standing.OVER if over else Standing.VERIFYING
            found.append((key, standing))
        return found

    def find(self, kid: str) -> ECKey | None:
        """Return the key named `kid`, or None."""
        return self._by_kid.get(kid)

    def published(self) -> dict[str, Any]:
        """Return the public halves as a JWK set (RFC 7517)."""
        return {
            "keys": [
                {**each.key.as_dict(private=False), "kid": each.kid, "use": "sig", "alg": "ES256"}
                for each in self._signing
            ]
        }

    def keyed(self, purpose: str, text: str) -> bytes:
        """Return 32 bytes that only this server can compute from `text`, different for every `purpose`."""
        return hmac.new(self._hash_key, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()


_rings: dict[tuple[Path, bool], tuple[int, KeyRing]] = {}


def ring(settings: Settings) -> KeyRing:
    """Return the present keys; the files are read again only when their folder has changed.

    Raises:
        KeyProblem: see `load`.
    """
    folder = settings.secret_folder / FOLDER
    try:
        stamp = folder.stat().st_mtime_ns
    except FileNotFoundError:
        stamp = -1
    known = _rings.get((folder, settings.demo))
    if known is not None and known[0] == stamp:
        return known[1]
    if settings.demo:
        create(settings.secret_folder, settings.clock.now(), demo=True)
    loaded = load(settings.secret_folder, demo=settings.demo)
    _rings[folder, settings.demo] = (folder.stat().st_mtime_ns, loaded)
    return loaded


def complete(secret_folder: Path) -> bool:
    """Tell whether keys of both kinds lie there, fit or not."""
    folder = secret_folder / FOLDER
    return (folder / _HASH_FILE).exists() and any(folder.glob(_SIGNING_FILES))


def create(secret_folder: Path, now: datetime, *, demo: bool = False) -> None:
    """Make the keys that are missing; existing ones stay as they are."""
    folder = private_folder(private_folder(secret_folder) / FOLDER)
    if not (folder / _HASH_FILE).exists():
        _place(folder / _HASH_FILE, {"demo": demo, "key": secrets.token_hex(32)})
    if not any(folder.glob(_SIGNING_FILES)):
        _add_signing_key(folder, now, demo=demo)


def rotate(secret_folder: Path, now: datetime) -> str:
    """Add a signing key that takes over after `OVERLAP`, drop those long replaced, and return the new key's id.

    Raises:
        KeyProblem: see `load`.
    """
    folder = secret_folder / FOLDER
    demo = bool(_read(folder / _HASH_FILE).get("demo"))
    present = sorted((_signing_key(_read(path)).active_from, path) for path in folder.glob(_SIGNING_FILES))
    for (_, path), (successor, _) in pairwise(present):
        if successor + RETIRED_AFTER <= now:
            path.unlink()
    return _add_signing_key(folder, now + OVERLAP, demo=demo)


def load(secret_folder: Path, *, demo: bool) -> KeyRing:
    """Read the keys.

    Raises:
        NoKeys: nobody has made them, or not all of them.
        KeyProblem: a file is missing, damaged, readable by others, or a demonstration's outside demo mode.
    """
    if not complete(secret_folder):
        raise NoKeys("the keys have not been made")
    folder = secret_folder / FOLDER
    hash_file = _read(folder / _HASH_FILE)
    files = [_read(path) for path in sorted(folder.glob(_SIGNING_FILES))]
    if not demo and any(each.get("demo") is not False for each in (hash_file, *files)):
        raise KeyProblem("the keys were made for a demonstration; make real ones")
    try:
        return KeyRing(tuple(_signing_key(each) for each in files), bytes.fromhex(hash_file["key"]))
    except (KeyError, TypeError, ValueError) as error:
        raise KeyProblem("a key file is damaged") from error


def _signing_key(stored: dict[str, Any]) -> SigningKey:
    return SigningKey(
        kid=str(stored["kid"]),
        key=ECKey.import_key(stored["jwk"]),
        active_from=datetime.fromisoformat(stored["active_from"]),
    )


def _add_signing_key(folder: Path, active_from: datetime, *, demo: bool) -> str:
    key = ECKey.generate_key("P-256")
    kid = key.thumbprint()
    stored = {"demo": demo, "kid": kid, "active_from": active_from.isoformat(), "jwk": key.as_dict(private=True)}
    _place(folder / f"signing-{active_from:%Y%m%dT%H%M%S}-{kid[:8]}.json", stored)
    return kid


def _place(path: Path, content: dict[str, Any]) -> None:
    """Write a new file in one step: a second process that is as early sees either nothing or the whole file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read(path: Path) -> dict[str, Any]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise KeyProblem(f"{path.name} can't be read: {error.strerror}") from error
    with os.fdopen(descriptor, encoding="utf-8") as file:
        status = os.fstat(file.fileno())
        if status.st_mode & 0o077 or status.st_uid != os.getuid():
            raise KeyProblem(f"{path.name} is open to other users; its mode must be 0600 and its owner the server")
        try:
            content = json.load(file)
        except ValueError as error:
            raise KeyProblem(f"{path.name} is damaged") from error
    if not isinstance(content, dict):
        raise KeyProblem(f"{path.name} is damaged")
    return content
