"""Lists that are made when they are first needed, for the people of a real population."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select

from kelmu_backend import population
from kelmu_backend.background import Background
from kelmu_backend.config import Config
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import person, person_code
from kelmu_backend.database.list_tables import invoice, list_row, publication
from kelmu_backend.lists import making
from kelmu_backend.lists.publishing import Issue
from kelmu_backend.population.issued import Lister
from kelmu_tui.api.contract import Invoices, ListOffers, ListRow, ListRowLine, billed_column, read_values
from kelmu_tui.domain.lists import KelaList, Period, lists
from kelmu_tui.domain.organisations import Organisation, municipal_authority, social_care_organiser
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import START, URL, HandClock, World, serve

from .support import LMS, lines_of, path

NOKIA = municipal_authority("536")
PIRKANMAA = social_care_organiser("837")
CHECKER = "persona-invoice-checker"
WORKER = "persona-county-worker"


class Counting(Lister):
    """The demo's lister, which counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__(faults=False)
        self.asked: Counter[str] = Counter()

    def __call__(
        self, connection: Connection, organisation: Organisation, one: KelaList, periods: Sequence[Period], today: date
    ) -> list[Issue]:
        """Make a list."""
        self.asked[one.id] += 1
        return list(super().__call__(connection, organisation, one, periods, today))


@pytest.fixture
def lister() -> Counting:
    return Counting()


@pytest.fixture
async def demo(database_url: str, tmp_path: Path, lister: Counting) -> AsyncIterator[World]:
    """Give a backend with a small population."""
    clock = HandClock()
    config = Config(
        database_url,
        URL,
        demo=True,
        secret_folder=tmp_path / "secrets",
        clock=clock,
        ids=SeededIds(7),
        background=False,
        lister=lister,
    )
    async with serve(config, clock) as world:
        population.fill(world.database, population.generate(3, START, people=40, notices=10))
        yield world


async def _offers(world: World, user: str = CHECKER, organisation: Organisation = NOKIA) -> ListOffers:
    answer = await world.get("/v1/lists", user, organisation)
    assert answer.status_code == 200, answer.text
    return ListOffers.model_validate_json(answer.content)


async def _rows(world: World, one: KelaList, period: str, user: str, organisation: Organisation) -> list[ListRow]:
    lines = lines_of(await world.get(path(one, period), user, organisation))
    return [ListRowLine.model_validate(line).row for line in lines[1:-1]]


async def test_whoever_asks_first_finds_a_year_of_lists_and_nobody_makes_them_twice(
    demo: World, lister: Counting
) -> None:
    found = await _offers(demo)
    opened = {offer.list_id: offer.publications for offer in found.lists if offer.closed is None}
    assert set(opened) == {one.id for one in lists().values() if NOKIA.type in one.organisation_types}
    for list_id, publications in opened.items():
        assert len(publications) == 13, list_id
        assert len({one.period for one in publications}) == 13
        assert publications[0].rows > 0
    assert lister.asked == dict.fromkeys(opened, 1)
    people = len(demo.all(person))
    assert await _offers(demo) == found
    assert lister.asked == dict.fromkeys(opened, 1)
    assert len(demo.all(person)) == people


async def test_the_next_month_comes_by_itself_and_the_oldest_goes(demo: World, lister: Counting) -> None:
    with demo.database.write() as connection:
        connection.execute(delete(tables.grant).where(tables.grant.c.user != CHECKER))
    background = Background(demo.core)
    assert await background.make_lists() > 0
    assert await background.make_lists() == 0
    asked = Counter(lister.asked)
    before = {offer.list_id: offer for offer in (await _offers(demo)).lists}
    assert lister.asked == asked, "all was there already"
    demo.pass_by(days=14)
    assert await background.make_lists() > 0
    asked = Counter(lister.asked)
    after = {offer.list_id: offer for offer in (await _offers(demo)).lists}
    assert lister.asked == asked
    recipients = "list_lms_recipients_municipality"
    old = [one.period for one in before[recipients].publications]
    assert [one.period for one in after[recipients].publications] == ["2026-11", *old[:-1]]
    assert await background.drop_lists() > 0
    kept = [row["period"] for row in demo.all(publication) if row["list_id"] == recipients]
    assert old[-1] not in kept
    assert {row["publication"] for row in demo.all(list_row)} <= {row["id"] for row in demo.all(publication)}


def test_two_who_ask_at_the_same_moment_get_the_same_list(demo: World, lister: Counting) -> None:
    def make(_number: int) -> int:
        with demo.database.write() as connection:
            return making.make(connection, lister, PIRKANMAA.business_id, LMS, demo.clock.now())

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(make, range(4)))
    assert sorted(made) == [0, 0, 0, 13]
    assert len(demo.all(publication)) == 13


async def test_rows_are_about_people_of_the_record_as_the_record_has_them(demo: World) -> None:
    await _offers(demo, WORKER, PIRKANMAA)
    known = {row["id"]: row for row in demo.all(person)}
    codes = {row["code"]: row["person"] for row in demo.all(person_code)}
    hidden = 0
    for one in lists().values():
        if one.mandate != "benefit_viewing_and_claims" or PIRKANMAA.type not in one.organisation_types:
            continue
        offer = next(offer for offer in (await _offers(demo, WORKER, PIRKANMAA)).lists if offer.list_id == one.id)
        rows = await _rows(demo, one, offer.publications[0].period, WORKER, PIRKANMAA)
        assert len(rows) == offer.publications[0].rows > 0, one.id
        for row in rows:
            values: dict[str, Any] = read_values(one, row)
            who = known[codes[values["identity_code"]]]
            assert values["name"] == f"{who['family_name']} {who['given_names']}".strip()
            assert row.non_disclosure == who["non_disclosure"]
            assert (values["address"], values["municipality"]) == (who["address"], who["municipality"])
            hidden += row.non_disclosure
            assert row.non_disclosure or values["municipality"] in PIRKANMAA.municipalities
    assert hidden == sum(
        1 for row in demo.all(list_row) if '"non_disclosure":true' in row["content"] and _newest(demo, row)
    )


def _newest(world: World, row: dict[str, Any]) -> bool:
    periods: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for one in world.all(publication):
        periods.setdefault((one["organisation"], one["list_id"]), []).append((one["period"], one["id"]))
    return row["publication"] in {max(found)[1] for found in periods.values()}


async def test_invoices_add_up_over_their_rows(demo: World) -> None:
    come = {(offer.list_id, one.period) for offer in (await _offers(demo)).lists for one in offer.publications}
    answer = await demo.get("/v1/invoices", CHECKER, NOKIA)
    found = Invoices.model_validate_json(answer.content).invoices
    assert {one.invoice for one in found} == {
        "lms_pre_2025",
        "lms_2025",
        "basic_allowance_2025",
        "earnings_related_2025",
        "childcare",
    }
    with_rows = {(row["list_id"], row["period"]) for row in demo.all(publication)}
    for head in found:
        assert (head.list_id, head.period) in with_rows
        assert head.payer == "536"
        if (head.list_id, head.period) not in come:
            assert head.invoice == "childcare", "its list comes after the month"
            continue
        one = lists()[head.list_id]
        rows = await _rows(demo, one, head.period, CHECKER, NOKIA)
        column = billed_column(one.id)
        assert column is not None
        sums: list[Any] = [read_values(one, row)[column] for row in rows]
        assert sum(sums, Decimal()) == head.total
        assert len(rows) == head.rows
    ahead = max(found, key=lambda head: head.period)
    assert (ahead.invoice, ahead.period) == ("childcare", "2026-12"), "it is sent in the month before"


async def test_the_childcare_list_of_a_month_is_not_there_before_the_month_after(demo: World) -> None:
    await _offers(demo)
    one = lists()["list_childcare_payments"]
    answer = await demo.get(path(one, "2026-12"), CHECKER, NOKIA)
    assert answer.status_code == 404
    (head,) = (row for row in demo.all(invoice) if (row["kind"], row["period"]) == ("childcare", "2026-12"))
    demo.pass_by(days=45)
    rows = await _rows(demo, one, "2026-12", CHECKER, NOKIA)
    assert len(rows) == head["rows"]


async def test_a_joint_authority_has_no_invoices_of_its_own(demo: World, lister: Counting) -> None:
    with demo.database.write() as connection:
        row = connection.execute(
            select(tables.organisation.c.business_id).where(tables.organisation.c.type == "municipal_joint_authority")
        ).first()
        assert row is not None
        for one in lists().values():
            making.make(connection, lister, row.business_id, one, demo.clock.now())
    made = {found["list_id"] for found in demo.all(publication)}
    assert "list_lms_recipients_municipality" in made
    assert not made & {one.id for one in lists().values() if one.invoice}
    assert demo.all(invoice) == []


async def test_rows_are_stored_as_they_are_sent(demo: World) -> None:
    await _offers(demo)
    for row in demo.all(list_row)[::50]:
        content = json.loads(row["content"])
        assert content["id"] == row["id"]
        assert row["content"] == json.dumps(content, ensure_ascii=False, separators=(",", ":"))
