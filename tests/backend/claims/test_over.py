"""What is over goes: closed claims after their time, editors who left without a word; and operators move claims."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from kelmu_backend.background import Background
from kelmu_backend.claims import editing
from kelmu_backend.claims.moving import Acknowledge, Pay
from kelmu_backend.cli import DATABASE_VARIABLE, Exit, main
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import claim, claim_editor, claim_event, claim_payment
from kelmu_backend.database.customer_tables import customer_row
from kelmu_tui.domain.claims.kept import closed_kept
from kelmu_tui.domain.claims.life import Status
from tests.backend.conftest import B

from .support import SCOPE, Claims, claim_id, day, euros

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


async def test_a_closed_claim_goes_with_all_that_belongs_to_it(claims: Claims) -> None:
    await claims.made(1, content={"last": None, "amount": "50.00"})
    await claims.made(2, content={"benefit": "guarantee_pension"})
    await claims.made(3, content={"benefit": "survivors_pension_spouse"})
    claims.in_force(1)
    claims.move(1, Pay(day("2026-12-07"), euros("50.00")))
    end = {"last": "2026-12-01", "reason": "care_ended"}
    claims.world.pass_by(days=20)
    assert (await claims.give(1, "end", version=4, body=end)).status_code == 200
    assert (await claims.give(2, "cancel")).status_code == 200
    claims.world.pass_by(days=closed_kept().days - 1)
    assert await Background(claims.world.core).drop() == 0
    start = (await claims.world.changes(user="viewer")).cursor
    claims.world.pass_by(days=1)
    assert await Background(claims.world.core).drop() == 1
    told = (await claims.world.changes(start, user="viewer")).changes
    assert [(change.scope, change.id, change.op) for change in told] == [
        (SCOPE, claim_id(1), "rm"),
        (SCOPE, claim_id(2), "rm"),
    ]
    assert [row["id"] for row in claims.world.all(claim)] == [claim_id(3)]
    assert {row["claim"] for row in claims.world.all(claim_event)} == {claim_id(3)}
    assert claims.world.all(claim_payment) == []
    kept = [row["id"] for row in claims.world.all(customer_row) if row["section"] == "claims"]
    assert claim_id(1) in kept  # the payee's file is Kela's own record


async def test_who_left_without_a_word_is_forgotten(claims: Claims) -> None:
    await claims.made()
    now = claims.world.clock.now()
    rows = [
        {"claim": claim_id(1), "user": "viewer", "name": "Viewer", "until": now},
        {"claim": claim_id(1), "user": "carla", "name": "Carla", "until": now + timedelta(seconds=1)},
    ]
    with claims.world.database.write() as connection:
        connection.execute(insert(claim_editor), rows)
        assert editing.forget(connection, now) == 1
    assert [row["user"] for row in claims.world.all(claim_editor)] == ["carla"]
    await Background(claims.world.core).forget()
    claims.world.pass_by(seconds=1)
    await Background(claims.world.core).forget()
    assert claims.world.all(claim_editor) == []


# --- operators ------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the record of `claims`; gives exit code, documents and what was said."""
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)

    def command(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        capsys.readouterr()
        code = main(["claims", *arguments])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err.strip()

    return command


async def test_operators_list_claims_and_see_no_payee(claims: Claims, run: Run) -> None:
    await claims.made(1)
    await claims.made(2, content={"benefit": "guarantee_pension"})
    claims.move(2, Acknowledge())
    code, documents, _ = run("list")
    assert (code, [one["id"] for one in documents]) == (Exit.OK, [claim_id(1), claim_id(2)])
    assert "Sukunimi" not in json.dumps(documents)
    assert [one["id"] for one in run("list", "--status", "in_handling")[1]] == [claim_id(2)]
    assert run("list", "--organisation", B.business_id)[1] == []


async def test_operators_move_a_claim_through_its_life(claims: Claims, run: Run) -> None:
    await claims.made()
    start = (await claims.world.changes(user="viewer")).cursor
    one = claim_id(1)
    for move in (
        ("in_handling",),
        ("hearing",),
        ("in_force",),
        ("paid", "--amount", "12.50", "--on", "2026-12-07"),
        ("ended", "--reason", "care_ended", "--on", "2026-12-31"),
    ):
        assert run("move", one, *move) == (Exit.OK, [], f"{move[0]}: {one}")
    row = await claims.row()
    assert (row.status, row.ended_on, row.end_reason) == (Status.ENDED, day("2026-12-31"), "care_ended")
    assert [(paid.on, paid.amount) for paid in row.payments] == [(day("2026-12-07"), euros("12.50"))]
    (change,) = (await claims.world.changes(start, user="viewer")).changes
    assert change.version == 6
    moved = [row for row in claims.world.all(tables.audit) if row["action"].startswith("claim.moved.")]
    assert [(row["action"], row["user"], row["subject"]) for row in moved[:2]] == [
        ("claim.moved.in_handling", "administrator", one),
        ("claim.moved.hearing", "administrator", one),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nothing", "in_force"), Exit.NOT_POSSIBLE, "there is no such claim"),
        ((claim_id(1), "paid"), Exit.NOT_POSSIBLE, "a claim that is registered cannot be moved like this"),
        ((claim_id(1), "rejected"), Exit.USAGE, "name a --reason: no_benefit"),
        ((claim_id(1), "ended", "--reason", "no_care"), Exit.USAGE, "name a --reason: care_ended"),
    ],
)
async def test_what_cannot_be_moved_is_said(
    claims: Claims, run: Run, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    await claims.made()
    found = run("move", *arguments)
    assert (found[0], found[1]) == (code, [])
    assert said in found[2]
    assert claims.stored()["version"] == 1


@pytest.mark.parametrize("amount", ["0", "-1", "1.001", "NaN", "x"])
async def test_a_sum_that_is_none_is_not_taken(claims: Claims, run: Run, amount: str) -> None:
    await claims.made()
    with pytest.raises(SystemExit):
        run("move", claim_id(1), "paid", "--amount", amount)


async def test_a_day_that_was_paid_is_not_paid_again(claims: Claims, run: Run) -> None:
    await claims.made()
    claims.in_force()
    paid = ("move", claim_id(1), "paid", "--amount", "1.00", "--on", "2026-12-07")
    assert run(*paid)[0] == Exit.OK
    assert run(*paid) == (Exit.NOT_POSSIBLE, [], "kelmu-backend: this payment day has been paid")
    with claims.world.database.write() as connection:
        connection.execute(update(claim).values(next_at=None))
    assert len(claims.world.all(claim_payment)) == 1
