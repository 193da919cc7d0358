"""Looking customers up: what comes is stored line by line, and what breaks off leaves what there was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import httpx
import pytest

from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import PersonLine, SectionLine
from kelmu_tui.api.errors import BadAnswer, ProblemAnswer, Unreachable
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.sections import Hidden, Section
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context
from kelmu_tui.services.customers import InvalidQuery, LookUp
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.looking import look_up, look_up_all
from kelmu_tui.store.customer_rows import File
from kelmu_tui.store.database import Store
from kelmu_tui.store.thread import StoreThread
from tests.api.test_client import answer as response
from tests.api.test_client import problem
from tests.services.customers import END, WIDE, at_work, body, client, events, give, streamed
from tests.services.signed_in import FIRST, MANDATE, NOW, Time
from tests.store.build import OTHER
from tests.store.customer_lines import (
    PAYMENTS,
    PENDING,
    down,
    head,
    hidden,
    matters,
    payment,
    payments,
    pending,
    person,
)

CODE = make_identity_code(person().born, "-", 900)
HEAD = head(NOW, who=person(identity_code=CODE.value))
QUERY = LookUp("supplementary_social_assistance", code=CODE, case_reference="123/26", sections=(PENDING, PAYMENTS))
MONEY, MATTERS = payments(payment("m1"), at=NOW), matters(pending("a1"), at=NOW)


class Linked(NamedTuple):
    """What a look-up needs of a connection."""

    thread: StoreThread
    client: Client


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return at_work(profile, store)


@pytest.fixture
def thread(store: Store) -> Iterator[StoreThread]:
    found = StoreThread(store)
    yield found
    found.close()


def file(context: Context, customer: str = "p1") -> File:
    found = context.customers.open(customer)
    assert found is not None
    return found


def states(context: Context) -> dict[str, str]:
    return {section.value: one.state for section, one in file(context).sections.items()}


class Body(httpx.AsyncByteStream):
    """A body whose lines are let through one by one."""

    def __init__(self, *lines: PersonLine | SectionLine | dict[str, str], error: Exception | None = None) -> None:
        self._lines = [body(line) for line in lines]
        self._error = error
        self.may_go = asyncio.Semaphore(0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for line in self._lines:
            await self.may_go.acquire()
            yield line
        if self._error is not None:
            raise self._error

    def backend(self) -> Callable[[httpx.Request], httpx.Response]:
        """Return a backend that answers with it."""
        return lambda _: httpx.Response(200, stream=self, headers={"content-type": "application/x-ndjson"})


async def test_each_line_is_there_before_the_next_one_comes(context: Context, thread: StoreThread) -> None:
    stream = Body(HEAD, MONEY, MATTERS, END)
    heard: asyncio.Queue[str] = asyncio.Queue()
    asking = asyncio.ensure_future(look_up(Linked(thread, client(stream.backend())), context, QUERY, heard.put_nowait))
    seen = []
    for _ in range(3):
        stream.may_go.release()
        assert await heard.get() == "p1"
        seen.append(await thread.run(states, context))
    stream.may_go.release()
    assert await asking == "p1"
    assert seen == [
        {"pending": "waiting", "payments": "waiting"},
        {"pending": "waiting", "payments": "shown"},
        {"pending": "shown", "payments": "shown"},
    ]
    assert heard.get_nowait() == "p1"
    assert heard.empty()


async def test_nothing_is_shown_or_logged_by_fetching_alone(context: Context, thread: StoreThread) -> None:
    linked = Linked(thread, client(lambda _: streamed(HEAD, MONEY, MATTERS, END)))
    assert await look_up(linked, context, QUERY) == "p1"
    assert events(context.store) == []
    assert file(context).case_reference == "123/26"


@pytest.mark.parametrize(
    ("error", "kind"),
    [(None, BadAnswer), (httpx.ReadError("cut"), Unreachable), (httpx.ReadTimeout("slow"), Unreachable)],
)
async def test_what_breaks_off_leaves_what_came_and_what_there_was(
    context: Context, thread: StoreThread, error: Exception | None, kind: type[Exception]
) -> None:
    wide = LookUp(QUERY.purpose, code=CODE, sections=(PENDING, PAYMENTS, Section.CLAIMS))
    claims = payments(section=Section.CLAIMS, at=NOW)
    await look_up(Linked(thread, client(lambda _: streamed(HEAD, claims, MONEY, MATTERS, END))), context, wide)
    stream = Body(HEAD, payments(payment("m2"), payment("m1"), at=NOW), error=error)
    stream.may_go.release()
    stream.may_go.release()
    with pytest.raises(kind):
        await look_up(Linked(thread, client(stream.backend())), context, QUERY)
    assert states(context) == {"pending": "shown", "payments": "shown", "claims": "none"}
    assert file(context).sections[PAYMENTS].news == {"m2"}
    assert [row.id for row in file(context).sections[PENDING].rows] == ["a1"]


async def test_a_first_answer_that_breaks_off_leaves_sections_down(context: Context, thread: StoreThread) -> None:
    with pytest.raises(BadAnswer):
        await look_up(Linked(thread, client(lambda _: streamed(HEAD, MONEY))), context, QUERY)
    assert states(context) == {"pending": "down", "payments": "shown"}


async def test_sources_that_are_down_keep_what_there_was(context: Context, thread: StoreThread, time: Time) -> None:
    await look_up(Linked(thread, client(lambda _: streamed(HEAD, MONEY, MATTERS, END))), context, QUERY)
    linked = Linked(thread, client(lambda _: streamed(HEAD, down(PAYMENTS), hidden(PENDING), END)))
    await look_up(linked, context, QUERY)
    assert states(context) == {"pending": "hidden", "payments": "stale"}


@pytest.mark.parametrize(
    "changes", [{"reason": "x" * 501}, {"reason": ""}, {"case_reference": "a;b"}, {"customer": "x" * 81, "code": None}]
)
async def test_what_cannot_be_asked_is_not_sent_and_quotes_nothing(
    context: Context, thread: StoreThread, changes: dict[str, str | None]
) -> None:
    asked: list[httpx.Request] = []

    def backend(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return streamed(HEAD, MONEY, MATTERS, END)

    with pytest.raises(InvalidQuery) as told:
        await look_up(Linked(thread, client(backend)), context, replace(QUERY, **changes))  # type: ignore[arg-type]
    assert (asked, str(told.value), told.value.__cause__) == ([], "", None)


async def test_a_refusal_stores_nothing(context: Context, thread: StoreThread) -> None:
    linked = Linked(thread, client(lambda _: problem(422, code="reason_needed", rule="self")))
    with pytest.raises(ProblemAnswer) as told:
        await look_up(linked, context, QUERY)
    assert told.value.problem is not None
    assert told.value.problem.rule == "self"
    assert context.customers.recents() == ()


async def test_a_mandate_that_ends_in_the_middle_leaves_nothing(context: Context, thread: StoreThread) -> None:
    stream = Body(HEAD, MONEY, MATTERS, END)
    heard: asyncio.Queue[str] = asyncio.Queue()
    asking = asyncio.ensure_future(look_up(Linked(thread, client(stream.backend())), context, QUERY, heard.put_nowait))
    stream.may_go.release()
    await heard.get()
    await thread.run(give, context.store, MANDATE)
    stream.may_go.release()
    with pytest.raises(NotAllowed):
        await asking
    await thread.run(give, context.store, MANDATE, WIDE)
    assert "payments" not in states(context) or states(context)["payments"] == "down"


async def test_a_right_to_one_section_that_ends_in_the_middle(context: Context, thread: StoreThread) -> None:
    stream = Body(HEAD, MONEY, MATTERS, END)
    heard: asyncio.Queue[str] = asyncio.Queue()
    asking = asyncio.ensure_future(look_up(Linked(thread, client(stream.backend())), context, QUERY, heard.put_nowait))
    stream.may_go.release()
    await heard.get()

    def narrow() -> None:
        give(context.store, MANDATE, WIDE, agreement_content=["payments"])

    await thread.run(narrow)
    for _ in range(3):
        stream.may_go.release()
    assert await asking == "p1"
    assert states(context) == {"pending": "hidden", "payments": "shown"}
    assert file(context).sections[PENDING].hidden is Hidden.AGREEMENT


async def test_what_the_mandates_of_now_do_not_show_is_not_stored(
    profile: Profile, store: Store, thread: StoreThread
) -> None:
    narrow = {"type": "municipality", "capabilities": []}
    context = at_work(profile, store, "integration_services_benefits", **narrow)
    query = LookUp("integration_services", code=CODE, sections=(PENDING, PAYMENTS))
    assert await look_up(Linked(thread, client(lambda _: streamed(HEAD, MONEY, MATTERS, END))), context, query) == "p1"
    found = file(context)
    assert (found.person.address, found.person.telephone) == (None, None)
    assert found.person.home_municipality == "837"
    assert [one.hidden for one in found.sections.values()] == [Hidden.MANDATE, Hidden.MANDATE]
    assert [one.rows for one in found.sections.values()] == [(), ()]


async def test_another_organisation_gets_nothing_of_it(context: Context, thread: StoreThread) -> None:
    stream = Body(HEAD, MONEY, MATTERS, END)
    heard: asyncio.Queue[str] = asyncio.Queue()
    asking = asyncio.ensure_future(look_up(Linked(thread, client(stream.backend())), context, QUERY, heard.put_nowait))
    stream.may_go.release()
    await heard.get()

    def switch() -> None:
        context.store.detach()
        context.store.attach(OTHER)

    await thread.run(switch)
    stream.may_go.release()
    with pytest.raises(NotAllowed):
        await asking
    with context.store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.customer_section").fetchone() == (0,)


async def test_who_stops_asking_leaves_nothing_waiting(context: Context, thread: StoreThread) -> None:
    stream = Body(HEAD, MONEY, MATTERS, END)
    heard: asyncio.Queue[str] = asyncio.Queue()
    asking = asyncio.ensure_future(look_up(Linked(thread, client(stream.backend())), context, QUERY, heard.put_nowait))
    stream.may_go.release()
    await heard.get()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert states(context) == {"pending": "down", "payments": "down"}


# --- households -----------------------------------------------------------------------------------------------------


def household(answers: dict[str, httpx.Response], asked: list[str]) -> Callable[[httpx.Request], httpx.Response]:
    def backend(request: httpx.Request) -> httpx.Response:
        customer = json.loads(request.content)["customer"]
        asked.append(customer)
        return answers[customer]

    return backend


def found(customer: str) -> httpx.Response:
    return streamed(head(NOW, who=person(customer)), END)


def queries(*customers: str) -> list[LookUp]:
    return [LookUp(QUERY.purpose, customer=customer, sections=()) for customer in customers]


async def test_a_household_is_asked_one_by_one_and_one_failure_is_one(context: Context, thread: StoreThread) -> None:
    asked: list[str] = []
    answers = {"p1": found("p1"), "p2": problem(404, code="not_found"), "p3": found("p3")}
    linked = Linked(thread, client(household(answers, asked)))
    looked = await look_up_all(linked, context, queries("p1", "p2", "p3"))
    assert asked == ["p1", "p2", "p3"]
    assert [one.customer for one in looked] == ["p1", "p2", "p3"]
    assert [one.problem and one.problem.code for one in looked] == [None, "not_found", None]
    assert {one.customer for one in context.customers.recents()} == {"p1", "p3"}


@pytest.mark.parametrize(
    "refusal",
    [
        lambda: problem(429, code="lookups_spent"),
        lambda: problem(429, code="lookups_paused"),
        lambda: problem(401, code="unauthenticated"),
        lambda: response(503),
    ],
)
async def test_what_would_fail_for_all_ends_it(
    context: Context, thread: StoreThread, refusal: Callable[[], httpx.Response]
) -> None:
    asked: list[str] = []
    linked = Linked(thread, client(household({"p1": found("p1"), "p2": refusal()}, asked)))
    with pytest.raises(ProblemAnswer):
        await look_up_all(linked, context, queries("p1", "p2", "p3"))
    assert list(dict.fromkeys(asked)) == ["p1", "p2"], "a refused token is renewed once"
    assert [one.customer for one in context.customers.recents()] == ["p1"]
    assert context.active.organisation.business_id == FIRST
