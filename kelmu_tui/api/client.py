"""The backend, over HTTP: the only module that talks to it on behalf of a signed-in user.

One call is one coroutine; every failure that leaves it is from `api.errors`. Nothing here retries by itself except
once after a renewed access token: when and whether to try again is the business of `sync`.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from ipaddress import ip_address
from typing import Final, Protocol

import httpx

from kelmu_tui.api import contract
from kelmu_tui.api.answers import CommandAnswer, SnapshotPart, SnapshotReader, parse
from kelmu_tui.api.audit import AuditSearch, check_extract, check_page, check_sample
from kelmu_tui.api.customers import QueryReader
from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, UpdateNeeded
from kelmu_tui.api.lists import ListPart, RowReader, RowsWanted, check_invoices
from kelmu_tui.api.paths import command_path
from kelmu_tui.api.reading import PROBLEM, body_of, expect, lines_of, mapped, raise_for, request_id_of, segment
from kelmu_tui.api.uploads import Uploads
from kelmu_tui.platform.ids import Ids, RandomIds

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 35.0
"""A long poll is held `contract.MAX_WAIT` seconds; ten more are for the way."""

_JSON: Final = "application/json"
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


@cache
def certificates(trust_environment: bool = False) -> ssl.SSLContext:
    """Return the certificates to trust; reading them takes 60 ms, so it is done once and where nobody waits for it."""
    return httpx.create_ssl_context(trust_env=trust_environment)


def http_client(
    base_url: str, transport: httpx.AsyncBaseTransport | None = None, *, trust_environment: bool = False
) -> httpx.AsyncClient:
    """Return a client with the house's limits: no proxies from the environment, no redirects, no endless waits."""
    return httpx.AsyncClient(
        base_url=checked_url(base_url),
        transport=transport,
        verify=certificates(trust_environment) if transport is None else True,
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
        self.uploads = Uploads(self._open)
        """Documents that are on their way."""

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
        body, request_id = await self._read("GET", f"/v1/notices/{segment(id)}", organisation)
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
            request_id = request_id_of(response)
            await raise_for(response)
            expect(response, (_NDJSON,), request_id)
            reader = SnapshotReader(scope, after, request_id)
            async for line in lines_of(response, request_id):
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
        path = command_path(verb, id)
        async with self._open("POST", path, organisation, headers=headers, content=body) as response:
            request_id = request_id_of(response)
            try:
                await raise_for(response)
            except (SignInNeeded, UpdateNeeded):
                raise
            except ProblemAnswer as answer:
                return CommandAnswer(
                    answer.status,
                    problem=answer.problem,
                    retry_after=answer.retry_after,
                    request_id=request_id,
                )
            expect(response, (_JSON,), request_id)
            result = parse(contract.CommandResult, await body_of(response, request_id), request_id)
            return CommandAnswer(response.status_code, result=result, request_id=request_id)

    async def editing(self, organisation: str, claim: str, *, on: bool) -> None:
        """Tell that the user begins to change a claim, goes on with it, or has stopped; nothing is kept of it."""
        path = f"/v1/claims/{segment(claim)}/editing"
        content = contract.EditingBody(on=on).model_dump_json().encode()
        async with self._open("POST", path, organisation, headers={"Content-Type": _JSON}, content=content) as response:
            await raise_for(response)

    async def look_up(
        self, organisation: str, query: contract.CustomerQuery
    ) -> AsyncGenerator[contract.PersonLine | contract.SectionLine | contract.QueryEnd, None]:
        """Look a customer up: the person, each section once its source has answered, and an end.

        Raises:
            BadAnswer: a line is not of the contract or not of this query, or the end is missing; what came before
                stands.
        """
        body = query.model_dump_json(exclude_none=True).encode()
        headers = {"Content-Type": _JSON}
        path = "/v1/customer-queries"
        async with self._open("POST", path, organisation, headers=headers, content=body, accept=_NDJSON) as response:
            request_id = request_id_of(response)
            await raise_for(response)
            expect(response, (_NDJSON,), request_id)
            reader = QueryReader(query, request_id)
            async for line in lines_of(response, request_id):
                yield reader.feed(line)
            reader.finish()

    async def look_ups(self, organisation: str, cursor: str | None = None) -> contract.LookUps:
        """Return the user's own look-ups for an organisation, the newest first; `cursor` continues a page."""
        params = {} if cursor is None else {"cursor": cursor}
        body, request_id = await self._read("GET", "/v1/look-ups", organisation, params=params)
        return parse(contract.LookUps, body, request_id)

    async def list_offers(self, organisation: str) -> contract.ListOffers:
        """Return every list of the catalogue as it is for the user, with what has come of it."""
        body, request_id = await self._read("GET", "/v1/lists", organisation)
        return parse(contract.ListOffers, body, request_id)

    async def invoices(self, organisation: str) -> contract.Invoices:
        """Return the heads of the invoices whose lists are open, the newest first.

        Raises:
            BadAnswer: one does not fit to its kind, or two have the same number.
        """
        body, request_id = await self._read("GET", "/v1/invoices", organisation)
        return check_invoices(parse(contract.Invoices, body, request_id), request_id)

    async def list_rows(self, organisation: str, wanted: RowsWanted) -> AsyncGenerator[ListPart, None]:
        """Stream the rows of a list behind `wanted.after`: a start, batches of rows, and a stop or an end.

        Raises:
            BadAnswer: a line is not of the contract or not of this list, rows go backwards, or the end is missing; what
                came before stands, and `after` resumes behind it.
            KeyError: the catalogue has no such list.
        """
        path = f"/v1/lists/{segment(wanted.list)}/{segment(wanted.period)}/rows"
        async with self._open("GET", path, organisation, params=wanted.params(), accept=_NDJSON) as response:
            request_id = request_id_of(response)
            await raise_for(response)
            expect(response, (_NDJSON,), request_id)
            reader = RowReader(wanted, request_id)
            try:
                async for line in lines_of(response, request_id):
                    for part in reader.feed(line):
                        yield part
                reader.finish()
            except (ApiError, httpx.HTTPError):
                for part in reader.rest():
                    yield part
                raise

    async def audited(
        self, organisation: str, wanted: AuditSearch, cursor: str | None = None
    ) -> contract.AuditedLookUps:
        """Return look-ups of anybody in an organisation that one supervises, the newest first; `cursor` continues."""
        body, request_id = await self._read("GET", "/v1/audit/look-ups", organisation, params=wanted.params(cursor))
        return check_page(parse(contract.AuditedLookUps, body, request_id), wanted, organisation, request_id)

    async def sample(self, organisation: str, wanted: contract.SampleRequest) -> contract.Sample:
        """Draw a random sample of the look-ups of an organisation that one supervises."""
        content = wanted.model_dump_json(exclude_none=True).encode()
        body, request_id = await self._read("POST", "/v1/audit/samples", organisation, content=content)
        return check_sample(parse(contract.Sample, body, request_id), wanted, organisation, request_id)

    async def extract(self, organisation: str, wanted: contract.ExtractRequest) -> contract.Extract:
        """Return who has looked at a customer for an organisation that one supervises."""
        content = wanted.model_dump_json(exclude_none=True).encode()
        body, request_id = await self._read("POST", "/v1/audit/extracts", organisation, content=content)
        return check_extract(parse(contract.Extract, body, request_id), organisation, request_id)

    async def register_views(self, registration: contract.ChainRegistration) -> contract.ViewReceipt:
        """Tell the backend of a ledger's log of views, or ask what it has of it."""
        body = registration.model_dump_json().encode()
        return await self._receipt("/v1/view-chains", body, {}, signed_in=True)

    async def ship_views(self, body: bytes, signature: str) -> contract.ViewReceipt:
        """Send a batch of views; its signature stands for the session."""
        return await self._receipt("/v1/view-events", body, {contract.HEADER_SIGNATURE: signature}, signed_in=False)

    async def _receipt(
        self, path: str, body: bytes, headers: dict[str, str], *, signed_in: bool
    ) -> contract.ViewReceipt:
        headers = {**headers, "Content-Type": _JSON}
        async with self._open("POST", path, headers=headers, content=body, signed_in=signed_in) as response:
            request_id = request_id_of(response)
            await raise_for(response)
            expect(response, (_JSON,), request_id)
            return parse(contract.ViewReceipt, await body_of(response, request_id), request_id)

    async def _read(
        self,
        method: str,
        path: str,
        organisation: str | None = None,
        params: Mapping[str, str | Sequence[str]] | None = None,
        content: bytes | None = None,
    ) -> tuple[bytes, str]:
        headers = None if content is None else {"Content-Type": _JSON}
        async with self._open(method, path, organisation, params=params, headers=headers, content=content) as response:
            request_id = request_id_of(response)
            await raise_for(response)
            expect(response, (_JSON,), request_id)
            return await body_of(response, request_id), request_id

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        organisation: str | None = None,
        *,
        params: Mapping[str, str | Sequence[str]] | None = None,
        headers: dict[str, str] | None = None,
        content: bytes | Callable[[], AsyncIterator[bytes]] | None = None,
        accept: str = _JSON,
        signed_in: bool = True,
    ) -> AsyncIterator[httpx.Response]:
        """Send a request and give its response with the body unread; a refused token is renewed once.

        Args:
            content: the body, or what begins it anew for each try.
        """
        own = {"Accept": f"{accept}, {PROBLEM}", contract.HEADER_DEVICE: self._device, **(headers or {})}
        if organisation is not None:
            own[contract.HEADER_ORGANISATION] = organisation
        request_id = own[contract.HEADER_REQUEST_ID] = self._ids.new()
        with mapped(request_id):
            for renewed in (False, True):
                token = await self._tokens.access_token() if signed_in else None
                proof = {"Authorization": f"Bearer {token}"} if token is not None else {}
                body = content() if callable(content) else content
                request = self._http.build_request(method, path, params=params, content=body, headers={**own, **proof})
                response = await self._http.send(request, stream=True)
                try:
                    if response.status_code == 401 and not renewed and token is not None:
                        await self._tokens.invalidate(token)
                        continue
                    yield response
                    return
                finally:
                    await response.aclose()
