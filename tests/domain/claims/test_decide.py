"""The life of a claim: which command each state allows, and what becomes of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.claims.catalogue import end_reasons
from kelmu_tui.domain.claims.content import Content
from kelmu_tui.domain.claims.life import (
    OPEN,
    Cancel,
    Change,
    ClaimRefusal,
    ClaimRefused,
    ClaimState,
    Command,
    End,
    Prolong,
    Register,
    Status,
    allows,
    decide,
    settled,
)

TODAY = date(2026, 11, 27)
CONTENT = Content(
    "010190-900P",
    "client_fees_14",
    "guarantee_pension",
    date(2026, 11, 1),
    date(2027, 1, 31),
    Decimal("310.00"),
    "FI2112345600000785",
    care_first=date(2026, 10, 1),
)
OPEN_ENDED = replace(CONTENT, last=None)
LATER = replace(CONTENT, amount=Decimal("200.00"), benefit="child_benefit")


def state(status: Status, content: Content = CONTENT) -> ClaimState:
    return ClaimState(status, content, 3)


def refusal(before: ClaimState | None, command: Command) -> str | None:
    frozen = None if before is None else asdict(before)
    try:
        decide(before, command, TODAY)
    except ClaimRefused as refused:
        assert (None if before is None else asdict(before)) == frozen
        return refused.rule
    return None


def test_a_claim_begins_registered_and_once() -> None:
    assert decide(None, Register(CONTENT), TODAY) == ClaimState(Status.REGISTERED, CONTENT, 1)
    for status in Status:
        assert refusal(state(status), Register(CONTENT)) is ClaimRefusal.REGISTERED


COMMANDS: list[tuple[Command, set[Status]]] = [
    (Change(LATER), {Status.REGISTERED}),
    (Cancel(), {Status.REGISTERED}),
    (Prolong(date(2027, 2, 28)), {Status.IN_HANDLING, Status.HEARING, Status.IN_FORCE}),
    (End(date(2026, 11, 20), "care_ended"), {Status.IN_FORCE}),
]


@pytest.mark.parametrize(("command", "allowed"), COMMANDS)
def test_each_state_allows_its_commands_and_no_other(command: Command, allowed: set[Status]) -> None:
    assert refusal(None, command) is ClaimRefusal.STATE
    for status in Status:
        assert allows(status, type(command)) == (status in allowed)
        assert refusal(state(status), command) == (None if status in allowed else ClaimRefusal.STATE)


@pytest.mark.parametrize(
    ("before", "command", "reason"),
    [
        (state(Status.REGISTERED), Change(replace(LATER, payee="020290-901X")), ClaimRefusal.FIXED),
        (state(Status.REGISTERED), Change(replace(LATER, basis="social_assistance_23")), ClaimRefusal.FIXED),
        (state(Status.IN_FORCE), Prolong(date(2027, 1, 31)), ClaimRefusal.LAST_DAY),
        (state(Status.IN_FORCE), Prolong(date(2027, 1, 30)), ClaimRefusal.LAST_DAY),
        (state(Status.IN_FORCE, OPEN_ENDED), Prolong(date(2030, 1, 1)), ClaimRefusal.LAST_DAY),
        (state(Status.IN_FORCE), End(date(2026, 10, 31), "care_ended"), ClaimRefusal.LAST_DAY),
        (state(Status.IN_FORCE), End(date(2027, 2, 1), "care_ended"), ClaimRefusal.LAST_DAY),
        (state(Status.IN_FORCE), End(date(2026, 11, 20), "no_such_reason"), ClaimRefusal.END_REASON),
        (state(Status.IN_FORCE), End(date(2027, 2, 1), "no_such_reason"), ClaimRefusal.LAST_DAY),
    ],
)
def test_what_a_command_says_is_judged(before: ClaimState, command: Command, reason: ClaimRefusal) -> None:
    assert refusal(before, command) is reason


def test_what_each_command_makes() -> None:
    assert decide(state(Status.REGISTERED), Change(LATER), TODAY) == ClaimState(Status.REGISTERED, LATER, 4)
    assert decide(state(Status.REGISTERED), Cancel(), TODAY) == ClaimState(Status.CANCELLED, CONTENT, 4)
    last = date(2027, 2, 28)
    longer = replace(CONTENT, last=last)
    assert decide(state(Status.HEARING), Prolong(last), TODAY) == ClaimState(Status.HEARING, longer, 4)
    ended = decide(state(Status.IN_FORCE, OPEN_ENDED), End(date(2026, 11, 26), "care_ended"), TODAY)
    last = date(2026, 11, 26)
    # What was claimed a month stays so.
    assert ended == ClaimState(Status.ENDED, OPEN_ENDED, 4, "care_ended", last)
    assert ended.until == last


@pytest.mark.parametrize("last", [TODAY, TODAY + timedelta(days=3)])
def test_a_claim_is_in_force_until_its_last_day_has_passed(last: date) -> None:
    ending = decide(state(Status.IN_FORCE), End(last, "benefit_ended"), TODAY)
    assert (ending.status, ending.content, ending.until) == (Status.IN_FORCE, CONTENT, last)
    assert settled(ending, last) is ending
    assert settled(ending, last + timedelta(days=1)) == replace(ending, status=Status.ENDED)
    # The ground has ended, so it cannot last longer; that it ended still earlier can be told.
    assert refusal(ending, Prolong(date(2027, 6, 30))) is ClaimRefusal.LAST_DAY
    assert refusal(ending, End(last - timedelta(days=1), "benefit_ended")) is None


def test_an_end_that_was_told_can_only_come_sooner() -> None:
    told = decide(state(Status.IN_FORCE, OPEN_ENDED), End(date(2026, 12, 5), "care_ended"), TODAY)
    assert refusal(told, End(date(2026, 12, 6), "customer_moved")) is ClaimRefusal.LAST_DAY
    assert refusal(told, End(date(2026, 12, 4), "customer_moved")) is None


def test_no_end_lies_further_ahead_than_a_claim_may() -> None:
    before = state(Status.IN_FORCE, OPEN_ENDED)
    assert refusal(before, End(date(2046, 12, 31), "care_ended")) is None
    assert refusal(before, End(date(2047, 1, 1), "care_ended")) is ClaimRefusal.LAST_DAY
    assert refusal(before, End(date.max, "care_ended")) is ClaimRefusal.LAST_DAY


def test_a_claim_on_an_awaited_benefit_is_over_when_kela_says_so() -> None:
    """It is granted and paid for time that has passed."""
    waiting = state(Status.IN_FORCE, replace(CONTENT, basis="social_assistance_23"))
    assert settled(waiting, date(2027, 2, 1)) is waiting
    assert refusal(waiting, End(date(2027, 1, 31), "assistance_recovered")) is None


@pytest.mark.parametrize("last", [CONTENT.first, date(2027, 1, 31)])
def test_a_claim_can_end_on_its_first_day_and_on_its_last(last: date) -> None:
    assert decide(state(Status.IN_FORCE), End(last, "registered_in_error"), TODAY).ended_on == last


def test_only_a_claim_in_force_ends_by_itself() -> None:
    for status in Status:
        after = settled(state(status), date(2027, 2, 1))
        assert after.status is (Status.ENDED if status is Status.IN_FORCE else status)
        assert settled(state(status, OPEN_ENDED), date.max).status is status


DAYS = st.dates(date(2026, 9, 1), date(2027, 6, 30))
ANY = st.one_of(
    st.builds(Register, st.just(CONTENT)),
    st.builds(Change, st.builds(replace, st.just(CONTENT), benefit=st.sampled_from(["child_benefit", "study_grant"]))),
    st.builds(Prolong, DAYS),
    st.builds(End, DAYS, st.sampled_from([*end_reasons(), "other"])),
    st.just(Cancel()),
)
KELA = {
    Status.REGISTERED: [Status.IN_HANDLING],
    Status.IN_HANDLING: [Status.HEARING, Status.IN_FORCE, Status.REJECTED],
    Status.HEARING: [Status.IN_FORCE, Status.REJECTED],
}


@given(st.lists(ANY | st.integers(0, 2), max_size=30), st.lists(st.integers(0, 20), min_size=30, max_size=30))
def test_whatever_is_done_leaves_a_claim_that_makes_sense(steps: list[Command | int], passing: list[int]) -> None:
    claim, today = decide(None, Register(CONTENT), TODAY), TODAY
    for step, days in zip(steps, passing, strict=False):
        today += timedelta(days=days)
        before = settled(claim, today)
        if isinstance(step, int):
            ways = KELA.get(before.status, [])
            claim = replace(before, status=ways[step], version=before.version + 1) if step < len(ways) else before
            continue
        try:
            claim = decide(before, step, today)
        except ClaimRefused:
            claim = before
            continue
        assert before.status in OPEN
        assert claim.version == before.version + 1
        assert (claim.content.payee, claim.content.basis) == (CONTENT.payee, CONTENT.basis)
        assert claim.content.last is None or claim.content.first <= claim.content.last
        assert (claim.ended_on is None) == (claim.end_reason is None)
        assert claim.ended_on is None or claim.content.first <= claim.ended_on
        assert claim.status is not Status.ENDED or (claim.until is not None and claim.until < today)
