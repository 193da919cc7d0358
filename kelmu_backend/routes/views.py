"""`/v1/view-chains` and `/v1/view-events`: the log of views comes in.

Events are taken without a session: the signature of the chain's key is the proof, so that views are told even after
session and mandates have ended. Before it has been checked nothing is written and no writer is waited for, and who
proves nothing is slowed down by network address.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.responses import Response

from kelmu_backend import views
from kelmu_backend.core import Core
from kelmu_backend.identity.guesses import network
from kelmu_backend.identity.tokens import Principal
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import ProblemError, invalid, malformed, not_found
from kelmu_backend.routes.call import Caller, json_response
from kelmu_backend.routes.declare import ANY_GRANT, NOT_AUDITED, Declaration, Key, Match, Scope, route
from kelmu_backend.views import Verdict
from kelmu_tui.api.contract import HEADER_SIGNATURE, ChainRegistration, ProblemCode, ViewBatch, ViewReceipt


async def post_chain(call: Caller, request: Request) -> Response:
    """Take down a chain of the user's."""
    body = await request.body()

    def work(connection: Connection, principal: Principal) -> Verdict:
        try:
            registration = ChainRegistration.model_validate_json(body)
        except ValidationError as failure:
            raise invalid(failure) from None
        device = principal.device or registration.device
        return views.register(connection, principal.user, device, registration, call.core.config.clock.now())

    return _answer(await call.write(work))


async def post_events(request: Request) -> Response:
    """Take in a batch of events."""
    core: Core = request.app.state.core
    source = network(request.client.host if request.client is not None else "")
    core.limits.demand(source, RateClass.KNOCK)
    try:
        batch = await _proved(core, request)
    except ProblemError:
        core.limits.charge(source, RateClass.KNOCK)
        raise
    core.limits.charge(batch.chain, RateClass.SHIP)

    def work() -> Verdict:
        with core.database.write() as connection:
            return views.append(connection, batch, core.config.clock.now())

    return _answer(await core.run(work))


def _answer(verdict: Verdict) -> Response:
    """Answer what has been committed by now, be it a refusal."""
    if verdict.problem is not None:
        raise verdict.problem
    return json_response(verdict.receipt)


async def _proved(core: Core, request: Request) -> ViewBatch:
    """Return the batch of a request that the chain's key has signed.

    Raises:
        ProblemError: it is none, its chain is not known, or the signature is not the key's.
    """
    signature = request.headers.get(HEADER_SIGNATURE)
    if signature is None:
        raise malformed(f"{HEADER_SIGNATURE}: missing")
    body = await request.body()
    try:
        batch = ViewBatch.model_validate_json(body)
    except ValidationError as failure:
        raise invalid(failure) from None
    if not await core.run(_is_signed, core, batch.chain, signature, body):
        raise ProblemError(ProblemCode.VIEW_SIGNATURE_WRONG)
    return batch


def _is_signed(core: Core, chain: str, signature: str, body: bytes) -> bool:
    with core.database.read() as connection:
        key = views.key_of(connection, chain)
        if key is None:
            raise not_found()
        if views.is_signed(key, signature, body):
            return True
        known = views.is_unsigned(connection, chain)
    if not known:
        with core.database.write() as connection:
            views.unsigned(connection, chain, core.config.clock.now())
    return False


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    route(
        router,
        "POST",
        "/v1/view-chains",
        post_chain,
        Declaration(
            scope=Scope.USER,
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.COMMAND,
            audit=NOT_AUDITED,
        ),
        Documentation("Take down the log of views of a ledger", (ViewReceipt,), ChainRegistration, statuses=(409,)),
    )
    route(
        router,
        "POST",
        "/v1/view-events",
        post_events,
        Declaration(
            scope=Scope.PUBLIC,
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.SHIP,
            audit=NOT_AUDITED,
        ),
        Documentation(
            "Append events to a log of views; the signature stands for the session",
            (ViewReceipt,),
            ViewBatch,
            statuses=(403, 404, 409, 429),
            headers=(HEADER_SIGNATURE,),
        ),
    )
