"""What the record knows of uploads: begun, grown, sent, over.

An upload belongs to one user, one organisation and one device; for anybody else it does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kelmu_backend import audit
from kelmu_backend.database.document_tables import upload, upload_piece
from kelmu_backend.documents.vault import Held, Vault
from kelmu_backend.problems import ProblemError, not_found
from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.domain.documents import SendRefusal, limits, unfinished_kept

OPEN_BYTES: Final = 3
OPEN_FILES: Final = 6
"""How many whole sendings' bytes and files a user may have uploaded without sending them."""

REMEMBERED: Final = timedelta(days=30)
"""How long it is told that an upload is over, and not just that there is none."""

AT_ONCE: Final = 200
"""Uploads that end in one transaction."""

_OWN: Final = select(upload).where(
    upload.c.user == bindparam("user"),
    upload.c.organisation == bindparam("organisation"),
    upload.c.document == bindparam("document"),
)
_OPEN: Final = select(func.coalesce(func.sum(upload.c.length), 0).label("bytes"), func.count().label("files")).where(
    upload.c.user == bindparam("user"), upload.c.sending.is_(None), upload.c.expires > bindparam("now")
)
_LOCKED: Final = select(upload.c.sending).where(upload.c.place == bindparam("place")).with_for_update()
_OVER: Final = (
    select(upload).where(upload.c.wrapped.is_not(None), upload.c.expires <= bindparam("now")).order_by(upload.c.place)
).limit(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose uploads: a user on a device, for an organisation (business ID)."""

    user: str
    organisation: str
    device: str


def held(row: Row[Any]) -> Held:
    """Return the content of an upload that is not over."""
    return Held(row.place, bytes(row.wrapped), row.offset, row.pieces, row.stored)


def find(connection: Connection, owner: Owner, document: str, now: datetime) -> Row[Any]:
    """Return an upload.

    Raises:
        ProblemError: there is none, or it is over.
    """
    row = _row(connection, owner, document)
    if row is None or row.device != owner.device:
        raise not_found()
    if is_over(row, now):
        raise gone()
    return row


def lock(connection: Connection, place: str) -> bool:
    """Let nobody send an upload until the transaction ends; False when it is gone.

    Raises:
        ProblemError: it has been sent.
    """
    row = connection.execute(_LOCKED, {"place": place}).one_or_none()
    if row is not None and row.sending is not None:
        raise sent()
    return row is not None


def forget(connection: Connection, place: str) -> None:
    """Remove an upload whose content is lost, unless it has been sent."""
    if lock(connection, place):
        remove(connection, [place])


def is_over(row: Row[Any], now: datetime) -> bool:
    """Tell whether nothing can be added to an upload or sent of it any more."""
    return row.wrapped is None or (row.expires is not None and bool(row.expires <= now))


def gone() -> ProblemError:
    """Return the answer for an upload that is over: it has to begin anew."""
    return ProblemError(ProblemCode.UPLOAD_GONE)


def too_large() -> ProblemError:
    """Return the answer for what is larger than a document may be, or than was announced."""
    return ProblemError(ProblemCode.UPLOAD_TOO_LARGE)


def begin(
    connection: Connection, owner: Owner, document: str, length: int, vault: Vault, place: str, now: datetime
) -> tuple[Row[Any], list[str]]:
    """Begin an upload of `length` bytes, or find the one that a lost answer was about.

    Args:
        place: name of the content, if it begins.

    Returns:
        The upload, and the places of content that has to be destroyed once this is committed.

    Raises:
        ProblemError: the document is too large, there is too much that is not sent, or the id stands for another.
    """
    if length > limits().file_bytes:
        raise too_large()
    old = _row(connection, owner, document)
    if old is not None and not is_over(old, now):
        if old.sending is not None:
            raise sent()
        if (old.device, old.length) != (owner.device, length):
            raise ProblemError(ProblemCode.UPLOAD_TAKEN)
        return old, []
    if old is not None:
        remove(connection, [old.place])
    found = connection.execute(_OPEN, {"user": owner.user, "now": now}).one()
    most = limits()
    if found.files >= OPEN_FILES * most.files or found.bytes + length > OPEN_BYTES * most.files * most.file_bytes:
        raise ProblemError(ProblemCode.UPLOADS_FULL)
    new = vault.new(place)
    values = {
        "place": place,
        "document": document,
        "user": owner.user,
        "organisation": owner.organisation,
        "device": owner.device,
        "length": length,
        "offset": 0,
        "pieces": 0,
        "stored": 0,
        "wrapped": new.wrapped,
        "created": now,
        "expires": now + unfinished_kept(),
    }
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(build(upload).values(values).on_conflict_do_nothing())
    row = _row(connection, owner, document)
    assert row is not None
    if (row.device, row.length) != (owner.device, length):
        raise ProblemError(ProblemCode.UPLOAD_TAKEN)
    return row, [] if old is None else [old.place]


def sent() -> ProblemError:
    """Return the answer for a document that belongs to a sending."""
    return ProblemError(ProblemCode.RULE_REFUSED, rule=SendRefusal.SENT.value)


def count(connection: Connection, before: Held, after: Held, now: datetime) -> datetime:
    """Count what was added to an upload, and return until when it is kept.

    Raises:
        ProblemError: somebody else was faster, or it is over: what was added counts for nothing.
    """
    expires = now + unfinished_kept()
    grown = (
        update(upload)
        .where(
            upload.c.place == before.place,
            upload.c.offset == before.offset,
            upload.c.sending.is_(None),
            upload.c.expires > now,
        )
        .values(offset=after.offset, pieces=after.pieces, stored=after.stored, expires=expires)
    )
    if connection.execute(grown).rowcount != 1:
        row = connection.execute(select(upload.c.offset).where(upload.c.place == before.place)).one_or_none()
        raise gone() if row is None or row.offset == before.offset else elsewhere(row.offset)
    return expires


def elsewhere(offset: int) -> ProblemError:
    """Return the answer for bytes that do not follow those that are there."""
    return ProblemError(ProblemCode.UPLOAD_OFFSET, headers={"Upload-Offset": str(offset)})


def remove(connection: Connection, places: Sequence[str]) -> None:
    """Forget uploads and the keys of their content; their files are destroyed once that is committed."""
    connection.execute(delete(upload_piece).where(upload_piece.c.place.in_(places)))
    connection.execute(delete(upload).where(upload.c.place.in_(places)))


def expire(connection: Connection, now: datetime) -> list[str]:
    """End up to `AT_ONCE` uploads that nobody finished, and forget those long over; return whose content goes."""
    connection.execute(delete(upload).where(upload.c.wrapped.is_(None), upload.c.expires <= now - REMEMBERED))
    found = connection.execute(_OVER.with_for_update(skip_locked=True), {"now": now}).all()
    places = [row.place for row in found]
    if places:
        connection.execute(delete(upload_piece).where(upload_piece.c.place.in_(places)))
        connection.execute(update(upload).where(upload.c.place.in_(places)).values(wrapped=None, sha256=None))
    for row in found:
        audit.write(
            connection,
            at=now,
            user=row.user,
            organisation=row.organisation,
            mandate=None,
            action="upload.expire",
            subject=row.document,
        )
    return places


def over(connection: Connection, now: datetime) -> bool:
    """Tell whether an upload is over that nobody has ended, or over for so long that it can be forgotten."""
    ended = connection.execute(_OVER, {"now": now}).first()
    old = select(upload.c.place).where(upload.c.wrapped.is_(None), upload.c.expires <= now - REMEMBERED).limit(1)
    return ended is not None or connection.execute(old).first() is not None


def alive(connection: Connection, places: Sequence[str]) -> set[str]:
    """Return those of `places` whose content the record still holds the key of."""
    found: set[str] = set()
    for start in range(0, len(places), AT_ONCE):
        some = upload.c.place.in_(places[start : start + AT_ONCE])
        found |= set(connection.execute(select(upload.c.place).where(some, upload.c.wrapped.is_not(None))).scalars())
    return found


def _row(connection: Connection, owner: Owner, document: str) -> Row[Any] | None:
    key = {"user": owner.user, "organisation": owner.organisation, "document": document}
    return connection.execute(_OWN, key).one_or_none()
