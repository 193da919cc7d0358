"""What a follow tells: once, of what its user may see, and never more than that something happened."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import customer_change, customer_row
from kelmu_backend.policy import claims_scope
from kelmu_backend.population import Happenings
from kelmu_tui.api import contract
from kelmu_tui.domain.following import MAX_CHANGES
from kelmu_tui.domain.sections import Section
from tests.backend.conftest import HELSINKI, LOOK_UP, A, grant

from .following import SCOPE, begin, change, decision, followed, look, payment, told
from .support import REASON, Register, code

NARROW = "integration_services_benefits"
"""Shows unemployment benefits and a few others."""


@pytest.fixture
async def following(register: Register) -> Register:
    """Give a backend in which `viewer` follows `p1`, which has a decision and a planned payment."""
    register.add("p1", code())
    register.rows("p1", Section.DECISIONS, decision())
    register.rows("p1", Section.PAYMENTS, payment(status="planned"))
    register.world.clock.pass_by(minutes=1)
    await look(register, code())
    answer = await begin(register, "p1")
    assert answer.status_code == 200, answer.text
    register.world.clock.pass_by(minutes=1)
    return register


RECOVERY = {"id": "r1", "benefit": "sickness_allowance", "status": "open", "amount": "90.00"}
CLAIM = {"id": "c1", "benefit": "sickness_allowance", "status": "received"}


@pytest.mark.parametrize(
    ("section", "bodies", "withdrawn", "expected"),
    [
        (Section.DECISIONS, [decision(2)], (), ["decision"]),
        (Section.DECISIONS, [decision(outcome="discontinued")], (), ["stopped"]),
        (Section.DECISIONS, [decision(outcome="suspended")], (), ["stopped"]),
        (Section.DECISIONS, [decision()], (), []),
        (Section.DECISIONS, [decision(valid_to="2026-12-31")], (), []),
        (Section.DECISIONS, [decision(amount="1.00")], (), ["decision"]),
        (Section.DECISIONS, [], ("d1",), ["withdrawn"]),
        (Section.DECISIONS, [], ("d9",), []),
        (Section.PAYMENTS, [payment()], (), ["payment"]),
        (Section.PAYMENTS, [payment(status="returned")], (), ["stopped"]),
        (Section.PAYMENTS, [payment(status="planned", gross="1.00")], (), []),
        (Section.PAYMENTS, [], ("p1",), ["stopped"]),
        (Section.RECOVERY, [RECOVERY], (), ["recovery"]),
        (Section.CLAIMS, [CLAIM], (), ["claim"]),
        (Section.MEDICINE, [{"id": "m1", "reached_on": None}], (), []),
        (Section.MEDICINE, [{"id": "m1", "reached_on": "2026-11-20"}], (), ["medicine_cap"]),
    ],
)
async def test_what_happened_is_told(
    following: Register, section: Section, bodies: list[Any], withdrawn: tuple[str, ...], expected: list[str]
) -> None:
    cursor = (await following.world.changes(user="viewer")).cursor
    changed = change(following, "p1", section, *bodies, withdrawn=withdrawn)
    news = await following.world.changes(cursor, "viewer")
    assert [what for row in await followed(following) for _, _, what in told(row)] == expected
    assert (changed is not None, [one.scope for one in news.changes]) == (bool(expected), [SCOPE] * bool(expected))


async def test_neither_sums_nor_names_are_told(following: Register) -> None:
    change(following, "p1", Section.PAYMENTS, payment(account="FI** **** 22", payee="landlord"))
    [line] = [one for one in await following.world.snapshot(SCOPE, "viewer") if one["line"] == "row"]
    [only] = line["row"]["changes"]
    assert set(only) == {"id", "at", "section", "row", "benefit", "what", "day"}
    text = json.dumps(line)
    assert not [mark for mark in ("700.00", "600.00", "FI**", "landlord", code()) if mark in text]


async def test_a_row_that_changes_again_unread_is_told_once_with_what_happened_last(following: Register) -> None:
    change(following, "p1", Section.DECISIONS, decision(2))
    [before] = (await followed(following))[0].changes
    following.world.clock.pass_by(minutes=1)
    change(following, "p1", Section.DECISIONS, decision(2, outcome="discontinued"))
    [after] = (await followed(following))[0].changes
    assert (before.what, after.what, after.row) == ("decision", "stopped", "d2")
    assert after.id != before.id
    following.world.clock.pass_by(minutes=1)
    await look(following, code())
    change(following, "p1", Section.DECISIONS, decision(2, outcome="suspended"))
    [row] = await followed(following)
    assert told(row) == [("decisions", "d2", "stopped")] * 2
    assert row.changes[1] == after


async def test_the_same_again_is_none_and_writes_nothing(following: Register) -> None:
    change(following, "p1", Section.DECISIONS, decision(2))
    rows, head = following.world.all(customer_row), (await following.world.changes(user="viewer")).head
    following.world.clock.pass_by(minutes=1)
    assert change(following, "p1", Section.DECISIONS, decision(1), decision(2)) is None
    assert following.world.all(customer_row) == rows
    assert (await following.world.changes(user="viewer")).head == head


async def test_of_somebody_whom_nobody_follows_nothing_is_kept(following: Register) -> None:
    following.add("p2", code(901))
    assert change(following, "p2", Section.DECISIONS, decision(2)) is None
    assert following.world.all(customer_change) == []


async def test_no_more_than_the_newest_changes_are_told(following: Register) -> None:
    for number in range(2, MAX_CHANGES + 4):
        change(following, "p1", Section.DECISIONS, decision(number))
        following.world.clock.pass_by(seconds=1)
    [row] = await followed(following)
    assert [one for _, one, _ in told(row)] == [f"d{number}" for number in range(MAX_CHANGES + 3, 3, -1)]


async def test_a_narrow_mandate_hears_of_its_benefits_alone(register: Register) -> None:
    register.grant("viewer", grant(NARROW, HELSINKI))
    register.add("p1", code(), noticed=False)
    register.notice(code(), HELSINKI)
    more: dict[str, Any] = {"organisation": HELSINKI, "purpose": "integration_services"}
    await look(register, code(), **more)
    assert (await begin(register, "p1", reason=REASON, **more)).status_code == 200
    register.world.clock.pass_by(minutes=1)
    cursor = (await register.world.changes(user="viewer", organisation=HELSINKI)).cursor
    assert change(register, "p1", Section.DECISIONS, decision(2)) is None
    assert (await register.world.changes(cursor, "viewer", HELSINKI)).changes == []
    assert [(told(row), row.version) for row in await followed(register, organisation=HELSINKI)] == [([], 1)]
    change(register, "p1", Section.DECISIONS, decision(3, benefit="labour_market_subsidy"))
    [row] = await followed(register, organisation=HELSINKI)
    assert (told(row), row.version) == ([("decisions", "d3", "decision")], 2)


@pytest.mark.parametrize("way", ["agreement", "mandates"])
async def test_what_may_no_longer_be_seen_is_taken_back(register: Register, way: str) -> None:
    wide, narrow = grant(LOOK_UP, HELSINKI), grant(NARROW, HELSINKI)
    register.grant("viewer", wide, narrow)
    register.add("p1", code(), noticed=False)
    register.notice(code(), HELSINKI)
    await look(register, code(), organisation=HELSINKI)
    await begin(register, "p1", organisation=HELSINKI)
    register.world.clock.pass_by(minutes=1)
    change(register, "p1", Section.DECISIONS, decision(2))
    [row] = await followed(register, organisation=HELSINKI)
    start = await register.world.changes(user="viewer", organisation=HELSINKI)
    same = await register.world.changes(start.cursor, "viewer", HELSINKI)
    scope = next(name for name in same.granted if name.startswith("follows:"))
    assert (len(row.changes), same.added, same.revoked) == (1, [], [])
    if way == "mandates":
        register.grant("viewer", narrow)
    else:
        with register.world.database.write() as connection:
            ours = tables.agreement.c.organisation == HELSINKI.business_id
            connection.execute(update(tables.agreement).where(ours).values(content=["payments"]))
    less = await register.world.changes(start.cursor, "viewer", HELSINKI)
    # Both at once: the client drops what it holds, and fills anew. Claims go with the mandate that makes them.
    claims = [claims_scope(HELSINKI.business_id)] if way == "mandates" else []
    assert (less.revoked, less.added, scope in less.granted) == ([*claims, scope], [scope], True)
    assert [told(row) for row in await followed(register, organisation=HELSINKI)] == [[]]
    after = await register.world.changes(less.cursor, "viewer", HELSINKI)
    assert (after.added, after.revoked) == ([], [])


async def test_a_mandate_that_runs_out_in_the_night_narrows_too(register: Register) -> None:
    register.grant("viewer", grant(LOOK_UP, HELSINKI, valid_to=date(2026, 11, 23)), grant(NARROW, HELSINKI))
    start = await register.world.changes(user="viewer", organisation=HELSINKI)
    register.world.pass_by(days=1)
    less = await register.world.changes(start.cursor, "viewer", HELSINKI)
    assert less.added == [name for name in less.granted if name.startswith("follows:")]
    assert less.revoked == [claims_scope(HELSINKI.business_id), *less.added]


async def test_the_rows_are_changed_whoever_follows(following: Register) -> None:
    change(following, "p1", Section.DECISIONS, decision(2), decision(1, outcome="suspended"))
    change(following, "p1", Section.PAYMENTS, withdrawn=("p1",))
    answer = await following.ask(code())
    lines = [json.loads(line) for line in answer.text.splitlines()]
    found = {line["section"]: line for line in lines if line["line"] == "section"}
    assert {(row["id"], row["outcome"]) for row in found["decisions"]["decisions"]} == {
        ("d1", "suspended"),
        ("d2", "granted"),
    }
    assert found["payments"]["state"] == "none"


async def test_a_waiting_poll_hears_of_it(following: Register) -> None:
    cursor = (await following.world.changes(user="viewer")).cursor
    changed = change(following, "p1", Section.DECISIONS, decision(2))
    assert changed is not None
    assert changed.scopes == {SCOPE}
    [row] = [one.row for one in (await following.world.changes(cursor, "viewer")).changes]
    assert isinstance(row, contract.FollowRow)
    assert (row.version, told(row)) == (2, [("decisions", "d2", "decision")])
    assert A.business_id in SCOPE


async def test_the_lives_of_those_who_are_followed_go_on_and_are_told(following: Register) -> None:
    following.add("p2", code(901))
    following.rows("p2", Section.PAYMENTS, payment(status="planned"))
    source, config = Happenings(1, following.world.clock.now()), following.world.config
    with following.world.database.write() as connection:
        changed = source.next(connection, config.clock.now(), config.ids)
    assert changed is not None
    assert changed.scopes == {SCOPE}
    # Its day is over: the planned payment comes first, and nobody's else than hers who is followed.
    assert [told(row) for row in await followed(following)] == [[("payments", "p1", "payment")]]
    rows = {(row["person"], row["id"]): row["body"].get("status") for row in following.world.all(customer_row)}
    assert (rows["p1", "p1"], rows["p2", "p1"]) == ("paid", "planned")


async def test_while_nobody_is_followed_the_lives_of_others_go_on(register: Register) -> None:
    source, config = Happenings(1, register.world.clock.now()), register.world.config
    with register.world.database.write() as connection:
        assert source.next(connection, config.clock.now(), config.ids) is None
    register.add("p1", code())
    register.rows("p1", Section.PAYMENTS, payment(status="planned"))
    with register.world.database.write() as connection:
        assert source.next(connection, config.clock.now(), config.ids) is None
    assert [row["body"]["status"] for row in register.world.all(customer_row)] == ["paid"]
