"""A look-up as a whole: who is found, what refuses, what is logged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text, update

from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import look_up
from kelmu_backend.identity import keys
from kelmu_tui.api.contract import PersonWarning, SectionState
from kelmu_tui.domain.sections import Section
from tests.backend.conftest import A, B, refusal, serve

from .support import PURPOSE, REASON, Register, code, lines

CODE = code()
OTHER = code(901)


async def test_a_customer_is_told_whole(register: Register) -> None:
    register.add("p1", CODE)
    pending = {
        "id": "r1",
        "benefit": "sickness_allowance",
        "kind": "application",
        "received": "2026-10-01",
        "stage": "in_handling",
        "missing": ["Liite"],
        "office": "Tampere",
    }
    register.rows("p1", Section.PENDING, pending)
    answer = await register.ask(CODE, case_reference="S-1/2026")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    first, sections = lines(answer)
    person = first.person
    assert (person.customer, person.identity_code, person.family_name) == ("p1", CODE, "Sukunimi-p1")
    assert (person.address, person.telephone, person.home_municipality) == ("Katu-p1", "0400-p1", "837")
    assert (person.earlier_codes, person.warnings, person.household, first.hidden_fields) == ([], [], [], [])
    assert first.fetched_at == register.world.clock.now()
    assert first.expires_at == register.world.clock.now() + timedelta(hours=12)
    assert list(sections) == list(Section) or set(sections) == set(Section)
    assert sections[Section.PENDING].pending[0].model_dump(mode="json") == pending
    assert sections[Section.PENDING].source_at == register.world.clock.now()
    assert {line.state for section, line in sections.items() if section is not Section.PENDING} == {SectionState.NONE}
    [row] = register.world.all(look_up)
    assert row["id"] == first.query
    assert (row["user"], row["organisation"], row["mandate"]) == ("viewer", A.business_id, "benefit_viewing_and_claims")
    assert (row["person"], row["purpose"], row["case_reference"], row["reason"]) == ("p1", PURPOSE, "S-1/2026", None)
    assert (row["sections"], row["flags"], row["outcome"]) == ([section.value for section in Section], [], "done")
    assert CODE not in str(row)
    [audited] = [one for one in register.world.all(tables.audit) if one["action"] == "customer.look_up"]
    assert (audited["subject"], audited["purpose"], audited["case_reference"]) == ("p1", PURPOSE, "S-1/2026")
    assert audited["request_id"] == row["request_id"] == answer.headers["Kelmu-Request-Id"]


async def test_sections_are_answered_as_asked_for_each_once(register: Register) -> None:
    register.add("p1", CODE)
    _, none = lines(await register.ask(CODE, sections=[]))
    assert none == {}
    _, some = lines(await register.ask(CODE, sections=["medicine", "pending", "medicine"]))
    assert set(some) == {Section.MEDICINE, Section.PENDING}
    assert [row["sections"] for row in register.world.all(look_up)] == [[], ["medicine", "pending"]]


async def test_an_earlier_code_finds_the_person_and_the_others_stay_untold(register: Register) -> None:
    first, second = code(902), code(903)
    register.add("p1", CODE, first, second)
    line, _ = lines(await register.ask(first))
    assert (line.person.identity_code, line.person.earlier_codes) == (CODE, [first])
    assert line.person.warnings == [PersonWarning.CODE_CHANGED]
    now, _ = lines(await register.ask(CODE))
    assert (now.person.earlier_codes, now.person.warnings) == ([], [])


async def test_what_has_to_be_seen_first_stands_in_the_warnings(register: Register) -> None:
    register.add(
        "p1",
        CODE,
        died=date(2026, 1, 2),
        guardian="Edunvalvoja",
        interpreter_language="so",
        non_disclosure=True,
    )
    line, _ = lines(await register.ask(CODE))
    assert set(line.person.warnings) == set(PersonWarning) - {PersonWarning.CODE_CHANGED}
    assert (line.person.died, line.person.guardian) == (date(2026, 1, 2), "Edunvalvoja")
    assert (line.person.address, line.person.telephone, line.person.home_municipality) == (None, None, None)
    assert line.hidden_fields == ["address", "home_municipality", "telephone"]


# --- the household --------------------------------------------------------------------------------------------------


async def test_the_household_comes_with_a_purpose_that_covers_it(register: Register) -> None:
    register.add("p1", CODE, household="h")
    spouse = register.add("p2", code(904, date(1992, 5, 5)), noticed=False, household="h")
    register.add("p3", code(905, date(2015, 6, 6), "A"), noticed=False, household="h")
    line, _ = lines(await register.ask(CODE, sections=[]))
    told = {member.customer: (member.relation, member.masked_code) for member in line.person.household}
    assert told["p2"] == ("spouse", f"******-*{spouse[8:]}")
    assert told["p3"][0] == "child"
    assert spouse not in line.model_dump_json()
    alone, _ = lines(await register.ask(CODE, purpose="client_fee", sections=[]))
    assert alone.person.household == []
    child, _ = lines(await register.ask(customer="p3", sections=[]))
    assert {member.customer: member.relation for member in child.person.household} == {"p1": "parent", "p2": "parent"}
    assert register.logged() == [("done", "p1", []), ("done", "p1", []), ("done", "p3", [])]


async def test_nobody_under_an_order_is_told_as_a_member_of_a_household_with_an_address(register: Register) -> None:
    register.add("p1", CODE, household="h")
    register.add("p2", OTHER, household="h", non_disclosure=True)
    for asked in (CODE, OTHER):
        answer = await register.ask(asked, sections=[])
        line, _ = lines(answer)
        assert line.person.household == []
    assert refusal(await register.ask(customer="p2", purpose="client_fee", user="colleague", reason=REASON))[0] == 404
    register.change("p1", non_disclosure=True)
    line, _ = lines(await register.ask(CODE, sections=[]))
    assert [member.customer for member in line.person.household] == ["p2"]
    assert line.person.address is None


async def test_an_id_opens_only_what_the_user_has_met(register: Register) -> None:
    register.add("p1", CODE, household="h")
    register.add("p2", OTHER, household="h")
    for asked in ("p1", "p2", "nobody"):
        assert refusal(await register.ask(customer=asked, reason=REASON)) == (404, "not_found", None)
    lines(await register.ask(CODE, sections=[]))
    lines(await register.ask(customer="p1", purpose="client_fee", sections=[]))
    assert refusal(await register.ask(customer="p2", purpose="client_fee", reason=REASON))[0] == 404, (
        "not a purpose for a household"
    )
    assert refusal(await register.ask(customer="p1", user="colleague", reason=REASON))[0] == 404, (
        "somebody else met them"
    )
    lines(await register.ask(customer="p2", sections=[]))
    register.world.pass_by(days=91)
    assert refusal(await register.ask(customer="p1", reason=REASON))[0] == 404, "that was long ago"


# --- what refuses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("010190-900", "format"),
        ("010190-900RR", "format"),
        (" 10190-900R", "format"),
        ("010190-900r", "format"),
        ("310290-900R", "date"),
        ("010130A900R", "future"),
        ("010190-001R", "individual"),
        ("010190-9009", "check"),
        ("01019\u0000-900R", "format"),
    ],
)
async def test_a_wrong_code_is_told_by_its_rule_alone(register: Register, wrong: str, rule: str) -> None:
    answer = await register.ask(wrong)
    assert refusal(answer) == (422, "customer_code_invalid", rule)
    assert wrong not in answer.text
    assert "900" not in answer.text.replace(str(answer.headers["Kelmu-Request-Id"]), "")
    assert all(row["person"] is None and row["code_mark"] is None for row in register.world.all(look_up))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"purpose":"social_work"}',
        b'{"purpose":"social_work","identity_code":"010190-900R","customer":"p1"}',
        b'{"purpose":"social_work","customer":"p1","case_reference":"<script>"}',
        b'{"purpose":"social_work","customer":"p1","sections":["everything"]}',
        b'{"purpose":"social_work","customer":"p1","more":1}',
    ],
)
async def test_what_is_no_query_is_refused_without_a_trace_of_it(register: Register, body: bytes) -> None:
    headers = register.world.headers("viewer")
    answer = await register.world.client.post("/v1/customer-queries", content=body, headers=headers)
    assert refusal(answer)[:2] == (422, "invalid_request")
    assert "010190" not in answer.text
    assert register.world.all(look_up) == []


async def test_the_purpose_must_be_one_of_the_organisation_s_type(register: Register) -> None:
    register.add("p1", CODE)
    for purpose in ("reception_allowance", "employment_services", "curiosity", "x" * 80):
        assert refusal(await register.ask(CODE, purpose=purpose)) == (422, "purpose_not_allowed", None)
    told = [(row["outcome"], row["purpose"], row["person"]) for row in register.world.all(look_up)]
    refused = "purpose_not_allowed"
    assert told[:2] == [(refused, "reception_allowance", None), (refused, "employment_services", None)]
    assert told[2:] == [(refused, None, None)] * 2


async def test_without_the_mandate_nothing_is_asked(register: Register) -> None:
    register.add("p1", CODE)
    assert refusal(await register.ask(CODE, user="aino")) == (403, "mandate_missing", None)
    assert refusal(await register.ask(CODE, organisation=B)) == (403, "organisation_not_allowed", None)
    assert register.world.all(look_up) == []
    audited = [(row["user"], row["outcome"]) for row in register.world.all(tables.audit) if "look_up" in row["action"]]
    assert audited == [("aino", "mandate_missing"), ("viewer", "organisation_not_allowed")]


def _self(register: Register, text_: str) -> None:
    with register.world.database.write() as connection:
        connection.execute(update(tables.app_user).where(tables.app_user.c.id == "viewer").values(identity_code=text_))


@pytest.mark.parametrize(
    ("case", "rule", "flags"),
    [
        ("self", "self", ["self"]),
        ("self_by_an_earlier_code", "self", ["self"]),
        ("self_unrelated", "self", ["self", "unrelated"]),
        ("family_name", "family_name", ["family_name"]),
        ("family_name_unrelated", "unrelated", ["family_name", "unrelated"]),
        ("unrelated", "unrelated", ["unrelated"]),
        ("elsewhere", "unrelated", ["unrelated"]),
        ("unpublished", "unrelated", ["unrelated"]),
        ("purpose", "purpose", []),
    ],
)
async def test_a_reason_is_asked_for_and_then_it_is_answered_and_flagged(
    register: Register, case: str, rule: str, flags: list[str]
) -> None:
    names = {"family_name": "VIEWER"} if case.startswith("family_name") else {}
    register.add(
        "p1", CODE, OTHER, noticed=case in ("self", "self_by_an_earlier_code", "family_name", "purpose"), **names
    )
    if case.startswith("self"):
        _self(register, OTHER if case == "self_by_an_earlier_code" else CODE)
    if case == "elsewhere":
        register.notice(CODE, B)
    if case == "unpublished":
        register.notice(CODE, published=False)
    query: dict[str, Any] = {"purpose": "other"} if case == "purpose" else {}
    assert refusal(await register.ask(CODE, **query)) == (422, "reason_needed", rule)
    assert refusal(await register.ask(CODE, reason=" ... ", **query)) == (422, "reason_needed", rule)
    line, _ = lines(await register.ask(CODE, reason=REASON, **query))
    assert line.person.customer == "p1"
    logged = register.logged()
    assert (logged[0], logged[-1]) == (("reason_needed", "p1", flags), ("done", "p1", flags))
    assert register.world.all(look_up)[-1]["reason"] == REASON


async def test_a_notice_about_an_earlier_code_relates_too(register: Register) -> None:
    register.add("p1", CODE, OTHER, noticed=False)
    register.notice(OTHER)
    lines(await register.ask(CODE))


async def test_a_notice_about_one_of_the_household_relates_the_others(register: Register) -> None:
    register.add("p1", CODE, household="h")
    register.add("p2", OTHER, household="h", noticed=False)
    lines(await register.ask(OTHER))
    assert refusal(await register.ask(OTHER, purpose="client_fee")) == (422, "reason_needed", "unrelated")


async def test_whether_there_is_anybody_is_told_to_nobody_without_a_reason(register: Register) -> None:
    register.add("p1", CODE, noticed=False, family_name="Viewer")
    known, unknown = await register.ask(CODE), await register.ask(OTHER)
    assert refusal(known) == refusal(unknown) == (422, "reason_needed", "unrelated")
    history = (await register.world.get("/v1/look-ups", "viewer")).json()["look_ups"]
    assert [(row["customer"], row["masked_code"], row["outcome"]) for row in history] == [
        (None, None, "reason_needed")
    ] * 2


async def test_the_unknown_and_those_outside_are_answered_alike_with_the_same_work(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.add("p1", CODE, household="h")
    register.add("p2", code(904), household="h")
    statements: list[str] = []
    answers, work = [], []
    for engine in {id(e): e for e in (register.world.database._writer, register.world.database._reader)}.values():
        event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2].split("IN (")[0]))
    register.world.headers("viewer")
    for asked, customer in ((OTHER, None), (None, "nobody"), (None, "p1")):
        statements.clear()
        answer = await register.ask(asked, customer=customer, reason=REASON)
        body = answer.json() | {"request_id": None}
        answers.append((answer.status_code, body, sorted(set(answer.headers) - {"content-length"})))
        work.append(len(statements))
    assert answers[0] == answers[1] == answers[2]
    assert (answers[0][0], answers[0][1]["code"]) == (404, "not_found")
    assert work[1] == work[2], "those outside and the unknown cost the same"
    assert work[0] == work[1] + 1, "a code is held against its neighbours too"
    for asked in ("nobody", "p1"):
        assert refusal(await register.ask(customer=asked)) == (422, "reason_needed", "unrelated")
    assert [row["person"] for row in register.world.all(look_up)] == [None] * 5


# --- the log --------------------------------------------------------------------------------------------------------


async def test_every_answer_has_its_two_rows(register: Register) -> None:
    register.add("p1", CODE)
    register.add("p2", OTHER, noticed=False)
    await register.ask(CODE)
    await register.ask(OTHER)
    await register.ask(OTHER, reason=REASON)
    await register.ask(code(910), reason=REASON)
    await register.ask("010190-9009")
    await register.ask(CODE, purpose="curiosity")
    await register.ask(customer="p1")
    outcomes = ["done", "reason_needed", "done", "not_found", "customer_code_invalid", "purpose_not_allowed", "done"]
    rows = register.world.all(look_up)
    audited = [row for row in register.world.all(tables.audit) if row["action"] == "customer.look_up"]
    assert [row["outcome"] for row in rows] == [row["outcome"] for row in audited] == outcomes
    for row, one in zip(rows, audited, strict=True):
        assert (row["person"], row["request_id"], row["at"]) == (one["subject"], one["request_id"], one["at"])
        assert one["rows"] == (1 if row["outcome"] == "done" else None)


@pytest.mark.parametrize("table", ["look_up", "audit"])
async def test_what_cannot_be_logged_is_not_answered(register: Register, table: str) -> None:
    register.add("p1", CODE)
    register.world.headers("viewer")
    with register.world.database.write() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME COLUMN case_reference TO gone"))
    for asked in (CODE, OTHER):
        answer = await register.ask(asked)
        assert refusal(answer) == (500, "internal", None)
        assert "p1" not in answer.text
    with register.world.database.write() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME COLUMN gone TO case_reference"))
    assert register.world.all(look_up) == []


async def test_production_takes_no_artificial_people(register: Register, tmp_path: Path) -> None:
    register.add("p1", CODE)
    clock = register.world.clock
    keys.create(tmp_path / "real", clock.now())
    async with serve(replace(register.world.config, demo=False, secret_folder=tmp_path / "real"), clock) as world:
        answer = await Register(world, register.gate).ask(CODE)
    assert refusal(answer) == (422, "customer_code_invalid", "artificial")
