"""Signing in from a terminal: the device grant (RFC 8628), renewal and revocation of tokens, demo approval.

    authorization = await sign_in.start("työasema")
    show(authorization.verification_uri, authorization.user_code)
    tokens = await sign_in.poll(authorization, on_waiting=show_time_left)

Polling obeys the server's interval and `slow_down`. A backend that is away is no reason to give up: polling goes on,
ever more slowly, until the code expires. Whoever shows it cancels by cancelling the task. Time and waiting come from
outside, so that a test can let five minutes pass at once.

What can go wrong:
    SignInFailed
     ├─ CodeExpired        nobody approved in time: start again
     ├─ SignInRefused      the user said no on the page
     └─ GrantRefused       the refresh token no longer counts: sign in again
    Away                   no usable answer (not running, cut off, garbage, 5xx); worth another try
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

import httpx
from pydantic import ValidationError

from kelmu_tui.api.client import http_client
from kelmu_tui.api.contract import (
    HEADER_DEVICE,
    HEADER_REQUEST_ID,
    Answer,
    DemoApproval,
    DeviceAuthorization,
    OAuthError,
    Persona,
    PersonaList,
    Tokens,
)
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.clock import Clock, SystemClock

CLIENT_ID: Final = "kelmu-tui"
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER: Final = 5
"""Seconds that `slow_down` adds to the interval, for this code for good (RFC 8628, 3.5)."""
LONGEST_WAIT: Final = 60
"""Seconds between two tries at the most while the backend is away."""
LARGEST_ANSWER: Final = 256 * 1024

Wait = Callable[[float], Awaitable[None]]
Transport = httpx.AsyncBaseTransport
"""The seam that stands in for the network, named here for rooms that know nothing of httpx."""
A = TypeVar("A", bound=Answer)


class SignInFailed(Exception):
    """Base of the ends without tokens; `request_id` is that of the backend's answer, None without one."""

    def __init__(self, message: str, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id


class CodeExpired(SignInFailed):
    """The code's time ran out before anybody approved it."""


class SignInRefused(SignInFailed):
    """The user, or a policy, refused the sign-in."""


class GrantRefused(SignInFailed):
    """The authorization server takes neither this refresh token nor this client any more."""


class Away(SignInFailed):
    """No usable answer came; `retry_after` is what the backend asked for, in seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Waiting:
    """Shown while the code waits: seconds left, and whether the backend answers."""

    seconds_left: float
    backend_away: bool


class SignIn:
    """The client of the authorization server at `base_url`; `transport` is the seam for tests.

    Raises:
        ValueError: the address is not allowed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        device: str | None = None,
        clock: Clock | None = None,
        wait: Wait = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._wait = wait
        self._http = http_client(base_url, transport)
        if device:
            self._http.headers[HEADER_DEVICE] = device

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def start(self, device_name: str = "") -> DeviceAuthorization:
        """Ask for a code; `device_name` is shown on the approval page so that the user can compare.

        Raises:
            Away: the backend gave no usable answer.
            SignInRefused: it does not let this client sign in by code.
        """
        form = {"client_id": CLIENT_ID}
        if device_name:
            form["device_name"] = device_name
        response = await self._send("POST", "/oauth/device_authorization", data=form)
        if response.status_code != 200:
            raise SignInRefused(_oauth_error(response), _request_id(response))
        return _read(response, DeviceAuthorization)

    async def poll(
        self,
        authorization: DeviceAuthorization,
        on_waiting: Callable[[Waiting], None] | None = None,
        *,
        at_once: bool = False,
    ) -> Tokens:
        """Wait until the code is approved and return the tokens.

        Args:
            on_waiting: called before each wait.
            at_once: ask before the first wait, since the code has been approved already (demo).

        Raises:
            CodeExpired: nobody approved in time.
            SignInRefused: it was refused.
        """
        ends = self._clock.monotonic() + authorization.expires_in
        interval = float(max(1, authorization.interval))
        pause, away = 0.0 if at_once else interval, False
        while True:
            left = ends - self._clock.monotonic()
            if left <= 0:
                raise CodeExpired("expired_token")
            if on_waiting is not None:
                on_waiting(Waiting(left, away))
            await self._wait(min(pause, left))
            try:
                error, response = await self._ask(authorization.device_code)
            except Away as problem:
                away = True
                pause = min(max(interval, problem.retry_after or pause * 2), max(interval, float(LONGEST_WAIT)))
                continue
            if error is None:
                return _read(response, Tokens)
            away = False
            interval = self._next_interval(error, interval, _request_id(response))
            pause = interval

    @staticmethod
    def _next_interval(error: str, interval: float, request_id: str | None) -> float:
        match error:
            case "authorization_pending":
                return interval
            case "slow_down":
                return interval + SLOWER
            case "expired_token":
                raise CodeExpired(error, request_id)
            case _:
                raise SignInRefused(error, request_id)

    async def _ask(self, device_code: str) -> tuple[str | None, httpx.Response]:
        """Ask for the tokens once; the first part is the error's name, None when the answer holds tokens."""
        form = {"grant_type": DEVICE_GRANT, "device_code": device_code, "client_id": CLIENT_ID}
        response = await self._send("POST", "/oauth/token", data=form)
        if response.status_code == 200:
            _read(response, Tokens)  # a garbled answer counts as none
            return None, response
        return _oauth_error(response), response

    async def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens; the same call may be repeated after a lost answer.

        Raises:
            Away: no usable answer; the old token still counts.
            GrantRefused: it does not count any more.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": CLIENT_ID}
        response = await self._send("POST", "/oauth/token", data=form)
        if response.status_code == 200:
            return _read(response, Tokens)
        raise GrantRefused(_oauth_error(response), _request_id(response))

    async def revoke(self, token: str) -> None:
        """End the session of a refresh token (RFC 7009); an unknown token is as good as revoked.

        Raises:
            Away: the backend gave no usable answer.
            GrantRefused: it refuses to revoke.
        """
        form = {"token": token, "token_type_hint": "refresh_token", "client_id": CLIENT_ID}
        response = await self._send("POST", "/oauth/revoke", data=form)
        if response.status_code != 200:
            raise GrantRefused(_oauth_error(response), _request_id(response))

    async def healthy(self) -> bool:
        """Tell whether a backend of ours answers."""
        try:
            return (await self._send("GET", "/v1/health")).status_code == 200
        except Away:
            return False

    async def personas(self) -> list[Persona]:
        """Return the demo's made-up workers.

        Raises:
            Away: the backend gave no usable answer.
            SignInRefused: it is not a demo.
        """
        response = await self._send("GET", "/v1/demo/personas")
        if response.status_code != 200:
            raise SignInRefused("not_a_demo", _request_id(response))
        return _read(response, PersonaList).personas

    async def approve(self, user_code: str, persona: str) -> None:
        """Approve a code as a persona: what the demo's web page does, from the terminal.

        Raises:
            Away: the backend gave no usable answer.
            SignInRefused: the code or the persona is unknown, or it is not a demo.
        """
        body = DemoApproval(user_code=user_code, persona=persona)
        response = await self._send("POST", "/v1/demo/approve", json=body.model_dump())
        if response.status_code not in (200, 204):
            raise SignInRefused("approval_refused", _request_id(response))

    async def _send(
        self, method: str, path: str, *, data: dict[str, str] | None = None, json: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send one request; everything that is no answer of a working backend becomes `Away`."""
        try:
            response = await self._http.request(method, path, data=data, json=json)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The request with its tokens hangs on httpx's exceptions; only the kind of failure goes on.
            raise Away(type(error).__name__) from None
        if response.status_code >= 500 or response.status_code in (408, 425, 429):
            raise Away(f"http_{response.status_code}", _retry_after(response))
        if len(response.content) > LARGEST_ANSWER:
            raise Away("too_large")
        return response


def _read(response: httpx.Response, kind: type[A]) -> A:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError:
        raise Away("bad_answer") from None


def _oauth_error(response: httpx.Response) -> str:
    return _read(response, OAuthError).error[:80]


def _request_id(response: httpx.Response) -> str | None:
    value = response.headers.get(HEADER_REQUEST_ID)
    return clean(value)[:80] if value else None


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdecimal() else None
