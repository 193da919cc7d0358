"""People and their rows for tests, and the way to ask for them: whole answers, and streams line by line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
from pydantic import TypeAdapter
from sqlalchemy import insert, update

from kelmu_backend import policy
from kelmu_backend.customers import sources
from kelmu_backend.customers.sources import State
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import customer_row, look_up, person, person_code
from kelmu_tui.api import contract
from kelmu_tui.domain.capabilities import Grant
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.organisations import Organisation
from kelmu_tui.domain.sections import Section
from tests.backend.conftest import A, World, notice_row

LINE: TypeAdapter[Any] = TypeAdapter(contract.QueryLine)
PURPOSE = "social_work"
REASON = "Puhelu asiakkaalta"


def code(number: int = 900, born: date = date(1990, 1, 1), sign: str = "-") -> str:
    """Return a valid code of an artificial person."""
    return make_identity_code(born, sign, number).value


def person_row(identifier: str, identity_code: str, **changes: Any) -> dict[str, Any]:
    """Return a row of `person`, whose every text is a mark of its own."""
    day, month, year = int(identity_code[:2]), int(identity_code[2:4]), int(identity_code[4:6])
    century = {"+": 1800}.get(identity_code[6], 1900 if identity_code[6] in "-YXWVU" else 2000)
    return {
        "id": identifier,
        "identity_code": identity_code,
        "family_name": f"Sukunimi-{identifier}",
        "given_names": f"Etunimi-{identifier}",
        "sex": "f",
        "born": date(century + year, month, day),
        "died": None,
        "language": "fi",
        "interpreter_language": None,
        "guardian": None,
        "non_disclosure": False,
        "municipality": "837",
        "address": f"Katu-{identifier}",
        "telephone": f"0400-{identifier}",
        "household": None,
        "seed": 1,
        "filled": None,
    } | changes


@dataclass
class Gate:
    """A wait for a slow source that lasts until the test opens it."""

    asked: list[float] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, seconds: float) -> None:
        """Wait until the gate is open."""
        self.asked.append(seconds)
        await self.opened.wait()


@dataclass
class Register:
    """The people in a record, and how to ask for them."""

    world: World
    gate: Gate

    def add(self, identifier: str, identity_code: str, *earlier: str, noticed: bool = True, **changes: Any) -> str:
        """Add a person with a notice in A's inbox; return the present code."""
        with self.world.database.write() as connection:
            connection.execute(insert(person), person_row(identifier, identity_code, **changes))
            codes = [{"code": one, "person": identifier, "valid_to": date(2020, 1, 1)} for one in earlier]
            codes.append({"code": identity_code, "person": identifier, "valid_to": None})
            for row in codes:
                connection.execute(insert(person_code), row)
        if noticed:
            self.notice(identity_code)
        return identity_code

    def notice(self, identity_code: str, organisation: Organisation = A, **changes: Any) -> None:
        """Let a notice about somebody stand in an inbox."""
        number = len(self.world.all(tables.notice)) + 1
        customer = notice_row(1)["customer"] | {"identity_code": identity_code}
        self.world.add(notice_row(number, organisation=organisation.business_id, customer=customer, **changes))

    def rows(self, identifier: str, section: Section, *bodies: Mapping[str, Any]) -> None:
        """Add rows of a section."""
        now = self.world.clock.now()
        with self.world.database.write() as connection:
            values = [
                {
                    "person": identifier,
                    "section": section.value,
                    "id": body["id"],
                    "benefit": body.get("benefit"),
                    "day": date(2026, 1, 1),
                    "body": dict(body),
                    "changed": now,
                }
                for body in bodies
            ]
            connection.execute(insert(customer_row), values)

    def change(self, identifier: str, **changes: Any) -> None:
        """Change a person."""
        with self.world.database.write() as connection:
            connection.execute(update(person).where(person.c.id == identifier).values(**changes))

    def grant(self, user: str, *grants: Grant) -> None:
        """Give a user exactly these grants."""
        with self.world.database.write() as connection:
            policy.replace_grants(connection, user, grants)

    def source(self, name: str, state: State, delay_ms: int = 0) -> None:
        """Let a source be down, slow or up."""
        with self.world.database.write() as connection:
            sources.become(connection, name, state, self.world.clock.now(), delay_ms)

    async def ask(
        self, identity_code: str | None = None, user: str = "viewer", organisation: Organisation = A, **query: Any
    ) -> httpx.Response:
        """Send a query and wait for the whole answer."""
        body = self.query(identity_code, **query)
        headers = self.world.headers(user, organisation)
        return await self.world.client.post("/v1/customer-queries", content=json.dumps(body), headers=headers)

    @staticmethod
    def query(identity_code: str | None = None, **changes: Any) -> dict[str, Any]:
        """Return the body of a query."""
        body = {"identity_code": identity_code, "purpose": PURPOSE} | changes
        return {name: value for name, value in body.items() if value is not None}

    def stream(self, identity_code: str, user: str = "viewer", **query: Any) -> Stream:
        """Return a query whose lines are read one by one."""
        return Stream(self.world, self.world.headers(user), json.dumps(self.query(identity_code, **query)).encode())

    def logged(self) -> list[tuple[str, str | None, list[str]]]:
        """Return outcome, person and flags of the look-ups, in order."""
        return [(row["outcome"], row["person"], row["flags"]) for row in self.world.all(look_up)]


def lines(answer: httpx.Response) -> tuple[contract.PersonLine, dict[Section, contract.SectionLine]]:
    """Return a whole answer as the contract has it."""
    assert answer.status_code == 200, answer.text
    found = [LINE.validate_json(line) for line in answer.text.splitlines()]
    first, sections, last = found[0], found[1:-1], found[-1]
    assert isinstance(first, contract.PersonLine)
    assert isinstance(last, contract.QueryEnd)
    return first, {line.section: line for line in sections}


class Stream:
    """One request on its way through the real app, of which each piece is seen as it is sent."""

    def __init__(self, world: World, headers: Mapping[str, str], body: bytes) -> None:
        self._world = world
        self._headers = headers
        self._body = body
        self._moved = asyncio.Condition()
        self._left = asyncio.Event()
        self.status = 0
        self.sent = b""
        self.ended = False

    async def run(self) -> None:
        """Send the request and take the answer until its end."""
        given = iter([{"type": "http.request", "body": self._body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            for message in given:
                return message
            await self._left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            async with self._moved:
                self.status = message.get("status", self.status)
                self.sent += message.get("body", b"")
                self._moved.notify_all()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/customer-queries",
            "raw_path": b"/v1/customer-queries",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in self._headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("kelmu.test", 80),
        }
        await self._world.app(scope, receive, send)
        async with self._moved:
            self.ended = True
            self._moved.notify_all()

    def leave(self) -> None:
        """Break off, as a client does that goes away."""
        self._left.set()

    async def until(self, count: int) -> Sequence[Any]:
        """Return the lines once there are `count` of them."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.sent.count(b"\n") >= count)
        return self.lines

    @property
    def lines(self) -> list[Any]:
        """The whole lines so far."""
        whole, _, _ = self.sent.rpartition(b"\n")
        return [LINE.validate_json(line) for line in whole.split(b"\n") if line]
