"""Handled notices leave the record when their time is over, with notes and traces, and every client hears of it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from kelmu_backend import notices
from kelmu_backend.background import Background
from kelmu_backend.database import tables
from kelmu_backend.feed import Entry, record
from kelmu_backend.policy import traces_scope
from kelmu_tui.domain.deadlines import kept_after_handling
from tests.backend.conftest import START, A, B, World, notice_row


def handled(number: int, ago: timedelta) -> dict[str, object]:
    return notice_row(number, status="handled", handled_at=START - ago, handled_by="Laura Koski")


async def test_a_row_tells_until_when_it_may_be_shown(world: World) -> None:
    world.add(notice_row(1), handled(2, timedelta(days=3)))
    lines = await world.snapshot(f"notices:{A.business_id}")
    rows = {line["row"]["id"]: line["row"] for line in lines if line["line"] == "row"}
    assert rows["n0001"]["expires_at"] is None
    assert rows["n0002"]["expires_at"] == (START - timedelta(days=3) + kept_after_handling()).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


async def test_what_is_over_goes_with_notes_and_traces_and_the_rest_stays(world: World) -> None:
    kept = kept_after_handling()
    world.add(handled(1, kept), handled(2, kept - timedelta(seconds=1)), notice_row(3))
    with world.database.write() as connection:
        for number in (1, 2):
            connection.execute(
                insert(tables.note).values(
                    notice=f"n000{number}", organisation=A.business_id, at=START, by="Laura Koski", text="Soitettu"
                )
            )
            trace = {
                "organisation": B.business_id, "notice": f"n000{number}", "version": 1, "kind": "social_work_need",
                "urgent": False, "due": notice_row(1)["due"], "at": START, "by": "Bo", "from_municipality": "049",
                "to_organisation": A.business_id, "to_municipality": "837", "reason": "Muuttanut", "state": "opened",
            }  # fmt: skip
            connection.execute(insert(tables.trace).values(trace))
            record(connection, [Entry(traces_scope(B.business_id), f"n000{number}", 1)])
    mine, theirs = await world.changes(), await world.changes(user="bo", organisation=B)
    assert await Background(world.core).drop() == 1
    for user, organisation, cursor in (("aino", A, mine.cursor), ("bo", B, theirs.cursor)):
        told = await world.changes(cursor, user=user, organisation=organisation)
        assert [(change.id, change.op) for change in told.changes] == [("n0001", "rm")]
    assert [row["id"] for row in world.all(tables.notice)] == ["n0002", "n0003"]
    assert [row["notice"] for row in world.all(tables.note)] == ["n0002"]
    assert [row["notice"] for row in world.all(tables.trace)] == ["n0002"]
    assert await Background(world.core).drop() == 0


async def test_many_go_in_steps(world: World) -> None:
    world.add(*(handled(n, kept_after_handling() + timedelta(days=n)) for n in range(1, notices.PUBLISH_AT_ONCE + 3)))
    assert await Background(world.core).drop() == 2
    assert world.all(tables.notice) == []
