"""A house for the tests of sign-in: the real routes over a real SQLite file, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, select

from kelmu_backend.config import Config
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.identity import keys, routes
from kelmu_backend.web import Frame, install_handlers
from kelmu_tui.platform.ids import SeededIds

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
URL = "http://kelmu.test"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class HandClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds since the start."""
        return (self.at - START).total_seconds()

    def pass_by(self, **span: float) -> None:
        """Move on."""
        self.at += timedelta(**span)


def fill(database: Database) -> None:
    """Put in two personas, one of them with a hostile name, and a user who is no persona."""
    organisation = {
        "business_id": "1234567-1",
        "name_fi": "Pirkanmaan hyvinvointialue",
        "name_sv": "Birkalands välfärdsområde",
        "name_en": "Pirkanmaa wellbeing services county",
        "type": "wellbeing_county",
        "county": "06",
        "municipalities": ["837"],
    }
    titles = {"title_fi": "sosiaalityöntekijä", "title_sv": "socialarbetare", "title_en": "social worker"}
    users = [
        {"id": "aino", "name": "Aino Virtanen", "language": "fi", "persona": True, **titles},
        {"id": "hostile", "name": HOSTILE, "language": "sv", "persona": True, **titles},
        {"id": "real", "name": "Oikea Henkilö", "language": "fi", "persona": False, **titles},
    ]
    with database.write() as connection:
        connection.execute(insert(tables.organisation), organisation)
        connection.execute(insert(tables.app_user), [{**each, "employer": "1234567-1"} for each in users])
        given = {
            "user": "hostile",
            "mandate": "social_assistance_and_social_care",
            "kind": "mandate_to_act",
            "principal": "1234567-1",
            "employer": "1234567-1",
            "chain": [],
            "valid_from": date(2025, 1, 1),
        }
        connection.execute(insert(tables.grant), given)


class Wire(httpx.BaseTransport):
    """Calls the app from synchronous tests, as a client at `address`."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner, address: str) -> None:
        self._runner = runner
        self._asgi = httpx.ASGITransport(app, client=(address, 50_000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request there and its answer back."""

        async def carry() -> httpx.Response:
            answer = await self._asgi.handle_async_request(request)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return self._runner.run(carry())


@dataclass
class House:
    """Everything a test needs: settings, database, app, and shorthands for what clients do."""

    config: Config
    clock: HandClock
    database: Database
    app: FastAPI
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.client()

    def client(self, address: str = "192.0.2.1", **headers: str) -> httpx.Client:
        """Return a client with own cookies at a network address."""
        wire = Wire(self.app, self.runner, address)
        return httpx.Client(base_url=self.config.public_url, transport=wire, headers=headers)

    def close(self) -> None:
        """Close what is open."""
        self.runner.close()
        self.database.dispose()

    def authorize(self, **fields: str) -> dict[str, Any]:
        """Begin a device grant and return the answer."""
        answer = self.http.post("/oauth/device_authorization", data={"client_id": "kelmu-tui", **fields})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def token(self, **fields: str) -> tuple[int, dict[str, Any]]:
        """Ask the token endpoint and return status and body."""
        answer = self.http.post("/oauth/token", data={"client_id": "kelmu-tui", **fields})
        assert answer.headers["cache-control"] == "no-store"
        return answer.status_code, answer.json()

    def poll(self, device_code: str) -> tuple[int, dict[str, Any]]:
        """Poll for tokens."""
        return self.token(grant_type=DEVICE_GRANT, device_code=device_code)

    def refresh(self, token: str) -> tuple[int, dict[str, Any]]:
        """Refresh."""
        return self.token(grant_type="refresh_token", refresh_token=token)

    def approve(self, user_code: str, persona: str = "aino", client: httpx.Client | None = None) -> int:
        """Approve as the terminal's picker does and return the status."""
        body = {"user_code": user_code, "persona": persona}
        return (client or self.http).post("/v1/demo/approve", json=body).status_code

    def sign_in(self) -> dict[str, Any]:
        """Sign in from the beginning to the end and return the tokens."""
        begun = self.authorize(device_name="työasema")
        assert self.approve(begun["user_code"]) == 204
        status, tokens = self.poll(begun["device_code"])
        assert status == 200, tokens
        return tokens

    def audit(self) -> list[tuple[str, str, str]]:
        """Return user, action and outcome of all audit rows in their order."""
        columns = (tables.audit.c.user, tables.audit.c.action, tables.audit.c.outcome)
        with self.database.read() as connection:
            rows = connection.execute(select(*columns).order_by(tables.audit.c.id))
            return [(user, action, outcome) for user, action, outcome in rows]


class Browser:
    """A browser without scripts: it reads the form of a page and sends it."""

    def __init__(self, client: httpx.Client) -> None:
        self.http = client
        self.status = 0
        self.text = ""

    def open(self, path: str) -> str:
        """Open a page, follow redirects, return its text."""
        answer = self.http.get(path, follow_redirects=True)
        self.status, self.text = answer.status_code, answer.text
        return self.text

    def send(self, path: str, **fields: str) -> str:
        """Send the present page's form with `fields` filled in and return the next page."""
        token = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.text)
        assert token is not None, self.text
        data = {"csrf": token.group(1), **fields}
        answer = self.http.post(path, data=data, follow_redirects=True)
        self.status, self.text = answer.status_code, answer.text
        return self.text

    @property
    def heading(self) -> str:
        """Return the page's heading."""
        found = re.search(r"<h1>(.*?)</h1>", self.text, re.DOTALL)
        assert found is not None, self.text
        return html.unescape(found.group(1))

    def reach_question(self, user_code: str, persona: str = "aino") -> None:
        """Go from the first page to the question."""
        self.open("/sign-in")
        self.send("/sign-in", user_code=user_code)
        self.send("/sign-in/identify", persona=persona)


def build(folder: Path, *, demo: bool = True, public_url: str = URL, record: str | None = None) -> House:
    """Return a house in `folder`, its record there too unless it has an address; without demo mode keys are real."""
    clock = HandClock()
    config = Config(
        database_url=record or f"sqlite:///{folder / 'data' / 'kelmu.db'}",
        public_url=public_url,
        demo=demo,
        secret_folder=folder / "secrets",
        clock=clock,
        ids=SeededIds(1),
    )
    if not demo:
        keys.create(config.secret_folder, clock.now())
    database = Database(config.database_url)
    database.migrate()
    fill(database)
    app = FastAPI()
    install_handlers(app)
    app.include_router(routes.router(config, database))
    app.add_middleware(Frame, ids=config.ids)
    return House(config, clock, database, app)


@pytest.fixture
def record() -> str | None:
    """Give the address of the record: a file; modules that matter on both engines put theirs in place of this."""
    return None


@pytest.fixture
def house(tmp_path: Path, record: str | None) -> Iterator[House]:
    """Give a demo."""
    built = build(tmp_path, record=record)
    yield built
    built.close()


@pytest.fixture
def real_house(tmp_path: Path) -> Iterator[House]:
    """Give a server that is no demo, behind https."""
    built = build(tmp_path / "real", demo=False, public_url="https://kelmu.test")
    yield built
    built.close()


@pytest.fixture
def browser(house: House) -> Browser:
    """Give a Finnish browser at another address than the terminal's."""
    return Browser(house.client("198.51.100.7", **{"Accept-Language": "fi"}))
