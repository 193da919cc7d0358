"""Claims for tests: bodies that every rule allows, commands, and Kela's side by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import httpx
from sqlalchemy import insert

from kelmu_backend import feed
from kelmu_backend.claims import moving, record
from kelmu_backend.claims.moving import Accept, Acknowledge, Move
from kelmu_backend.database.claim_tables import account, claim
from kelmu_backend.feed import Entry
from kelmu_backend.policy import claims_scope
from kelmu_tui.api import contract
from kelmu_tui.domain.organisations import Organisation
from tests.backend.conftest import A, B, World
from tests.backend.customers.support import Register, code

ACCOUNT: Final = "FI3790956201543570"
OTHER_ACCOUNT: Final = "FI1590005555500004"
PAYEE: Final = code(901)
SCOPE: Final = claims_scope(A.business_id)


def claim_id(number: int) -> str:
    """Return the id of a claim as clients choose it."""
    return f"00000000-0000-4000-8000-{number:012d}"


def body(**changes: Any) -> dict[str, Any]:
    """Return the body of a claim on January's and February's disability allowance, under section 14."""
    return {
        "payee": PAYEE,
        "basis": "client_fees_14",
        "benefit": "national_pension_disability",
        "first": "2026-12-01",
        "last": "2027-02-28",
        "amount": "900.00",
        "account": ACCOUNT,
        "reference": "1232",
        "grounds": "Hoito jatkuu.",
        "handler": "Viewer",
        "telephone": "000 123 4567",
        "care_first": "2026-11-01",
        "care_last": None,
        "assistance": None,
    } | changes


def section_23(**changes: Any) -> dict[str, Any]:
    """Return the body of a claim under section 23."""
    assistance = {"first": "2026-12-01", "last": "2027-01-31", "amount": "600.00", "decided_on": "2026-11-20"}
    return body(
        **{
            "basis": "social_assistance_23",
            "benefit": "general_housing_allowance",
            "last": "2027-01-31",
            "amount": "600.00",
            "care_first": None,
            "assistance": assistance | changes.pop("assistance", {}),
        }
        | changes
    )


@dataclass
class Claims:
    """The register under test."""

    world: World
    people: Register
    count: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    def set_up(self) -> Claims:
        """Put accounts and a payee into the record."""
        rows: list[dict[str, Any]] = [
            {"id": "account-a-1", "organisation": A.business_id, "version": 1, "iban": ACCOUNT, "name": "Maksut"},
            {"id": "account-b-1", "organisation": B.business_id, "version": 1, "iban": OTHER_ACCOUNT, "name": "Övriga"},
        ]
        with self.world.database.write() as connection:
            connection.execute(insert(account), rows)
            feed.record(
                connection, [Entry(claims_scope(row["organisation"]), row["id"], row["version"]) for row in rows]
            )
        self.people.add("p1", PAYEE, code(902))
        return self

    async def register(self, number: int = 1, user: str = "viewer", **changes: Any) -> httpx.Response:
        """Register a claim."""
        given = changes.pop("body", None) or body(**changes.pop("content", {}))
        return await self.give(number, "register", user, version=None, body=given, **changes)

    async def give(
        self,
        number: int | str,
        verb: str,
        user: str = "viewer",
        organisation: Organisation = A,
        *,
        version: int | None = 1,
        **more: Any,
    ) -> httpx.Response:
        """Send a command on a claim."""
        identifier = claim_id(number) if isinstance(number, int) else number
        return await self.world.command(identifier, verb, version, user, organisation, of="claims", **more)

    async def made(self, number: int = 1, **changes: Any) -> str:
        """Register a claim, and return its id."""
        answer = await self.register(number, **changes)
        assert answer.status_code == 200, answer.text
        return claim_id(number)

    def move(self, number: int, *moves: Move) -> None:
        """Let Kela's side do something."""
        world = self.world
        for one in moves:
            with world.database.write() as connection:
                row = record.load(connection, claim_id(number))
                assert row is not None
                feed.record(connection, moving.move(connection, row, one, world.clock.now(), world.config.ids))

    def in_force(self, number: int = 1) -> None:
        """Let Kela handle a claim and accept it."""
        self.move(number, Acknowledge(), Accept())

    async def row(self, number: int = 1, user: str = "viewer") -> contract.ClaimRecord:
        """Return a claim as a snapshot shows it, held against the contract."""
        lines = await self.world.snapshot(SCOPE, user=user)
        found = [line["row"] for line in lines if line["line"] == "row" and line["row"]["id"] == claim_id(number)]
        return contract.ClaimRecord.model_validate(found[0])

    def stored(self, number: int = 1) -> dict[str, Any]:
        """Return a row of the record."""
        return next(row for row in self.world.all(claim) if row["id"] == claim_id(number))


def euros(text: str) -> Decimal:
    """Return euros."""
    return Decimal(text)


def day(text: str) -> date:
    """Return a day."""
    return date.fromisoformat(text)
