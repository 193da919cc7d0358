"""Fetching a list from a real backend into a real store: cut anywhere, published anew, withdrawn, closed, cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from kelmu_backend import policy
from kelmu_backend.lists import publishing, reading
from kelmu_backend.lists.publishing import IssuedRow
from kelmu_backend.routes import lists as routes
from kelmu_tui.api import lists as api_lists
from kelmu_tui.api.client import Client
from kelmu_tui.api.errors import ApiError, Unreachable
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.domain.lists import read_period, retention
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.list_fetching import TRIES, NotPublished, Withdrawn, fetch_list, refresh_lists
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store import list_fetch
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.list_fetch import Fetch, Overtaken
from kelmu_tui.store.lists import Entry
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync import backoff
from tests.api.world import World
from tests.services.customers import WIDE, grant
from tests.services.signed_in import organisation, session_text
from tests.sync.simulation.disk import Keys
from tests.sync.simulation.record import A

LIST = "list_lms_300_days"
PERIOD = "2026-09"
COUNT = 10
"""Rows of the list; a batch has three."""


class Cut(httpx.AsyncByteStream):
    """A body that breaks off in the middle of a row."""

    def __init__(self, whole: bytes, rows: int, heard: Callable[[], None]) -> None:
        self._lines = whole.splitlines(keepends=True)
        self._rows = rows
        self._heard = heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        told = 0
        for line in self._lines:
            if line.startswith(b'{"line":"row"'):
                if told == self._rows:
                    yield line[: len(line) // 2]
                    self._heard()
                    raise httpx.ReadError("cut")
                told += 1
            yield line


class Way(httpx.AsyncBaseTransport):
    """The way to the backend.

    Attributes:
        cuts: behind how many rows each of the next streams is cut.
        meanwhile: what happens when a stream is cut.
        asked: queries of the streams, in order.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.cuts: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.asked: list[dict[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if not request.url.path.endswith("/rows"):
            return answer
        self.asked.append(dict(request.url.params))
        if not self.cuts or answer.status_code != 200:
            return answer
        body = Cut(await answer.aread(), self.cuts.pop(0), self.meanwhile)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body, request=request)


class Linked(NamedTuple):
    """What a fetch needs of a connection."""

    thread: StoreThread
    client: Client


def _rows(count: int = COUNT, name: str = "Virtanen, Aino") -> list[IssuedRow]:
    content = {"municipality": "837", "address": "Salainentie 7", "reached_on": "2026-09-12", "days_accumulated": 300}
    return [
        IssuedRow(
            f"{number:04x}",
            None,
            {"id": f"{number:04x}", "name": f"{name} {number}", "identity_code": f"{number:06d}-900X"} | content,
        )
        for number in range(count)
    ]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_lists, "BATCH", 3)
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: 0.0)


@pytest.fixture
def context(world: World, tmp_path: Path) -> Iterator[Context]:
    now = world.clock.now()
    with world.core.database.write() as connection:
        publishing.publish(connection, A.business_id, catalogue()[LIST], publishing.Issue(read_period(PERIOD), _rows()))
    profile = Profile("kelmu", tmp_path / "profile", tmp_path / "settings.toml")
    store = Store.open(tmp_path / "aino", Keys(), world.clock, SeededIds(1))
    worker = organisation(A.business_id, "Pirkanmaa", grants=[grant(WIDE, principal=A.business_id)])
    lease = {"id": "l1", "until": (now + timedelta(hours=12)).isoformat()}
    put_secrets(store, {"session": session_text(worker, lease=lease, server_time=now.isoformat()), "device": "d" * 32})
    try:
        yield activate(profile, store, A.business_id, SeededIds(2), OPENERS)
    finally:
        store.close()


@pytest.fixture
def way(world: World) -> Way:
    return Way(world.transport)


@pytest.fixture
async def link(world: World, context: Context, way: Way) -> AsyncIterator[Linked]:
    thread = StoreThread(context.store)
    client = world.lasting_client("aino", way)
    yield Linked(thread, client)
    await client.close()
    thread.close()


class Heard:
    """Remembers the progress."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def __call__(self, rows: int, total: int) -> None:
        self.told.append((rows, total))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def entry(context: Context) -> Entry:
    (found,) = [one for one in context.lists.shelf() if one.list == LIST]
    return found


def names(context: Context) -> list[str]:
    lists = context.lists
    return [str(row.values["name"]) for row in lists.page(lists.open(LIST, PERIOD))]


def republish(world: World, count: int = COUNT) -> None:
    with world.core.database.write() as connection:
        issue = publishing.Issue(read_period(PERIOD), _rows(count, "Korhonen, Eino"))
        publishing.republish(connection, A.business_id, catalogue()[LIST], issue, world.clock.now())


def withdraw(world: World) -> None:
    with world.core.database.write() as connection:
        publishing.withdraw(connection, A.business_id, catalogue()[LIST], read_period(PERIOD))


async def test_what_is_published_is_kept(link: Linked, context: Context) -> None:
    await refresh_lists(link, context)
    found = entry(context)
    assert found.publication is not None
    assert (found.period, found.publication.rows, found.publication.version) == (PERIOD, COUNT, 1)
    assert (found.copy, found.staged) == (None, None)


async def test_a_list_is_fetched_whole(world: World, link: Linked, context: Context, heard: Heard) -> None:
    await fetch_list(link, context, LIST, PERIOD, heard)
    assert heard.told == [(0, 10), (3, 10), (6, 10), (9, 10), (10, 10)]
    found = entry(context)
    assert found.copy is not None
    assert (found.copy.rows, found.copy.persons, found.staged) == (COUNT, COUNT, None)
    assert found.copy.expires_at == world.clock.now() + retention().kept
    assert len(names(context)) == COUNT


@pytest.mark.parametrize("behind", range(COUNT))
async def test_cut_anywhere_it_goes_on_behind_the_last_row_that_came(
    behind: int, link: Linked, context: Context, way: Way, heard: Heard
) -> None:
    way.cuts = [behind]
    await fetch_list(link, context, LIST, PERIOD, heard)
    last = {"after": f"{behind - 1:04x}"} if behind else {}
    assert way.asked == [{"version": "1"}, {"version": "1"} | last]
    assert names(context) == sorted(names(context))
    assert len(names(context)) == COUNT
    assert [rows for rows, _ in heard.told] == sorted(rows for rows, _ in heard.told)


async def test_cut_behind_every_row_it_comes_to_its_end(link: Linked, context: Context, way: Way, heard: Heard) -> None:
    way.cuts = [1] * (COUNT - 1)
    await fetch_list(link, context, LIST, PERIOD, heard)
    assert len(way.asked) == COUNT
    assert len(names(context)) == COUNT


async def test_without_progress_it_gives_up_and_a_later_fetch_goes_on(
    link: Linked, context: Context, way: Way, heard: Heard
) -> None:
    way.cuts = [4] + [0] * TRIES
    with pytest.raises(Unreachable):
        await fetch_list(link, context, LIST, PERIOD, heard)
    assert len(way.asked) == TRIES
    assert entry(context).staged == 4
    assert entry(context).copy is None
    way.cuts = []
    await fetch_list(link, context, LIST, PERIOD, heard)
    assert way.asked[-1] == {"version": "1", "after": "0003"}
    assert len(names(context)) == COUNT


async def test_cancelled_it_leaves_what_came(link: Linked, context: Context, way: Way) -> None:
    def hear(rows: int, _: int) -> None:
        if rows == 6:
            task.cancel()

    task = asyncio.ensure_future(fetch_list(link, context, LIST, PERIOD, hear))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert entry(context).staged == 6
    await fetch_list(link, context, LIST, PERIOD, lambda *_: None)
    assert way.asked[-1] == {"version": "1", "after": "0005"}
    assert len(names(context)) == COUNT


async def test_a_disk_that_fails_while_the_next_rows_are_read_is_what_is_told(
    link: Linked, context: Context, way: Way, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = context.lists.take

    def full(fetch: Fetch, rows: Sequence[Mapping[str, Any]]) -> Fetch:
        if fetch.rows:
            raise StoreFull
        return take(fetch, rows)

    way.cuts = [8]  # the stream breaks off as well
    with monkeypatch.context() as patch:
        patch.setattr(context.lists, "take", full)
        with pytest.raises(StoreFull):
            await fetch_list(link, context, LIST, PERIOD, heard)
    assert len(way.asked) == 1
    assert entry(context).staged == 3
    way.cuts = []
    await fetch_list(link, context, LIST, PERIOD, heard)
    assert way.asked[-1] == {"version": "1", "after": "0002"}
    assert len(names(context)) == COUNT


async def test_published_anew_meanwhile_it_begins_anew(
    world: World, link: Linked, context: Context, way: Way, heard: Heard
) -> None:
    way.cuts = [4]
    way.meanwhile = lambda: republish(world, 5)
    await fetch_list(link, context, LIST, PERIOD, heard)
    assert way.asked == [{"version": "1"}, {"version": "1", "after": "0003"}, {"version": "2"}]
    assert heard.told[-1] == (5, 5)
    assert {name.rpartition(" ")[0] for name in names(context)} == {"Korhonen, Eino"}
    found = entry(context)
    assert found.copy is not None
    assert found.copy.version == 2


async def test_published_anew_it_takes_the_place_of_what_is_here(
    world: World, link: Linked, context: Context, heard: Heard
) -> None:
    await fetch_list(link, context, LIST, PERIOD, heard)
    republish(world)
    await fetch_list(link, context, LIST, PERIOD, heard)
    assert {name.rpartition(" ")[0] for name in names(context)} == {"Korhonen, Eino"}


async def test_withdrawn_meanwhile_nothing_of_it_stays(
    world: World, link: Linked, context: Context, way: Way, heard: Heard
) -> None:
    way.cuts = [4]
    way.meanwhile = lambda: withdraw(world)
    with pytest.raises(Withdrawn):
        await fetch_list(link, context, LIST, PERIOD, heard)
    found = entry(context)
    assert (found.copy, found.staged) == (None, None)
    assert found.publication is not None
    assert found.publication.withdrawn
    with pytest.raises(Withdrawn):
        await fetch_list(link, context, LIST, PERIOD, heard)
    assert len(way.asked) == 2


async def test_withdrawn_while_it_streams(
    world: World, link: Linked, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:

    whole = reading.page
    pages: list[object] = []

    def page(*args: object) -> object:
        pages.append(args)
        if len(pages) == 2:  # what stands in this page was read before
            withdraw(world)
        return whole(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(routes, "PAGE", 2)
    monkeypatch.setattr(reading, "page", page)
    heard = Heard()
    with pytest.raises(Withdrawn):
        await fetch_list(link, context, LIST, PERIOD, heard)
    assert heard.told[-1][0] == 4
    assert entry(context).staged is None


async def test_the_mandate_ends_meanwhile(world: World, link: Linked, context: Context, way: Way, heard: Heard) -> None:
    def end() -> None:
        with world.core.database.write() as connection:
            policy.replace_grants(connection, "aino", [])

    way.cuts, way.meanwhile = [4], end
    with pytest.raises(ApiError) as caught:
        await fetch_list(link, context, LIST, PERIOD, heard)
    assert caught.value.code in ("mandate_missing", "organisation_not_allowed")
    assert len(way.asked) == 2


async def test_what_is_not_published_or_not_open(link: Linked, context: Context, heard: Heard) -> None:
    with pytest.raises(NotPublished):
        await fetch_list(link, context, LIST, "2020-01", heard)
    with pytest.raises(NotAllowed):
        await fetch_list(link, context, "list_childcare_payments", PERIOD, heard)
    assert heard.told == []


async def test_two_windows_fetch_the_same_and_one_of_them_does(
    link: Linked, context: Context, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refresh_lists(link, context)
    publication = entry(context).publication
    assert publication is not None
    whole = list_fetch.put_rows

    def put_rows(store: Store, fetch: list_fetch.Fetch, rows: list[dict[str, object]]) -> list_fetch.Fetch:
        if not fetch.rows:
            whole(store, fetch, rows)  # the other window was faster
        return whole(store, fetch, rows)

    monkeypatch.setattr(list_fetch, "put_rows", put_rows)
    with pytest.raises(Overtaken):
        await fetch_list(link, context, LIST, PERIOD, heard)
    await fetch_list(link, context, LIST, PERIOD, heard)
    assert len(names(context)) == COUNT
