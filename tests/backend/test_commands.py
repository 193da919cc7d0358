"""Commands: one effect for each key, versions, rules, transfers, and what is written down about them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from kelmu_backend import commands, feed
from kelmu_backend.database import tables
from kelmu_tui.api.contract import HEADER_IDEMPOTENCY, HEADER_VERSION, CommandResult, NoticeRow, Problem, TraceRow
from kelmu_tui.domain.organisations import social_care_organiser

from .conftest import A, B, World, notice_row

TO_VANTAA = {"municipality": "092", "reason": "Muuttanut Vantaalle"}
VANTAA = "092"


async def test_take_writes_row_feed_and_audit(world: World) -> None:
    world.add(notice_row(1))
    start = await world.changes()
    answer = await world.command("n0001", "take", 1)
    assert answer.status_code == 200
    result = CommandResult.model_validate_json(answer.content)
    assert (result.version, result.epoch, result.seq) == (2, start.epoch, start.head + 1)
    [change] = (await world.changes(start.cursor)).changes
    assert isinstance(change.row, NoticeRow)
    assert (change.row.status, change.row.assignee, change.row.version) == ("in_progress", "aino", 2)
    assert ("notice.take", "n0001", "done") in world.audited()


async def test_repeated_command_has_one_effect_and_the_same_answer(world: World) -> None:
    world.add(notice_row(1))
    first = await world.command("n0001", "note", 1, key="k", body={"text": "Soitettu"})
    again = await world.command("n0001", "note", 1, key="k", body={"text": "Soitettu"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert len(world.all(tables.note)) == 1
    assert world.audited() == [("notice.note", "n0001", "done")]


async def test_what_survived_a_restore_is_answered_in_the_present_epoch(world: World) -> None:
    world.add(notice_row(1))
    first = CommandResult.model_validate_json((await world.command("n0001", "take", 1, key="k")).content)
    with world.database.write() as connection:
        epoch = feed.new_epoch(connection, world.config.ids)
    again = CommandResult.model_validate_json((await world.command("n0001", "take", 1, key="k")).content)
    assert again == first.model_copy(update={"epoch": epoch})
    refused = [(await world.command("n0001", "take", 1, key="r", user="bertta")).json() for _ in range(2)]
    assert "epoch" not in refused[1]
    assert [answer["code"] for answer in refused] == ["version_conflict"] * 2


async def test_key_with_other_bytes_is_refused_and_changes_nothing(world: World) -> None:
    world.add(notice_row(1), notice_row(2))
    await world.command("n0001", "note", 1, key="k", body={"text": "Soitettu"})
    for notice, verb, version, body in (
        ("n0001", "note", 1, {"text": "Muuta"}),
        ("n0001", "note", 2, {"text": "Soitettu"}),
        ("n0002", "note", 1, {"text": "Soitettu"}),
        ("n0001", "take", 2, {}),
    ):
        answer = await world.command(notice, verb, version, key="k", body=body)
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_key_reused"
    assert len(world.all(tables.note)) == 1
    assert [row["version"] for row in world.all(tables.notice)] == [2, 1]


async def test_keys_of_two_users_and_two_devices_never_meet(world: World) -> None:
    world.add(notice_row(1))
    for user, device in (("aino", "d1"), ("aino", "d2"), ("bertta", "d1")):
        answer = await world.command("n0001", "note", 1, user, key="k", body={"text": user}, Kelmu_Device=device)
        assert answer.status_code == 200
    assert len(world.all(tables.note)) == 3


async def test_refusals_are_remembered(world: World) -> None:
    world.add(notice_row(1))
    refused = await world.command("n0001", "release", 1, key="k")
    assert refused.status_code == 409
    await world.command("n0001", "take", 1)
    again = await world.command("n0001", "release", 1, key="k")
    assert again.status_code == 409
    assert {**again.json(), "request_id": None} == {**refused.json(), "request_id": None}
    assert again.json()["request_id"] != refused.json()["request_id"]


async def test_two_takes_at_once_have_one_winner(world: World) -> None:
    world.add(*(notice_row(n) for n in range(1, 6)))
    for number in range(1, 6):
        notice = f"n{number:04d}"
        answers = await asyncio.gather(
            *(world.command(notice, "take", 1, user) for user in ("aino", "bertta", "aino", "bertta"))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        winner = next(row for row in world.all(tables.notice) if row["id"] == notice)
        assert winner["version"] == 2
        for answer in answers:
            if answer.status_code == 412:
                problem = Problem.model_validate_json(answer.content)
                assert isinstance(problem.current, NoticeRow)
                assert problem.current.assignee == winner["assignee"]


async def test_a_twin_under_way_has_one_effect(world: World) -> None:
    world.add(notice_row(1))
    answers = await asyncio.gather(
        *(world.command("n0001", "note", 1, key="twin", body={"text": "Kerran"}) for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(world.all(tables.note)) == 1


async def test_version_conflict_names_the_rule_and_the_present_row(world: World) -> None:
    world.add(notice_row(1))
    await world.command("n0001", "take", 1, "bertta")
    problem = Problem.model_validate_json((await world.command("n0001", "take", 1, "aino")).content)
    assert (problem.status, problem.code, problem.rule) == (412, "version_conflict", "already_taken")
    assert isinstance(problem.current, NoticeRow)
    assert problem.current.assignee_name == "Bertta"
    stale = Problem.model_validate_json((await world.command("n0001", "handle", 1, "aino")).content)
    assert (stale.status, stale.rule) == (412, None)


async def test_open_and_note_commute(world: World) -> None:
    world.add(notice_row(1))
    await world.command("n0001", "take", 1)
    assert (await world.command("n0001", "note", 1, body={"text": "Huomio"})).status_code == 200
    opened = await world.command("n0001", "open", 1)
    assert opened.status_code == 200
    # Nothing changed: the answer names the version and the sequence that are there already.
    assert opened.json()["version"] == 3
    assert opened.json()["seq"] == (await world.changes()).head


async def test_missing_headers(world: World) -> None:
    world.add(notice_row(1))
    missing_key = await world.command("n0001", "take", 1, without=(HEADER_IDEMPOTENCY,))
    assert (missing_key.status_code, missing_key.json()["code"]) == (400, "idempotency_key_missing")
    missing_version = await world.command("n0001", "take", 1, without=(HEADER_VERSION,))
    assert (missing_version.status_code, missing_version.json()["code"]) == (428, "version_required")
    for header in ("Kelmu-Device", "Kelmu-Lease", "Kelmu-Organisation"):
        answer = await world.command("n0001", "take", 1, without=(header,))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (await world.command("n0001", "take", 1, without=("Authorization",))).status_code == 401
    assert (await world.command("n0001", "take", 1, If_Match="1")).status_code == 400
    assert (await world.command("n0001", "take", 1, Kelmu_Schema="2")).status_code == 426
    assert world.all(tables.memo) == []


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("note", {"text": ""}),
        ("note", {"text": "x" * 1001}),
        ("note", {}),
        ("transfer", {"municipality": "92", "reason": "x"}),
        ("transfer", {"municipality": "092", "reason": ""}),
        ("transfer", {"municipality": "092", "reason": "x" * 501}),
        ("take", {"assignee": "somebody"}),
        ("note", b"not json"),
        ("note", b"[]"),
        ("note", b"\xff"),
    ],
)
async def test_bad_bodies_are_refused_without_their_values(world: World, verb: str, body: dict[str, str]) -> None:
    world.add(notice_row(1))
    answer = await world.command("n0001", verb, 1, body=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "somebody" not in answer.text
    assert "xxx" not in answer.text
    assert world.all(tables.notice)[0]["version"] == 1
    assert world.audited() == [(f"notice.{verb}", "n0001", "invalid_request")]


async def test_whitespace_is_no_reason(world: World) -> None:
    world.add(notice_row(1))
    answer = await world.command("n0001", "transfer", 1, body={"municipality": VANTAA, "reason": "  \n "})
    assert (answer.status_code, answer.json()["rule"]) == (409, "reason_missing")


async def test_control_characters_are_replaced(world: World) -> None:
    world.add(notice_row(1))
    await world.command("n0001", "note", 1, body={"text": "a\x1b]52;c;\x07b\u202e\x00"})
    assert world.all(tables.note)[0]["text"] == "a�]52;c;�b��"


async def test_transfer_to_another_county_is_one_sequence(world: World) -> None:
    world.add(notice_row(1))
    ours, theirs = await world.changes(), await world.changes(user="bo", organisation=B)
    answer = await world.command("n0001", "transfer", 1, body=TO_VANTAA)
    assert answer.status_code == 200
    [held] = world.all(tables.notice)
    assert (held["municipality"], held["organisation"]) == (VANTAA, social_care_organiser(VANTAA).business_id)
    gone = await world.changes(ours.cursor)
    assert [(c.scope.split(":")[0], c.op) for c in gone.changes] == [("notices", "rm"), ("traces", "up")]
    assert not (await world.changes(theirs.cursor, "bo", B)).changes
    with world.database.read() as connection:
        assert len({row.seq for row in connection.execute(tables.feed.select())}) == 1


async def _send_to_b(world: World) -> None:
    world.add(notice_row(1))
    answer = await world.command("n0001", "transfer", 1, body={"municipality": "049", "reason": "Muutto Espooseen"})
    assert answer.status_code == 200


async def test_receiver_gets_the_notice_and_the_sender_keeps_a_trace(world: World) -> None:
    theirs = await world.changes(user="bo", organisation=B)
    await _send_to_b(world)
    [change] = (await world.changes(theirs.cursor, "bo", B)).changes
    row = change.row
    assert isinstance(row, NoticeRow)
    assert (row.status, row.municipality, row.transferred_from) == ("new", "049", A.business_id)
    assert row.origin is not None
    assert (row.origin.organisation, row.origin.reason) == (A.business_id, "Muutto Espooseen")
    assert row.due == notice_row(1)["due"]
    [line] = [line for line in await world.snapshot(f"traces:{A.business_id}") if line["line"] == "row"]
    trace = TraceRow.model_validate(line["row"])
    assert (trace.state, trace.to_municipality, trace.version, trace.by) == ("sent", "049", 2, "Aino")
    assert "Virta" not in str(line)
    assert (await world.get("/v1/notices/n0001")).status_code == 404
    assert (await world.get("/v1/notices/n0001", "bo", B)).status_code == 200


@pytest.mark.parametrize("verb", ["open", "take", "handle"])
async def test_take_back_is_over_when_the_receiver_begins(world: World, verb: str) -> None:
    await _send_to_b(world)
    ours = await world.changes()
    assert (await world.command("n0001", verb, 2, "bo", B)).status_code == 200
    [change] = (await world.changes(ours.cursor)).changes
    assert isinstance(change.row, TraceRow)
    assert (change.row.state, change.row.version) == ("opened", 3)
    late = Problem.model_validate_json((await world.command("n0001", "take-back", 2)).content)
    assert (late.status, late.rule) == (412, "already_opened")
    assert isinstance(late.current, TraceRow)
    known = Problem.model_validate_json((await world.command("n0001", "take-back", 3)).content)
    assert (known.status, known.rule) == (409, "already_opened")


async def test_take_back_returns_the_notice_to_the_team_that_sent_it(world: World) -> None:
    await _send_to_b(world)
    # A note of the receiver does not hinder it, and does not travel.
    await world.command("n0001", "note", 2, "bo", B, body={"text": "Vastaanottajan muistiinpano"})
    ours, theirs = await world.changes(), await world.changes(user="bo", organisation=B)
    answer = await world.command("n0001", "take-back", 2)
    assert answer.status_code == 200
    back = await world.changes(ours.cursor)
    rows = {change.scope.split(":")[0]: change.row for change in back.changes}
    assert isinstance(rows["notices"], NoticeRow)
    assert isinstance(rows["traces"], TraceRow)
    assert (rows["notices"].municipality, rows["notices"].organisation) == ("837", A.business_id)
    assert (rows["notices"].notes, rows["notices"].origin) == ([], None)
    assert rows["traces"].state == "taken_back"
    [gone] = (await world.changes(theirs.cursor, "bo", B)).changes
    assert (gone.op, gone.row) == ("rm", None)
    twice = await world.command("n0001", "take-back", 4)
    assert (twice.status_code, twice.json()["rule"]) == (409, "not_transferred")


async def test_former_holder_learns_that_it_was_transferred(world: World) -> None:
    await _send_to_b(world)
    for verb, body in (("take", {}), ("transfer", {"municipality": "049", "reason": "x"}), ("note", {"text": "x"})):
        problem = Problem.model_validate_json((await world.command("n0001", verb, 2, body=body)).content)
        assert (problem.status, problem.rule) == (409, "transferred")
        assert isinstance(problem.current, TraceRow)


async def test_transfer_inside_the_county_changes_hands_with_nobody(world: World) -> None:
    world.add(notice_row(1))
    start = await world.changes()
    await world.command("n0001", "note", 1, body={"text": "Oma"})
    answer = await world.command("n0001", "transfer", 2, body={"municipality": "536", "reason": "Muutto Nokialle"})
    assert answer.status_code == 200
    [change] = (await world.changes(start.cursor)).changes
    assert isinstance(change.row, NoticeRow)
    assert (change.row.municipality, change.row.transferred_from, len(change.row.notes)) == ("536", None, 1)
    assert world.all(tables.trace) == []


@pytest.mark.parametrize(
    ("target", "rule"), [("837", "same_recipient"), ("999", "illegal_target"), ("000", "illegal_target")]
)
async def test_illegal_targets(world: World, target: str, rule: str) -> None:
    world.add(notice_row(1))
    answer = await world.command("n0001", "transfer", 1, body={"municipality": target, "reason": "x"})
    assert (answer.status_code, answer.json()["rule"]) == (409, rule)


async def test_transferred_onwards_and_home_again(world: World) -> None:
    await _send_to_b(world)
    assert (
        await world.command("n0001", "transfer", 2, "bo", B, body={"municipality": "837", "reason": "Palautus"})
    ).status_code == 200
    states = {row["organisation"]: row["state"] for row in world.all(tables.trace)}
    assert states == {A.business_id: "opened", B.business_id: "sent"}
    row = NoticeRow.model_validate_json((await world.get("/v1/notices/n0001")).content)
    assert row.transferred_from == B.business_id
    # B thinks better of it: the notice stands with B as A had sent it.
    assert (await world.command("n0001", "take-back", 3, "bo", B)).status_code == 200
    row = NoticeRow.model_validate_json((await world.get("/v1/notices/n0001", "bo", B)).content)
    assert row.origin is not None
    assert (row.municipality, row.origin.organisation) == ("049", A.business_id)


async def test_foreign_and_missing_notices_answer_the_same(world: World) -> None:
    world.add(notice_row(1, organisation=B.business_id, municipality="049"))
    world.add(notice_row(2, published=False, arrived=world.clock.now() + timedelta(hours=1)))
    answers = []
    for notice in ("n0001", "n0002", "n0009"):
        read = await world.get(f"/v1/notices/{notice}")
        written = await world.command(notice, "take", 1)
        back = await world.command(notice, "take-back", 1)
        answers.append([{**a.json(), "request_id": None, "s": a.status_code} for a in (read, written, back)])
    assert answers[0] == answers[1] == answers[2]
    assert {answer["s"] for answer in answers[0]} == {404}


async def test_old_lease_is_never_carried_out(world: World) -> None:
    world.add(notice_row(1))
    lease = world.core.leases.issue("aino", world.clock.now())["id"]
    world.pass_by(days=89, seconds=1)
    old = await world.command("n0001", "take", 1, lease=lease)
    assert (old.status_code, old.json()["code"]) == (410, "command_expired")
    forged = await world.command("n0001", "take", 1, lease="x" * 40)
    assert forged.status_code == 410
    foreign = world.core.leases.issue("bertta", world.clock.now())["id"]
    assert (await world.command("n0001", "take", 1, lease=foreign)).status_code == 410
    assert world.all(tables.notice)[0]["version"] == 1


async def test_results_outlive_every_lease(world: World) -> None:
    world.add(notice_row(1))
    await world.command("n0001", "take", 1, key="k")
    with world.database.write() as connection:
        assert commands.forget(connection, world.clock.now() + timedelta(days=89, hours=23)) == 0
        assert commands.forget(connection, world.clock.now() + timedelta(days=90, seconds=1)) == 1


async def test_failure_half_way_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add(notice_row(1))

    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("secret value 010190-900R")

    monkeypatch.setattr("kelmu_backend.feed.record", fail)
    answer = await world.command("n0001", "take", 1, key="k")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "010190" not in answer.text
    monkeypatch.undo()
    assert world.all(tables.memo) == []
    assert world.audited() == []
    assert world.all(tables.notice)[0]["version"] == 1
    assert (await world.command("n0001", "take", 1, key="k")).status_code == 200


async def test_mandate_read_in_the_same_transaction(world: World) -> None:
    world.add(notice_row(1))
    assert (await world.command("n0001", "take", 1)).status_code == 200
    with world.database.write() as connection:
        connection.execute(update(tables.agreement).values(valid_to=world.clock.now().date() - timedelta(days=1)))
    answer = await world.command("n0001", "handle", 2)
    assert (answer.status_code, answer.json()["code"]) == (403, "mandate_missing")
    assert world.audited()[-1] == ("notice.handle", "n0001", "mandate_missing")
