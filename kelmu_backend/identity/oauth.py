"""The endpoints of the authorization server: RFC 8628, RFC 6749 (refresh), RFC 7009, RFC 8414, JWK set.

There is one client, public, without a secret: the terminal. Errors have the form of RFC 6749, 5.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kelmu_backend.identity import codes, families, forms, grants, keys, tokens
from kelmu_backend.identity.families import End, Renewal
from kelmu_backend.identity.grants import Device, PollError
from kelmu_backend.identity.ports import Caller, Settings, Transactions
from kelmu_backend.identity.schema import DESCRIPTIONS
from kelmu_backend.identity.texts import LANGUAGES
from kelmu_tui.api.contract import HEADER_DEVICE, DeviceAuthorization, OAuthError, Tokens
from kelmu_tui.domain.text import clean

CLIENT: Final = "kelmu-tui"
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_GRANT: Final = "refresh_token"
LONGEST_NAME: Final = 80

_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_DEVICE: Final = re.compile(r"[A-Za-z0-9._:-]{1,60}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an endpoint: its fields, who sent it, the device's own number if it gave one."""

    fields: dict[str, str]
    caller: Caller
    device: str | None

    def need(self, name: str) -> str:
        """Return a field.

        Raises:
            Refusal: it is absent.
        """
        value = self.fields.get(name)
        if value is None:
            raise Refusal("invalid_request", f"{name} is missing")
        return value


class Refusal(Exception):
    """An answer by RFC 6749, 5.2; raised only outside transactions, so that what was counted stays counted."""

    def __init__(self, error: str, description: str, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.body = OAuthError(error=error, error_description=description)
        self.status = status
        self.headers = headers or {}


class AuthorizationServer:
    """The endpoints over one database."""

    def __init__(self, settings: Settings, database: Transactions) -> None:
        self._settings = settings
        self._database = database
        self._base = settings.public_url.rstrip("/")

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["sign-in"])
        for path, work in (
            ("/oauth/device_authorization", self.device_authorization),
            ("/oauth/token", self.token),
            ("/oauth/revoke", self.revoke),
        ):
            router.add_api_route(path, _endpoint(work), methods=["POST"], **DESCRIPTIONS[path])
        for path, read in (
            ("/.well-known/oauth-authorization-server", self.metadata),
            ("/.well-known/jwks.json", self.key_set),
        ):
            router.add_api_route(path, _public(read), methods=["GET"], **DESCRIPTIONS[path])
        return router

    def device_authorization(self, call: Call) -> Response:
        """Begin a sign-in (RFC 8628, 3.1). Besides the standard's fields, `device_name` is what the user compares."""
        _check_scope(call)
        name = clean(call.fields.get("device_name", "")).strip()[:LONGEST_NAME]
        interval = grants.DEMO_INTERVAL if self._settings.demo else grants.INTERVAL
        now = self._settings.clock.now()
        with self._database.write() as connection:
            device = Device(CLIENT, call.device, name)
            started = grants.start(connection, keys.ring(self._settings), device, call.caller, now, interval)
        if started is None:
            raise Refusal("temporarily_unavailable", "too many sign-ins under way", 429, {"Retry-After": "60"})
        address = f"{self._base}/sign-in"
        shown = codes.shown(started.user_code)
        answer = DeviceAuthorization(
            device_code=started.device_code,
            user_code=shown,
            verification_uri=address,
            verification_uri_complete=f"{address}?user_code={quote(shown)}",
            expires_in=int(grants.LIFE.total_seconds()),
            interval=started.interval,
        )
        return JSONResponse(answer.model_dump())

    def token(self, call: Call) -> Response:
        """Answer a poll or a refresh."""
        match call.need("grant_type"):
            case "urn:ietf:params:oauth:grant-type:device_code":
                return self._tokens(self._poll(call))
            case "refresh_token":
                return self._tokens(self._refresh(call))
            case _:
                raise Refusal("unsupported_grant_type", "only device_code and refresh_token are served")

    def revoke(self, call: Call) -> Response:
        """End the session of a refresh or access token; an unknown token is as good as revoked (RFC 7009, 2.2)."""
        token = call.need("token")
        now = self._settings.clock.now()
        with self._database.write() as connection:
            family = families.of_token(connection, token, CLIENT)
            if family is None:
                try:
                    family = tokens.signed_claims(self._settings, token).session
                except tokens.InvalidToken:
                    return Response()
            families.end(connection, family, End.SIGN_OUT, now, request_id=call.caller.request_id)
        return Response()

    def metadata(self) -> dict[str, Any]:
        """Describe this server (RFC 8414)."""
        return {
            "issuer": self._settings.issuer,
            "device_authorization_endpoint": f"{self._base}/oauth/device_authorization",
            "token_endpoint": f"{self._base}/oauth/token",
            "revocation_endpoint": f"{self._base}/oauth/revoke",
            "jwks_uri": f"{self._base}/.well-known/jwks.json",
            "grant_types_supported": [DEVICE_GRANT, REFRESH_GRANT],
            "response_types_supported": [],
            "scopes_supported": [tokens.SCOPE],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "ui_locales_supported": list(LANGUAGES),
        }

    def key_set(self) -> dict[str, Any]:
        """Return the public keys that verify access tokens."""
        return keys.ring(self._settings).published()

    def _poll(self, call: Call) -> Renewal:
        device_code = call.need("device_code")
        now, session = self._settings.clock.now(), self._settings.ids.new()
        with self._database.write() as connection:
            ring = keys.ring(self._settings)
            result = grants.poll(connection, ring, device_code, CLIENT, session, call.caller, now)
        if isinstance(result, PollError):
            raise Refusal(result.value, _POLL_ERRORS[result])
        return result

    def _refresh(self, call: Call) -> Renewal:
        token = call.need("refresh_token")
        _check_scope(call)
        now, ring = self._settings.clock.now(), keys.ring(self._settings)
        with self._database.write() as connection:
            renewal = families.renew(connection, ring, token, CLIENT, now, request_id=call.caller.request_id)
        if renewal is None:
            raise Refusal("invalid_grant", "the session has ended; sign in again")
        return renewal

    def _tokens(self, renewal: Renewal) -> Response:
        access_token, life = tokens.issue(self._settings, renewal.family, self._settings.clock.now())
        answer = Tokens(
            access_token=access_token, expires_in=life, refresh_token=renewal.refresh_token, scope=tokens.SCOPE
        )
        return JSONResponse(answer.model_dump())


_POLL_ERRORS: Final = {
    PollError.PENDING: "nobody has approved the sign-in yet",
    PollError.SLOW_DOWN: "poll more slowly from now on",
    PollError.DENIED: "the sign-in was refused",
    PollError.EXPIRED: "the code has expired",
    PollError.INVALID: "the device code isn't valid",
}


def _endpoint(work: Callable[[Call], Response]) -> Callable[[Request], Any]:
    """Return a route that reads the form, checks the client, works in a thread and answers errors as OAuth does."""

    async def route(request: Request) -> Response:
        try:
            call = _call(request, await forms.read(request))
            response = await run_in_threadpool(work, call)
        except forms.BadForm as problem:
            response = _refused(Refusal("invalid_request", str(problem)))
        except Refusal as refusal:
            response = _refused(refusal)
        response.headers.update(_NO_STORE)
        return response

    route.__name__ = work.__name__
    return route


def _public(read: Callable[[], dict[str, Any]]) -> Callable[[], Any]:
    """Return a route for a document that anybody may read and keep for five minutes."""

    def route() -> Response:
        return JSONResponse(read(), headers={"Cache-Control": "public, max-age=300"})

    route.__name__ = read.__name__
    return route


def _call(request: Request, fields: dict[str, str]) -> Call:
    if "authorization" in request.headers:
        raise Refusal("invalid_client", "the client has no secret", 401, {"WWW-Authenticate": "Basic"})
    device = request.headers.get(HEADER_DEVICE) or None
    if device is not None and _DEVICE.fullmatch(device) is None:
        raise Refusal("invalid_request", f"{HEADER_DEVICE} isn't valid")
    call = Call(fields, forms.caller(request), device)
    if call.need("client_id") != CLIENT:
        raise Refusal("invalid_client", "the client isn't known")
    return call


def _check_scope(call: Call) -> None:
    if not set(call.fields.get("scope", "").split()) <= {tokens.SCOPE}:
        raise Refusal("invalid_scope", f"the only scope is {tokens.SCOPE}")


def _refused(refusal: Refusal) -> Response:
    return JSONResponse(refusal.body.model_dump(exclude_none=True), refusal.status, headers=refusal.headers)
