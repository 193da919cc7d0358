"""Files looked over and sealed, before anything of a sending is queued; it takes seconds and touches no database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kelmu_tui.domain import documents
from kelmu_tui.domain.documents import Fault, SendRefusal
from kelmu_tui.domain.identifiers import IdentityCode
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.sending_files import File, FileRefused, read
from kelmu_tui.store.copies import NewCopy

if TYPE_CHECKING:
    from kelmu_tui.store.sealed import Seal

MAX_NAME: Final = 120
"""Characters of a document's name."""
REASONS: Final = ("no_files", "kind", "name")
"""Why a sending is refused before it is one, besides `domain.documents.SendRefusal`."""

Hear = Callable[[int, int], None]
"""Hears how many files are sealed, and how many there are; on the thread that seals."""


class SendRefused(ValueError):
    """A sending cannot be like this; `reason` is a `SendRefusal` or one of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent, about whom, and who asked for it.

    Attributes:
        customer: whom it is about.
        name: "Family, Given" as far as it is known here; empty otherwise.
        asked_by, way: of `domain.documents.askers` and `ways`.
    """

    customer: IdentityCode = field(repr=False)
    name: str = field(repr=False)
    asked_by: str
    asked_on: date
    way: str
    case_reference: str | None
    files: Sequence[File] = field(repr=False)


class _Document(NamedTuple):
    body: dict[str, Any]
    copy: NewCopy


class Sealed:
    """A sending whose documents are sealed: give it to `Sendings.commit`, or `discard` it."""

    def __init__(self, sending: str, request: Request) -> None:
        self.sending = sending
        self.request = request
        self.documents: list[_Document] = []
        self._seals: list[Seal] = []

    def keep(self, seal: Seal) -> None:
        """Take over a copy, whatever becomes of it."""
        self._seals.append(seal)

    def discard(self) -> None:
        """Remove the copies: nothing of them was queued."""
        for seal in self._seals:
            seal.discard()
        self._seals.clear()

    def close(self) -> None:
        """Let go of the copies, which the ledger holds by now."""
        for seal in self._seals:
            seal.close()
        self._seals.clear()


def seal(folder: Path, ids: Ids, request: Request, today: date, hear: Hear | None = None) -> Sealed:
    """Look the files over and make sealed copies of what is to be sent; on a thread of its own.

    From here on it does not matter what becomes of the files. Whoever has the result commits or discards it.

    Raises:
        SendRefused: the sending cannot be like this.
        FileRefused: a file is refused, cannot be read, or changed while it was read; nothing is left behind.
        StoreFull, StoreUnavailable: the disk does not take the copies; nothing is left behind.
    """
    judge(request, today)
    made = Sealed(ids.new(), request)
    try:
        for number, one in enumerate(request.files, 1):
            _seal(folder, ids, made, one)
            if hear is not None:
                hear(number, len(request.files))
    except BaseException:
        made.discard()
        raise
    return made


def _seal(folder: Path, ids: Ids, made: Sealed, one: File) -> None:
    from hashlib import sha256

    from kelmu_tui.content import checking
    from kelmu_tui.store.sealed import Seal

    data = read(one.path, seen=one.seen is not None)
    if one.seen is not None and sha256(data).hexdigest() != one.seen:
        raise FileRefused(one.path, Fault.CHANGED)
    cleaned = checking.clean(data)
    found = cleaned.inspection
    if found.fault is not None:
        raise FileRefused(one.path, found.fault, detail=found.detail)
    assert found.media_type is not None
    seal = Seal(folder, ids.new())
    made.keep(seal)
    seal.write(cleaned.data)
    seal.finish()
    body = {
        "id": seal.document,
        "kind": one.kind,
        "name": _name(one.name),
        "media_type": found.media_type.value,
        "size": seal.size,
        "sha256": seal.sha256,
    }
    copy = NewCopy(seal.document, seal.size, seal.key, found.pages, tuple(str(word) for word in cleaned.removed))
    made.documents.append(_Document(body, copy))


def judge(request: Request, today: date) -> None:
    """Refuse what cannot be sent, before any file is read.

    Raises:
        SendRefused: for its first reason.
    """
    known = request.asked_by in documents.askers() and request.way in documents.ways()
    if not known or request.asked_on > today:
        raise SendRefused(SendRefusal.ASKED.value)
    if not request.files:
        raise SendRefused("no_files")
    if len(request.files) > documents.limits().files:
        raise SendRefused(SendRefusal.TOO_MANY.value)
    if not _all_known(one.kind for one in request.files):
        raise SendRefused("kind")
    if not all(0 < len(_name(one.name)) <= MAX_NAME for one in request.files):
        raise SendRefused("name")


def _all_known(kinds: Iterable[str]) -> bool:
    return set(kinds) <= documents.kinds().keys()


def _name(text: str) -> str:
    return " ".join(clean(text).split())
