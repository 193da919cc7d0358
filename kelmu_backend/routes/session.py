"""`GET /v1/session` and `GET /v1/health`: who one is, and whether the backend answers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection, select
from starlette.responses import Response

from kelmu_backend import policy, rows
from kelmu_backend.database import schema, tables
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import ProblemError
from kelmu_backend.routes.call import Call, Caller, Visit, json_response, unauthenticated
from kelmu_backend.routes.declare import ANY_GRANT, NOT_AUDITED, Declaration, Key, Match, Scope, route
from kelmu_tui.api.contract import Health, ProblemCode, SessionInfo
from kelmu_tui.domain.capabilities import Grant, capabilities
from kelmu_tui.domain.deadlines import local_date


def session(connection: Connection, visit: Visit, call: Call) -> dict[str, Any]:
    """Return `contract.SessionInfo` of the user: every organisation with a grant, and what it opens."""
    now = call.core.config.clock.now()
    user = visit.principal.user
    person = connection.execute(select(tables.app_user).where(tables.app_user.c.id == user)).one_or_none()
    if person is None:
        raise unauthenticated()
    grants = policy.grants(connection, user)
    watched = set(
        connection.execute(select(tables.supervisor.c.organisation).where(tables.supervisor.c.user == user)).scalars()
    )
    organisations = []
    for row in connection.execute(policy.ORGANISATIONS_OF, {"user": user}):
        organisation = policy.organisation_of(row)
        agreement = policy.agreement_of(row)
        opened = capabilities(grants, organisation, agreement, local_date(now))
        organisations.append(
            {
                "business_id": organisation.business_id,
                "name": {"fi": organisation.name.fi, "sv": organisation.name.sv, "en": organisation.name.en},
                "type": organisation.type.value,
                "county": organisation.county,
                "municipalities": list(organisation.municipalities),
                "agreement_from": agreement and agreement.valid_from.isoformat(),
                "agreement_to": agreement and agreement.valid_to and agreement.valid_to.isoformat(),
                "agreement_content": list(agreement.content) if agreement and agreement.content is not None else None,
                "capabilities": sorted(opened.names),
                "grants": [_grant(grant) for grant in grants if grant.principal == organisation.business_id],
                "supervisor": organisation.business_id in watched,
            }
        )
    return {
        "user": {"id": user, "name": person.name, "language": person.language},
        "organisations": organisations,
        "announcements": rows.current_announcements(connection, now),
        "lease": call.core.leases.issue(user, now),
        "server_time": rows.instant(now),
        "demo": call.core.config.demo,
    }


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "mandate": grant.mandate,
        "kind": grant.kind.value,
        "principal": grant.principal,
        "employer": grant.employer,
        "chain": list(grant.chain),
        "valid_from": grant.valid_from.isoformat(),
        "valid_to": grant.valid_to and grant.valid_to.isoformat(),
    }


async def get_session(call: Caller) -> Response:
    """Answer who is signed in and what their mandates open."""
    return json_response(await call.read(lambda connection, visit: session(connection, visit, call)))


async def get_health(request: Request) -> Response:
    """Answer whether the record can be read and is at the newest revision."""
    core = request.app.state.core

    def ready() -> bool:
        with core.database.read() as connection:
            return schema.is_ready(connection)

    if not await core.run(ready):
        raise ProblemError(ProblemCode.SERVICE_BREAK, headers={"Retry-After": "5"})
    return json_response({"status": "ok"})


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    route(
        router,
        "GET",
        "/v1/session",
        get_session,
        Declaration(
            scope=Scope.USER,
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.READ,
            audit=NOT_AUDITED,
        ),
        Documentation("The user, the organisations they may act for, and what is announced", (SessionInfo,)),
    )
    route(
        router,
        "GET",
        "/v1/health",
        get_health,
        Declaration(
            scope=Scope.PUBLIC,
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.PUBLIC,
            audit=NOT_AUDITED,
        ),
        Documentation("Whether the backend answers", (Health,), statuses=(503,)),
    )
