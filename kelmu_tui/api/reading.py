"""Reading a response: limits, content types, what a failure status means, and httpx's errors as ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

import httpx

from kelmu_tui.api import contract
from kelmu_tui.api.answers import parse
from kelmu_tui.api.errors import (
    RETRYABLE_STATUSES,
    ApiError,
    BadAnswer,
    ProblemAnswer,
    SignInNeeded,
    Timeout,
    Unreachable,
    UpdateNeeded,
)

MAX_BODY: Final = 32 * 1024 * 1024
MAX_LINE: Final = 1024 * 1024
"""Bytes of an answer and of one line of a stream; more is a fault, not data."""
LINES_AT_A_TIME: Final = 16
"""Lines of a stream, a millisecond of reading, after which the loop may do something else: take a key, for one."""
PROBLEM: Final = "application/problem+json"


class mapped:  # noqa: N801 - used like a function
    """Turn what httpx raises inside the block into the tree of `api.errors`."""

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # `from None`: httpx's errors carry the request, and the request carries the token.
        if isinstance(error, httpx.TimeoutException):
            raise Timeout(self._request_id) from None
        if isinstance(error, httpx.DecodingError):
            raise BadAnswer("encoding", self._request_id) from None
        if isinstance(error, httpx.RemoteProtocolError):
            # A body that ends early is an answer gone wrong; an answer that never began is no answer.
            raise BadAnswer("cut", self._request_id) from None
        if isinstance(error, httpx.HTTPError | httpx.StreamError | httpx.InvalidURL):
            raise Unreachable(self._request_id) from None


def segment(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")


def request_id_of(response: httpx.Response) -> str:
    """Return the id under which the call can be found: the backend's echo is not trusted, ours is known."""
    return str(response.request.headers.get(contract.HEADER_REQUEST_ID, ""))


def _content_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def expect(response: httpx.Response, types: tuple[str, ...], request_id: str) -> None:
    """Raise unless a response is a success of one of `types`.

    Raises:
        BadAnswer: it is not.
    """
    if not response.is_success:
        raise BadAnswer("status", request_id, status=response.status_code)
    if _content_type(response) not in types:
        raise BadAnswer("content_type", request_id, status=response.status_code)


async def body_of(response: httpx.Response, request_id: str) -> bytes:
    """Read a whole body, but never an endless one."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_BODY:
            raise BadAnswer("too_long", request_id, status=response.status_code)
        parts.append(part)
    return b"".join(parts)


async def raise_for(response: httpx.Response) -> None:
    """Raise what a failure status means; a success returns.

    Raises:
        SignInNeeded, UpdateNeeded, ProblemAnswer: the backend or a gateway before it said so.
        BadAnswer: a refusal without a problem document: nobody can tell who refused what.
    """
    status = response.status_code
    if status < 400:
        return
    request_id = request_id_of(response)
    problem = await _problem(response, request_id)
    if status == 401:
        raise SignInNeeded(problem, request_id)
    if status == 426:
        raise UpdateNeeded(problem, request_id)
    if problem is None and status not in RETRYABLE_STATUSES and status < 500:
        raise BadAnswer("status", request_id, status=status)
    raise ProblemAnswer(status, problem, request_id, retry_after=retry_after(response.headers.get("retry-after")))


def refused(response: httpx.Response) -> ProblemAnswer | None:
    """Return what an answer without a body refuses, by its status; None where it is not the backend that refuses.

    What a proxy says for itself has another type.
    """
    if response.status_code != 403 or _content_type(response) != PROBLEM:
        return None
    return ProblemAnswer(response.status_code, None, request_id_of(response))


async def _problem(response: httpx.Response, request_id: str) -> contract.Problem | None:
    """Return the problem document of a failure, None when there is none that can be read."""
    if _content_type(response) != PROBLEM:
        return None
    try:
        return parse(contract.Problem, await body_of(response, request_id), request_id)
    except (ApiError, httpx.HTTPError):
        return None


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a `Retry-After`; the form with a date is not used by our backend and ignored."""
    if value is None or not value.strip().isascii() or not value.strip().isdigit():
        return None
    return min(float(value.strip()), 3600.0)


async def lines_of(response: httpx.Response, request_id: str) -> AsyncIterator[str]:
    """Yield the lines of a stream in strict UTF-8; a last line without its end is half a line."""
    rest = b""
    async for part in response.aiter_bytes():
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > MAX_LINE:
            raise BadAnswer("too_long", request_id)
        for number, line in enumerate(whole, 1):
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                raise BadAnswer("encoding", request_id) from None
            if number % LINES_AT_A_TIME == 0:
                await asyncio.sleep(0)
    if rest:
        raise BadAnswer("cut", request_id)
