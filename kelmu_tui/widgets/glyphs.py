"""Signs of the interface, with a plain ASCII set for terminals without Unicode; none is wider than one cell."""

from __future__ import annotations

from typing import Final, NamedTuple


class Glyphs(NamedTuple):
    """One set of signs."""

    cursor: str
    mark: str
    new: str
    urgent: str
    pending: str
    conflict: str
    online: str
    offline: str
    busy: str
    up: str
    down: str
    line: str
    warning: str
    none: str
    dot: str


UNICODE: Final = Glyphs(
    cursor="▌",
    mark="x",
    new="•",
    urgent="!",
    pending="↑",
    conflict="×",
    online="●",
    offline="○",
    busy="◌",
    up="↑",
    down="↓",
    line="─",
    warning="▲",
    none="–",
    dot="·",
)
ASCII: Final = Glyphs(
    cursor=">",
    mark="x",
    new="*",
    urgent="!",
    pending="^",
    conflict="#",
    online="+",
    offline="o",
    busy="~",
    up="^",
    down="v",
    line="-",
    warning="!",
    none="-",
    dot="-",
)


def glyphs(name: str) -> Glyphs:
    """Return the set called `name`: `ascii`, or else Unicode."""
    return ASCII if name == "ascii" else UNICODE
