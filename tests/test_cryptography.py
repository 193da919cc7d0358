"""docs/cryptography.md says what the code uses: every module with its libraries, and the numbers that matter."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from kelmu_backend import keys as backend_keys
from kelmu_backend import lease
from kelmu_backend.identity import codes, families, grants, tokens, visits
from kelmu_backend.identity import keys as identity_keys
from kelmu_tui.store import keys, wraps

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = (ROOT / "docs" / "cryptography.md").read_text(encoding="utf-8")
LIBRARIES: Final = frozenset(
    {"argon2", "cryptography", "hashlib", "hmac", "joserfc", "keyring", "secrets", "sqlcipher3", "ssl"}
)


def imported(path: Path) -> set[str]:
    """Return the libraries of cryptography that a module imports, at its head or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        found |= {name.split(".")[0] for name in names}
    return found & LIBRARIES


def test_every_module_that_imports_cryptography_is_listed_with_what_it_imports() -> None:
    used = {
        str(path.relative_to(ROOT)): found
        for package in ("kelmu_tui", "kelmu_backend")
        for path in (ROOT / package).rglob("*.py")
        if (found := imported(path))
    }
    table = PAGE.split("## Modules")[1]
    rows = re.findall(r"^\| `(kelmu_[^`]+)` \| (.+) \|$", table, re.MULTILINE)
    assert {module: set(re.findall(r"`([^`]+)`", names)) for module, names in rows} == used
    assert [module for module, _ in rows] == sorted(used)


def minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("key derived from the passphrase", f"{keys.ARGON2_MEMORY_KIB // 1024} MiB, {keys.ARGON2_PASSES} passes"),
        ("key derived from the passphrase", f"{keys.ARGON2_LANES} lanes"),
        ("key derived from the passphrase", f"at least {keys.MIN_PASSPHRASE} characters"),
        ("`ledger.db` and `replica-*.db`", f"random {wraps.KEY_BYTES * 8}-bit file key"),
        ("file keys in `wraps.json`", f"nonce of {wraps.NONCE_BYTES} random bytes"),
        ("public salt of a file", f"cut to {len(keys.salt_of(bytes(wraps.KEY_BYTES)))} bytes"),
        ("access tokens", tokens.ALGORITHM),
        ("access tokens", f"token {minutes(tokens.LIFE)} minutes"),
        ("access tokens", f"published {minutes(identity_keys.OVERLAP)} minutes before"),
        ("access tokens", f"verifies {minutes(identity_keys.RETIRED_AFTER)} minutes longer"),
        ("refresh tokens", f"session {minutes(families.LIFE) // 60} hours"),
        ("user codes", f"{codes.LENGTH} consonants"),
        ("user codes", f"{minutes(grants.LIFE)} minutes"),
        ("device codes", "an hour" if visits.COOKIE_LIFE == 3600 else f"{visits.COOKIE_LIFE} s"),
        ("cursors and leases", f"cut to {backend_keys._TAG * 8} bits"),
        ("fingerprint of a command", f"{lease.MEMORY.days} days"),
    ],
)
def test_the_numbers_are_those_of_the_code(row: str, words: str) -> None:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    assert words in line


def test_the_files_are_encrypted_as_the_page_says(tmp_path: Path) -> None:
    """The settings of SQLCipher 4 are nowhere in the code: they are its defaults, asked for here."""
    from kelmu_tui.store import connection

    path = tmp_path / "x.db"
    db = connection.connect(path, bytes(range(32)))
    asked = {name: str(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("cipher_version", "cipher_page_size")}
    algorithm = db.execute("PRAGMA cipher_hmac_algorithm").fetchone()[0]
    db.close()
    assert asked["cipher_version"].startswith("4.")
    assert asked["cipher_page_size"] == "4096"
    assert algorithm == "HMAC_SHA512"
    assert "SQLCipher 4: AES-256-CBC and HMAC-SHA512 for each page of 4 KiB" in PAGE
