"""`/v1/uploads`: documents on their way, by the tus protocol 1.0 (https://tus.io/protocols/resumable-upload).

Core, creation, creation with upload, checksum (SHA-256), termination and expiration. Nothing here gives content back:
no route of the backend does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import wraps
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Path, Request
from sqlalchemy import Connection, Row
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from kelmu_backend.documents import uploads
from kelmu_backend.documents.uploads import Owner
from kelmu_backend.documents.vault import PIECE, Busy, Held, Unreadable, Writer
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import ProblemError, malformed
from kelmu_backend.routes import tus
from kelmu_backend.routes.call import Call, Caller, Visit
from kelmu_backend.routes.declare import ANY_GRANT, NOT_AUDITED, Declaration, Key, Match, Scope, route
from kelmu_tui.api.contract import HEADER_DEVICE, TUS_EXTENSIONS, TUS_VERSION, ProblemCode
from kelmu_tui.domain.capabilities import DOCUMENTS_SEND
from kelmu_tui.domain.documents import limits

PATH: Final = "/v1/uploads"
IDLE: Final = 20.0
"""Seconds without a byte after which a request counts as cut: what came is kept, and others may write."""

DocumentPath = Annotated[
    str, Path(pattern=r"^[0-9a-f-]{32,36}$", description="The document's id, chosen by the client")
]


class _Begun(NamedTuple):
    """An upload as a request found it."""

    row: Row[Any]
    owner: Owner


def _careful(endpoint: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    """Let an endpoint that refuses read what is still coming: a client that sends does not listen."""

    @wraps(endpoint)
    async def careful(call: Caller, request: Request, **given: Any) -> Response:
        try:
            return await endpoint(call, request=request, **given)
        except ProblemError as problem:
            if problem.status not in (401, 403, 429):
                await _drain(request)
            raise

    return careful


async def _drain(request: Request) -> None:
    left = limits().file_bytes
    with suppress(ClientDisconnect, TimeoutError, RuntimeError):
        async with asyncio.timeout(IDLE):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return


# --- endpoints ------------------------------------------------------------------------------------------------------


async def options_uploads() -> Response:
    """Tell what is understood."""
    headers = {
        "Tus-Version": TUS_VERSION,
        "Tus-Extension": ",".join(TUS_EXTENSIONS),
        "Tus-Max-Size": str(limits().file_bytes),
        "Tus-Checksum-Algorithm": "sha256",
    }
    return Response(status_code=204, headers=headers)


@_careful
async def create_upload(call: Caller, request: Request) -> Response:
    """Begin an upload, and take what the request brings along."""
    tus.check_version(request)
    document = tus.document_of(request)
    length = tus.number(request, "Upload-Length")
    if not length:
        raise malformed("Upload-Length: zero")
    checksum = tus.checksum_of(request)
    core = call.core

    def work(connection: Connection, visit: Visit) -> tuple[_Begun, list[str]]:
        owner = _owner(call, visit)
        now = core.config.clock.now()
        row, over = uploads.begin(connection, owner, document, length, core.vault, core.config.ids.new(), now)
        call.audit(connection, visit, subject=document)
        return _Begun(row, owner), over

    begun, over = await call.judge(work)
    if over:
        await core.run(core.vault.destroy, over)
    offset, expires = begun.row.offset, begun.row.expires
    if request.headers.get("content-type") == tus.CONTENT:
        if offset:
            # A repetition whose first answer was lost: what came then is there, so these bytes do not follow.
            raise uploads.elsewhere(offset)
        offset, expires = await _take(call, request, begun, checksum)
    headers = tus.told(None, offset, expires) | {"Location": f"{PATH}/{document}"}
    return Response(status_code=201, headers=headers)


async def head_upload(call: Caller, request: Request, document: DocumentPath) -> Response:
    """Tell how much of an upload has come."""
    tus.check_version(request)
    row = (await call.read(lambda connection, visit: _find(connection, visit, call, document))).row
    return Response(status_code=200, headers=tus.told(row, row.offset, row.expires))


@_careful
async def patch_upload(call: Caller, request: Request, document: DocumentPath) -> Response:
    """Add bytes to an upload."""
    tus.check_version(request)
    offset = tus.number(request, "Upload-Offset")
    checksum = tus.checksum_of(request)
    begun = await call.read(lambda connection, visit: _find(connection, visit, call, document))
    if offset != begun.row.offset:
        raise uploads.elsewhere(begun.row.offset)
    offset, expires = await _take(call, request, begun, checksum)
    return Response(status_code=204, headers=tus.told(None, offset, expires))


async def delete_upload(call: Caller, request: Request, document: DocumentPath) -> Response:
    """End an upload that is not wanted any more, and destroy what came of it."""
    tus.check_version(request)

    def work(connection: Connection, visit: Visit) -> str:
        row = _find(connection, visit, call, document).row
        if not uploads.lock(connection, row.place):
            raise uploads.gone()
        uploads.remove(connection, [row.place])
        call.audit(connection, visit, subject=document)
        return str(row.place)

    place = await call.judge(work)
    await call.core.run(call.core.vault.destroy, [place])
    return Response(status_code=204)


def _owner(call: Call, visit: Visit) -> Owner:
    return Owner(visit.principal.user, visit.granted.organisation.business_id, call.device(visit.principal.device))


def _find(connection: Connection, visit: Visit, call: Call, document: str) -> _Begun:
    owner = _owner(call, visit)
    return _Begun(uploads.find(connection, owner, document, call.core.config.clock.now()), owner)


# --- bytes ----------------------------------------------------------------------------------------------------------


async def _take(call: Call, request: Request, begun: _Begun, checksum: bytes | None) -> tuple[int, datetime | None]:
    """Add the body of a request to an upload; return how much there is now, and until when.

    Raises:
        ProblemError: it is refused; nothing of it stays.
    """
    row, core = begun.row, call.core
    room = row.length - row.offset if row.sending is None else 0
    tus.check_content(request, room)
    before = uploads.held(row)
    try:
        writer = await core.run(core.vault.writer, before)
    except Busy:
        raise ProblemError(ProblemCode.UPLOAD_BUSY, headers={"Retry-After": "1"}) from None
    except Unreadable:
        # The key or the bytes are lost: what is announced once more begins anew.
        await call.judge(lambda connection, _: uploads.forget(connection, row.place))
        raise uploads.gone() from None
    except OSError as failure:
        raise _full() from failure
    try:
        whole, digest = await _pour(call, request, writer, room, hashed=checksum is not None)
        if whole and checksum is not None and digest != checksum:
            # What a cut request brought cannot be judged: it stays, and the digest of the whole has the last word.
            raise ProblemError(ProblemCode.UPLOAD_CHECKSUM)
        if writer.held.offset == before.offset:
            return before.offset, row.expires
        await core.run(core.vault.settle, writer)
        return await call.judge(lambda connection, visit: _count(connection, visit, call, before, writer, row))
    except OSError as failure:
        raise _full() from failure
    finally:
        await core.run(core.vault.done, writer)


def _full() -> ProblemError:
    """The disk takes nothing now."""
    return ProblemError(ProblemCode.SERVICE_BREAK, headers={"Retry-After": "30"})


def _count(
    connection: Connection, visit: Visit, call: Call, before: Held, writer: Writer, row: Row[Any]
) -> tuple[int, datetime]:
    vault = call.core.vault
    after = vault.counted(writer)
    expires = uploads.count(connection, before, after, call.core.config.clock.now())
    vault.keep(connection, writer)
    if after.offset == row.length:
        call.audit(connection, visit, subject=row.document)
    return after.offset, expires


async def _pour(call: Call, request: Request, writer: Writer, room: int, *, hashed: bool) -> tuple[bool, bytes | None]:
    """Give the body to a writer, a piece at a time while the next one comes.

    Returns:
        Whether the body came to its end, and its SHA-256 when it was asked for.
    """
    digest = hashlib.sha256() if hashed else None
    working: asyncio.Future[None] | None = None
    whole = True

    def work(chunks: list[bytes]) -> None:
        if digest is not None:
            for chunk in chunks:
                digest.update(chunk)
        writer.add(chunks)

    try:
        async for chunks in _pieces(request, room):
            if chunks is None:
                whole = False
                break
            if working is not None:
                await working
            working = call.core.begin(work, chunks)
    finally:
        if working is not None:
            await asyncio.shield(working)
    return whole, None if digest is None else digest.digest()


async def _pieces(request: Request, room: int) -> AsyncIterator[list[bytes] | None]:
    """Give the body in pieces, and None at the end when it was cut."""
    chunks: list[bytes] = []
    size = 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE):
                chunk = await anext(stream, None)
        except (ClientDisconnect, TimeoutError):
            if chunks:
                yield chunks
            yield None
            return
        if chunk is None:
            break
        room -= len(chunk)
        if room < 0:
            raise uploads.too_large()
        if size + len(chunk) > PIECE and chunks:
            yield chunks
            chunks, size = [], 0
        chunks.append(chunk)
        size += len(chunk)
    if size:
        yield chunks


# --- declarations ---------------------------------------------------------------------------------------------------


def _declared(audit: str | None) -> Declaration:
    return Declaration(
        scope=Scope.ORGANISATION,
        capability=DOCUMENTS_SEND,
        key=Key.NONE,
        match=Match.NONE,
        rate=RateClass.UPLOAD,
        audit=audit,
    )


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    understood = Declaration(
        scope=Scope.PUBLIC,
        capability=ANY_GRANT,
        key=Key.NONE,
        match=Match.NONE,
        rate=RateClass.PUBLIC,
        audit=NOT_AUDITED,
    )
    told = Documentation("What of tus is understood, and how large a document may be", (), empty=204)
    route(router, "OPTIONS", PATH, options_uploads, understood, told)
    one = f"{PATH}/{{document}}"
    headers = ("Tus-Resumable", HEADER_DEVICE)
    route(
        router,
        "POST",
        PATH,
        create_upload,
        _declared("upload.create"),
        Documentation(
            "Begin to upload a document (tus creation), with its first bytes or without",
            (),
            statuses=(409, 410, 412, 415, 423, 460, 503),
            headers=(*headers, "Upload-Length", "Upload-Metadata", "Upload-Checksum"),
            empty=201,
            content=tus.CONTENT,
        ),
    )
    route(
        router,
        "HEAD",
        one,
        head_upload,
        _declared(NOT_AUDITED),
        Documentation("How much of a document has come", (), statuses=(410, 412), headers=headers, empty=200),
    )
    route(
        router,
        "PATCH",
        one,
        patch_upload,
        _declared("upload.add"),
        Documentation(
            "Add bytes to a document",
            (),
            statuses=(409, 410, 412, 415, 423, 460, 503),
            headers=(*headers, "Upload-Offset", "Upload-Checksum"),
            empty=204,
            content=tus.CONTENT,
        ),
    )
    route(
        router,
        "DELETE",
        one,
        delete_upload,
        _declared("upload.end"),
        Documentation("End an upload (tus termination)", (), statuses=(409, 410, 412), headers=headers, empty=204),
    )
