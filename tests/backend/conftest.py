"""A small backend for tests: real tables, real tokens, real routes in process, on SQLite and on PostgreSQL.

Organisations are those of the directory: Pirkanmaa (A) and Uusimaa (B) counties, Helsinki, the municipality of
Tampere. Users: `aino` and `bertta` handle notices for A, `bo` for B, `viewer` only looks up customers for A,
`lookalike` picked the wrong mandate, `nobody` has none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, Table, create_engine, insert, select, text

from kelmu_backend import feed, notices
from kelmu_backend.app import create_app
from kelmu_backend.config import Config
from kelmu_backend.core import Core
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.feed import Entry
from kelmu_backend.identity import families, keys, tokens
from kelmu_backend.identity.families import Family
from kelmu_backend.policy import notices_scope
from kelmu_tui.api import contract
from kelmu_tui.domain.capabilities import Grant, MandateKind
from kelmu_tui.domain.organisations import Organisation, municipal_authority, social_care_organiser
from kelmu_tui.platform.ids import SeededIds
from tests.support.postgresql import named, server

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
URL = "http://kelmu.test"
A = social_care_organiser("837")
B = social_care_organiser("049")
HELSINKI = social_care_organiser("091")
TAMPERE = municipal_authority("837")
INBOX = "social_assistance_and_social_care"
LOOK_UP = "benefit_viewing_and_claims"
LOOK_ALIKE = "incomes_register_benefit_viewing"


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


def grant(mandate: str, principal: Organisation, **changes: Any) -> Grant:
    """Return a direct grant of `mandate` for `principal`."""
    given: dict[str, Any] = {
        "kind": MandateKind.MANDATE_TO_ACT,
        "principal": principal.business_id,
        "employer": principal.business_id,
        "chain": (),
        "valid_from": date(2025, 1, 1),
    }
    return Grant(mandate, **(given | changes))


def organisation_row(organisation: Organisation) -> dict[str, Any]:
    """Return the row of an organisation."""
    return {
        "business_id": organisation.business_id,
        "name_fi": organisation.name.fi,
        "name_sv": organisation.name.sv,
        "name_en": organisation.name.en,
        "type": organisation.type.value,
        "county": organisation.county,
        "municipalities": list(organisation.municipalities),
    }


def notice_row(number: int, **changes: Any) -> dict[str, Any]:
    """Return the row of a published notice held by A for Tampere."""
    return {
        "id": f"n{number:04d}",
        "version": 1,
        "kind": "social_work_need",
        "subtype": None,
        "urgent": False,
        "status": "new",
        "organisation": A.business_id,
        "municipality": "837",
        "created": START - timedelta(hours=2),
        "arrived": START - timedelta(hours=1),
        "due": date(2026, 12, 1),
        "customer": {
            "identity_code": "010190-900R",
            "family_name": "Virta",
            "given_names": "Oskar",
            "language": "fi",
            "non_disclosure": False,
            "home_municipality": "837",
            "address": "Koskikatu 1, Tampere",
            "telephone": "0400 000000",
        },
        "content": {"free_text": "Asiakas pyytää yhteydenottoa."},
        "assignee": None,
        "assignee_name": None,
        "handled_at": None,
        "handled_by": None,
        "origin": None,
        "transferred_from": None,
        "published": True,
    } | changes


USERS: dict[str, list[Grant]] = {
    "aino": [grant(INBOX, A)],
    "bertta": [grant(INBOX, A)],
    "bo": [grant(INBOX, B)],
    "viewer": [grant(LOOK_UP, A)],
    "lookalike": [grant(LOOK_ALIKE, A)],
    "nobody": [],
}


def fill(connection: Connection) -> None:
    """Put in organisations, agreements, users and grants."""
    organisations = (A, B, HELSINKI, TAMPERE)
    connection.execute(insert(tables.organisation), [organisation_row(o) for o in organisations])
    agreements = [{"organisation": o.business_id, "valid_from": date(2025, 1, 1)} for o in organisations]
    connection.execute(insert(tables.agreement), agreements)
    for user, grants in USERS.items():
        connection.execute(
            insert(tables.app_user),
            {"id": user, "name": user.title(), "language": "fi", "employer": A.business_id, "persona": True},
        )
        for given in grants:
            connection.execute(insert(tables.grant), {"user": user} | _grant_row(given))


def _grant_row(given: Grant) -> dict[str, Any]:
    return {
        "mandate": given.mandate,
        "kind": given.kind.value,
        "principal": given.principal,
        "employer": given.employer,
        "chain": list(given.chain),
        "valid_from": given.valid_from,
        "valid_to": given.valid_to,
    }


@dataclass
class World:
    """A backend under test."""

    config: Config
    clock: HandClock
    app: FastAPI
    client: httpx.AsyncClient
    sent: int = 0
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def core(self) -> Core:
        """The backend's core."""
        core: Core = self.app.state.core
        return core

    @property
    def database(self) -> Database:
        """The record."""
        return self.core.database

    def token(self, user: str) -> str:
        """Return an access token of `user`, by sign-in's own code."""
        if user not in self._tokens:
            now = self.clock.now()
            family = Family(f"{len(self._tokens):032x}", user, "kelmu-tui", None, now + timedelta(days=200))
            with self.database.write() as connection:
                families.start(connection, keys.ring(self.config), family, "test", "s" * 43, now)
            self._tokens[user] = tokens.issue(self.config, family, now)[0]
        return self._tokens[user]

    async def until_waiting(self) -> None:
        """Return once a poll waits for news."""
        while not self.core.hub.waiting:  # noqa: ASYNC110 - the work between runs on threads, not on this loop
            await asyncio.sleep(0)

    def pass_by(self, **span: float) -> None:
        """Let time pass; everybody signs in anew."""
        self.clock.pass_by(**span)
        with self.database.write() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                if table.name in ("refresh_token", "token_family"):
                    connection.execute(table.delete())
        self._tokens.clear()

    def headers(self, user: str, organisation: Organisation = A) -> dict[str, str]:
        """Return the headers of a call of `user` for `organisation`."""
        return {
            "Authorization": f"Bearer {self.token(user)}",
            contract.HEADER_ORGANISATION: organisation.business_id,
        }

    async def get(self, path: str, user: str = "aino", organisation: Organisation = A, **query: Any) -> httpx.Response:
        """Send a GET."""
        return await self.client.get(path, params=query, headers=self.headers(user, organisation))

    async def command(
        self,
        notice: str,
        verb: str,
        version: int | None,
        user: str = "aino",
        organisation: Organisation = A,
        *,
        key: str | None = None,
        body: dict[str, Any] | bytes | None = None,
        lease: str | None = None,
        of: str = "notices",
        without: tuple[str, ...] = (),
        **changes: str,
    ) -> httpx.Response:
        """Send a command on one of `of`; `without` names headers to leave out, `changes` replaces others."""
        self.sent += 1
        headers = self.headers(user, organisation) | {
            contract.HEADER_IDEMPOTENCY: key or f"key-{self.sent}",
            contract.HEADER_VERSION: f'"{version}"',
            contract.HEADER_DEVICE: f"device-of-{user}",
            contract.HEADER_LEASE: lease or self.core.leases.issue(user, self.clock.now())["id"],
            contract.HEADER_SCHEMA: "1",
        }
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        headers = {name: value for name, value in headers.items() if name not in without}
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return await self.client.post(f"/v1/{of}/{notice}/{verb}", content=content, headers=headers)

    async def changes(
        self, cursor: str | None = None, user: str = "aino", organisation: Organisation = A, wait: int = 0
    ) -> contract.Changes:
        """Pull once; the answer is held against the contract."""
        query = {"wait": wait} | ({"cursor": cursor} if cursor else {})
        answer = await self.get("/v1/changes", user, organisation, **query)
        assert answer.status_code == 200, answer.text
        return contract.Changes.model_validate_json(answer.content)

    async def snapshot(
        self, scope: str, user: str = "aino", organisation: Organisation = A, after: str = ""
    ) -> list[dict[str, Any]]:
        """Return the lines of a snapshot."""
        answer = await self.get("/v1/snapshot", user, organisation, scope=scope, after=after)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def add(self, *rows: dict[str, Any]) -> None:
        """Put notices into the record; published ones stand in the feed, all under one sequence."""
        with self.database.write() as connection:
            connection.execute(insert(tables.notice), list(rows))
            entries = [
                Entry(notices_scope(row["organisation"]), row["id"], row["version"]) for row in rows if row["published"]
            ]
            if entries:
                feed.record(connection, entries)

    def all(self, table: Table) -> list[dict[str, Any]]:
        """Return all rows of a table in the order of their keys."""
        with self.database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table).order_by(*table.primary_key))]

    def audited(self) -> list[tuple[str, str | None, str]]:
        """Return what was done to what with what outcome, in order, without the journal of sign-in."""
        rows = [row for row in self.all(tables.audit) if not row["action"].startswith("session.")]
        return [(row["action"], row["subject"], row["outcome"]) for row in rows]

    def publish(self) -> None:
        """Make visible what is due now."""
        with self.database.write() as connection:
            notices.publish_due(connection, self.clock.now())


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a real PostgreSQL once, with a migrated template; give the URL of its maintenance database."""
    with server(tmp_path_factory.mktemp("run")) as uri:
        admin = create_engine(uri, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE kelmu_template"))
        admin.dispose()
        template = Database(named(uri, "kelmu_template"))
        template.migrate()
        template.dispose()
        yield uri


_numbers = iter(range(1_000_000))


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]),
    ]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty, migrated record."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'record' / 'kelmu.db'}"
        database = Database(url)
        database.migrate()
        database.dispose()
        yield url
        return
    uri = request.getfixturevalue("postgresql")
    name = f"kelmu_{next(_numbers)}"
    admin = create_engine(uri, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE kelmu_template"))
    yield named(uri, name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@asynccontextmanager
async def serve(config: Config, clock: HandClock) -> AsyncIterator[World]:
    """Run the real app in process."""
    app = create_app(config)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client,
    ):
        yield World(config, clock, app, client)


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """Give a backend with organisations and users and no notices; its loops stand still."""
    clock = HandClock()
    config = Config(
        database_url,
        URL,
        demo=True,
        secret_folder=tmp_path / "secrets",
        clock=clock,
        ids=SeededIds(7),
        background=False,
    )
    async with serve(config, clock) as found:
        with found.database.write() as connection:
            fill(connection)
        yield found


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Return status, code and rule of a refusal."""
    told = contract.Problem.model_validate_json(answer.content)
    assert answer.status_code == told.status
    return told.status, told.code.value, told.rule
