"""A backend that takes documents, in memory, with every fault a network has: for tests of what the client decides."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.contract import CommandResult, Problem, ProblemCode
from kelmu_tui.api.errors import ApiError, ProblemAnswer, Unreachable, UploadElsewhere, UploadGone
from kelmu_tui.domain.documents import SendingState, SendRefusal
from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import copies, outbox
from kelmu_tui.store.copies import NewCopy
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import Draft, Frozen
from kelmu_tui.store.sealed import Seal

EPOCH = "e1"
ARRIVED = (SendingState.RECEIVED, SendingState.CHECKED)
"""States of a sending that has a receipt: Kela looks at it a few seconds later."""
Content = Callable[[], AsyncIterator[bytes]]


def problem(status: int, code: ProblemCode, rule: str | None = None) -> ProblemAnswer:
    """Return a problem as the client raises it."""
    return ProblemAnswer(status, document(status, code, rule))


def document(status: int, code: ProblemCode, rule: str | None = None) -> Problem:
    """Return a problem document."""
    return Problem(title="x", status=status, code=code, rule=rule, request_id="r")


@dataclass
class Upload:
    """What has come of a document."""

    size: int
    data: bytearray = field(default_factory=bytearray)


@dataclass
class Taker:
    """The backend; faults are set by a test and used up.

    Attributes:
        cut: bytes after which the next request that brings some loses its line.
        silent: the next so many requests are carried out, and their answers lost.
        away: no request arrives.
        error: what the next request meets.
    """

    uploads: dict[str, Upload] = field(default_factory=dict)
    sendings: dict[str, list[bytes]] = field(default_factory=dict)
    memo: dict[str, CommandAnswer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    cut: int | None = None
    silent: int = 0
    away: bool = False
    error: ApiError | None = None
    brought: int = 0

    # --- uploads -----------------------------------------------------------------------------------------------------

    async def create(self, organisation: str, document: str, size: int, content: Content) -> int:
        """Create an upload and take what comes along."""
        self._meet("create")
        if document not in self.uploads:
            self.uploads[document] = Upload(size)
        elif self.uploads[document].data:
            raise UploadElsewhere
        return await self._take(document, content)

    async def offset(self, organisation: str, document: str, size: int) -> int | None:
        """Tell where an upload stands."""
        self._meet("offset")
        found = self.uploads.get(document)
        self._lose()
        return None if found is None else len(found.data)

    async def send(self, organisation: str, document: str, offset: int, size: int, content: Content) -> int:
        """Take more of an upload."""
        self._meet("send")
        if document not in self.uploads:
            raise UploadGone
        if len(self.uploads[document].data) != offset:
            raise UploadElsewhere
        return await self._take(document, content)

    async def remove(self, organisation: str, document: str) -> None:
        """Forget an upload."""
        self._meet("remove")
        self.uploads.pop(document, None)
        self._lose()

    async def _take(self, document: str, content: Content) -> int:
        found, (left, self.cut) = self.uploads[document], (self.cut, None)
        async with aclosing(content()) as parts:  # type: ignore[type-var]
            async for part in parts:
                taken = part if left is None else part[:left]
                found.data += taken
                self.brought += len(taken)
                if left is not None:
                    left -= len(taken)
                    if left <= 0:
                        raise Unreachable
        assert len(found.data) <= found.size
        self._lose()
        return len(found.data)

    def _meet(self, call: str) -> None:
        self.calls.append(call)
        error, self.error = self.error, None
        if self.away:
            raise Unreachable
        if error is not None:
            raise error

    def _lose(self) -> None:
        if self.silent:
            self.silent -= 1
            raise Unreachable

    # --- the command -------------------------------------------------------------------------------------------------

    def command(self, sent: Frozen) -> CommandAnswer:
        """Carry out a command, once for each key; raises when its answer gets lost."""
        self._meet("command")
        answer = self.memo.get(sent.id)
        if answer is None:
            answer = self.memo[sent.id] = self._carry_out(sent)
        self._lose()
        return answer

    def _carry_out(self, sent: Frozen) -> CommandAnswer:
        if sent.aggregate in self.sendings:
            return self._refused(SendRefusal.SENT)
        found = []
        for one in json.loads(sent.body)["documents"]:
            upload = self.uploads.get(one["id"])
            if upload is None or hashlib.sha256(upload.data).hexdigest() != one["sha256"]:
                return self._refused(SendRefusal.UPLOAD)
            found.append(bytes(upload.data))
        self.sendings[sent.aggregate] = found
        return CommandAnswer(200, result=CommandResult(seq=len(self.sendings), version=1, epoch=EPOCH))

    def _refused(self, rule: SendRefusal) -> CommandAnswer:
        return CommandAnswer(409, problem=document(409, ProblemCode.RULE_REFUSED, rule.value))


def queue(store: Store, ids: Ids, organisation: str, contents: Iterable[bytes], user: str = "aino") -> str:
    """Seal and queue documents as `services.sendings` does, and return the sending."""
    sending, made, bodies = ids.new(), [], []
    seals = []
    for content in contents:
        seal = Seal(store.folder, ids.new())
        seal.write(content)
        seal.finish()
        seals.append(seal)
        made.append(NewCopy(seal.document, seal.size, seal.key, 1, ()))
        bodies.append(
            {
                "id": seal.document,
                "kind": "bill",
                "name": "Lasku",
                "media_type": "application/pdf",
                "size": seal.size,
                "sha256": seal.sha256,
            }
        )
    payload: dict[str, Any] = {
        "customer": "010190-900X",
        "asked_by": "customer",
        "asked_on": "2026-11-20",
        "way": "telephone",
        "case_reference": None,
        "documents": bodies,
    }
    label = {"customer": "Virtanen, Aino", "masked_code": "******-*00X", "by": "Aino"}
    draft = Draft(user, organisation, sending, "document-send", payload, label, 0, "lease")
    with store.write() as db:
        outbox.append(db, draft, id=ids.new(), now=store.clock.now())
        copies.add(db, sending, organisation, made)
        store.changed("command", "sending", keys=(sending,))
    for seal in seals:
        seal.close()
    return sending


def run(work: Any) -> Any:
    """Run a coroutine to its end."""
    return asyncio.run(work)
