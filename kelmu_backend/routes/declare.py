"""The one way to add a route: with what it needs, spelled out, and enforced before its code runs.

A route gets a `Call` and no connection. The call's `read`, `record` and `write` open the transaction, find out who is
asking, take the request from the rate limit, load what the mandates open and demand the declared capability; only
then the route's unit of work runs, in the same transaction. `check` refuses to start an app with a route without it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final, TypeVar
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Depends, FastAPI, Request
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from kelmu_backend import audit, openapi, policy, rows, web
from kelmu_backend.core import Core
from kelmu_backend.identity.tokens import InvalidToken, Principal
from kelmu_backend.limits import RateClass
from kelmu_backend.policy import Access
from kelmu_backend.problems import ProblemError, malformed
from kelmu_tui.api.contract import (
    HEADER_DEVICE,
    HEADER_IDEMPOTENCY,
    HEADER_LEASE,
    HEADER_ORGANISATION,
    HEADER_SCHEMA,
    HEADER_VERSION,
    SCHEMA,
    ProblemCode,
)
from kelmu_tui.domain.deadlines import local_date

T = TypeVar("T")


class Scope(Enum):
    """On whose behalf a route works."""

    PUBLIC = "public"
    """Nobody has to be signed in."""
    USER = "user"
    """The signed-in user, whatever the organisation."""
    ORGANISATION = "organisation"
    """The signed-in user for the organisation named in the header."""


class Key(Enum):
    """Whether a route carries out commands."""

    NONE = "none"
    """It changes nothing and can be repeated at will."""
    REQUIRED = "required"
    """It needs an `Idempotency-Key`, a device and a lease."""


class Match(Enum):
    """Whether a route depends on a version."""

    NONE = "none"
    REQUIRED = "required"


ANY_GRANT: Final = None
"""Capability of a route that is open to whoever has a grant of any kind (or, without an organisation, to any user)."""

NOT_AUDITED: Final = None
"""Audit event of a route that shows nothing of any customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a route needs and leaves behind; there are no defaults, so that nothing is forgotten."""

    scope: Scope
    capability: str | None
    key: Key
    match: Match
    rate: RateClass
    audit: str | None


class UndeclaredRoute(RuntimeError):
    """A route of the API lacks its declaration, or its declaration contradicts itself: the app does not start."""


@dataclass(frozen=True, slots=True)
class Command:
    """The headers of a command."""

    key: str
    version: int
    device: str
    lease: str


Work = Callable[[Connection, "Visit"], T]


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is asking, and for which organisation; made inside the transaction."""

    principal: Principal
    access: Access | None

    @property
    def granted(self) -> Access:
        """The access to the organisation of a route that declares one."""
        assert self.access is not None
        return self.access


class Call:
    """One request to a declared route."""

    def __init__(self, core: Core, declaration: Declaration, request: Request) -> None:
        self.core = core
        self.declaration = declaration
        self.request_id = web.request_id(request.scope)
        self._headers = request.headers
        self._principal: Principal | None = None
        self._charged = False
        self.organisation = self._organisation() if declaration.scope is Scope.ORGANISATION else None
        self._token = "" if declaration.scope is Scope.PUBLIC else self._bearer()

    async def read(self, work: Work[T]) -> T:
        """Run `work` in a snapshot that cannot write."""
        return await self.core.run(self._in, self.core.database.read, work)

    async def record(self, work: Work[T]) -> T:
        """Run `work` in a snapshot that it also records in the audit log."""
        return await self.core.run(self._in, self.core.database.record, work)

    async def write(self, work: Callable[[Connection, Principal], T]) -> T:
        """Run a command, which loads its rights itself: behind the memory of results, in the same transaction."""
        return await self.core.run(self._write, work)

    def audit(
        self, connection: Connection, visit: Visit, *, subject: str | None = None, count: int | None = None
    ) -> None:
        """Write the declared audit event."""
        declared = self.declaration
        assert declared.audit is not None
        audit.write(
            connection,
            at=self.core.config.clock.now(),
            user=visit.principal.user,
            organisation=self.organisation,
            mandate=visit.granted.mandate(declared.capability) if visit.access else None,
            action=declared.audit,
            subject=subject,
            rows=count,
            request_id=self.request_id,
        )

    def command(self, device: str | None) -> Command:
        """Return the command's headers; the device is that of the sign-in when it named one.

        Raises:
            ProblemError: one is missing or unusable.
        """
        key = self._headers.get(HEADER_IDEMPOTENCY)
        if not key:
            raise ProblemError(ProblemCode.IDEMPOTENCY_KEY_MISSING)
        match = self._headers.get(HEADER_VERSION)
        if match is None:
            raise ProblemError(ProblemCode.VERSION_REQUIRED)
        version = _VERSION.fullmatch(match)
        if version is None:
            raise malformed(f"{HEADER_VERSION}: not a version")
        return Command(
            _identifier(HEADER_IDEMPOTENCY, key),
            int(version[1]),
            _identifier(HEADER_DEVICE, device or self._headers.get(HEADER_DEVICE)),
            _identifier(HEADER_LEASE, self._headers.get(HEADER_LEASE)),
        )

    def check_schema(self) -> None:
        """Raise unless we know the schema of the command (426).

        Raises:
            ProblemError: the client is newer than this backend or too old for it.
        """
        schema = self._headers.get(HEADER_SCHEMA, str(SCHEMA))
        if schema not in {str(n) for n in (SCHEMA - 1, SCHEMA) if n > 0}:
            raise ProblemError(ProblemCode.SCHEMA_UNKNOWN)

    def _organisation(self) -> str:
        organisation = self._headers.get(HEADER_ORGANISATION)
        if organisation is None or not _BUSINESS_ID.fullmatch(organisation):
            raise malformed(f"{HEADER_ORGANISATION}: {'missing' if organisation is None else 'not a business ID'}")
        return organisation

    def _bearer(self) -> str:
        scheme, _, token = self._headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated()
        return token.strip()

    def _in(self, transaction: Callable[[], AbstractContextManager[Connection]], work: Work[T]) -> T:
        try:
            with transaction() as connection:
                return work(connection, self._enter(connection))
        except ProblemError as problem:
            self._refused(problem)
            raise

    def _write(self, work: Callable[[Connection, Principal], T]) -> T:
        with self.core.database.write() as connection:
            return work(connection, self._identify(connection))

    def _identify(self, connection: Connection) -> Principal:
        try:
            principal = self.core.authenticate(connection, self._token)
        except InvalidToken:
            raise unauthenticated() from None
        self._principal = principal
        if not self._charged:
            # A long poll looks several times and pays once.
            self.core.limits.charge(principal.user, self.declaration.rate)
            self._charged = True
        return principal

    def _enter(self, connection: Connection) -> Visit:
        principal = self._identify(connection)
        if self.organisation is None:
            return Visit(principal, None)
        today = local_date(self.core.config.clock.now())
        access = policy.access(connection, principal.user, self.organisation, today)
        access.demand(self.declaration.capability)
        return Visit(principal, access)

    def _refused(self, problem: ProblemError) -> None:
        """Write down who was refused what; the refused transaction itself has been rolled back."""
        if self._principal is None or self.declaration.audit is None or problem.status not in (403, 404):
            return
        with self.core.database.write() as connection:
            audit.write(
                connection,
                at=self.core.config.clock.now(),
                user=self._principal.user,
                organisation=self.organisation,
                mandate=None,
                action=self.declaration.audit,
                outcome=problem.outcome,
                request_id=self.request_id,
            )


_VERSION: Final = re.compile(r'"([1-9][0-9]{0,8})"')
_BUSINESS_ID: Final = re.compile(r"[0-9]{7}-[0-9]")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._:=-]{1,80}")


def _identifier(header: str, value: str | None) -> str:
    if value is None or not _IDENTIFIER.fullmatch(value):
        raise malformed(f"{header}: {'missing' if value is None else 'not an identifier'}")
    return value


def unauthenticated() -> ProblemError:
    """Return the answer to whoever is not signed in."""
    return ProblemError(ProblemCode.UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})


async def _call(request: Request) -> Call:
    return Call(request.app.state.core, _declarations[request.scope["endpoint"]], request)


Caller = Annotated[Call, Depends(_call)]
"""The parameter through which a route gets its call."""

_declarations: Final[WeakKeyDictionary[Any, Declaration]] = WeakKeyDictionary()


def json_response(body: Any, status: int = 200) -> Response:
    """Return plain data as a JSON answer."""
    return Response(rows.encode(body), status, media_type="application/json")


def route(
    router: APIRouter,
    method: str,
    path: str,
    endpoint: Callable[..., Awaitable[Response]],
    declaration: Declaration,
    documentation: openapi.Documentation,
) -> None:
    """Add `endpoint` to `router` under its declaration.

    Raises:
        UndeclaredRoute: the declaration contradicts itself.
    """
    declare(method, path, endpoint, declaration)
    router.add_api_route(
        path,
        endpoint,
        methods=[method],
        response_class=Response,
        response_model=None,
        summary=documentation.summary,
        responses=documentation.responses(_problems(declaration)),
        openapi_extra=documentation.operation(_headers(declaration), secured=declaration.scope is not Scope.PUBLIC),
    )


def declare(method: str, path: str, endpoint: Any, declaration: Declaration) -> None:
    """Take down the declaration of an endpoint that enforces it by itself (sign-in's own routes).

    Raises:
        UndeclaredRoute: the declaration contradicts itself.
    """
    command = declaration.key is Key.REQUIRED
    mistakes = {
        "a command needs an audit event": command and declaration.audit is None,
        "a command needs a capability": command and declaration.capability is None,
        "a command acts for an organisation": command and declaration.scope is not Scope.ORGANISATION,
        "a version is for commands": declaration.match is Match.REQUIRED and not command,
        "reading is done with GET": method == "GET" and command,
        "a capability needs an organisation": declaration.capability is not None
        and declaration.scope is not Scope.ORGANISATION,
    }
    for mistake, made in mistakes.items():
        if made:
            raise UndeclaredRoute(f"{method} {path}: {mistake}")
    _declarations[endpoint] = declaration


def declaration_of(endpoint: Any) -> Declaration | None:
    """Return the declaration of an endpoint."""
    return _declarations.get(endpoint)


def endpoints(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give path and endpoint of each route, those of included routers and mounts too."""
    for found in routes:
        included = getattr(found, "original_router", None)
        if included is not None:
            context = getattr(found, "include_context", None)
            yield from endpoints(included.routes, prefix + getattr(context, "prefix", ""))
        elif isinstance(found, Mount):
            yield from endpoints(found.routes, prefix + found.path)
        else:
            yield prefix + getattr(found, "path", ""), getattr(found, "endpoint", found)


def check(app: FastAPI) -> None:
    """Refuse an app with a route under `/v1` that says nothing about what it needs.

    Raises:
        UndeclaredRoute: names the route.
    """
    for path, endpoint in endpoints(app.routes):
        if path.startswith("/v1") and declaration_of(endpoint) is None:
            raise UndeclaredRoute(f"{path}: no declaration")


def _headers(declaration: Declaration) -> list[str]:
    needed = [HEADER_ORGANISATION] if declaration.scope is Scope.ORGANISATION else []
    if declaration.key is Key.REQUIRED:
        needed += [HEADER_IDEMPOTENCY, HEADER_DEVICE, HEADER_LEASE, HEADER_SCHEMA]
    if declaration.match is Match.REQUIRED:
        needed.append(HEADER_VERSION)
    return needed


def _problems(declaration: Declaration) -> list[int]:
    found = [400, 413, 422, 500]
    if declaration.scope is not Scope.PUBLIC:
        found += [401, 429]
    if declaration.scope is Scope.ORGANISATION:
        found += [403, 404]
    if declaration.key is Key.REQUIRED:
        found += [409, 410, 412, 426, 428]
    return sorted(found)
