"""`/v1/claims`: the commands on payment claims, and who is changing one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.responses import Response

from kelmu_backend import feed
from kelmu_backend.claims import editing, giving
from kelmu_backend.feed import Change
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import invalid
from kelmu_backend.routes.call import Call, Caller, Visit, json_response
from kelmu_backend.routes.commands import carry_out
from kelmu_backend.routes.declare import Declaration, Key, Match, Scope, route
from kelmu_backend.rows import JsonRow
from kelmu_tui.api.contract import CommandResult, EditingBody
from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.claims.life import COMMANDS

ClaimId = Annotated[str, Path(max_length=40, pattern=r"^[A-Za-z0-9._:-]+$")]
NewId = Annotated[
    str, Path(min_length=32, max_length=36, pattern=r"^[0-9a-f-]+$", description="A UUID that the client chooses")
]

_SUMMARY: Final = {
    "register": "Register a payment claim",
    "change": "Say something else, until Kela handles the claim",
    "prolong": "Let a claim last until a later day",
    "end": "Tell that the ground of a claim has ended",
    "cancel": "Take a claim back before Kela handles it",
}


def _on_claim(verb: str) -> Callable[..., Awaitable[Response]]:
    async def command(call: Caller, claim: ClaimId, request: Request) -> Response:
        return await carry_out(call, request, "claim", claim, verb, _commands(call).apply)

    command.__name__ = f"{verb}_claim"
    return command


async def register_claim(call: Caller, claim: NewId, request: Request) -> Response:
    """Register a claim under an id that the client has chosen."""
    return await carry_out(call, request, "claim", claim, "register", _commands(call).apply)


def _commands(call: Call) -> giving.Commands:
    config = call.core.config
    return giving.Commands(config.ids, config.maker, config.demo)


async def post_editing(call: Caller, claim: ClaimId, request: Request) -> Response:
    """Tell the others that the user is changing a claim, or has stopped."""
    body = await request.body()

    def work(connection: Connection, visit: Visit) -> tuple[JsonRow, Change]:
        try:
            told = EditingBody.model_validate_json(body)
        except ValidationError as failure:
            raise invalid(failure) from None
        now = call.core.config.clock.now()
        call.audit(connection, visit, subject=claim)
        epoch = feed.state(connection).epoch
        version, change = editing.tell(connection, visit.granted, claim, on=told.on, now=now)
        return {"seq": change.seq, "version": version, "epoch": epoch}, change

    answer, change = await call.judge(work)
    call.core.hub.committed(change)
    return json_response(answer)


def _declaration(audit: str, *, key: Key, match: Match) -> Declaration:
    return Declaration(
        scope=Scope.ORGANISATION,
        capability=PAYMENT_CLAIMS_REGISTER,
        key=key,
        match=match,
        rate=RateClass.COMMAND,
        audit=audit,
    )


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    for verb in COMMANDS:
        new = verb == "register"
        route(
            router,
            "POST",
            f"/v1/claims/{{claim}}/{verb}",
            register_claim if new else _on_claim(verb),
            # Before it is registered there is no version that it could depend on.
            _declaration(f"claim.{verb}", key=Key.REQUIRED, match=Match.NONE if new else Match.REQUIRED),
            Documentation(_SUMMARY[verb], (CommandResult,), giving.BODIES[verb]),
        )
    route(
        router,
        "POST",
        "/v1/claims/{claim}/editing",
        post_editing,
        _declaration("claim.editing", key=Key.NONE, match=Match.NONE),
        Documentation("Tell the others that one is changing a claim", (CommandResult,), EditingBody),
    )
