"""Demo mode's stand-in for the web page: the terminal lists the personas and approves its own code.

These routes exist only in demo mode; elsewhere their addresses lead nowhere.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from kelmu_backend.identity import forms, grants, guesses, keys, people
from kelmu_backend.identity.grants import Grant, Mistake
from kelmu_backend.identity.ports import Caller, Settings, Transactions
from kelmu_backend.problems import ProblemError
from kelmu_tui.api.contract import DemoApproval, PersonaList, Problem, ProblemCode


def router(settings: Settings, database: Transactions) -> APIRouter:
    """Return the routes; only for a demo."""
    routes = APIRouter(tags=["demo"])

    def personas() -> PersonaList:
        """List the made-up workers one can sign in as."""
        with database.read() as connection:
            return PersonaList(personas=people.wire_personas(connection))

    def approve(body: DemoApproval, request: Request) -> Response:
        """Approve a sign-in as a persona, as the web page would."""
        mistake = approve_as(settings, database, body, forms.caller(request))
        if mistake is None:
            return Response(status_code=204)
        headers = {"Retry-After": str(guesses.retry_after())} if mistake is Mistake.LIMITED else None
        raise ProblemError(_PROBLEMS[mistake], errors=[f"approval: {mistake.value}"], headers=headers)

    routes.add_api_route("/v1/demo/personas", personas, methods=["GET"], response_model=PersonaList)
    routes.add_api_route(
        "/v1/demo/approve",
        approve,
        methods=["POST"],
        status_code=204,
        response_class=Response,
        responses={status: {"model": Problem} for status in (404, 410, 422, 429)},
    )
    return routes


def approve_as(settings: Settings, database: Transactions, body: DemoApproval, caller: Caller) -> Mistake | None:
    """Enter the code and approve it as the persona, in one transaction; return why that isn't possible."""
    now = settings.clock.now()
    with database.write() as connection:
        if not people.persona(connection, body.persona):
            return Mistake.WRONG
        grant = grants.enter(connection, keys.ring(settings), body.user_code, caller, now)
        if not isinstance(grant, Grant):
            return grant
        return grants.decide(connection, grant.id, body.persona, caller, now, approve=True)


_PROBLEMS: Final = {
    Mistake.WRONG: ProblemCode.NOT_FOUND,
    Mistake.EXPIRED: ProblemCode.COMMAND_EXPIRED,
    Mistake.USED: ProblemCode.COMMAND_EXPIRED,
    Mistake.REFUSED: ProblemCode.COMMAND_EXPIRED,
    Mistake.LIMITED: ProblemCode.TOO_MANY_REQUESTS,
}
