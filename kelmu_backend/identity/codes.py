"""Codes and their digests: what is shown to people, what is sent to clients, what is stored of either."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

from kelmu_backend.identity.keys import KeyRing

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Twenty consonants: no word can come out, and nothing looks like a digit (RFC 8628, 6.1)."""
LENGTH: Final = 10
"""Letters of a user code: 43 bits. The eight letters of the RFC's example would be 34."""
HALF: Final = LENGTH // 2

_FILLING: Final = re.compile(r"[\s\-\u2010-\u2015\u2212._]+")


def new_user_code() -> str:
    """Return a code as it is compared: ten letters without a dash."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(user_code: str) -> str:
    """Return a user code as people read it, `BCDFG-HJKLM`."""
    return f"{user_code[:HALF]}-{user_code[HALF:]}"


def normalise(typed: str) -> str | None:
    """Return the code meant by `typed`, whatever its case, spaces and dashes; None when it can't be one."""
    code = _FILLING.sub("", typed[:60]).upper()
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def new_secret() -> str:
    """Return 256 random bits in the URL-safe alphabet: a device code, a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is stored of a random 256-bit value."""
    return hashlib.sha256(secret.encode()).hexdigest()


def user_code_digest(ring: KeyRing, user_code: str) -> str:
    """Return what is stored of a user code; keyed, because ten letters can be tried out."""
    return ring.keyed("user code", user_code).hex()
