"""Publications for tests of the routes, made by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx
from pydantic import TypeAdapter

from kelmu_backend import policy
from kelmu_backend.lists import publishing
from kelmu_backend.lists.publishing import Bill, Issue, IssuedRow
from kelmu_tui.api.contract import ListLine, ProblemCode
from kelmu_tui.domain.lists import KelaList, invoices, lists, read_period
from kelmu_tui.domain.organisations import Organisation
from tests.backend.conftest import A, World, grant

LMS: KelaList = lists()["list_lms_300_days"]
SHARES: KelaList = lists()["list_lms_invoice_persons_2025"]
OCTOBER = "2026-10"
LOOK_UP = "benefit_viewing_and_claims"

_LINE: TypeAdapter[Any] = TypeAdapter(ListLine)


def rows_of(numbers: range | list[int], person: str | None = None, **more: Any) -> list[IssuedRow]:
    """Return rows by number, in an order that is not that of their ids."""
    return [
        IssuedRow(f"{number:04x}", person, {"id": f"{number:04x}", "name": f"Åke {number}"} | more)
        for number in reversed(numbers)
    ]


def issue(rows: list[IssuedRow], period: str = OCTOBER, bill: Bill | None = None) -> Issue:
    """Return a list of a period."""
    return Issue(read_period(period), rows, bill)


def bill(one: KelaList, total: int, number: str, payer: str = "837") -> Bill:
    """Return the invoice of a list."""
    assert one.invoice is not None
    return Bill(invoices()[one.invoice], number, total, payer)


def publish(world: World, one: KelaList, found: Issue, organisation: Organisation = A) -> None:
    """Put a list into the record."""
    with world.database.write() as connection:
        publishing.publish(connection, organisation.business_id, one, found)


def republish(world: World, one: KelaList, found: Issue, organisation: Organisation = A) -> int:
    """Publish a list anew."""
    with world.database.write() as connection:
        return publishing.republish(connection, organisation.business_id, one, found, world.clock.now())


def withdraw(world: World, one: KelaList, period: str = OCTOBER, organisation: Organisation = A) -> None:
    """Withdraw a list."""
    with world.database.write() as connection:
        publishing.withdraw(connection, organisation.business_id, one, read_period(period))


def give(world: World, user: str, mandates: list[str], organisation: Organisation = A) -> None:
    """Let a user have exactly these mandates for an organisation."""
    with world.database.write() as connection:
        policy.replace_grants(connection, user, [grant(mandate, organisation) for mandate in mandates])


def path(one: KelaList, period: str = OCTOBER) -> str:
    """Return the path of a list's rows."""
    return f"/v1/lists/{one.id}/{period}/rows"


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the lines of a stream, each held against the contract."""
    assert answer.status_code == 200, answer.text
    found = answer.text.splitlines()
    for line in found:
        _LINE.validate_json(line)
    return [json.loads(line) for line in found]


def ids_of(lines: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the rows among lines."""
    return [line["row"]["id"] for line in lines if line["line"] == "row"]


def code_of(answer: httpx.Response) -> tuple[int, ProblemCode]:
    """Return status and code of a problem."""
    return answer.status_code, ProblemCode(answer.json()["code"])
