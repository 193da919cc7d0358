"""The judge of notices: single steps by table, and whatever sequences several workers may give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_tui.domain.notices import (
    COMMANDS,
    COMMUTES,
    MAX_NOTE,
    MAX_REASON,
    OPEN_STATUSES,
    Actor,
    AddNote,
    Command,
    Handle,
    Kind,
    NoticeState,
    Open,
    Refusal,
    Refused,
    Release,
    Reopen,
    Status,
    Take,
    TakeBack,
    Transfer,
    decide,
    verb,
)

A, B, C = "9900001-8", "9900002-6", "9900003-4"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ANNA, ALI, BO, CARL = (
    Actor("anna", "Anna A", A),
    Actor("ali", "Ali A", A),
    Actor("bo", "Bo B", B),
    Actor("carl", "Carl C", C),
)
FRESH = NoticeState(Kind.APPLICATION, Status.NEW, A, "837", 1)
TAKEN = FRESH._replace(status=Status.IN_PROGRESS, version=3, assignee="anna", assignee_name="Anna A")
HANDLED = TAKEN._replace(status=Status.HANDLED, version=4, handled_at=NOW, handled_by="Anna A")
SENT = NoticeState(Kind.APPLICATION, Status.NEW, B, "853", 2, transferred_from=A)
TO_B = Transfer(B, "853", "Muuttanut")
TO_NEIGHBOUR = Transfer(A, "536", "Toinen tiimi")


def _do(state: NoticeState, command: Command, actor: Actor = ANNA) -> NoticeState:
    return decide(state, command, actor, NOW)


def _refusal(state: NoticeState, command: Command, actor: Actor = ANNA) -> Refusal | None:
    before = state._asdict()
    try:
        _do(state, command, actor)
    except Refused as refused:
        assert state._asdict() == before
        return refused.reason
    return None


@pytest.mark.parametrize(
    ("state", "command", "actor", "reason"),
    [
        (TAKEN, Take(), ALI, Refusal.ALREADY_TAKEN),
        (HANDLED, Take(), ANNA, Refusal.ALREADY_HANDLED),
        (FRESH, Release(), ANNA, Refusal.NOT_TAKEN),
        (HANDLED, Release(), ANNA, Refusal.ALREADY_HANDLED),
        (HANDLED, Handle(), ANNA, Refusal.ALREADY_HANDLED),
        (FRESH, Reopen(), ANNA, Refusal.NOT_HANDLED),
        (TAKEN, Reopen(), ANNA, Refusal.NOT_HANDLED),
        (FRESH, AddNote(""), ANNA, Refusal.TEXT_MISSING),
        (FRESH, AddNote(" \n\t "), ANNA, Refusal.TEXT_MISSING),
        (FRESH, AddNote("x" * (MAX_NOTE + 1)), ANNA, Refusal.TEXT_TOO_LONG),
        (FRESH, Transfer(B, "853", "  "), ANNA, Refusal.REASON_MISSING),
        (FRESH, Transfer(B, "853", "x" * (MAX_REASON + 1)), ANNA, Refusal.TEXT_TOO_LONG),
        (FRESH, Transfer(A, "837", "syy"), ANNA, Refusal.SAME_RECIPIENT),
        (HANDLED, TO_B, ANNA, Refusal.ALREADY_HANDLED),
        (FRESH, TakeBack(), ANNA, Refusal.NOT_TRANSFERRED),
        (SENT, TakeBack(), BO, Refusal.NOT_TRANSFERRED),
        (SENT, TakeBack(), CARL, Refusal.ALREADY_OPENED),
        (SENT._replace(transferred_from=None), TakeBack(), ANNA, Refusal.ALREADY_OPENED),
        *((SENT, command, ANNA, Refusal.TRANSFERRED) for command in (Take(), Open(), Handle(), AddNote("x"), TO_B)),
    ],
)
def test_refusals(state: NoticeState, command: Command, actor: Actor, reason: Refusal) -> None:
    assert _refusal(state, command, actor) is reason


def test_limits_are_inclusive() -> None:
    assert _refusal(FRESH, AddNote("x" * MAX_NOTE)) is None
    assert _refusal(FRESH, Transfer(B, "853", "x" * MAX_REASON)) is None


@pytest.mark.parametrize(
    ("state", "command"),
    [(TAKEN, Take()), (TAKEN, Open()), (HANDLED, Open()), (FRESH._replace(status=Status.OPENED), Open())],
)
def test_what_changes_nothing_keeps_the_version(state: NoticeState, command: Command) -> None:
    assert _do(state, command) is state


def test_taking() -> None:
    taken = _do(FRESH, Take())
    assert taken == FRESH._replace(status=Status.IN_PROGRESS, version=2, assignee="anna", assignee_name="Anna A")
    released = _do(taken, Release())
    assert released == FRESH._replace(status=Status.OPENED, version=3)


def test_handling_and_thinking_again() -> None:
    handled = _do(TAKEN, Handle())
    assert handled == HANDLED
    assert _do(handled, Reopen()) == TAKEN._replace(version=5)
    untaken = _do(FRESH, Handle())
    assert (untaken.assignee, untaken.handled_by) == (None, "Anna A")
    assert _do(untaken, Reopen()).status is Status.OPENED


def test_a_transfer_to_another_organisation_leaves_the_work_behind() -> None:
    worked = TAKEN._replace(notes=3)
    sent = _do(worked, TO_B)
    assert sent == NoticeState(Kind.APPLICATION, Status.NEW, B, "853", 4, transferred_from=A)
    back = _do(sent, TakeBack())
    assert (back.organisation, back.status, back.assignee, back.transferred_from) == (A, Status.OPENED, None, None)


def test_a_transfer_inside_the_county_keeps_the_notes() -> None:
    moved = _do(TAKEN._replace(notes=3), TO_NEIGHBOUR)
    assert moved == FRESH._replace(municipality="536", version=4, notes=3)
    assert _refusal(moved, TakeBack()) is Refusal.NOT_TRANSFERRED


@pytest.mark.parametrize("command", [Open(), Take(), Handle(), Transfer(C, "091", "edelleen"), Transfer(B, "202", "x")])
def test_work_of_the_receiver_ends_the_chance_to_take_back(command: Command) -> None:
    assert _refusal(_do(SENT, command, BO), TakeBack()) is Refusal.ALREADY_OPENED


def test_verbs() -> None:
    for command in (Take(), Release(), Open(), Handle(), Reopen(), TakeBack(), AddNote("x"), TO_B):
        assert COMMANDS[verb(command)] is type(command)
    assert len(COMMANDS) == 8
    assert COMMANDS.keys() > COMMUTES


# --- sequences ------------------------------------------------------------------------------------------------------

ACTORS = [ANNA, ALI, BO, CARL]
PLACES = {A: ["837", "536"], B: ["853", "202"], C: ["091"]}
TEXTS = st.sampled_from(["Muuttanut", "x", "", "  ", "x" * MAX_REASON, "x" * (MAX_NOTE + 1)])
TRANSFERS = st.builds(
    lambda place, reason: Transfer(place[0], place[1], reason),
    st.sampled_from([(organisation, code) for organisation, codes in PLACES.items() for code in codes]),
    TEXTS,
)
COMMAND = st.one_of(
    st.sampled_from([Take(), Release(), Open(), Handle(), Reopen(), TakeBack()]),
    st.builds(AddNote, TEXTS),
    TRANSFERS,
)
STEPS = st.lists(st.tuples(st.sampled_from(ACTORS), COMMAND), max_size=30)


@dataclass
class _Run:
    """A notice and who has had it, told by an observer of its own."""

    state: NoticeState
    may_take_back: str | None = None

    def step(self, actor: Actor, command: Command, now: datetime) -> None:
        before = self.state
        frozen = before._asdict()
        try:
            after = decide(before, command, actor, now)
        except Refused:
            assert before._asdict() == frozen
            self._check_refusal(before, actor, command)
            return
        assert before._asdict() == frozen
        assert after.kind is before.kind
        assert (after.version == before.version) is (after == before)
        assert after.version in (before.version, before.version + 1)
        self._check_holder(before, after, actor, command)
        self.state = after
        check_invariants(after)

    def _check_refusal(self, before: NoticeState, actor: Actor, command: Command) -> None:
        if isinstance(command, Open | Handle) and actor.organisation == before.organisation:
            assert isinstance(command, Handle)
            assert before.status is Status.HANDLED
        if isinstance(command, TakeBack):
            assert self.may_take_back != actor.organisation

    def _check_holder(self, before: NoticeState, after: NoticeState, actor: Actor, command: Command) -> None:
        if isinstance(command, TakeBack):
            assert self.may_take_back == actor.organisation == after.organisation
            self.may_take_back = None
            return
        assert before.organisation == actor.organisation, "only the holder changes a notice"
        if isinstance(command, Transfer):
            assert (after.organisation, after.municipality) == (command.organisation, command.municipality)
            left = after.organisation != before.organisation
            self.may_take_back = before.organisation if left else None
            assert after.notes == (0 if left else before.notes)
            return
        assert (after.organisation, after.municipality) == (before.organisation, before.municipality)
        if isinstance(command, Open | Take | Handle):
            self.may_take_back = None
        if isinstance(command, AddNote):
            assert after == before._replace(notes=before.notes + 1, version=before.version + 1)


def check_invariants(state: NoticeState) -> None:
    """What is true of every notice at every moment."""
    assert state.version >= 1
    assert state.notes >= 0
    assert state.status is not Status.TRANSFERRED, "who holds it never sees it as given away"
    assert (state.status is Status.HANDLED) is (state.handled_at is not None)
    assert (state.handled_at is None) is (state.handled_by is None)
    assert (state.assignee is None) is (state.assignee_name is None)
    if state.status is Status.IN_PROGRESS:
        assert state.assignee is not None
    if state.assignee is not None:
        assert state.status in (Status.IN_PROGRESS, Status.HANDLED)
    if state.transferred_from is not None:
        assert state.transferred_from != state.organisation
        assert state.status is Status.NEW
        assert state.assignee is None
    assert (state.status in OPEN_STATUSES) is (state.status is not Status.HANDLED)


@settings(max_examples=400)
@given(kind=st.sampled_from(Kind), steps=STEPS)
def test_any_sequence_keeps_the_rules(kind: Kind, steps: list[tuple[Actor, Command]]) -> None:
    run = _Run(NoticeState(kind, Status.NEW, A, "837", 1))
    for number, (actor, command) in enumerate(steps):
        run.step(actor, command, NOW + timedelta(minutes=number))
        assert run.state.transferred_from == run.may_take_back


@settings(max_examples=200)
@given(steps=STEPS, actor=st.sampled_from(ACTORS), command=COMMAND)
def test_the_judge_has_no_memory(steps: list[tuple[Actor, Command]], actor: Actor, command: Command) -> None:
    run = _Run(FRESH)
    for step in steps:
        run.step(*step, NOW)

    def judged() -> NoticeState | Refusal:
        try:
            return decide(run.state, command, actor, NOW)
        except Refused as refused:
            return refused.reason

    assert judged() == judged()


@settings(max_examples=200)
@given(steps=STEPS, actor=st.sampled_from(ACTORS), first=COMMAND, second=COMMAND)
def test_commuting_commands_mean_the_same_in_either_order(
    steps: list[tuple[Actor, Command]], actor: Actor, first: Command, second: Command
) -> None:
    commuting = [command for command in (first, second) if verb(command) in COMMUTES]
    if len(commuting) < 2:
        return
    run = _Run(FRESH)
    for step in steps:
        run.step(*step, NOW)

    def after(*commands: Command) -> NoticeState:
        state = run.state
        for command in commands:
            try:
                state = decide(state, command, actor, NOW)
            except Refused:
                continue
        return state

    assert after(first, second) == after(second, first)


@settings(max_examples=200)
@given(steps=STEPS)
def test_repeating_a_command_is_safe(steps: list[tuple[Actor, Command]]) -> None:
    """A repetition that reaches the judge changes nothing more, but for notes, which the memory of keys guards."""
    state = FRESH
    for actor, command in steps:
        try:
            state = decide(state, command, actor, NOW)
            again = decide(state, command, actor, NOW)
        except Refused:
            continue
        if not isinstance(command, AddNote):
            assert again == state
