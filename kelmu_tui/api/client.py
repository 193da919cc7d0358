"""The backend, over HTTP: the only module that talks to it on behalf of a signed-in user.

One call is one coroutine; every failure that leaves it is from `api.errors`. Nothing here retries by itself except
once after a renewed access token: when and whether to try again is the business of `sync`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import quote

import httpx

from kelmu_tui.api import contract
from kelmu_tui.api.answers import CommandAnswer, SnapshotPart, SnapshotReader, parse
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
from kelmu_tui.platform.ids import Ids, RandomIds

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 35.0
"""A long poll is held `contract.MAX_WAIT` seconds; ten more are for the way."""
MAX_BODY: Final = 32 * 1024 * 1024
MAX_LINE: Final = 1024 * 1024
"""Bytes of an answer and of one line of a stream; more is a fault, not data."""

_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_NDJSON: Final = "application/x-ndjson"


class TokenSource(Protocol):
    """Where access tokens come from; renewing is single-flight and survives a crash."""

    async def access_token(self) -> str:
        """Return a token that should be good now.

        Raises:
            ApiError: it could not be had; `SignInNeeded` when somebody has to sign in.
        """
        ...

    async def invalidate(self, token: str) -> None:
        """Note that the backend refused `token`, so that the next one is a new one."""
        ...


def checked_url(url: str) -> str:
    """Return `url` without its last slash.

    Raises:
        ValueError: it is no http address, holds user information, or is plain http to anything but this machine.
    """
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("address_invalid")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise ValueError("address_invalid")
    if parsed.scheme == "http" and not _is_loopback(parsed.host):
        raise ValueError("address_insecure")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def http_client(
    base_url: str, transport: httpx.AsyncBaseTransport | None = None, *, trust_environment: bool = False
) -> httpx.AsyncClient:
    """Return a client with the house's limits: no proxies from the environment, no redirects, no endless waits."""
    return httpx.AsyncClient(
        base_url=checked_url(base_url),
        transport=transport,
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, write=READ_SECONDS, pool=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=4),
        trust_env=trust_environment,
        follow_redirects=False,
    )


class Client:
    """Calls of a signed-in user.

    Args:
        base_url: the backend's address; https unless it is this machine.
        tokens: source of access tokens.
        device: identifier of this installation; idempotency keys belong to it.
        transport: stands in for the network in tests.
        ids: source of request ids.
        trust_environment: obey the proxy variables of the environment, which the user has to ask for.

    Raises:
        ValueError: the address is not allowed.
    """

    def __init__(
        self,
        base_url: str,
        tokens: TokenSource,
        device: str,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        ids: Ids | None = None,
        trust_environment: bool = False,
    ) -> None:
        self._http = http_client(base_url, transport, trust_environment=trust_environment)
        self._tokens = tokens
        self._device = device
        self._ids = ids if ids is not None else RandomIds()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def session(self) -> contract.SessionInfo:
        """Return who the user is, for whom they may act, and what is announced."""
        body, request_id = await self._read("GET", "/v1/session")
        return parse(contract.SessionInfo, body, request_id)

    async def changes(self, organisation: str, cursor: str | None, wait: int = 0) -> contract.Changes:
        """Return the next page of the feed; the backend holds the answer up to `wait` seconds when it has nothing."""
        params = {"wait": str(min(wait, contract.MAX_WAIT))}
        if cursor is not None:
            params["cursor"] = cursor
        body, request_id = await self._read("GET", "/v1/changes", organisation, params=params)
        return parse(contract.Changes, body, request_id)

    async def notice(self, organisation: str, id: str) -> contract.NoticeRow:  # noqa: A002
        """Return one notice as its holder sees it now."""
        body, request_id = await self._read("GET", f"/v1/notices/{_segment(id)}", organisation)
        return parse(contract.NoticeRow, body, request_id)

    async def snapshot(
        self, organisation: str, scope: str, after: str | None = None
    ) -> AsyncGenerator[SnapshotPart, None]:
        """Stream the rows of `scope` with ids above `after`: a start, chunks of rows, an end.

        Raises:
            BadAnswer: a line is not of the contract, rows go backwards, or the end is missing; what came before
                stands, and `after` resumes behind it.
        """
        params = {"scope": scope}
        if after is not None:
            params["after"] = after
        async with self._open("GET", "/v1/snapshot", organisation, params=params, accept=_NDJSON) as response:
            request_id = _request_id(response)
            await _raise_for(response)
            _expect(response, (_NDJSON,), request_id)
            reader = SnapshotReader(scope, after, request_id)
            async for line in _lines(response, request_id):
                for part in reader.feed(line):
                    yield part
            reader.finish()

    async def command(
        self,
        organisation: str,
        id: str,  # noqa: A002
        verb: str,
        key: str,
        if_match: int,
        body: bytes,
        lease: str,
        schema: int = contract.SCHEMA,
    ) -> CommandAnswer:
        """Send a command exactly as it was frozen and return what the backend decided.

        Raises:
            SignInNeeded, UpdateNeeded: the whole queue has to pause.
            Unreachable, BadAnswer: what became of it is unknown; the same bytes have to be sent again.
        """
        headers = {
            contract.HEADER_IDEMPOTENCY: key,
            contract.HEADER_VERSION: f'"{if_match}"',
            contract.HEADER_LEASE: lease,
            contract.HEADER_SCHEMA: str(schema),
            "Content-Type": _JSON,
        }
        path = f"/v1/notices/{_segment(id)}/{_segment(verb)}"
        async with self._open("POST", path, organisation, headers=headers, content=body) as response:
            request_id = _request_id(response)
            try:
                await _raise_for(response)
            except (SignInNeeded, UpdateNeeded):
                raise
            except ProblemAnswer as answer:
                return CommandAnswer(
                    answer.status,
                    problem=answer.problem,
                    retry_after=answer.retry_after,
                    request_id=request_id,
                )
            _expect(response, (_JSON,), request_id)
            result = parse(contract.CommandResult, await _body(response, request_id), request_id)
            return CommandAnswer(response.status_code, result=result, request_id=request_id)

    async def _read(
        self, method: str, path: str, organisation: str | None = None, params: dict[str, str] | None = None
    ) -> tuple[bytes, str]:
        async with self._open(method, path, organisation, params=params) as response:
            request_id = _request_id(response)
            await _raise_for(response)
            _expect(response, (_JSON,), request_id)
            return await _body(response, request_id), request_id

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        organisation: str | None = None,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        accept: str = _JSON,
    ) -> AsyncIterator[httpx.Response]:
        """Send a request and give its response with the body unread; a refused token is renewed once."""
        own = {"Accept": f"{accept}, {_PROBLEM}", contract.HEADER_DEVICE: self._device, **(headers or {})}
        if organisation is not None:
            own[contract.HEADER_ORGANISATION] = organisation
        request_id = own[contract.HEADER_REQUEST_ID] = self._ids.new()
        with _mapped(request_id):
            for renewed in (False, True):
                token = await self._tokens.access_token()
                request = self._http.build_request(
                    method,
                    path,
                    params=params,
                    content=content,
                    headers={**own, "Authorization": f"Bearer {token}"},
                )
                response = await self._http.send(request, stream=True)
                try:
                    if response.status_code == 401 and not renewed:
                        await self._tokens.invalidate(token)
                        continue
                    yield response
                    return
                finally:
                    await response.aclose()


class _mapped:  # noqa: N801 - used like a function
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


def _segment(text: str) -> str:
    return quote(text, safe="")


def _request_id(response: httpx.Response) -> str:
    """Return the id under which the call can be found: the backend's echo is not trusted, ours is known."""
    return str(response.request.headers.get(contract.HEADER_REQUEST_ID, ""))


def _content_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _expect(response: httpx.Response, types: tuple[str, ...], request_id: str) -> None:
    if not response.is_success:
        raise BadAnswer("status", request_id, status=response.status_code)
    if _content_type(response) not in types:
        raise BadAnswer("content_type", request_id, status=response.status_code)


async def _body(response: httpx.Response, request_id: str) -> bytes:
    """Read a whole body, but never an endless one."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_BODY:
            raise BadAnswer("too_long", request_id, status=response.status_code)
        parts.append(part)
    return b"".join(parts)


async def _raise_for(response: httpx.Response) -> None:
    """Raise what a failure status means; a success returns.

    Raises:
        SignInNeeded, UpdateNeeded, ProblemAnswer: the backend or a gateway before it said so.
        BadAnswer: a refusal without a problem document: nobody can tell who refused what.
    """
    status = response.status_code
    if status < 400:
        return
    request_id = _request_id(response)
    problem = await _problem(response, request_id)
    if status == 401:
        raise SignInNeeded(problem, request_id)
    if status == 426:
        raise UpdateNeeded(problem, request_id)
    if problem is None and status not in RETRYABLE_STATUSES and status < 500:
        raise BadAnswer("status", request_id, status=status)
    raise ProblemAnswer(status, problem, request_id, retry_after=retry_after(response.headers.get("retry-after")))


async def _problem(response: httpx.Response, request_id: str) -> contract.Problem | None:
    """Return the problem document of a failure, None when there is none that can be read."""
    if _content_type(response) != _PROBLEM:
        return None
    try:
        return parse(contract.Problem, await _body(response, request_id), request_id)
    except (ApiError, httpx.HTTPError):
        return None


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a `Retry-After`; the form with a date is not used by our backend and ignored."""
    if value is None or not value.strip().isascii() or not value.strip().isdigit():
        return None
    return min(float(value.strip()), 3600.0)


async def _lines(response: httpx.Response, request_id: str) -> AsyncIterator[str]:
    """Yield the lines of a stream in strict UTF-8; a last line without its end is half a line."""
    rest = b""
    async for part in response.aiter_bytes():
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > MAX_LINE:
            raise BadAnswer("too_long", request_id)
        for line in whole:
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                raise BadAnswer("encoding", request_id) from None
    if rest:
        raise BadAnswer("cut", request_id)
