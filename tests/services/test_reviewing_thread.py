"""A review beside the store's thread: pages a few at a time, cancelled, overtaken, failing."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from kelmu_tui.domain.review import typed_row as typed_row_
from kelmu_tui.services import reviewing
from kelmu_tui.services.lists import NotHere
from kelmu_tui.services.reviewing import review
from kelmu_tui.store import views
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.lists import Publication
from kelmu_tui.store.thread import StoreThread
from tests.population.issued_support import clean
from tests.services.customers import events
from tests.services.invoices import LMS, AtWork, hold, reviewed
from tests.services.signed_in import NOW

KIND = "lms_2025"


async def test_pages_go_a_few_at_a_time_and_keys_get_between_them(
    at_work: AtWork, thread: StoreThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, issues = at_work(LMS), clean(1, LMS.id)[-2:]
    await thread.run(hold, context, LMS, issues)
    monkeypatch.setattr(reviewing, "PAGE", 1)
    total = sum(len(issue.rows) for issue in issues)
    heard: list[tuple[int, int]] = []
    units: list[str] = []

    async def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        units.append(function.__name__)
        found = await thread.run(function, *args, **kwargs)
        # A key that was pressed meanwhile is answered before the next page.
        assert await thread.run(lambda: "key") == "key"
        return found

    found = await review(run, context.invoices, KIND, issues[-1].period.key, hear=lambda *told: heard.append(told))
    assert heard == [(rows, total) for rows in range(1, total + 1)]
    assert units.count("page") == total + 2
    assert (found.rows, found.found) == (len(issues[-1].rows), ())


async def test_what_is_read_waits_for_the_rules(
    at_work: AtWork, thread: StoreThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    await thread.run(hold, context, LMS, [issue])
    monkeypatch.setattr(reviewing, "PAGE", 1)
    gate, most, read = threading.Event(), reviewing.ON_THE_WAY + 1, 0
    slow = typed_row_

    def typed_row(*args: Any) -> Any:
        gate.wait()
        return slow(*args)

    async def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal read
        found = await thread.run(function, *args, **kwargs)
        if function.__name__ == "page":
            read += 1
            if read == most + 1:
                # One is with the rules, as many as may be are on their way, and this one is in the hand.
                gate.set()
        return found

    monkeypatch.setattr(reviewing, "typed_row", typed_row)
    found = await review(run, context.invoices, KIND, issue.period.key, hear=lambda rows, _: _no_more(rows, gate, most))
    assert found.rows == len(issue.rows) > most


def _no_more(rows: int, gate: threading.Event, most: int) -> None:
    assert gate.is_set() or rows <= most


@pytest.mark.parametrize("rows", [1, 7])
async def test_cancelled_it_leaves_nothing_behind(
    rows: int, at_work: AtWork, thread: StoreThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    await thread.run(hold, context, LMS, [issue])
    monkeypatch.setattr(reviewing, "PAGE", 1)
    ended, before = asyncio.Event(), gc.get_threshold()
    loop, real = asyncio.get_running_loop(), reviewing._judge

    def judge(*args: Any) -> Any:
        try:
            return real(*args)
        finally:
            loop.call_soon_threadsafe(ended.set)

    def hear(done: int, _: int) -> None:
        if done == rows:
            task.cancel()

    monkeypatch.setattr(reviewing, "_judge", judge)
    task = asyncio.ensure_future(review(thread.run, context.invoices, KIND, issue.period.key, hear=hear))
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended.wait()
    assert await thread.run(context.invoices.held, KIND, issue.period.key) is None
    assert gc.get_threshold() == before
    found = await reviewed(thread, context, LMS, issue)
    assert found.found == ()


async def test_a_list_that_is_withdrawn_or_replaced_meanwhile_ends_the_review(
    at_work: AtWork, thread: StoreThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    monkeypatch.setattr(reviewing, "PAGE", 1)
    publication = Publication(LMS.id, issue.period.key, 2, NOW, 0)
    for at, happens in (
        (3, partial(context.lists.withdrawn, publication)),
        (3, partial(hold, context, LMS, [issue], version=2)),
        (len(issue.rows), partial(context.lists.withdrawn, publication)),
    ):
        await thread.run(hold, context, LMS, [issue])
        changes: list[Awaitable[Any]] = []

        def hear(rows: int, _: int, at: int = at, happens: Callable[[], Any] = happens) -> None:
            if rows == at:
                changes.append(asyncio.ensure_future(thread.run(happens)))  # noqa: B023 - of this turn

        with pytest.raises(NotHere):
            await review(thread.run, context.invoices, KIND, issue.period.key, hear=hear)
        await asyncio.gather(*changes)
        assert await thread.run(context.invoices.held, KIND, issue.period.key) is None


async def test_what_fails_in_the_rules_is_told(
    at_work: AtWork, thread: StoreThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    await thread.run(hold, context, LMS, [issue])
    monkeypatch.setattr(reviewing, "PAGE", 1)

    def broken(*_: Any) -> Any:
        raise ArithmeticError

    monkeypatch.setattr(reviewing, "typed_row", broken)
    with pytest.raises(ArithmeticError):
        await reviewed(thread, context, LMS, issue)


async def test_a_look_that_cannot_be_logged_is_none(
    at_work: AtWork, thread: StoreThread, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    await thread.run(hold, context, LMS, [issue])

    def full(*_: Any) -> int:
        raise StoreFull

    monkeypatch.setattr(views, "log", full)
    with pytest.raises(StoreFull):
        await reviewed(thread, context, LMS, issue)
    assert events(store) == []
