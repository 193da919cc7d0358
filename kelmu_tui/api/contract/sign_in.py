"""The device grant (RFC 8628) and the personas of the demo."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kelmu_tui.api.contract.common import Answer, Identifier, Line, LocalText, Request
from kelmu_tui.domain.organisations import Language


class DeviceAuthorization(Answer):
    """Answer of the device authorization endpoint (RFC 8628, 3.2)."""

    device_code: str
    user_code: Line
    verification_uri: Line
    verification_uri_complete: Line | None = None
    expires_in: int
    interval: int = 5


class Tokens(Answer):
    """Answer of the token endpoint (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    refresh_token: str | None = None
    scope: str = ""


class OAuthError(Answer):
    """Error of the authorization server (RFC 6749, 5.2; RFC 8628, 3.5)."""

    error: str
    error_description: Line | None = None


class Persona(Answer):
    """Demo mode: a made-up worker one can sign in as."""

    id: Identifier
    name: Line
    title: LocalText
    organisation: Line
    language: Language


class PersonaList(Answer):
    """Answer of `GET /v1/demo/personas`."""

    personas: list[Persona]


class DemoApproval(Request):
    """Body of `POST /v1/demo/approve`: the terminal's persona picker stands in for the web page."""

    user_code: str = Field(max_length=20)
    persona: Identifier
