"""What the screen shows is the replica's row with the pending commands by the domain's rules, whatever their order."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_tui.domain.claims.life import (
    VERBS,
    Cancel,
    Change,
    ClaimRefused,
    ClaimState,
    Command,
    End,
    Prolong,
    Register,
    Status,
    decide,
    settled,
)
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.store import claim_content
from kelmu_tui.store.claim_rows import DRAFT
from tests.store.build import NOW, OWN, open_store
from tests.store.claim_commands import LABEL, file, lines
from tests.store.claim_rows import claim, content, hold

FIRST, LAST = date(2026, 11, 1), date(2026, 12, 31)
DAYS = st.integers(-3, 60).map(lambda days: FIRST + timedelta(days=days))
CONTENTS = st.builds(
    lambda first, last, cents: content(first=first, last=last, amount=Decimal(cents).scaleb(-2)),
    DAYS,
    st.none() | DAYS,
    st.integers(1, 99_999),
)
COMMANDS = st.one_of(
    st.builds(Register, CONTENTS),
    st.builds(Change, CONTENTS),
    st.builds(Prolong, DAYS),
    st.builds(End, DAYS, st.sampled_from(["care_ended", "benefit_ended"])),
    st.just(Cancel()),
)
NAMES = dict(zip((Register, Change, Prolong, End, Cancel), VERBS, strict=True))


class Given(NamedTuple):
    """A command of the outbox; `version` is what the backend made of the claim with it."""

    command: Command
    state: str
    version: int | None
    hours: int


GIVEN = st.builds(
    lambda command, state, version, hours: Given(
        command, state, version if state in ("acknowledged", "settled") else None, hours
    ),
    COMMANDS,
    st.sampled_from(["queued", "sending", "acknowledged", "blocked", "settled", "undeliverable", "discarded"]),
    st.integers(1, 6),
    st.integers(0, 40 * 24),
)
ROWS = st.none() | st.tuples(st.sampled_from(Status), st.integers(1, 6), st.none() | DAYS)
SHOWN = ("queued", "sending", "acknowledged", "blocked")


def expected(
    row: tuple[Status, int, date | None] | None, commands: list[Given]
) -> tuple[ClaimState | None, str | None]:
    """Fold the commands by the rules, as a reader of the design would."""
    today, state, version = local_date(NOW), None, 0
    if row is not None:
        status, version, last = row
        state = settled(ClaimState(status, content(first=FIRST, last=last), version), today)
    pending = None
    for one in commands:
        if one.state not in SHOWN or (one.version is not None and version >= one.version):
            continue
        try:
            state = decide(state, one.command, local_date(NOW - timedelta(hours=one.hours)))
        except ClaimRefused:
            continue
        pending = NAMES[type(one.command)]
    return state, pending


def save(db: Any, number: int, one: Given) -> None:
    """Write a command as the outbox would have it by now."""
    db.execute(
        "INSERT INTO main.command (id, user, organisation, aggregate, verb, payload, label, base_version, schema,"
        " lease, state, created_at, ack_version, ack_epoch)"
        " VALUES (?, 'user', ?, 'c1', ?, ?, ?, 0, 1, 'lease', ?, ?, ?, 'e')",
        (
            f"k{number}",
            OWN,
            NAMES[type(one.command)],
            _json(claim_content.command_payload(one.command)),
            _json(LABEL),
            one.state,
            (NOW - timedelta(hours=one.hours)).isoformat(timespec="microseconds"),
            one.version,
        ),
    )


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(GIVEN, max_size=5))
def test_lists_and_claims_show_the_row_and_what_is_pending(
    row: tuple[Status, int, date | None] | None, commands: list[Given]
) -> None:
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "one")
        try:
            store.attach(OWN)
            rows = [] if row is None else [claim("c1", status=row[0], version=row[1], first=FIRST, last=row[2])]
            hold(store, rows)
            with store.write("main") as db:
                for number, one in enumerate(commands):
                    save(db, number, one)
            state, pending = expected(row, commands)
            shown = lines(store)
            if state is None:
                assert shown == {}
                return
            line, said = shown["c1"], state.content
            assert (line.status, line.pending, line.conflict) == (state.status, pending, False)
            assert (line.first, line.last, line.amount) == (said.first, said.last, said.amount)
            whole = file(store, "c1")
            assert (whole.line, whole.content, whole.end_reason, whole.ended_on) == (
                line, said, state.end_reason, state.ended_on,
            )  # fmt: skip
            assert [event.pending for event in whole.events].count(True) >= (pending is not None)
            assert line.status != DRAFT
        finally:
            store.close()
