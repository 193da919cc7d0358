"""How tests follow people: commands, what the feed tells, and how Kela's systems change what they know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx

from kelmu_backend import feed
from kelmu_backend.customers import changing
from kelmu_backend.customers.changing import Key, Known
from kelmu_backend.policy import follows_scope
from kelmu_tui.api import contract
from kelmu_tui.domain.organisations import Organisation
from kelmu_tui.domain.sections import Section
from tests.backend.conftest import A

from .support import PURPOSE, Register

SCOPE = follows_scope(A.business_id, "viewer")
DAY = date(2026, 1, 1)


def follow_id(number: int = 1) -> str:
    """Return a UUID as a client chooses one."""
    return f"00000000-0000-4000-8000-{number:012d}"


def decision(number: int = 1, benefit: str = "sickness_allowance", **changes: Any) -> dict[str, Any]:
    """Return a row of a decision."""
    return {
        "id": f"d{number}",
        "benefit": benefit,
        "decided": DAY.isoformat(),
        "outcome": "granted",
        "valid_from": "2026-12-01",
        "amount": "651.25",
    } | changes


def payment(number: int = 1, benefit: str = "sickness_allowance", **changes: Any) -> dict[str, Any]:
    """Return a row of a payment."""
    return {
        "id": f"p{number}",
        "benefit": benefit,
        "paid_on": DAY.isoformat(),
        "period_from": "2026-11-01",
        "period_to": "2026-11-30",
        "gross": "700.00",
        "net": "600.00",
        "incomes_register": True,
        "status": "paid",
    } | changes


def change(
    register: Register, customer: str, section: Section, *bodies: Mapping[str, Any], withdrawn: tuple[str, ...] = ()
) -> feed.Change | None:
    """Let rows of a section be as given, or no longer be there."""
    rows: dict[Key, Known | None] = {
        Key(section, body["id"]): Known(body.get("benefit"), DAY, dict(body)) for body in bodies
    }
    rows |= {Key(section, one): None for one in withdrawn}
    config = register.world.config
    with register.world.database.write() as connection:
        return changing.change(connection, customer, rows, config.clock.now(), config.ids)


async def look(register: Register, code: str, user: str = "viewer", **query: Any) -> None:
    """Look somebody up, and let a minute pass."""
    answer = await register.ask(code, user, **query)
    assert answer.status_code == 200, answer.text
    register.world.clock.pass_by(minutes=1)


async def command(
    register: Register, verb: str, number: int = 1, user: str = "viewer", organisation: Organisation = A, **more: Any
) -> httpx.Response:
    """Send a command on a follow."""
    return await register.world.command(follow_id(number), verb, 1, user, organisation, of="follows", **more)


async def begin(
    register: Register, customer: str, number: int = 1, user: str = "viewer", **more: Any
) -> httpx.Response:
    """Begin to follow somebody; `more` changes the body, and `organisation` and `key` the request."""
    request = {name: more.pop(name) for name in ("organisation", "key") if name in more}
    body = {"customer": customer, "purpose": PURPOSE, "case_reference": "SOS 12/2026"} | more
    without = (contract.HEADER_VERSION,)
    return await command(register, "begin", number, user, body=body, without=without, **request)


async def followed(
    register: Register, user: str = "viewer", organisation: Organisation = A
) -> list[contract.FollowRow]:
    """Return the follows of a user as the snapshot has them."""
    lines = await register.world.snapshot(follows_scope(organisation.business_id, user), user, organisation)
    assert lines[0]["count"] == len(lines) - 2
    return [contract.FollowRow.model_validate(line["row"]) for line in lines if line["line"] == "row"]


def told(row: contract.FollowRow) -> list[tuple[str, str, str]]:
    """Return section, row and what of the changes, the newest first."""
    return [(one.section.value, one.row, one.what.value) for one in row.changes]
