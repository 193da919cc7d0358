"""What the commands of the outbox are on, told by their names."""

from __future__ import annotations

from typing import Final

_FAMILIES: Final = {"follow": "follow", "claim": "claim", "document": "sending"}
"""Table of what a command is on, by the first part of its name."""
CLAIM: Final = "claim"
SENDING: Final = "sending"


def table(verb: str) -> str:
    """Return the replica's table of what a command is on; a take-back is on the trace of a notice."""
    return "trace" if verb == "take-back" else _FAMILIES.get(verb.partition("-")[0], "notice")
