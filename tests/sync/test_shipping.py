"""The loop that tells of views: with patience, once each, on with it when the session has ended, silent when idle."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from kelmu_tui.api.errors import SignInNeeded, Unreachable
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store.database import Store
from kelmu_tui.sync.shipping import PATIENCE
from kelmu_tui.sync.status import Connection
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import HandClock, Record
from tests.sync.terminal import Backend, Terminal, eventually
from tests.sync.viewing import barred, look, subjects


async def until_told(terminal: Terminal, *wanted: str) -> None:
    """Wait until the backend has these views, and no more."""

    async def told() -> bool:
        return terminal.backend.desk.told() == list(wanted)

    await eventually(told)


async def looked(terminal: Terminal, *names: str) -> None:
    """Look at things as the app does, on the store's thread."""
    await terminal.thread.run(look, terminal.store, *names)


async def quiet(terminal: Terminal) -> list[str]:
    """Let everything run for a while and return what was asked of the backend meanwhile."""
    before = len(terminal.backend.calls)
    for _ in range(300):
        await asyncio.sleep(0)
    return terminal.backend.calls[before:]


async def test_a_view_is_told_after_a_while_and_then_there_is_silence(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        assert "register" not in terminal.backend.calls
        at = terminal.clock.now()
        await looked(terminal, "n0001")
        await until_told(terminal, "n0001")
        assert (terminal.clock.now() - at).total_seconds() >= PATIENCE
        assert await quiet(terminal) == []
        assert terminal.backend.calls.count("register") == terminal.backend.calls.count("ship") == 1


async def test_many_views_are_told_at_once(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        await looked(terminal, "n0001")
        await until_told(terminal, "n0001")
        at = terminal.clock.now()
        await looked(terminal, *subjects(50, 2))
        await until_told(terminal, *subjects(51))
        assert (terminal.clock.now() - at).total_seconds() < PATIENCE


async def test_what_waits_is_told_at_once_at_a_start_and_when_asked(terminal: Terminal) -> None:
    look(terminal.store, "n0001")
    async with terminal.running():
        await until_told(terminal, "n0001")
        await terminal.until_idle()
        at, loop = terminal.clock.now(), asyncio.get_running_loop()

        def look_and_ask() -> None:
            # In one unit: time jumps as soon as the loop begins to wait for company.
            look(terminal.store, "n0002")
            loop.call_soon_threadsafe(terminal.engine.poke)

        await terminal.thread.run(look_and_ask)
        await until_told(terminal, "n0001", "n0002")
        assert (terminal.clock.now() - at).total_seconds() < PATIENCE


async def test_each_view_is_told_once_over_a_line_that_loses_answers(terminal: Terminal) -> None:
    wanted: list[str] = []
    async with terminal.running():
        await terminal.until_idle()
        for number in range(12):
            terminal.backend.lost_receipts = number % 3
            wanted += subjects(5, len(wanted) + 1)
            await looked(terminal, *wanted[-5:])
            terminal.engine.poke()
            await until_told(terminal, *wanted)
        await eventually(lambda: received(terminal))
    assert terminal.backend.desk.found() == []
    assert terminal.backend.desk.whole()
    assert barred(terminal.store) is None


async def received(terminal: Terminal) -> bool:
    """Tell whether a receipt came for everything."""

    def look_up() -> bool:
        with terminal.store.read() as db:
            row = db.execute("SELECT count(*) FROM view_event WHERE received_at IS NULL").fetchone()
        return bool(row[0] == 0)

    return await terminal.thread.run(look_up)


async def test_an_absent_backend_is_told_later(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        await looked(terminal, "n0001")
        await until_told(terminal, "n0001")
        terminal.backend.error = Unreachable("r1")
        terminal.backend.wake()
        await looked(terminal, "n0002")
        await terminal.until(lambda now: now.state is Connection.OFFLINE)
        await quiet(terminal)
        assert terminal.backend.desk.told() == ["n0001"]
        terminal.backend.error = None
        await until_told(terminal, "n0001", "n0002")


async def test_views_are_told_after_the_session_has_ended(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        await looked(terminal, "n0001")
        await until_told(terminal, "n0001")
        terminal.backend.error = SignInNeeded()
        terminal.backend.wake()
        await terminal.until(lambda now: now.state is Connection.SIGNED_OUT)
        await looked(terminal, "n0002")
        await until_told(terminal, "n0001", "n0002")
        assert terminal.engine.status.state is Connection.SIGNED_OUT
        assert await quiet(terminal) == []


async def test_a_log_that_is_not_registered_waits_for_the_sign_in(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        terminal.backend.error = SignInNeeded()
        terminal.backend.wake()
        await terminal.until(lambda now: now.state is Connection.SIGNED_OUT)
        await looked(terminal, "n0001")
        assert await quiet(terminal) == []
        terminal.backend.error = None
        terminal.engine.poke()
        await until_told(terminal, "n0001")


async def test_registering_without_a_session_asks_for_one(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        terminal.backend.error = SignInNeeded()
        await looked(terminal, "n0001")
        await terminal.until(lambda now: now.state is Connection.SIGNED_OUT)
        assert terminal.backend.calls.count("register") == 1


async def test_a_log_without_a_backend_that_understands_is_no_hot_loop(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps refusing is asked ever more seldom."""
    from kelmu_backend.problems import ProblemError
    from kelmu_tui.api.contract import ProblemCode
    from tests.sync.viewing import answer_of

    head = {"number": 0, "hash": "0" * 64}

    def refuse(*_: object) -> None:
        raise answer_of(ProblemError(ProblemCode.VIEW_CHAIN_GAP, head=head))

    monkeypatch.setattr(terminal.backend.desk, "ship", refuse)
    at = terminal.clock.now()
    async with terminal.running():
        await looked(terminal, "n0001")

        async def asked() -> bool:
            return terminal.backend.calls.count("ship") >= 12

        await eventually(asked)
    assert (terminal.clock.now() - at).total_seconds() > 100


async def test_an_old_copy_put_back_is_flagged(record: Record, store: Store, tmp_path: Path, clock: HandClock) -> None:
    backend = Backend(record)
    first = Terminal(store, backend, clock)
    async with first.running():
        await looked(first, "n0001", "n0002")
        await until_told(first, "n0001", "n0002")
    store.close()
    shutil.copytree(tmp_path / "aino", tmp_path / "copy")
    store = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(5))
    second = Terminal(store, backend, clock)
    async with second.running():
        await looked(second, "n0003")
        await until_told(second, "n0001", "n0002", "n0003")
    store.close()
    shutil.rmtree(tmp_path / "aino")
    shutil.move(tmp_path / "copy", tmp_path / "aino")
    store = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(6))
    third = Terminal(store, backend, clock)
    async with third.running():
        assert not third.engine.status.barred
        await looked(third, "seen-again")
        await third.until(lambda now: now.barred)
        assert "ship" not in await quiet(third)
    assert backend.desk.told() == ["n0001", "n0002", "n0003"]
    assert backend.desk.found() == [("forked", 3, 3, True)]
    assert barred(store) == "view_chain_forked"
    store.close()


async def test_one_round_for_the_command_line_tells_too(terminal: Terminal) -> None:
    look(terminal.store, *subjects(3))
    terminal.backend.lost_receipts = 1
    await terminal.engine.once()
    assert terminal.backend.desk.told() == subjects(3)
    await terminal.engine.once()
    assert await received(terminal)
    look(terminal.store, "n0004")
    terminal.backend.error = SignInNeeded()
    with pytest.raises(SignInNeeded):
        await terminal.engine.once()
    assert terminal.backend.desk.told() == subjects(4)
    terminal.thread.close()
