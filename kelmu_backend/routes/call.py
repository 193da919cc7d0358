"""A request to a declared route: who is asking, and what the declaration demands, before the route's own code runs.

A route gets a `Call` and no connection. The call's `read`, `record` and `write` open the transaction, find out who is
asking, take the request from the rate limit, load what the mandates open and demand the declared capability; only
then the route's unit of work runs, in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from kelmu_backend import audit, policy, rows, stillness, web
from kelmu_backend.core import Core
from kelmu_backend.identity.tokens import InvalidToken, Principal
from kelmu_backend.policy import Access
from kelmu_backend.problems import ProblemError, malformed
from kelmu_backend.routes.declare import Declaration, Match, Scope, declaration_for
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


@dataclass(frozen=True, slots=True)
class Command:
    """The headers of a command; `version` is 0 where it depends on none."""

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

    async def judge(self, work: Work[T]) -> T:
        """Run `work` where it sees whatever others have committed, and writes what comes of it."""
        return await self.core.run(self._in, self.core.database.write, work)

    async def look_again(self, work: Work[T]) -> T:
        """Run `work` in another part of a request, if the same is (still) open to the same user.

        Raises:
            ProblemError: it is not any more. The request has its row in the audit log already: nothing is added.
        """

        def again() -> T:
            with self.core.database.read() as connection:
                return work(connection, self._enter(connection))

        return await self.core.run(again)

    async def ahead(self, work: Work[T]) -> T | None:
        """Run `work` ahead of a command, in a snapshot that cannot write; None where the mandates do not open it.

        Whether the command is refused then, or answered as the first time, is its own to say.
        """

        try:
            return await self.look_again(work)
        except ProblemError as problem:
            if problem.status != 403:
                raise
            return None

    async def write(self, work: Callable[[Connection, Principal], T]) -> T:
        """Run a command, which loads its rights itself: behind the memory of results, in the same transaction."""
        return await self.core.run(self._write, work)

    def name(self, cursor: str | None) -> bytes:
        """Return under what a poll from `cursor` is remembered when it finds nothing."""
        return stillness.key(self._token, self.organisation, cursor)

    def recognise(self) -> str:
        """Return the user when the record is known not to have changed since their last call; charge the call.

        Raises:
            ProblemError: the token's time is over, or there are too many requests.
        """
        try:
            user = self.core.recognise(self._token)
        except InvalidToken:
            raise unauthenticated() from None
        self._charge(user)
        return user

    def audit(
        self,
        connection: Connection,
        visit: Visit,
        *,
        subject: str | None = None,
        count: int | None = None,
        outcome: str = audit.DONE,
        purpose: str | None = None,
        case_reference: str | None = None,
        capability: str | None = None,
    ) -> None:
        """Write the declared audit event; `capability` is what was used where the declaration leaves it open."""
        declared = self.declaration
        assert declared.audit is not None
        audit.write(
            connection,
            at=self.core.config.clock.now(),
            user=visit.principal.user,
            organisation=self.organisation,
            mandate=visit.granted.mandate(declared.capability or capability) if visit.access else None,
            action=declared.audit,
            outcome=outcome,
            subject=subject,
            rows=count,
            request_id=self.request_id,
            purpose=purpose,
            case_reference=case_reference,
        )

    def command(self, device: str | None) -> Command:
        """Return the command's headers; the device is that of the sign-in when it named one.

        Raises:
            ProblemError: one is missing or unusable.
        """
        key = self._headers.get(HEADER_IDEMPOTENCY)
        if not key:
            raise ProblemError(ProblemCode.IDEMPOTENCY_KEY_MISSING)
        return Command(
            _identifier(HEADER_IDEMPOTENCY, key),
            self._version() if self.declaration.match is Match.REQUIRED else 0,
            self.device(device),
            _identifier(HEADER_LEASE, self._headers.get(HEADER_LEASE)),
        )

    def device(self, device: str | None) -> str:
        """Return the device: that of the sign-in when it named one.

        Raises:
            ProblemError: nobody names one.
        """
        return _identifier(HEADER_DEVICE, device or self._headers.get(HEADER_DEVICE))

    def _version(self) -> int:
        match = self._headers.get(HEADER_VERSION)
        if match is None:
            raise ProblemError(ProblemCode.VERSION_REQUIRED)
        version = _VERSION.fullmatch(match)
        if version is None:
            raise malformed(f"{HEADER_VERSION}: not a version")
        return int(version[1])

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
        self._charge(principal.user)
        return principal

    def _charge(self, user: str) -> None:
        if not self._charged:
            # A long poll looks several times and pays once.
            self.core.limits.charge(user, self.declaration.rate)
            self._charged = True

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
    return Call(request.app.state.core, declaration_for(request.scope["endpoint"]), request)


Caller = Annotated[Call, Depends(_call)]
"""The parameter through which a route gets its call."""


def json_response(body: Any, status: int = 200) -> Response:
    """Return plain data as a JSON answer."""
    return Response(rows.encode(body), status, media_type="application/json")
