"""`/v1/sendings`: the command that sends uploaded documents to Kela."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from sqlalchemy import Connection, Row
from starlette.responses import Response

from kelmu_backend.documents import looking, uploads
from kelmu_backend.documents.sending import Commands, read
from kelmu_backend.documents.uploads import Owner
from kelmu_backend.documents.vault import Held
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import ProblemError
from kelmu_backend.routes.call import Call, Caller, Visit
from kelmu_backend.routes.commands import carry_out
from kelmu_backend.routes.declare import Declaration, Key, Match, Scope, route
from kelmu_tui.api.contract import CommandResult, ProblemCode, SendBody
from kelmu_tui.content.checking import NoReader
from kelmu_tui.domain.capabilities import DOCUMENTS_SEND

SendingId = Annotated[
    str, Path(min_length=32, max_length=36, pattern=r"^[0-9a-f-]+$", description="A UUID that the client chooses")
]

log = logging.getLogger("kelmu_backend")

VERB: Final = "send"


async def send(call: Caller, sending: SendingId, request: Request) -> Response:
    """Look at the documents that nobody has looked at, then carry out the command."""
    await _look(call, request)
    commands = Commands(call.core.config.ids, call.core.marks, call.core.config.demo)
    return await carry_out(call, request, "sending", sending, VERB, commands.apply)


async def _look(call: Call, request: Request) -> None:
    """Look at the content of the documents: beside the command's transaction, for that takes its time.

    A repetition of a command whose answer was lost finds it done.
    """
    body = read(await request.body())
    if body is None:
        return

    def unseen(connection: Connection, visit: Visit) -> list[Row[object]]:
        principal = visit.principal
        owner = Owner(principal.user, call.organisation or "", call.device(principal.device))
        return looking.unseen(connection, owner, [one.id for one in body.documents])

    core = call.core

    async def look(held: Held) -> None:
        async with core.looking:
            found = await core.run(looking.look, core.vault, held)
        if found is not None:
            await call.write(lambda connection, _: looking.note(connection, held, found))

    try:
        await asyncio.gather(*(look(uploads.held(row)) for row in await call.ahead(unseen) or ()))
    except NoReader:
        log.error("documents cannot be read: the installation lacks what reads them")
        raise ProblemError(ProblemCode.SERVICE_BREAK, headers={"Retry-After": "60"}) from None


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    route(
        router,
        "POST",
        "/v1/sendings/{sending}/send",
        send,
        Declaration(
            scope=Scope.ORGANISATION,
            capability=DOCUMENTS_SEND,
            key=Key.REQUIRED,
            match=Match.NONE,
            rate=RateClass.COMMAND,
            audit=f"sending.{VERB}",
        ),
        Documentation("Send uploaded documents to Kela", (CommandResult,), SendBody, statuses=(503,)),
    )
