"""The log of look-ups: one's own, and what supervisors may do with it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from kelmu_backend.customers.journal import PAGE
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import look_up
from kelmu_tui.api import contract
from kelmu_tui.api.contract import LookUpFlag
from tests.backend.conftest import A, B, World, refusal

from .support import PURPOSE, REASON, Register, code, lines

CODE = code()
OTHER = code(901)
WHY: dict[str, Any] = {"purpose": "monitoring"}


async def _post(world: World, what: str, user: str = "chief", **body: Any) -> httpx.Response:
    return await world.client.post(f"/v1/audit/{what}", content=json.dumps(body), headers=world.headers(user))


def _log(register: Register, *rows: dict[str, Any]) -> None:
    """Write look-ups for A into the log, one a minute."""
    start = len(register.world.all(look_up))
    values = [
        {
            "id": f"l{start + n:04d}",
            "at": register.world.clock.now(),
            "user": "viewer",
            "organisation": A.business_id,
            "person": None,
            "purpose": PURPOSE,
            "sections": [],
            "flags": [],
            "outcome": "done",
        }
        | row
        for n, row in enumerate(rows)
    ]
    with register.world.database.write() as connection:
        connection.execute(insert(look_up), values)


def _query(cursor: str | None) -> dict[str, Any]:
    return {} if cursor is None else {"cursor": cursor}


async def _search(register: Register, **query: Any) -> contract.AuditedLookUps:
    headers = register.world.headers("chief")
    answer = await register.world.client.get("/v1/audit/look-ups", params=WHY | query, headers=headers)
    assert answer.status_code == 200, answer.text
    return contract.AuditedLookUps.model_validate_json(answer.content)


# --- one's own ------------------------------------------------------------------------------------------------------


async def test_the_own_history_has_what_one_asked_for_this_organisation_the_newest_first(register: Register) -> None:
    register.add("p1", CODE)
    lines(await register.ask(CODE, case_reference="S-1", sections=["pending"]))
    await register.ask(CODE, user="colleague")
    await register.ask(code(950), reason=REASON)
    _log(register, {"organisation": B.business_id})
    answer = await register.world.get("/v1/look-ups", "viewer")
    found = contract.LookUps.model_validate_json(answer.content)
    assert found.next is None
    newest, oldest = found.look_ups
    assert (newest.outcome, newest.customer, newest.masked_code, newest.reason) == ("not_found", None, None, REASON)
    assert (oldest.outcome, oldest.customer, oldest.masked_code) == ("done", "p1", f"******-*{CODE[8:]}")
    assert (oldest.purpose, oldest.case_reference, oldest.sections) == (PURPOSE, "S-1", ["pending"])
    assert CODE not in answer.text
    [audited] = [row for row in register.world.all(tables.audit) if row["action"] == "look_ups.own"]
    assert (audited["user"], audited["rows"]) == ("viewer", 2)


async def test_pages_follow_each_other_without_gap_or_repetition(register: Register) -> None:
    _log(register, *({} for _ in range(2 * PAGE + 1)))
    ids: list[str] = []
    cursor: str | None = None
    for page in range(3):
        answer = await register.world.get("/v1/look-ups", "viewer", **_query(cursor))
        found = contract.LookUps.model_validate_json(answer.content)
        ids += [row.id for row in found.look_ups]
        cursor = found.next
        assert (cursor is None) == (page == 2)
        _log(register, {})  # what comes in between moves nothing
    assert ids == [f"l{n:04d}" for n in reversed(range(2 * PAGE + 1))]


async def test_a_cursor_serves_whoever_got_it_where_they_got_it(register: Register) -> None:
    _log(register, *({} for _ in range(PAGE + 1)))
    cursor = (await register.world.get("/v1/look-ups", "viewer")).json()["next"]
    for path, user, given in (
        ("/v1/look-ups", "colleague", cursor),
        ("/v1/audit/look-ups", "chief", cursor),
        ("/v1/look-ups", "viewer", "x"),
        ("/v1/look-ups", "viewer", cursor[:-2]),
    ):
        answer = await register.world.get(path, user, cursor=given, **WHY)
        assert refusal(answer)[:2] == (400, "invalid_request")


# --- supervisors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["viewer", "aino", "boss"])
async def test_others_than_the_organisation_s_supervisors_are_refused(register: Register, user: str) -> None:
    register.add("p1", CODE)
    lines(await register.ask(CODE))
    days = {"since": "2026-11-01", "until": "2026-11-30"}
    answers = [
        await register.world.get("/v1/audit/look-ups", user, **WHY),
        await _post(register.world, "samples", user, **WHY, size=5, **days),
        await _post(register.world, "extracts", user, **WHY, identity_code=CODE),
    ]
    for answer in answers:
        assert refusal(answer)[0] == 403
        assert "p1" not in answer.text
    audited = [row for row in register.world.all(tables.audit) if row["action"].startswith("audit.")]
    assert [row["action"] for row in audited] == ["audit.look_ups", "audit.sample", "audit.extract"]
    assert {row["outcome"] for row in audited} <= {"mandate_missing", "organisation_not_allowed"}


async def test_a_supervisor_searches_the_own_organisation_and_is_logged(register: Register) -> None:
    register.add("p1", CODE)
    register.add("p2", OTHER, noticed=False)
    register.notice(CODE, B)
    first, _ = lines(await register.ask(CODE, case_reference="S-1"))
    lines(await register.ask(OTHER, user="colleague", reason=REASON))
    lines(await register.ask(CODE, user="boss", organisation=B))
    everything = await _search(register)
    assert [(row.user, row.customer, row.outcome) for row in everything.look_ups] == [
        ("colleague", "p2", "done"),
        ("viewer", "p1", "done"),
    ]
    row = everything.look_ups[1]
    assert (row.id, row.user_name, row.mandate) == (first.query, "Viewer", "benefit_viewing_and_claims")
    assert (row.case_reference, row.flags) == ("S-1", [])
    assert everything.look_ups[0].flags == [LookUpFlag.UNRELATED]
    by: dict[str, Any]
    for by, users in (
        ({"user": "viewer"}, ["viewer"]),
        ({"customer": "p2"}, ["colleague"]),
        ({"customer": "p2", "user": "viewer"}, []),
        ({"flag": "unrelated"}, ["colleague"]),
        ({"flag": ["self", "unrelated"]}, ["colleague"]),
        ({"flag": "self"}, []),
        ({"until": "2026-11-22"}, []),
        ({"since": "2026-11-23", "until": "2026-11-23"}, ["colleague", "viewer"]),
        ({"since": "2026-11-24"}, []),
        ({"since": "0001-01-01", "until": "9999-12-31"}, ["colleague", "viewer"]),
    ):
        assert [row.user for row in (await _search(register, **by)).look_ups] == users, by
    audited = [row for row in register.world.all(tables.audit) if row["action"] == "audit.look_ups"]
    assert [row["subject"] for row in audited[:4]] == [None, "user:viewer", "p2", "p2"]
    assert {(row["user"], row["organisation"], row["purpose"]) for row in audited} == {
        ("chief", A.business_id, "monitoring")
    }
    assert [row["rows"] for row in audited[:2]] == [2, 1]


async def test_a_day_is_a_finnish_one(register: Register) -> None:
    for at in (datetime(2026, 11, 22, 21, 59, tzinfo=UTC), datetime(2026, 11, 22, 22, 0, tzinfo=UTC)):
        _log(register, {"at": at, "user": at.isoformat()})
    found = await _search(register, since="2026-11-23", until="2026-11-23")
    assert [row.user for row in found.look_ups] == ["2026-11-22T22:00:00+00:00"]


async def test_a_search_goes_on_behind_its_page(register: Register) -> None:
    _log(register, *({"user": f"u{n % 2}"} for n in range(3 * PAGE)))
    first = await _search(register, user="u1")
    second = await _search(register, user="u1", cursor=first.next)
    numbers = [int(row.id[1:]) for row in (*first.look_ups, *second.look_ups)]
    assert numbers == [n for n in reversed(range(3 * PAGE)) if n % 2]


@pytest.mark.parametrize("query", [{}, {"purpose": "curiosity"}, {**WHY, "flag": "x"}, {**WHY, "since": "today"}])
async def test_without_a_purpose_there_is_no_search(register: Register, query: dict[str, Any]) -> None:
    answer = await register.world.get("/v1/audit/look-ups", "chief", **query)
    assert refusal(answer)[:2] == (422, "invalid_request")


async def test_a_sample_is_drawn_by_chance_and_can_be_drawn_again(register: Register) -> None:
    _log(register, *({"flags": ["self"] if n % 4 == 0 else []} for n in range(80)), {"organisation": B.business_id})
    days = {"since": "2026-11-23", "until": "2026-11-23"}

    async def draw(**more: Any) -> contract.Sample:
        answer = await _post(register.world, "samples", **WHY, **(days | more))
        assert answer.status_code == 200, answer.text
        return contract.Sample.model_validate_json(answer.content)

    first = await draw(size=10)
    again = await draw(size=10, seed=first.seed)
    assert (first.drawn_from, len({row.id for row in first.look_ups})) == (80, 10)
    assert again == first
    samples = [await draw(size=10, seed=seed) for seed in range(60)]
    counted = Counter(row.id for sample in samples for row in sample.look_ups)
    assert len(counted) == 80, "everything has its chance"
    assert max(counted.values()) < 30
    assert {tuple(row.flags) for row in (await draw(size=200, flags=["self"])).look_ups} == {(LookUpFlag.SELF,)}
    assert (await draw(size=5, since="2026-11-24", until="2026-12-24")).look_ups == []
    audited = [row for row in register.world.all(tables.audit) if row["action"] == "audit.sample"]
    assert (audited[0]["subject"], audited[0]["rows"], audited[0]["purpose"]) == (
        f"seed:{first.seed}",
        10,
        "monitoring",
    )


async def test_an_extract_tells_who_looked_when_and_why_in_the_own_organisation(register: Register) -> None:
    earlier = code(902)
    register.add("p1", CODE, earlier)
    register.notice(CODE, B)
    lines(await register.ask(CODE, case_reference="S-1"))
    register.world.pass_by(days=3)
    lines(await register.ask(CODE, user="colleague", purpose="other", reason=REASON))
    lines(await register.ask(CODE, user="boss", organisation=B))
    expected = [("viewer", PURPOSE, "S-1", None), ("colleague", "other", None, REASON)]
    for whom in ({"identity_code": CODE}, {"identity_code": earlier}, {"customer": "p1"}):
        answer = await _post(register.world, "extracts", purpose="customer_request", case_reference="P-7", **whom)
        found = contract.Extract.model_validate_json(answer.content)
        assert (found.organisation, found.made_at) == (A.business_id, register.world.clock.now())
        told = [(row.user, row.purpose, row.case_reference, row.reason) for row in found.look_ups]
        assert told == expected
        assert [row.at.date() for row in found.look_ups] == [date(2026, 11, 23), date(2026, 11, 26)]
        assert CODE not in answer.text
    audited = [row for row in register.world.all(tables.audit) if row["action"] == "audit.extract"]
    assert {(row["subject"], row["rows"], row["purpose"], row["case_reference"]) for row in audited} == {
        ("p1", 2, "customer_request", "P-7")
    }


async def test_an_extract_tells_nothing_of_whether_there_is_anybody(register: Register) -> None:
    register.add("p1", CODE)
    bodies = []
    for whom in ({"identity_code": CODE}, {"identity_code": OTHER}, {"customer": "p1"}, {"customer": "p9"}):
        answer = await _post(register.world, "extracts", **WHY, **whom)
        assert answer.status_code == 200
        bodies.append(answer.json())
    assert bodies == [bodies[0]] * 4
    assert bodies[0]["look_ups"] == []


@pytest.mark.parametrize(
    ("what", "body", "expected"),
    [
        ("samples", {"size": 0}, "invalid_request"),
        ("samples", {"size": 201}, "invalid_request"),
        ("samples", {"size": 1, "seed": -1}, "invalid_request"),
        ("extracts", {}, "invalid_request"),
        ("extracts", {"identity_code": CODE, "customer": "p1"}, "invalid_request"),
        ("extracts", {"identity_code": "x"}, "customer_code_invalid"),
        ("extracts", {"identity_code": "010190-9009"}, "customer_code_invalid"),
        ("extracts", {"customer": "p1", "purpose": "curiosity"}, "invalid_request"),
    ],
)
async def test_what_is_no_request_is_refused(
    register: Register, what: str, body: dict[str, Any], expected: str
) -> None:
    days = {"since": "2026-11-01", "until": "2026-11-30"} if what == "samples" else {}
    answer = await _post(register.world, what, **(WHY | days | body))
    assert refusal(answer)[:2] == (422, expected)
    assert "010190" not in answer.text
