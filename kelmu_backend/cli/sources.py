"""`kelmu-backend sources`: break and mend the systems that a customer's rows come from, to see what a look-up does."""

from __future__ import annotations

import argparse
import json
from typing import Final

from kelmu_backend.cli.common import Commands, Exit, add_data, record, say
from kelmu_tui.domain.sections import section_facts
from kelmu_tui.platform.clock import SystemClock

DELAY_MS: Final = 3000
"""Milliseconds by which a slow source is slow unless it is said otherwise."""
LONGEST_MS: Final = 60_000


def add(commands: Commands) -> None:
    """Add the commands to the grammar."""
    group = commands.add_parser("sources", help="break and mend the systems that a customer's rows come from")
    actions = group.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser("list", help="how each source is, one JSON document a line")
    listing.set_defaults(run=_list)
    add_data(listing)
    known = [facts.source for facts in section_facts().values()]
    for name, about in (
        ("down", "let sources give no answer"),
        ("slow", "let sources answer late"),
        ("up", "let sources answer at once"),
    ):
        action = actions.add_parser(name, help=about)
        action.set_defaults(run=_become, state=name, ms=0)
        action.add_argument("source", nargs="+", choices=known, metavar="source", help=", ".join(known))
        if name == "slow":
            action.add_argument("--ms", type=_delay, default=DELAY_MS, help=f"milliseconds (default: {DELAY_MS})")
        add_data(action)


def _delay(text: str) -> int:
    number = int(text)
    if not 0 < number <= LONGEST_MS:
        raise ValueError
    return number


def _list(options: argparse.Namespace) -> int:
    from kelmu_backend.customers import sources

    with record(options) as database, database.read() as connection:
        found = sources.states(connection)
    for name, source in found.items():
        since = source.since and source.since.isoformat()
        told = {"id": name, "state": source.state.value, "since": since, "delay_ms": source.delay_ms}
        print(json.dumps(told))
    return Exit.OK


def _become(options: argparse.Namespace) -> int:
    from kelmu_backend.customers import sources

    state, now = sources.State(options.state), SystemClock().now()
    with record(options) as database, database.write() as connection:
        for name in options.source:
            sources.become(connection, name, state, now, options.ms)
    say(f"{state.value}: {', '.join(options.source)}")
    return Exit.OK
