"""The rows of a list: streamed by id, resumed at any row, stopped when the list does not stand any more."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from kelmu_backend import policy
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import person
from kelmu_backend.database.list_tables import list_row
from kelmu_backend.lists import reading
from kelmu_backend.lists.reading import Opened, Page, Wanted
from kelmu_backend.routes import lists as routes
from kelmu_tui.api.contract import ListStart, ProblemCode
from kelmu_tui.domain.lists import lists, retention
from tests.backend.conftest import B, World

from .support import LMS, OCTOBER, code_of, give, ids_of, issue, lines_of, path, publish, republish, rows_of, withdraw

ROWS = rows_of(range(1, 8))
IDS = sorted(row.id for row in ROWS)
PEOPLE: dict[str, Any] = {
    "family_name": "Virta",
    "given_names": "Oskar",
    "sex": "m",
    "born": date(1990, 1, 1),
    "language": "fi",
    "seed": 1,
}


@pytest.fixture(params=[1, 2, 3, 7, 1000])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let a page hold few rows."""
    monkeypatch.setattr(routes, "PAGE", request.param)
    size: int = request.param
    return size


@pytest.fixture
def listed(world: World) -> World:
    publish(world, LMS, issue(ROWS))
    return world


async def test_a_stream_has_a_head_the_rows_by_id_and_an_end(listed: World, small: int) -> None:
    lines = lines_of(await listed.get(path(LMS), "viewer"))
    head = ListStart.model_validate(lines[0])
    assert (head.list_id, head.period, head.version, head.rows) == (LMS.id, OCTOBER, 1, 7)
    assert head.expires_at - head.fetched_at == retention().kept
    assert head.fetched_at == listed.clock.now()
    assert [line["line"] for line in lines[1:]] == ["row"] * 7 + ["end"]
    assert lines[-1] == {"line": "end", "next": None}
    assert ids_of(lines) == IDS
    assert lines[1]["row"] == {"id": "0001", "name": "Åke 1"}


async def test_resumed_behind_any_row_each_comes_once(listed: World, small: int) -> None:
    for place, last in enumerate(IDS, 1):
        lines = lines_of(await listed.get(path(LMS), "viewer", version=1, after=last))
        assert ids_of(lines) == IDS[place:]
        assert lines[0]["rows"] == 7
        assert lines[-1] == {"line": "end", "next": None}


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
async def test_some_rows_at_a_time_are_the_same_rows(listed: World, small: int, limit: int) -> None:
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        lines = lines_of(await listed.get(path(LMS), "viewer", version=1, after=after, limit=limit))
        assert len(ids_of(lines)) <= limit
        found += ids_of(lines)
        after = lines[-1]["next"]
        assert after is None or after == found[-1]
    assert found == IDS


async def test_a_list_without_rows_is_a_list(world: World) -> None:
    publish(world, LMS, issue([]))
    lines = lines_of(await world.get(path(LMS), "viewer"))
    assert [line["line"] for line in lines] == ["start", "end"]


async def test_what_was_published_anew_or_withdrawn_is_told_before_anything_else(listed: World) -> None:
    assert republish(listed, LMS, issue(rows_of(range(3, 5)))) == 2
    answer = await listed.get(path(LMS), "viewer", version=1, after=IDS[2])
    assert code_of(answer) == (409, ProblemCode.LIST_REPUBLISHED)
    lines = lines_of(await listed.get(path(LMS), "viewer"))
    assert (lines[0]["version"], ids_of(lines)) == (2, ["0003", "0004"])
    withdraw(listed, LMS)
    for version in (1, 2):
        answer = await listed.get(path(LMS), "viewer", version=version)
        assert code_of(answer) == (410, ProblemCode.LIST_WITHDRAWN)
    assert listed.all(list_row) == []


@pytest.mark.parametrize("moment", [1, 2, 3])
@pytest.mark.parametrize("what", ["list_withdrawn", "list_republished", "mandate_missing"])
async def test_what_changes_while_it_is_read_ends_the_stream_with_its_reason(
    listed: World, monkeypatch: pytest.MonkeyPatch, what: str, moment: int
) -> None:
    monkeypatch.setattr(routes, "PAGE", 2)
    pages = 0
    read = reading.page

    def page(connection: Connection, opened: Opened, wanted: Wanted, after: str, limit: int, now: Any) -> Page:
        nonlocal pages
        pages += 1
        return read(connection, opened, wanted, after, limit, now)

    def happen() -> None:
        if what == "list_withdrawn":
            withdraw(listed, LMS)
        elif what == "list_republished":
            republish(listed, LMS, issue(rows_of(range(90, 99))))
        else:
            give(listed, "viewer", ["social_assistance_and_social_care"])

    async def run(work: Any, *args: Any) -> Any:
        if pages == moment:
            happen()
        return await unwatched(work, *args)

    listed.token("viewer")
    unwatched = listed.core.run
    monkeypatch.setattr(reading, "page", page)
    monkeypatch.setattr(listed.core, "run", run)
    lines = lines_of(await listed.get(path(LMS), "viewer"))
    assert lines[-1] == {"line": "stop", "code": what}
    assert ids_of(lines) == IDS[: 2 * moment]


async def test_what_has_not_come_or_is_over_does_not_exist(world: World) -> None:
    publish(world, LMS, issue(ROWS, "2026-11"))
    publish(world, LMS, issue(ROWS, "2025-09"))
    for period in ("2026-11", "2025-09", "2026-10", "2026-Q4"):
        answer = await world.get(path(LMS, period), "viewer")
        assert code_of(answer) == (404, ProblemCode.NOT_FOUND)
    answer = await world.get("/v1/lists/list_of_nobody/2026-10/rows", "viewer")
    assert code_of(answer) == (404, ProblemCode.NOT_FOUND)
    world.pass_by(days=14)
    assert len(ids_of(lines_of(await world.get(path(LMS, "2026-11"), "viewer")))) == 7


async def test_rows_of_others_are_not_found(listed: World) -> None:
    give(listed, "bo", ["benefit_viewing_and_claims"], B)
    answer = await listed.get(path(LMS), "bo", B)
    assert code_of(answer) == (404, ProblemCode.NOT_FOUND)
    answer = await listed.get(path(LMS), "bo")
    assert code_of(answer) == (403, ProblemCode.ORGANISATION_NOT_ALLOWED)


@pytest.mark.parametrize(
    ("period", "query"),
    [
        ("2026-13", {}),
        ("2026", {"version": 0}),
        ("2026-10", {"version": "x"}),
        ("2026-10", {"after": "x/../y"}),
        ("2026-10", {"after": "x" * 41}),
        ("2026-10", {"limit": 0}),
    ],
)
async def test_nonsense_is_refused(listed: World, period: str, query: dict[str, Any]) -> None:
    answer = await listed.get(path(LMS, period), "viewer", **query)
    assert code_of(answer) == (422, ProblemCode.INVALID_REQUEST)


async def test_an_address_does_not_leave_once_there_is_an_order(world: World) -> None:
    with world.database.write() as connection:
        for identifier in ("p1", "p2"):
            row = PEOPLE | {"id": identifier, "identity_code": identifier, "non_disclosure": False}
            connection.execute(insert(person), row)
    told = {"address": "Koskikatu 1, 33100 TAMPERE", "municipality": "837"}
    one, other = rows_of([1], "p1", **told), rows_of([2], "p2", **told)
    publish(world, LMS, issue([*one, *other]))
    with world.database.write() as connection:
        connection.execute(update(person).where(person.c.id == "p2").values(non_disclosure=True))
    answer = await world.get(path(LMS), "viewer")
    first, second = (line["row"] for line in lines_of(answer)[1:-1])
    assert first == {"id": "0001", "name": "Åke 1"} | told
    assert second == {
        "id": "0002",
        "name": "Åke 2",
        "address": None,
        "municipality": None,
        "non_disclosure": True,
    }
    assert answer.text.count("Koskikatu") == 1


async def test_a_fetch_is_written_down_with_list_period_and_rows(listed: World, small: int) -> None:
    await listed.get(path(LMS), "viewer")
    await listed.get(path(LMS), "viewer", version=1, after=IDS[4])
    await listed.get(path(LMS), "viewer", limit=3)
    found = [row for row in listed.all(tables.audit) if row["action"] == "list.fetch"]
    assert [row["rows"] for row in found] == [7, 2, 3]
    for row in found:
        assert (row["user"], row["outcome"]) == ("viewer", "done")
        assert row["subject"] == f"{LMS.id}/{OCTOBER}/1"
        assert row["mandate"] == "benefit_viewing_and_claims"
        assert row["at"] == listed.clock.now()


async def test_a_refusal_is_written_down(listed: World) -> None:
    await listed.get(path(LMS), "aino")
    found = [row for row in listed.all(tables.audit) if row["action"] == "list.fetch"]
    assert [(row["user"], row["outcome"], row["rows"]) for row in found] == [("aino", "mandate_missing", None)]


async def test_fetching_too_often_is_slowed_down(listed: World) -> None:
    statuses = {(await listed.get(path(LMS), "viewer", limit=1)).status_code for _ in range(301)}
    assert statuses == {200, 429}


def test_the_subject_of_the_audit_fits() -> None:
    longest = max(len(one.id) for one in lists().values())
    length: Any = tables.audit.c.subject.type
    assert longest + len("/2026-10/") + len(str(10**9)) <= length.length


async def test_mandates_of_yesterday_open_nothing(listed: World) -> None:
    with listed.database.write() as connection:
        grants = policy.grants(connection, "viewer")
        ended = listed.clock.now().date() - timedelta(days=1)
        policy.replace_grants(connection, "viewer", [one._replace(valid_to=ended) for one in grants])
    assert code_of(await listed.get(path(LMS), "viewer")) == (403, ProblemCode.MANDATE_MISSING)
