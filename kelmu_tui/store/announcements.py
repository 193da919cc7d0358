"""Service announcements as the replica holds them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from kelmu_tui.domain.organisations import Names
from kelmu_tui.store import overlay
from kelmu_tui.store.rows import AnnouncementLine


def announcements(db: Any) -> list[AnnouncementLine]:
    """Return all announcements, by the instant they begin."""
    shown = overlay.frame(db)
    rows = db.execute("SELECT body FROM replica.announcement WHERE generation = ?", (shown.announcements,))
    return sorted((announcement_line(json.loads(body)) for (body,) in rows), key=lambda line: (line.starts, line.id))


def announcement_line(row: dict[str, Any]) -> AnnouncementLine:
    """Return an announcement of the wire (JSON) as the faces see it."""
    return AnnouncementLine(
        id=row["id"],
        version=row["version"],
        kind=row["kind"],
        starts=datetime.fromisoformat(row["starts"]),
        ends=datetime.fromisoformat(row["ends"]) if row.get("ends") else None,
        title=Names(row["title"]["fi"], row["title"]["sv"], row["title"]["en"]),
        text=Names(row["text"]["fi"], row["text"]["sv"], row["text"]["en"]),
    )
