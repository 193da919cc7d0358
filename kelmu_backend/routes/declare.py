"""The one way to add a route: with what it needs, spelled out.

`check` refuses to start an app with a route of the API that has no declaration; `call.Call` enforces what it says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from weakref import WeakKeyDictionary

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from kelmu_backend import openapi
from kelmu_backend.limits import RateClass
from kelmu_tui.api.contract import (
    HEADER_DEVICE,
    HEADER_IDEMPOTENCY,
    HEADER_LEASE,
    HEADER_ORGANISATION,
    HEADER_SCHEMA,
    HEADER_VERSION,
)


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
    """It is no command: it can be repeated at will."""
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


_declarations: Final[WeakKeyDictionary[Any, Declaration]] = WeakKeyDictionary()


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


def declaration_for(endpoint: Any) -> Declaration:
    """Return the declaration under which an endpoint of ours is called."""
    return _declarations[endpoint]


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
