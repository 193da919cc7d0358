"""`/v1/notices`: one notice, and the commands on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from sqlalchemy import Connection
from starlette.responses import Response

from kelmu_backend import commands, rows
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import not_found
from kelmu_backend.routes.call import Call, Caller, Visit, json_response
from kelmu_backend.routes.commands import carry_out
from kelmu_backend.routes.declare import Declaration, Key, Match, Scope, route
from kelmu_tui.api.contract import CommandResult, NoticeRow
from kelmu_tui.domain.capabilities import NOTICE_TRANSFER, NOTICES_INBOX
from kelmu_tui.domain.notices import COMMANDS

NoticeId = Annotated[str, Path(max_length=40, pattern=r"^[A-Za-z0-9._:-]+$")]

CAPABILITY: Final = dict.fromkeys(COMMANDS, NOTICES_INBOX) | {
    "transfer": NOTICE_TRANSFER,
    "take-back": NOTICE_TRANSFER,
}
"""What each verb needs."""

_SUMMARY: Final = {
    "take": "Make a notice mine",
    "release": "Give a notice back to the team",
    "open": "Tell that the content was read",
    "handle": "Tell that the work is done",
    "reopen": "Tell that the work was not done after all",
    "note": "Write a note for the team",
    "transfer": "Move a misdirected notice to another municipality",
    "take-back": "Undo an own transfer that the receiver has not opened",
}


def _notice(connection: Connection, visit: Visit, call: Call, notice: str) -> dict[str, Any]:
    organisation = visit.granted.organisation.business_id
    row = rows.notices(connection, organisation, [notice]).get(notice)
    if row is None:
        raise not_found()
    call.audit(connection, visit, subject=notice, count=1)
    return row


async def get_notice(call: Caller, notice: NoticeId) -> Response:
    """Answer one notice as its holder sees it."""
    return json_response(await call.record(lambda connection, visit: _notice(connection, visit, call, notice)))


def _command(verb: str) -> Callable[..., Awaitable[Response]]:
    async def command(call: Caller, notice: NoticeId, request: Request) -> Response:
        return await carry_out(call, request, "notice", notice, verb)

    command.__name__ = f"{verb.replace('-', '_')}_notice"
    return command


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    route(
        router,
        "GET",
        "/v1/notices/{notice}",
        get_notice,
        Declaration(
            scope=Scope.ORGANISATION,
            capability=NOTICES_INBOX,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.READ,
            audit="notice.read",
        ),
        Documentation("One notice as its holder sees it", (NoticeRow,)),
    )
    for verb in COMMANDS:
        route(
            router,
            "POST",
            f"/v1/notices/{{notice}}/{verb}",
            _command(verb),
            Declaration(
                scope=Scope.ORGANISATION,
                capability=CAPABILITY[verb],
                key=Key.REQUIRED,
                match=Match.REQUIRED,
                rate=RateClass.COMMAND,
                audit=f"notice.{verb}",
            ),
            Documentation(_SUMMARY[verb], (CommandResult,), commands.BODIES[verb]),
        )
