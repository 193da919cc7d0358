"""Every fault of the simulation by name: when it may strike, how often, and what it met when it did.

Each run switches a part of the faults on, each with an intensity of its own, all drawn from the seed. A run in which
three things go wrong all the time finds what one in which everything goes wrong now and then does not.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple


class Moment(StrEnum):
    """When a fault may strike."""

    SEND = "send"
    """A request is on its way to the backend."""
    SERVE = "serve"
    """The backend answers it."""
    REPLY = "reply"
    """An answer, or a piece of one, is on its way back."""
    UNIT = "unit"
    """A terminal runs a unit of work over its store."""
    FATE = "fate"
    """Something befalls a user, a machine or the backend."""
    TRUTH = "truth"
    """Nobody injects it: the backend says so, for a reason."""


class Fault(NamedTuple):
    """A kind of fault; `odds` is its share of the occasions of its moment at the usual intensity."""

    name: str
    moment: Moment
    odds: float


FAULTS: Final[dict[str, Fault]] = {
    name: Fault(name, moment, odds)
    for moment, found in {
        Moment.SEND: {
            "drop_request": 0.06,
            "duplicate": 0.06,
            "delay": 0.06,
            "reorder": 0.06,
            "connection_refused": 0.04,
            "tls_failure": 0.03,
        },
        Moment.SERVE: {
            "signed_out_401": 0.012,
            "in_progress_409": 0.04,
            "throttled_429": 0.03,
            "error_500": 0.03,
            "break_503": 0.03,
            "server_crash": 0.06,
        },
        Moment.REPLY: {
            "drop_answer": 0.06,
            "cut_body": 0.04,
            "slow_drip": 0.08,
            "wrong_json": 0.03,
        },
        Moment.UNIT: {
            "client_crash": 0.02,
            "disk_full": 0.02,
            "io_read": 0.012,
            "io_write": 0.012,
            "io_commit": 0.02,
            "busy": 0.012,
        },
        Moment.FATE: {
            "partition": 1.0,
            "crash_in_purge": 0.35,
            "wrong_key": 0.25,
            "corrupt_page": 0.25,
            "old_ledger": 0.25,
            "old_replica": 0.35,
            "clock_day_ahead": 0.25,
            "clock_day_behind": 0.25,
            "clock_years_behind": 0.25,
            "clock_stopped": 0.25,
            "lease_over": 0.2,
            "memo_expired": 0.15,
            "server_restore": 0.4,
            "scope_revoked": 0.8,
            "scope_granted": 0.8,
            "scope_granted_again": 0.8,
            "second_terminal": 0.8,
            "leader_killed": 0.5,
            "leader_stopped": 0.5,
            "old_schema": 0.3,
            "backend_behind_426": 0.15,
        },
        Moment.TRUTH: {"mandate_403": 0.0, "version_412": 0.0},
    }.items()
    for name, odds in found.items()
}

CLIENT_STATES: Final = ("idle", "filling", "offline", "signed_out")
COMMAND_STATES: Final = (
    "queued", "sending", "acknowledged", "settled", "refused", "blocked", "undeliverable",
)  # fmt: skip
CLAIM_STATES: Final = ("claim_draft", "claim_pending", "claim_settled", "claim_refused", "claim_undeliverable")
"""Of the commands on payment claims; and that the user has begun one."""
STATES: Final = (*CLIENT_STATES, *COMMAND_STATES, *CLAIM_STATES)

_ON_THE_WAY: Final = [name for name, fault in FAULTS.items() if fault.moment in (Moment.SERVE, Moment.REPLY)]
IMPOSSIBLE: Final[dict[tuple[str, str], str]] = {
    **dict.fromkeys(
        [(name, "offline") for name in (*_ON_THE_WAY, "mandate_403", "version_412")],
        "cut off, nothing reaches the backend and no answer comes back",
    ),
    **dict.fromkeys(
        [(name, "offline") for name, fault in FAULTS.items() if fault.moment is Moment.SEND],
        "cut off, a request ends at the cut and meets nothing else",
    ),
    ("partition", "offline"): "what is cut off is not cut off once more",
    ("version_412", "signed_out"): "nothing is sent without a session, and what was sent before is answered 401",
    ("mandate_403", "signed_out"): "nothing is sent without a session, and what was sent before is answered 401",
    ("signed_out_401", "signed_out"): "a session ends once",
    ("in_progress_409", "signed_out"): "the session is looked at before the command",
}
"""Pairs of a fault and a state that cannot meet, with the reason."""

POSSIBLE: Final = frozenset((name, state) for name in FAULTS for state in STATES) - IMPOSSIBLE.keys()


def _draw(dice: random.Random, fault: Fault) -> float:
    return fault.odds * dice.choice((0.0, 0.0, 0.5, 1.0, 1.0, 3.0))


class Weather:
    """What goes wrong in one run, and how often.

    Attributes:
        reached: how often each pair of fault and state was met; the fault alone stands with an empty state.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"faults-{seed}")
        swarm = random.Random(f"weather-{seed}")
        self._odds = {name: _draw(swarm, fault) for name, fault in FAULTS.items()}
        self.calm = True
        self.reached: Counter[tuple[str, str]] = Counter()
        self._tables = {moment: list(self._table(moment)) for moment in Moment}

    def _table(self, moment: Moment) -> Iterator[tuple[str, float]]:
        total = sum(self._odds[name] for name, fault in FAULTS.items() if fault.moment is moment)
        # However bad a run is meant to be, half of what is tried still gets through.
        scale = 1.0 if moment is Moment.FATE else min(1.0, 0.5 / total) if total else 0.0
        return (
            (name, self._odds[name] * scale)
            for name, fault in FAULTS.items()
            if fault.moment is moment and self._odds[name]
        )

    def on(self, name: str) -> bool:
        """Tell whether a fault belongs to this run."""
        return self._odds[name] > 0

    def pick(self, moment: Moment) -> str | None:
        """Return what strikes now, if anything."""
        if self.calm:
            return None
        roll = self._dice.random()
        for name, odds in self._tables[moment]:
            roll -= odds
            if roll < 0:
                return name
        return None

    def fate(self) -> str | None:
        """Return the next stroke of fate among those of this run."""
        table = self._tables[Moment.FATE]
        if self.calm or not table:
            return None
        return self._dice.choices([name for name, _ in table], [odds for _, odds in table])[0]

    def met(self, name: str, states: Iterable[str]) -> None:
        """Count that a fault struck, and in which states of client and commands."""
        self.reached[name, ""] += 1
        for state in states:
            self.reached[name, state] += 1


def share(reached: Counter[tuple[str, str]]) -> float:
    """Return which part of the possible pairs was reached."""
    return sum(1 for pair in POSSIBLE if reached[pair]) / len(POSSIBLE)


def missing(reached: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the possible pairs that were not reached."""
    return sorted(pair for pair in POSSIBLE if not reached[pair])


def contradicted(reached: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs that are said to be impossible and were reached nevertheless."""
    return sorted(pair for pair in IMPOSSIBLE if reached[pair])
