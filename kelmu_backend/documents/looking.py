"""What an uploaded document is by its content, whatever its sender says of it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, select, update

from kelmu_backend.database.document_tables import upload
from kelmu_backend.documents.uploads import Owner
from kelmu_backend.documents.vault import Held, Unreadable, Vault
from kelmu_tui.content import checking

_UNSEEN: Final = select(upload).where(
    upload.c.user == bindparam("user"),
    upload.c.organisation == bindparam("organisation"),
    upload.c.device == bindparam("device"),
    upload.c.document.in_(bindparam("documents", expanding=True)),
    upload.c.offset == upload.c.length,
    upload.c.wrapped.is_not(None),
    upload.c.sha256.is_(None),
)


class Found(NamedTuple):
    """What content is.

    Attributes:
        media_type: None for none that can be sent.
        fault: why it is refused, a `domain.documents.Fault`.
    """

    sha256: str
    media_type: str | None = None
    pages: int | None = None
    fault: str | None = None


def look(vault: Vault, held: Held) -> Found | None:
    """Look at content, in a process that may die of it; None when it cannot be opened any more.

    Raises:
        NoReader: documents cannot be read at all here.
    """
    try:
        # Whole in memory for as long as it is looked at: in plain it touches no disk.
        found = checking.inspect(b"".join(vault.read(held)))
    except Unreadable:
        return None
    media_type = None if found.media_type is None else found.media_type.value
    return Found(found.sha256, media_type, found.pages, None if found.fault is None else found.fault.value)


def unseen(connection: Connection, owner: Owner, documents: list[str]) -> list[Row[Any]]:
    """Return those of a user's whole uploads that nobody has looked at."""
    key = {"user": owner.user, "organisation": owner.organisation, "device": owner.device, "documents": documents}
    return list(connection.execute(_UNSEEN, key).all())


def note(connection: Connection, held: Held, found: Found) -> None:
    """Write down what was found."""
    same = upload.c.place == held.place, upload.c.offset == held.offset
    connection.execute(update(upload).where(*same).values(**found._asdict()))
