"""What every HTTP answer has in common: a request id, no caching, a limited body, problems instead of stack traces."""

from __future__ import annotations

import logging
import re
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kelmu_backend import failures, rows
from kelmu_backend.problems import MEDIA_TYPE, ProblemError
from kelmu_tui.api.contract import HEADER_REQUEST_ID, TUS_VERSION, ProblemCode
from kelmu_tui.platform.ids import Ids

log = logging.getLogger("kelmu_backend")

MAX_BODY: Final = 64 * 1024
"""Bytes of a request's body: the longest command is a note of 1 000 characters."""

UPLOADS: Final = "/v1/uploads"
"""Requests below this address bring documents: their route counts what they bring, and they all speak tus."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")


def request_id(scope: Scope) -> str:
    """Return the id of the request."""
    found: str = scope["state"]["request_id"]
    return found


def problem_response(problem: ProblemError, identifier: str) -> Response:
    """Return a problem as an answer."""
    return Response(
        rows.encode(problem.body(identifier)), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


class Frame:
    """The outermost layer of ours, as plain ASGI: a layer with request objects would cost more than most answers."""

    def __init__(self, app: ASGIApp, ids: Ids) -> None:
        self._app = app
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        brings_document = scope["path"].startswith(UPLOADS)
        given = headers.get(HEADER_REQUEST_ID, "")
        identifier = given if _REQUEST_ID.fullmatch(given) else self._ids.new()
        scope.setdefault("state", {})["request_id"] = identifier
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(scope=message)
                out[HEADER_REQUEST_ID] = identifier
                out.setdefault("Cache-Control", "no-store")
                out.setdefault("X-Content-Type-Options", "nosniff")
                if brings_document:
                    out["Tus-Resumable"] = TUS_VERSION
            await send(message)

        left = MAX_BODY

        async def limited() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] == "http.request":
                left -= len(message.get("body", b""))
                if left < 0:
                    raise _TooLarge
            return message

        try:
            length = headers.get("content-length", "")
            if not brings_document and length.isdecimal() and int(length) > MAX_BODY:
                raise _TooLarge
            await self._app(scope, receive if brings_document else limited, answer)
        except Exception as failure:  # noqa: BLE001 - the last one who could answer
            problem = _unexpected(failure, identifier)
            if started:
                # Half an answer cannot become a problem: the connection is broken off, which the client notices.
                raise _BrokenOff from None
            await problem_response(problem, identifier)(scope, receive, answer)


class _TooLarge(Exception):
    """The body is larger than any request of ours."""


class _BrokenOff(Exception):
    """An answer failed after its first byte."""


def _unexpected(failure: Exception, identifier: str) -> ProblemError:
    if isinstance(failure, _TooLarge):
        return ProblemError(ProblemCode.INVALID_REQUEST, status=413, errors=["body: too_large"])
    log.error("request %s failed: %s", identifier, failures.told(failure))
    return ProblemError(ProblemCode.INTERNAL)


def install_handlers(app: FastAPI) -> None:
    """Let every refusal of the framework and of ours leave as a problem."""

    async def ours(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, ProblemError)
        return problem_response(failure, request_id(request.scope))

    async def validation(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, RequestValidationError)
        errors = [f"{'.'.join(str(part) for part in e['loc'][:2])}: {e['type']}" for e in failure.errors()]
        problem = ProblemError(ProblemCode.INVALID_REQUEST, errors=errors[:20])
        return problem_response(problem, request_id(request.scope))

    async def http(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, HTTPException)
        code = ProblemCode.NOT_FOUND if failure.status_code == 404 else ProblemCode.INVALID_REQUEST
        problem = ProblemError(code, status=failure.status_code, headers=failure.headers)
        return problem_response(problem, request_id(request.scope))

    app.add_exception_handler(ProblemError, ours)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
