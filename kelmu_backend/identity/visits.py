"""One browser's call to a sign-in page: its cookies, its language, its proof that the form was ours, its answer.

Three cookies, none readable by scripts (there are none) and none sent from other sites: a random secret that names the
sitting, the code the person typed (shown back for comparison and stored nowhere else), and the chosen language. The
token in each form is computed from the secret under the server's own key, so another site can neither know nor set it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kelmu_backend.identity import codes, forms, keys, texts
from kelmu_backend.identity.ports import Caller, Settings
from kelmu_backend.identity.texts import Texts
from kelmu_tui.domain.organisations import Language

SECURITY: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every page."""

COOKIE_LIFE: Final = 3600
"""Seconds; a sitting ends with its grant long before."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("kelmu_backend.identity"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style_sheet() -> Response:
    """Return the pages' only other file."""
    text = resources.files("kelmu_backend.identity").joinpath("templates/style.css").read_text(encoding="utf-8")
    headers = {**SECURITY, "Cache-Control": "public, max-age=3600"}
    return Response(text, media_type="text/css; charset=utf-8", headers=headers)


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names of the three cookies; over https they are bound to this very host."""

    secret: str
    code: str
    language: str
    secure: bool

    @classmethod
    def under(cls, public_url: str) -> Cookies:
        """Return the names for a server at `public_url`."""
        secure = urlsplit(public_url).scheme == "https"
        prefix = "__Host-kelmu-" if secure else "kelmu-"
        return cls(f"{prefix}sign-in", f"{prefix}code", f"{prefix}language", secure)


class Visit:
    """One call; `fields` is the form's content, empty for a page that is only looked at."""

    def __init__(self, settings: Settings, request: Request, fields: Mapping[str, str]) -> None:
        self._settings = settings
        self._cookies = Cookies.under(settings.public_url)
        self._set: dict[str, str] = {}
        self._query: Final = request.query_params
        self.base: Final = urlsplit(settings.public_url).path.rstrip("/")
        self.path: Final = request.url.path
        self.fields: Final = fields
        self.caller: Final[Caller] = forms.caller(request)
        self.t: Final = Texts(self._language(request))
        self.code: Final = codes.normalise(request.cookies.get(self._cookies.code, ""))
        self.secret: str = request.cookies.get(self._cookies.secret, "")
        if not 40 <= len(self.secret) <= 50:
            self.renew_secret()

    @property
    def sitting(self) -> str:
        """Return the stored name of this browser's sitting."""
        return codes.digest(self.secret)

    @property
    def offered_code(self) -> str:
        """Return the code of a `verification_uri_complete`, cut to what a code can be; the person still confirms it."""
        code = codes.normalise(self._query.get("user_code", ""))
        return "" if code is None else codes.shown(code)

    @property
    def csrf(self) -> str:
        """Return the token that forms of this browser carry."""
        return keys.ring(self._settings).keyed("form", self.secret).hex()

    def is_ours(self) -> bool:
        """Tell whether the form that was sent came from one of our pages in this browser."""
        return hmac.compare_digest(self.fields.get("csrf", "").encode(), self.csrf.encode())

    def renew_secret(self) -> None:
        """Give the browser a new secret, so that one planted before this step is worth nothing after it."""
        self.secret = self._set[self._cookies.secret] = codes.new_secret()

    def keep_code(self, code: str) -> None:
        """Let the browser keep the code it entered."""
        self._set[self._cookies.code] = code

    def page(self, template: str, status: int = 200, *, step: int | None = None, **values: Any) -> Response:
        """Return a page."""
        html = (
            _environment()
            .get_template(template)
            .render(
                t=self.t,
                base=self.base,
                here=self.base + self.path,
                link_to=self._link_to(),
                languages=texts.NAMES,
                demo=self._settings.demo,
                csrf=self.csrf,
                step=step,
                **values,
            )
        )
        headers = {**SECURITY, "Content-Language": self.t.language, "Vary": "Accept-Language, Cookie"}
        return self._with_cookies(HTMLResponse(html, status, headers=headers))

    def go(self, path: str) -> Response:
        """Send the browser to another of our pages; a repeated or reloaded form does nothing twice."""
        return self._with_cookies(RedirectResponse(self.base + path, 303, headers=dict(SECURITY)))

    def _link_to(self) -> Callable[[str], str]:
        offered = {"user_code": self.offered_code} if self.offered_code else {}
        return lambda language: urlencode({**offered, "lang": language})

    def _language(self, request: Request) -> Language:
        chosen = texts.known(self._query.get("lang"))
        if chosen is not None:
            self._set[self._cookies.language] = chosen.value
            return chosen
        kept = texts.known(request.cookies.get(self._cookies.language))
        return kept or texts.preferred(request.headers.get("accept-language", ""))

    def _with_cookies(self, response: Response) -> Response:
        for name, value in self._set.items():
            response.set_cookie(
                name,
                value,
                max_age=COOKIE_LIFE,
                path="/",
                secure=self._cookies.secure,
                httponly=True,
                samesite="strict",
            )
        return response
