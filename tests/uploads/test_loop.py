"""The engine's loop that brings documents up, over a real store, in a time that is not real."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.errors import SignInNeeded
from kelmu_tui.domain.documents import VERBS
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import copies, sealed, sendings
from kelmu_tui.store.copies import State
from kelmu_tui.store.database import Store
from kelmu_tui.store.endings import discard
from kelmu_tui.store.outbox import Frozen, stamp
from kelmu_tui.sync.backoff import PROBE_AFTER
from kelmu_tui.sync.pace import WINDOW, Pace
from kelmu_tui.sync.seams import UploadsApi
from kelmu_tui.sync.status import Connection
from kelmu_tui.sync.uploading import SLICE, read_ahead
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import A, HandClock, Record, build
from tests.sync.terminal import Backend, Terminal, eventually
from tests.uploads.model import Content, Taker, queue

OWN = A.business_id


class Taking(Backend):
    """The record, with documents beside it."""

    def __init__(self, record: Record, taker: Taker) -> None:
        super().__init__(record)
        self.taker = taker

    @property
    def uploads(self) -> UploadsApi:
        """Documents that come."""
        return self.taker

    async def command(
        self,
        organisation: str,
        id: str,  # noqa: A002
        verb: str,
        key: str,
        if_match: int,
        body: bytes,
        lease: str,
        schema: int,
    ) -> CommandAnswer:
        """Carry out a command on documents; all others go to the record."""
        if verb not in VERBS:
            return await super().command(organisation, id, verb, key, if_match, body, lease, schema)
        return self.taker.command(Frozen(key, organisation, id, verb, if_match, body, lease, schema, attempt=1))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """An engine of somebody who sends documents."""
    clock = HandClock()
    template = tmp_path / "template.db"
    build(template)
    record = Record(template, tmp_path, clock, 1)
    opened = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(1))
    opened.attach(OWN)
    yield Terminal(opened, Taking(record, Taker()), clock)
    opened.close()
    record.close()


def taker(terminal: Terminal) -> Taker:
    assert isinstance(terminal.backend, Taking)
    return terminal.backend.taker


async def given(terminal: Terminal, *contents: bytes) -> str:
    found: str = await terminal.thread.run(queue, terminal.store, SeededIds(len(contents)), OWN, contents)
    return found


async def states(terminal: Terminal, sending: str) -> set[State]:
    def look() -> set[State]:
        with terminal.store.read() as db:
            return {one.state for one in copies.of(db, sending)}

    return await terminal.thread.run(look)


async def until(terminal: Terminal, sending: str, state: State) -> None:
    async def met() -> bool:
        return await states(terminal, sending) == {state}

    await eventually(met)


async def no_file(terminal: Terminal) -> bool:
    return not any(sealed.folder(terminal.store.folder).iterdir())


async def test_documents_go_up_and_the_command_follows(terminal: Terminal) -> None:
    contents = [os.urandom(3 * SLICE + 5), os.urandom(2), os.urandom((1 << 20) + 1)]
    async with terminal.running():
        sending = await given(terminal, *contents)
        await until(terminal, sending, State.RECEIVED)
        await eventually(lambda: no_file(terminal))
        assert terminal.engine.upload_rate() is None
    assert taker(terminal).sendings == {sending: contents}
    assert taker(terminal).calls == ["create", "create", "create", "command"]


async def test_a_network_that_is_away_is_waited_for(terminal: Terminal) -> None:
    taker(terminal).away = True
    async with terminal.running():
        sending = await given(terminal, b"one", b"two")
        await eventually(lambda: _calls(terminal, 3))
        assert await states(terminal, sending) <= {State.SEALED, State.BEGUN}
        taker(terminal).away = False
        await until(terminal, sending, State.RECEIVED)


async def test_where_the_network_comes_back_documents_wait_no_longer_than_commands(terminal: Terminal) -> None:
    sending = await given(terminal, b"one")
    with terminal.store.write() as db:
        db.execute("UPDATE main.sealed_copy SET due_at = ?", (stamp(terminal.clock.now() + timedelta(hours=1)),))
    engine = terminal.engine
    engine._line.failures = PROBE_AFTER
    assert engine._line.reached()
    await engine._pushing._send_due(set())  # commands are hastened first
    await engine._uploading._round()
    assert await states(terminal, sending) == {State.WHOLE}


async def _calls(terminal: Terminal, count: int) -> bool:
    return len(taker(terminal).calls) >= count


async def test_nothing_goes_up_while_nobody_is_signed_in(terminal: Terminal) -> None:
    taker(terminal).error = SignInNeeded()
    async with terminal.running():
        sending = await given(terminal, b"one")
        await terminal.until(lambda now: now.state is Connection.SIGNED_OUT)
        assert await states(terminal, sending) == {State.BEGUN}
        terminal.engine.poke()
        await until(terminal, sending, State.RECEIVED)


async def test_a_cut_is_gone_on_from(terminal: Terminal) -> None:
    content = os.urandom(5 * SLICE)
    taker(terminal).cut = 2 * SLICE + 1
    async with terminal.running():
        sending = await given(terminal, content)
        await until(terminal, sending, State.RECEIVED)
    assert taker(terminal).brought == len(content)
    assert taker(terminal).calls[:3] == ["create", "offset", "send"]
    assert taker(terminal).sendings[sending] == [content]


async def test_taken_back_while_it_goes_up_it_stops_and_is_taken_away(terminal: Terminal) -> None:
    found = taker(terminal)
    halfway, go_on = asyncio.Event(), asyncio.Event()
    take = found._take

    async def slowly(document: str, content: Content) -> int:
        async def parts() -> AsyncIterator[bytes]:
            async for part in content():
                yield part
                if not halfway.is_set():
                    halfway.set()
                    await go_on.wait()

        return await take(document, parts)

    found._take = slowly  # type: ignore[method-assign]
    async with terminal.running():
        sending = await given(terminal, os.urandom(3 * SLICE))
        await halfway.wait()

        def cancel() -> None:
            with terminal.store.write() as db:
                command = sendings.command_of(db, OWN, sending)
                assert command is not None
                discard(db, command.id, terminal.clock.now())
                terminal.store.changed("sending", "command")

        await terminal.thread.run(cancel)
        terminal.clock.at += timedelta(seconds=2)  # how far it is, and whether it is wanted, is looked at each second
        go_on.set()
        await until(terminal, sending, State.ENDED)
        await eventually(lambda: no_file(terminal))
    assert found.brought == SLICE
    assert found.uploads == {}
    assert found.sendings == {}


async def test_the_next_piece_is_opened_while_the_last_is_on_its_way(tmp_path: Path) -> None:
    size = 3 * sealed.PIECE + 17
    seal = sealed.Seal(tmp_path, "ab" * 16)
    content = os.urandom(size)
    seal.write(content)
    seal.finish()
    seal.close()

    class Watched(sealed.Copy):
        """Notes which pieces were asked for."""

        asked: list[int]

        def piece(self, place: int) -> bytes:
            """Note it, and give it."""
            self.asked.append(place)
            return super().piece(place)

    with Watched(tmp_path, "ab" * 16, seal.key, size) as copy:
        copy.asked = []
        heard: list[int] = []

        async def hear(sent: int) -> bool:
            heard.append(sent)
            return True

        parts = [part async for part in read_ahead(copy, sealed.PIECE + 5, hear)]
        assert b"".join(parts) == content[sealed.PIECE + 5 :]
        assert copy.asked == [1, 2, 3]
        assert heard[-1] == size
        assert max(map(len, parts)) == SLICE

        begun = read_ahead(copy, 0, hear)
        await anext(begun)
        await begun.aclose()  # the file may be closed now: nobody reads it any more


def test_a_rate_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert pace.rate(0.0) is None
    for second in range(20):
        pace.note(float(second), 1000 if second < 15 else 100)
    assert pace.rate(19.0) == pytest.approx(100)
    assert pace.rate(19.0 + WINDOW) == 0
    pace.rest()
    assert pace.rate(20.0) is None
