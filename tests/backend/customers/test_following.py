"""Following a customer: who may begin, how it lasts and ends, and what stands in the logs."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from kelmu_backend.background import Background
from kelmu_backend.database.customer_tables import customer_change, follow, look_up
from kelmu_backend.policy import claims_scope
from kelmu_tui.api import contract
from kelmu_tui.domain.following import FollowEnd, ended_kept
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.sections import Section, looks_kept
from tests.backend.conftest import LOOK_UP, A, B, grant, refusal

from .following import SCOPE, begin, change, command, decision, follow_id, followed, look, told
from .support import REASON, Register, code


@pytest.fixture
async def known(register: Register) -> Register:
    """Give a backend in which `viewer` has looked `p1` up."""
    register.add("p1", code())
    await look(register, code())
    return register


async def test_a_follow_tells_who_is_followed_for_what_and_how_long(known: Register) -> None:
    cursor = (await known.world.changes(user="viewer")).cursor
    answer = await begin(known, "p1")
    result = contract.CommandResult.model_validate_json(answer.content)
    now = known.world.clock.now()
    news = await known.world.changes(cursor, "viewer")
    [row] = [one.row for one in news.changes]
    assert (news.changes[0].scope, news.seq, result.version) == (SCOPE, result.seq, 1)
    assert row == contract.FollowRow(
        id=follow_id(),
        version=1,
        customer="p1",
        name="Sukunimi-p1, Etunimi-p1",
        masked_code=mask(code()),
        purpose="social_work",
        case_reference="SOS 12/2026",
        since=now,
        until=now + looks_kept(),
    )
    assert await followed(known) == [row]


async def test_nobody_is_followed_who_was_not_looked_up_lately(known: Register) -> None:
    known.add("p2", code(901))
    await look(known, code(901), user="colleague")
    assert refusal(await begin(known, "p2", reason=REASON)) == (404, "not_found", None)
    assert refusal(await begin(known, "nobody", reason=REASON)) == (404, "not_found", None)
    known.world.pass_by(days=looks_kept().days)
    assert refusal(await begin(known, "p1", reason=REASON)) == (404, "not_found", None)
    assert known.world.all(follow) == []


async def test_a_reason_is_asked_for_as_a_look_up_asks(register: Register) -> None:
    register.add("p1", code(), noticed=False)
    await look(register, code(), reason=REASON)
    assert refusal(await begin(register, "p1")) == (422, "reason_needed", "unrelated")
    assert refusal(await begin(register, "p1", purpose="client_f")) == (422, "purpose_not_allowed", None)
    assert (await begin(register, "p1", reason=REASON)).status_code == 200
    assert register.world.all(look_up)[-1]["flags"] == ["unrelated"]


async def test_without_the_mandate_nobody_follows(known: Register) -> None:
    assert refusal(await begin(known, "p1", user="aino")) == (403, "mandate_missing", None)
    assert refusal(await begin(known, "p1", organisation=B)) == (403, "organisation_not_allowed", None)


async def test_a_repeated_command_has_one_effect(known: Register) -> None:
    first = await begin(known, "p1", key="k1")
    assert (await begin(known, "p1", key="k1")).json() == first.json()
    assert refusal(await begin(known, "p1", key="k1", reason=REASON)) == (422, "idempotency_key_reused", None)
    assert refusal(await begin(known, "p1", key="k2")) == (409, "rule_refused", "follow_begun")
    assert refusal(await begin(known, "p1", number=2)) == (409, "rule_refused", "already_followed")
    assert [row.id for row in await followed(known)] == [follow_id()]
    assert (await begin(known, "p1", number=2, case_reference="SOS 13/2026")).status_code == 200
    assert len(await followed(known)) == 2


async def test_an_id_of_somebody_else_tells_nothing(known: Register) -> None:
    await look(known, code(), user="colleague")
    await begin(known, "p1")
    taken = await begin(known, "p1", user="colleague")
    assert refusal(taken) == (409, "rule_refused", "follow_begun")
    assert taken.json()["current"] is None
    for verb in ("renew", "end"):
        assert refusal(await command(known, verb, user="colleague")) == (404, "not_found", None)
    assert refusal(await command(known, "end", number=9)) == (404, "not_found", None)
    assert await followed(known, "colleague") == []


async def test_a_scope_of_somebody_else_does_not_exist(known: Register) -> None:
    await begin(known, "p1")
    answer = await known.world.get("/v1/snapshot", "colleague", scope=SCOPE)
    assert refusal(answer) == (404, "not_found", None)
    assert SCOPE not in (await known.world.changes(user="colleague")).granted


async def test_it_lasts_as_long_as_it_is_renewed(known: Register) -> None:
    await begin(known, "p1")
    known.world.pass_by(days=looks_kept().days - 1)
    assert (await command(known, "renew")).json()["version"] == 2
    known.world.pass_by(days=looks_kept().days - 1)
    assert await Background(known.world.core).end_by_time() == 0
    cursor = (await known.world.changes(user="viewer")).cursor
    known.world.pass_by(days=2)
    assert refusal(await command(known, "renew")) == (409, "rule_refused", "follow_ended")
    assert await Background(known.world.core).end_by_time() == 1
    [row] = [one.row for one in (await known.world.changes(cursor, "viewer")).changes]
    assert isinstance(row, contract.FollowRow)
    assert (row.ended, row.version, row.expires_at) == (FollowEnd.TIME, 3, row.until + ended_kept())


async def test_it_ends_with_the_case_and_what_it_told_stays_some_days(known: Register) -> None:
    await begin(known, "p1")
    known.world.clock.pass_by(minutes=1)
    change(known, "p1", Section.DECISIONS, decision(1))
    ended = await command(known, "end")
    assert (ended.status_code, ended.json()["version"]) == (200, 3)
    known.world.clock.pass_by(minutes=1)
    assert change(known, "p1", Section.DECISIONS, decision(2)) is None
    [row] = await followed(known)
    assert (row.ended, told(row)) == (FollowEnd.CASE, [("decisions", "d1", "decision")])
    again = await command(known, "end")
    assert refusal(again) == (409, "rule_refused", "follow_ended")
    assert again.json()["current"]["ended"] == "case"
    cursor = (await known.world.changes(user="viewer")).cursor
    known.world.pass_by(days=ended_kept().days, minutes=-2)
    assert await Background(known.world.core).drop() == 0
    known.world.pass_by(minutes=2)
    assert await Background(known.world.core).drop() == 1
    assert [(one.scope, one.op) for one in (await known.world.changes(cursor, "viewer")).changes] == [(SCOPE, "rm")]
    assert known.world.all(customer_change) == known.world.all(follow) == []


async def test_it_ends_with_the_mandate_even_when_that_is_given_back(known: Register) -> None:
    await begin(known, "p1")
    background = Background(known.world.core)
    assert await background.end_by_mandate() == 0
    cursor = (await known.world.changes(user="viewer")).cursor
    known.grant("viewer", grant("social_assistance_and_social_care", A))
    assert (await known.world.changes(cursor, "viewer")).revoked == [claims_scope(A.business_id), SCOPE]
    assert await background.end_by_mandate() == 1
    assert known.world.audited()[-1] == ("follow.over.mandate", "p1", "done")
    known.grant("viewer", grant(LOOK_UP, A))
    assert [row.ended for row in await followed(known)] == [FollowEnd.MANDATE]


async def test_a_mandate_that_runs_out_ends_it_too(known: Register) -> None:
    known.grant("viewer", grant(LOOK_UP, A, valid_to=date(2026, 12, 1)))
    await begin(known, "p1")
    known.world.pass_by(days=20)
    assert await Background(known.world.core).end_by_mandate() == 1
    assert [(row["ended"], row["version"]) for row in known.world.all(follow)] == [("mandate", 2)]


async def test_supervisors_and_the_user_find_it_in_the_log(known: Register) -> None:
    await begin(known, "p1", case_reference="SOS 1")
    await command(known, "renew")
    await command(known, "end")
    found = await known.world.get("/v1/audit/look-ups", "chief", purpose="monitoring", customer="p1")
    log = contract.AuditedLookUps.model_validate_json(found.content).look_ups
    assert [(one.outcome, one.user, one.customer, one.case_reference) for one in log[:3]] == [
        (outcome, "viewer", "p1", "SOS 1") for outcome in ("follow_ended", "follow_renewed", "follow_begun")
    ]
    own = await known.world.get("/v1/look-ups", "viewer")
    mine = contract.LookUps.model_validate_json(own.content).look_ups
    assert [(one.outcome, one.customer) for one in mine] == [(one.outcome, "p1") for one in log]
    commands = [row for row in known.world.audited() if row[0].startswith("follow.")]
    assert commands == [(f"follow.{verb}", "p1", "done") for verb in ("begin", "renew", "end")]


async def test_a_follow_does_not_stretch_how_long_somebody_may_be_looked_up(known: Register) -> None:
    await begin(known, "p1")
    known.world.pass_by(days=looks_kept().days - 1)
    await command(known, "renew")
    known.world.pass_by(days=2)
    assert refusal(await known.ask(None, customer="p1", reason=REASON)) == (404, "not_found", None)


async def test_what_was_not_told_to_one_follower_is_not_told_to_the_next(known: Register) -> None:
    change(known, "p1", Section.DECISIONS, decision(1))
    await look(known, code())
    await begin(known, "p1")
    await look(known, code(), user="colleague")
    assert change(known, "p1", Section.DECISIONS, decision(1, valid_to="2026-12-31")) is None
    known.world.clock.pass_by(minutes=1)
    await begin(known, "p1", number=2, user="colleague")
    assert [told(row) for user in ("viewer", "colleague") for row in await followed(known, user)] == [[], []]


async def test_what_changed_between_the_look_and_the_follow_is_told(known: Register) -> None:
    known.rows("p1", Section.DECISIONS, decision(1))
    known.world.clock.pass_by(minutes=1)
    await look(known, code())
    assert change(known, "p1", Section.DECISIONS, decision(2)) is None
    known.world.clock.pass_by(minutes=1)
    await begin(known, "p1")
    [row] = await followed(known)
    assert told(row) == [("decisions", "d2", "decision")]
    assert row.changes[0].at == known.world.clock.now() - timedelta(minutes=1)


async def test_two_terminals_at_once_begin_one_follow(known: Register) -> None:
    answers = await asyncio.gather(*(begin(known, "p1", number=number) for number in range(1, 5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {refusal(one)[2] for one in answers if one.status_code == 409} == {"already_followed"}
    [row] = await followed(known)
    assert {one.json()["current"]["id"] for one in answers if one.status_code == 409} == {row.id}
