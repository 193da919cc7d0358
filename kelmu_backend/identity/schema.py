"""How the authorization server's endpoints stand in the OpenAPI description; their bodies are forms, not models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kelmu_tui.api.contract import DeviceAuthorization, OAuthError, Tokens


def _form(required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    fields = {name: {"type": "string", "minLength": 1} for name in (*required, *optional)}
    content = {"schema": {"type": "object", "properties": fields, "required": list(required)}}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": content}}}


_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": OAuthError, "description": "Refused (RFC 6749, 5.2)"},
    401: {"model": OAuthError, "description": "The client authenticated itself, but it has no secret"},
}

DESCRIPTIONS: Final[Mapping[str, dict[str, Any]]] = {
    "/oauth/device_authorization": {
        "summary": "Begin a sign-in (RFC 8628)",
        "response_model": DeviceAuthorization,
        "responses": {**_ERRORS, 429: {"model": OAuthError, "description": "Too many sign-ins under way"}},
        "openapi_extra": _form(("client_id",), ("scope", "device_name")),
    },
    "/oauth/token": {
        "summary": "Poll for tokens, or refresh them",
        "response_model": Tokens,
        "responses": _ERRORS,
        "openapi_extra": _form(("client_id", "grant_type"), ("device_code", "refresh_token", "scope")),
    },
    "/oauth/revoke": {
        "summary": "End a session (RFC 7009)",
        "response_model": None,
        "responses": {**_ERRORS, 200: {"description": "The token is good for nothing now", "content": {}}},
        "openapi_extra": _form(("client_id", "token"), ("token_type_hint",)),
    },
    "/.well-known/oauth-authorization-server": {
        "summary": "Describe the authorization server (RFC 8414)",
        "response_model": dict[str, Any],
    },
    "/.well-known/jwks.json": {
        "summary": "Public keys of access tokens (RFC 7517)",
        "response_model": dict[str, Any],
    },
}
