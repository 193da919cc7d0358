"""I15: what commands, notices and claims say stands nowhere in the bytes of a user's files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.sync.simulation import claims
from tests.sync.simulation.invariants import hold

NEEDLES: Final = (
    *(b"Virta", b"Oskar", b"010190-900R", b"Soitettu", b"yhteydenottoa"),
    *(text.encode() for text in (*claims.PAYEES, *claims.PAYEES.values(), claims.GIVEN_NAME, claims.GROUNDS)),
)
"""What stands in commands, notices and claims, and nowhere in the bytes of a file."""


def needles(folder: Path) -> None:
    """Look for what was in commands and notices in the bytes of a user's files (I15)."""
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for needle in NEEDLES:
                hold(needle not in data, f"I15: {needle.decode()} stands in {path.name}")
