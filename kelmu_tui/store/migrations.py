"""Numbered steps of the ledger's tables, forwards only; step n leads from `user_version` n - 1 to n.

A released step is never edited: the ledger may hold commands that exist nowhere else, so each version ever released
must lead to today's. The replica has steps of its own (`schema.REPLICA_STEPS`); a version that they don't reach is
thrown away and pulled again.
"""

from __future__ import annotations

from typing import Final

from kelmu_tui.store.schema import LEDGER, LEDGER_2, LEDGER_3, LEDGER_4, LEDGER_5, LEDGER_VERSION
from kelmu_tui.store.schema_claims import LEDGER_6
from kelmu_tui.store.schema_documents import LEDGER_7

STEPS: Final[tuple[str, ...]] = (LEDGER, LEDGER_2, LEDGER_3, LEDGER_4, LEDGER_5, LEDGER_6, LEDGER_7)

if len(STEPS) != LEDGER_VERSION:
    raise AssertionError("LEDGER_VERSION counts the steps")


def statements(script: str) -> list[str]:
    """Split a script of ours into statements; `executescript` would commit the transaction around it.

    Comments may hold semicolons only in lines of their own.
    """
    lines = [line.split("--", 1)[0] for line in script.splitlines()]
    return [part.strip() for part in "\n".join(lines).split(";") if part.strip()]
