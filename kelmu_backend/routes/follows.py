"""`/v1/follows`: the commands by which a user follows a customer for a case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from kelmu_backend.commands import Apply
from kelmu_backend.customers import following
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.routes.call import Call, Caller
from kelmu_backend.routes.commands import carry_out
from kelmu_backend.routes.declare import Declaration, Key, Match, Scope, route
from kelmu_tui.api.contract import CommandResult
from kelmu_tui.domain.following import COMMANDS
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP

FollowId = Annotated[
    str, Path(min_length=32, max_length=36, pattern=r"^[0-9a-f-]+$", description="A UUID that the client chooses")
]

_SUMMARY: Final = {
    "begin": "Follow a customer who was looked up, for a case",
    "renew": "Follow a customer for the whole time from now on",
    "end": "Tell that the case is over",
}


def _command(verb: str) -> Callable[..., Awaitable[Response]]:
    async def command(call: Caller, follow: FollowId, request: Request) -> Response:
        return await carry_out(call, request, "follow", follow, verb, _apply(call))

    command.__name__ = f"{verb}_follow"
    return command


def _apply(call: Call) -> Apply:
    return following.Commands(call.core.config.ids, call.core.marks).apply


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    for verb in COMMANDS:
        route(
            router,
            "POST",
            f"/v1/follows/{{follow}}/{verb}",
            _command(verb),
            Declaration(
                scope=Scope.ORGANISATION,
                capability=CUSTOMER_LOOKUP,
                key=Key.REQUIRED,
                # Before it begins there is no version that it could depend on.
                match=Match.NONE if verb == "begin" else Match.REQUIRED,
                rate=RateClass.COMMAND,
                audit=f"follow.{verb}",
            ),
            Documentation(_SUMMARY[verb], (CommandResult,), following.BODIES[verb]),
        )
