"""What went wrong is written down once for each new trouble, with the backend's request id and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.contract import Problem, ProblemCode
from kelmu_tui.api.errors import ProblemAnswer, SignInNeeded, Unreachable, UpdateNeeded
from kelmu_tui.store import troubles
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.troubles import KEPT, Part, Trouble
from kelmu_tui.sync import push
from kelmu_tui.sync.status import Connection
from tests.sync.simulation.record import START
from tests.sync.terminal import Terminal, eventually


def listed(store: Store) -> list[tuple[Part, str, int | None, str, int]]:
    with store.read() as db:
        return [line[:5] for line in troubles.troubles(db)]


def trouble(part: Part = Part.PULL, code: str = "unreachable", minute: int = 0) -> Trouble:
    return Trouble(part, code, None, f"r{minute}", START + timedelta(minutes=minute))


def test_the_same_again_counts_and_another_one_is_listed_above(store: Store) -> None:
    for one in (
        trouble(),
        trouble(minute=1),
        trouble(Part.PUSH, minute=2),
        trouble(minute=3),
        trouble(code="x", minute=4),
    ):
        troubles.note(store, one)
    assert listed(store) == [
        (Part.PULL, "x", None, "r4", 1),
        (Part.PULL, "unreachable", None, "r3", 3),
        (Part.PUSH, "unreachable", None, "r2", 1),
    ]
    with store.read() as db:
        found = troubles.troubles(db)[1]
    assert (found.first_at, found.last_at) == (START, START + timedelta(minutes=3))


def test_only_the_newest_are_kept(store: Store) -> None:
    for minute in range(KEPT + 7):
        troubles.note(store, trouble(code=f"c{minute}", minute=minute))
    found = listed(store)
    assert len(found) == KEPT
    assert (found[0][1], found[-1][1]) == (f"c{KEPT + 6}", "c7")


async def test_an_absence_is_noted_once_and_again_after_the_backend_had_answered(terminal: Terminal) -> None:
    store, backend = terminal.store, terminal.backend

    async def state(wanted: Connection) -> bool:
        return terminal.engine.status.state is wanted

    async with terminal.running():
        for times in (1, 2):
            await eventually(lambda: state(Connection.ONLINE))
            backend.error = Unreachable("r-away")
            backend.wake()
            await more_calls(terminal, 5)
            assert terminal.engine.status.state is Connection.OFFLINE
            assert listed(store) == [(Part.PULL, "unreachable", None, "r-away", times)]
            backend.error = None


async def more_calls(terminal: Terminal, number: int) -> None:
    """Wait until the backend has been asked so many times more."""
    wanted = len(terminal.backend.calls) + number

    async def asked() -> bool:
        return len(terminal.backend.calls) >= wanted

    await eventually(asked)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_problem_is_noted_with_its_status_and_request(terminal: Terminal, status: int) -> None:
    code = ProblemCode.INTERNAL if status == 500 else ProblemCode.SERVICE_BREAK
    problem = Problem(type="about:blank", title="x", status=status, code=code, request_id="r-7")
    terminal.backend.error = ProblemAnswer(status, problem, "r-7")
    async with terminal.running():
        await eventually(lambda: noted(terminal.store))
    assert listed(terminal.store)[0] == (Part.PULL, code.value, status, "r-7", 1)


async def test_a_fault_of_the_backend_at_a_command_is_noted_and_a_refusal_is_not(terminal: Terminal) -> None:
    """A refusal stands in the outbox with what can be done about it."""
    problem = Problem(type="about:blank", title="x", status=500, code=ProblemCode.INTERNAL)
    refused = Problem(type="about:blank", title="x", status=409, code=ProblemCode.RULE_REFUSED)
    async with terminal.running():
        await terminal.until_idle()
        terminal.backend.answer = CommandAnswer(409, problem=refused, request_id="r-8")
        await terminal.act("n0002")
        await terminal.until(lambda now: now.conflicts == 1)
        assert listed(terminal.store) == []
        terminal.backend.answer = CommandAnswer(500, problem=problem, request_id="r-9")
        await terminal.act("n0001")
        await eventually(lambda: noted(terminal.store))
    assert listed(terminal.store) == [(Part.PUSH, "internal", 500, "r-9", 1)]


@pytest.mark.parametrize("error", [SignInNeeded(request_id="r-3"), UpdateNeeded(request_id="r-3")])
async def test_that_somebody_has_to_sign_in_or_update_is_the_sessions_trouble(
    terminal: Terminal, error: ProblemAnswer
) -> None:
    terminal.backend.error = error
    async with terminal.running():
        await eventually(lambda: noted(terminal.store))
    assert listed(terminal.store) == [(Part.SESSION, error.code, error.status, "r-3", 1)]


async def test_a_disk_that_said_no_is_noted_when_it_takes_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFull

    async with terminal.running():
        await terminal.until_idle()
        with monkeypatch.context() as patch:
            patch.setattr(push, "take_round", full)
            await terminal.act("n0001")
            await terminal.until(lambda now: now.problem == "store_full")
        terminal.engine.poke()
        await eventually(lambda: noted(terminal.store))
    assert listed(terminal.store)[-1] == (Part.STORE, "store_full", None, "", 1)


async def noted(store: Store) -> bool:
    return bool(listed(store))
