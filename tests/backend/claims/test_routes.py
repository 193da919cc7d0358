"""Commands on claims over HTTP: what they do, what they answer, and what the feed tells of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, delete, update

from kelmu_backend.claims.moving import Acknowledge, Hear, Pay, Reject
from kelmu_backend.claims.record import LEFT_ALONE
from kelmu_backend.customers import making
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import account, claim, claim_editor, claim_event
from kelmu_backend.database.customer_tables import customer_row, person
from kelmu_tui.api import contract
from kelmu_tui.domain.claims.life import Rejection, Status
from tests.backend.conftest import START, TAMPERE, A, B, World, refusal
from tests.backend.customers.support import code

from .support import ACCOUNT, PAYEE, SCOPE, Claims, body, claim_id, day, euros, section_23


async def test_a_registered_claim_comes_back_as_it_was_sent(claims: Claims) -> None:
    answer = await claims.register()
    assert answer.status_code == 200, answer.text
    result = contract.CommandResult.model_validate_json(answer.content)
    assert result.version == 1
    row = await claims.row()
    assert (row.version, row.status, row.registered_at, row.registered_by) == (1, Status.REGISTERED, START, "Viewer")
    assert row.payee == contract.ClaimPayee(
        identity_code=PAYEE, family_name="Sukunimi-p1", given_names="Etunimi-p1", non_disclosure=False
    )
    assert (row.basis, row.benefit, row.first, row.last, row.amount, row.account) == (
        "client_fees_14", "national_pension_disability", day("2026-12-01"), day("2027-02-28"), euros("900.00"), ACCOUNT,
    )  # fmt: skip
    assert (row.reference, row.grounds, row.handler, row.telephone) == (
        "1232", "Hoito jatkuu.", "Viewer", "000 123 4567",
    )  # fmt: skip
    assert (row.care_first, row.care_last, row.assistance) == (day("2026-11-01"), None, None)
    assert [(event.at, event.what, event.by) for event in row.events] == [(START, "register", "Viewer")]
    assert (row.payments, row.editing, row.expires_at, row.decided_on) == ([], [], None, None)


async def test_what_the_basis_does_not_ask_for_is_not_kept(claims: Claims) -> None:
    given = section_23(care_first="2026-11-01", assistance={"decided_on": "2026-11-19"})
    await claims.made(body=given)
    row = await claims.row()
    assert row.care_first is None
    assert row.assistance == contract.AssistancePaid(
        first=day("2026-12-01"), last=day("2027-01-31"), amount=euros("600.00"), decided_on=day("2026-11-19")
    )


async def test_an_earlier_code_of_the_payee_names_the_same_person(claims: Claims) -> None:
    await claims.made(content={"payee": code(902)})
    assert (await claims.row()).payee.identity_code == PAYEE
    answer = await claims.give(1, "change", body=body(payee=code(902), reference="4569"))
    assert answer.status_code == 200, answer.text
    assert (await claims.row()).reference == "4569"


async def test_the_feed_tells_each_step_to_all_who_make_claims_and_to_nobody_else(claims: Claims) -> None:
    world = claims.world
    starts = {
        (user, organisation.business_id): (await world.changes(user=user, organisation=organisation)).cursor
        for user, organisation in (("viewer", A), ("carla", A), ("aino", A), ("bo", B))
    }
    await claims.made()
    assert (await claims.give(1, "change", body=body(amount="800.00"))).status_code == 200
    for user in ("viewer", "carla"):
        told = await world.changes(starts[user, A.business_id], user=user)
        assert SCOPE in told.granted
        (change,) = told.changes
        assert isinstance(change.row, contract.ClaimRecord)
        assert (change.scope, change.id, change.version) == (SCOPE, claim_id(1), 2)
        assert change.row.amount == euros("800.00")
    told = await world.changes(starts["aino", A.business_id], user="aino")
    assert (told.changes, SCOPE in told.granted) == ([], False)
    assert not (await world.changes(starts["bo", B.business_id], user="bo", organisation=B)).changes


async def test_a_snapshot_holds_claims_and_accounts_in_one_order(claims: Claims) -> None:
    for number in (3, 1, 2):
        await claims.made(number, content={"benefit": "guarantee_pension", "first": f"2026-12-0{number}"})
    lines = await claims.world.snapshot(SCOPE, user="viewer")
    rows = [line["row"] for line in lines if line["line"] == "row"]
    assert lines[0]["count"] == 4
    assert [row["id"] for row in rows] == [claim_id(1), claim_id(2), claim_id(3), "account-a-1"]
    assert contract.AccountRow.model_validate(rows[-1]).iban == ACCOUNT
    after = await claims.world.snapshot(SCOPE, user="viewer", after=claim_id(2))
    assert [line["row"]["id"] for line in after if line["line"] == "row"] == [claim_id(3), "account-a-1"]


async def test_reading_claims_is_audited_with_their_number(claims: Claims) -> None:
    await claims.made()
    world = claims.world
    await world.snapshot(SCOPE, user="carla")
    start = (await world.changes(user="carla")).cursor
    await claims.made(2, content={"benefit": "guarantee_pension"})
    await world.changes(start, user="carla")
    rows = [row for row in world.all(tables.audit) if row["user"] == "carla" and row["rows"] is not None]
    assert [(row["action"], row["subject"], row["rows"]) for row in rows] == [
        ("feed.snapshot", SCOPE, 1),
        ("feed.changes", None, 1),
    ]


async def test_every_command_is_audited_and_refusals_too(claims: Claims) -> None:
    await claims.made()
    await claims.give(1, "end", body={"last": "2026-12-31", "reason": "care_ended"})
    await claims.give(1, "cancel")
    assert [entry for entry in claims.world.audited() if entry[0].startswith("claim.")] == [
        ("claim.register", claim_id(1), "done"),
        ("claim.end", claim_id(1), "claim_state"),
        ("claim.cancel", claim_id(1), "done"),
    ]
    rows = claims.world.all(tables.audit)
    done = {row["mandate"] for row in rows if row["action"].startswith("claim.") and row["outcome"] == "done"}
    assert done == {"benefit_viewing_and_claims"}


# --- each verb ------------------------------------------------------------------------------------------------------


async def test_change_cancel_prolong_and_end_where_the_state_allows(claims: Claims) -> None:
    await claims.made(1)
    await claims.made(2, content={"benefit": "guarantee_pension"})
    assert (await claims.give(2, "cancel")).status_code == 200
    row = await claims.row(2)
    assert (row.status, row.version, row.expires_at) == (Status.CANCELLED, 2, START + timedelta(days=365))
    assert (await claims.give(1, "change", body=body(last="2027-03-31"))).status_code == 200
    claims.move(1, Acknowledge())
    assert (await claims.give(1, "prolong", version=3, body={"last": "2027-04-30"})).status_code == 200
    claims.move(1, Hear(day("2026-12-07")))
    assert (await claims.give(1, "prolong", version=5, body={"last": "2027-06-30"})).status_code == 200
    claims.move(1, Reject(Rejection.NO_CARE))
    row = await claims.row(1)
    assert (row.status, row.version, row.last) == (Status.REJECTED, 7, day("2027-06-30"))
    assert (row.rejection, row.decided_on, row.hearing_until) == ("no_care", START.date(), day("2026-12-07"))
    assert [event.what for event in row.events] == [
        "register", "change", "in_handling", "prolong", "hearing", "prolong", "rejected",
    ]  # fmt: skip
    assert [event.by for event in row.events] == ["Viewer", "Viewer", None, "Viewer", None, "Viewer", None]


async def test_an_end_that_lies_ahead_leaves_the_claim_in_force_until_then(claims: Claims) -> None:
    await claims.made()
    claims.in_force()
    answer = await claims.give(1, "end", version=3, body={"last": "2026-12-31", "reason": "care_ended"})
    assert answer.status_code == 200
    row = await claims.row()
    assert (row.status, row.ended_on, row.end_reason) == (Status.IN_FORCE, day("2026-12-31"), "care_ended")
    assert row.last == day("2027-02-28"), "what was claimed stays as it was"
    refused = await claims.give(1, "prolong", version=4, body={"last": "2027-03-31"})
    assert refusal(refused) == (409, "rule_refused", "claim_last_day")


async def test_an_end_that_has_passed_ends_at_once(claims: Claims) -> None:
    await claims.made()
    claims.in_force()
    claims.world.pass_by(days=60)
    answer = await claims.give(1, "end", version=3, body={"last": "2026-12-31", "reason": "care_ended"})
    assert answer.status_code == 200
    row = await claims.row()
    assert (row.status, row.ended_on) == (Status.ENDED, day("2026-12-31"))
    assert row.expires_at == claims.world.clock.now() + timedelta(days=365)


@pytest.mark.parametrize(
    ("verb", "sent", "rule"),
    [
        ("prolong", {"last": "2027-05-31"}, "claim_state"),
        ("end", {"last": "2026-12-31", "reason": "care_ended"}, "claim_state"),
        ("change", body(payee=code(905)), "claim_fixed"),
        ("change", body(basis="social_assistance_23"), "claim_fixed"),
        ("change", body(account="FI1590005555500004"), "claim_account"),
    ],
)
async def test_a_refused_command_answers_its_rule_and_the_present_claim(
    claims: Claims, verb: str, sent: dict[str, Any], rule: str
) -> None:
    await claims.made()
    answer = await claims.give(1, verb, body=sent)
    assert refusal(answer) == (409, "rule_refused", rule)
    current = contract.Problem.model_validate_json(answer.content).current
    assert isinstance(current, contract.ClaimRecord)
    assert (current.id, current.version) == (claim_id(1), 1)
    assert claims.stored()["version"] == 1
    assert len(claims.world.all(claim_event)) == 1


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ({"last": "2026-12-31", "reason": "bored"}, "claim_end_reason"),
        ({"last": "2026-11-30", "reason": "care_ended"}, "claim_last_day"),
        ({"last": "2027-03-01", "reason": "care_ended"}, "claim_last_day"),
        ({"last": "9999-12-31", "reason": "care_ended"}, "claim_last_day"),
    ],
)
async def test_an_end_that_cannot_be_is_refused(claims: Claims, sent: dict[str, Any], rule: str) -> None:
    await claims.made()
    claims.in_force()
    assert refusal(await claims.give(1, "end", version=3, body=sent)) == (409, "rule_refused", rule)


async def test_an_open_claim_cannot_end_in_another_age(claims: Claims) -> None:
    await claims.made(content={"last": None})
    claims.in_force()
    answer = await claims.give(1, "end", version=3, body={"last": "9999-12-01", "reason": "care_ended"})
    assert refusal(answer) == (409, "rule_refused", "claim_last_day")


async def test_a_change_tells_nobody_whether_somebody_has_a_code(claims: Claims) -> None:
    claims.people.add("p2", code(905))
    await claims.made()
    answers = [await claims.give(1, "change", body=body(payee=code(number))) for number in (905, 906)]
    assert {refusal(answer) for answer in answers} == {(409, "rule_refused", "claim_fixed")}


async def test_what_is_over_or_has_no_account_any_more_is_not_prolonged(claims: Claims) -> None:
    await claims.made(1)
    await claims.made(2)
    for number in (1, 2):
        claims.in_force(number)
    with claims.world.database.write() as connection:
        connection.execute(delete(account))
    answer = await claims.give(1, "prolong", version=3, body={"last": "2027-05-31"})
    assert refusal(answer) == (409, "rule_refused", "claim_account")
    claims.world.pass_by(days=120)
    answer = await claims.give(2, "prolong", version=3, body={"last": "2027-05-31"})
    assert refusal(answer) == (409, "rule_refused", "claim_state")


# --- versions and repetition ----------------------------------------------------------------------------------------


async def test_whoever_comes_second_learns_the_present_claim_and_the_rule(claims: Claims) -> None:
    await claims.made()
    claims.move(1, Acknowledge())
    answer = await claims.give(1, "change", version=1, body=body(amount="1.00"))
    assert refusal(answer) == (412, "version_conflict", "claim_state")
    current = contract.Problem.model_validate_json(answer.content).current
    assert isinstance(current, contract.ClaimRecord)
    assert (current.status, current.version) == (Status.IN_HANDLING, 2)
    claims.move(1, Hear(day("2026-12-07")))
    answer = await claims.give(1, "prolong", version=2, body={"last": "2027-05-31"})
    assert refusal(answer) == (412, "version_conflict", None)


async def test_the_same_command_twice_has_one_effect_and_one_answer(claims: Claims) -> None:
    first = await claims.register(key="one")
    again = await claims.register(key="one")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    other = await claims.register(key="one", content={"amount": "1.00"})
    assert refusal(other) == (422, "idempotency_key_reused", None)
    taken = await claims.register(key="two")
    assert refusal(taken) == (409, "rule_refused", "claim_registered")
    assert len(claims.world.all(claim)) == 1
    assert len(claims.world.all(claim_event)) == 1


async def test_a_change_that_changes_nothing_keeps_the_version(claims: Claims) -> None:
    registered = contract.CommandResult.model_validate_json((await claims.register()).content)
    answer = await claims.give(1, "change", body=body())
    assert contract.CommandResult.model_validate_json(answer.content) == registered
    assert len(claims.world.all(claim_event)) == 1


async def test_an_id_of_others_is_taken_and_tells_nothing(claims: Claims) -> None:
    await claims.made()
    claims.people.notice(PAYEE, B)
    answer = await claims.give(
        1, "register", "bo", B, version=None, body=body(account="FI1590005555500004"), key="from-b"
    )
    assert refusal(answer) == (409, "rule_refused", "claim_registered")
    assert contract.Problem.model_validate_json(answer.content).current is None
    for verb, sent in (("cancel", None), ("change", body())):
        assert refusal(await claims.give(1, verb, "bo", B, body=sent)) == (404, "not_found", None)
    assert refusal(await claims.give(7, "cancel")) == (404, "not_found", None)


async def test_a_command_needs_its_headers_and_a_body_that_can_be_read(claims: Claims) -> None:
    assert (await claims.register(without=(contract.HEADER_IDEMPOTENCY,))).status_code == 400
    await claims.made()
    assert (await claims.give(1, "cancel", without=(contract.HEADER_VERSION,))).status_code == 428
    for sent in (b"", b"{", json.dumps({"last": 5}).encode(), json.dumps({"last": None, "more": 1}).encode()):
        answer = await claims.give(1, "prolong", body=sent if sent else b"x")
        assert answer.status_code == 422
    answer = await claims.register(2, body={**body(), "amount": "1.001"})
    assert answer.status_code == 422
    assert "1.001" not in answer.text


# --- mandates -------------------------------------------------------------------------------------------------------


async def test_who_has_no_right_cannot_even_ask(claims: Claims) -> None:
    await claims.made()
    for user, organisation, code_ in (
        ("aino", A, "mandate_missing"),  # handles notices only
        ("lookalike", A, "mandate_missing"),  # picked the wrong mandate
        ("bertta", TAMPERE, "mandate_missing"),  # a municipality makes no claims
        ("nobody", A, "organisation_not_allowed"),
        ("viewer", B, "organisation_not_allowed"),
    ):
        for verb, sent in (("register", body()), ("change", body()), ("cancel", None)):
            answer = await claims.give(1, verb, user, organisation, body=sent)
            assert (answer.status_code, json.loads(answer.content)["code"]) == (403, code_), (user, verb)
        headers = claims.world.headers(user, organisation)
        path = f"/v1/claims/{claim_id(1)}/editing"
        editing = await claims.world.client.post(path, content=b'{"on": true}', headers=headers)
        assert editing.status_code == 403
        scope = f"claims:{organisation.business_id}"
        snapshot = await claims.world.get("/v1/snapshot", user, organisation, scope=scope)
        assert snapshot.status_code in (403, 404)
    assert claims.stored()["version"] == 1


async def test_a_lost_mandate_takes_the_scope_away(claims: Claims) -> None:
    await claims.made()
    start = (await claims.world.changes(user="viewer")).cursor
    claims.people.grant("viewer")
    claims.people.grant("viewer", *[])
    answer = await claims.world.get("/v1/changes", "viewer", cursor=start)
    assert answer.status_code == 403
    assert (await claims.give(1, "cancel")).status_code == 403


# --- who is changing it ---------------------------------------------------------------------------------------------


async def _editing(world: World, user: str, *, on: bool, number: int = 1) -> int:
    headers = world.headers(user)
    path = f"/v1/claims/{claim_id(number)}/editing"
    return (await world.client.post(path, content=json.dumps({"on": on}), headers=headers)).status_code


async def test_two_on_one_claim_see_each_other(claims: Claims) -> None:
    world = claims.world
    await claims.made()
    start = (await world.changes(user="carla")).cursor
    assert await _editing(world, "viewer", on=True) == 200
    (change,) = (await world.changes(start, user="carla")).changes
    assert isinstance(change.row, contract.ClaimRecord)
    (editor,) = change.row.editing
    assert (editor.user, editor.name, editor.until) == ("viewer", "Viewer", START + timedelta(minutes=2))
    assert change.row.version == 1  # nothing depends on it: commands given meanwhile fit
    world.clock.pass_by(seconds=60)
    assert await _editing(world, "viewer", on=True) == 200
    assert await _editing(world, "carla", on=True) == 200
    assert [editor.user for editor in (await claims.row()).editing] == ["carla", "viewer"]
    assert (await claims.row()).editing[1].until == START + timedelta(minutes=3)
    assert await _editing(world, "carla", on=False) == 200
    assert (await claims.give(1, "change", body=body(amount="5.00"))).status_code == 200
    assert (await claims.row()).editing == []
    assert world.all(claim_editor) == []


async def test_editing_what_is_not_there_is_not_found(claims: Claims) -> None:
    assert await _editing(claims.world, "viewer", on=True) == 404
    assert claims.world.audited()[-1] == ("claim.editing", None, "not_found")


# --- the payee's file -----------------------------------------------------------------------------------------------


async def test_the_claim_stands_in_the_payees_file_as_it_goes_on(claims: Claims) -> None:
    def in_file() -> list[tuple[str, str | None]]:
        rows = [row["body"] for row in claims.world.all(customer_row) if row["section"] == "claims"]
        return [(contract.ClaimRow.model_validate(one).status, one["period_to"]) for one in rows]

    await claims.made()
    assert in_file() == [("received", "2027-02-28")]
    claims.in_force()
    assert in_file() == [("in_force", "2027-02-28")]
    claims.move(1, Pay(day("2026-12-07"), euros("900.00")))
    await claims.made(2, content={"benefit": "guarantee_pension"})
    assert len(in_file()) == 2
    assert (await claims.give(2, "cancel")).status_code == 200
    assert in_file() == [("in_force", "2027-02-28")]


@pytest.mark.parametrize("ended", [False, True])
async def test_what_is_made_of_a_payee_stands_before_their_claim_changes(
    claims: Claims, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    """Of a claim that comes with the payee's rows, the row is there when a command changes it: it is not made twice."""
    identifier = await claims.made()
    if ended:
        claims.in_force()
    world = claims.world
    (row,) = world.all(customer_row)
    with world.database.write() as connection:  # as a claim of the population stands before anybody looks
        connection.execute(delete(customer_row))
        connection.execute(update(person).values(filled=None))

    def maker(someone: Row[Any], household: Sequence[Row[Any]], today: date) -> list[dict[str, Any]]:
        del household, today
        names = ("person", "section", "id", "benefit", "day", "body")
        return [{name: row[name] for name in names}] if someone.id == row["person"] else []

    configured = replace(world.config, maker=maker)
    monkeypatch.setattr(world.core, "config", configured)
    sent = {"last": "2026-12-31", "reason": "care_ended"}
    answer = await (claims.give(1, "end", version=3, body=sent) if ended else claims.give(1, "cancel"))
    assert answer.status_code == 200, answer.text
    with world.database.write() as connection:
        assert making.fill(connection, maker, row["person"], world.clock.now()) is False
    found = [one["id"] for one in world.all(customer_row)]
    assert found == ([identifier] if ended else [])


async def test_kela_lets_a_claim_lie_for_a_while(claims: Claims) -> None:
    await claims.made()
    assert claims.stored()["next_at"] == START + LEFT_ALONE
    claims.world.clock.pass_by(seconds=30)
    assert (await claims.give(1, "change", body=body(amount="5.00"))).status_code == 200
    assert claims.stored()["next_at"] == claims.world.clock.now() + LEFT_ALONE
    assert (await claims.give(1, "cancel", version=2)).status_code == 200
    assert claims.stored()["next_at"] is None
